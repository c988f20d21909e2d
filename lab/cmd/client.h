// SPDX-License-Identifier: PostgreSQL
#pragma once
// Talking to a running lab.
#include "lab/base/json.h"
#include "lab/cmd/cmd.h"
#include "lab/node/node.h"

// Connects to the named lab; NULL = $BASCULE_LAB, else the only one that runs (more than one: an error that lists them).
// Returns a connected fd or negative. Root becomes the lab's unprivileged owner first, as for every command.
int client_connect(const char *lab, struct err *err);
// One request, one reply. *ret_reply is owned by the caller; ret_fds (NODE_NS_COUNT entries, may be NULL) gets descriptors that came
// along, -1 where none. A reply that says ok = false becomes the error. Gives up after 120 s.
int client_request(int fd, const cJSON *request, cJSON **ret_reply, int *ret_fds, struct err *err);
// The same with only a command word.
int client_command(int fd, const char *command, cJSON **ret_reply, struct err *err);
