// SPDX-License-Identifier: PostgreSQL
#pragma once
// tar in and out of the store. Private to lab/image, except through make.h.
#include "lab/image/store.h"

// Starts tar, unpacking what comes from fd `in` (or, with file, from that file, compressed or not) into staging/root. *ret_messages:
// its standard error, owned by the caller.
pid_t tar_start_unpack(const char *staging, int in, const char *file, int *ret_messages, struct err *err);
// Ends tar when what it has said so far is that the tree is too large; tar_judge then tells.
struct complaint;
void tar_stop_at_limit(pid_t pid, const struct complaint *c);
// A negative err for how it ended (wait status) and what it said; 0 when all was well.
int tar_judge(int status, const struct complaint *c, const char *dir, struct err *err);
