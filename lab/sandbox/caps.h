// SPDX-License-Identifier: PostgreSQL
#pragma once
// Capabilities, by the system calls (capabilities(7)). Private to lab/sandbox and lab/node.
#include <stdbool.h>

#include "lab/base/err.h"

// Gives up every capability in every set, bounding and ambient included: the daemons of a node have none.
int caps_drop(struct err *err);
// Gives up all but one, which is good for nothing in a user namespace. Whoever has none can't trace this process then,
// open its /proc/PID/{mem,fd,environ} or take its descriptors (pidfd_getfd): its rights are no subset of theirs (security/commoncap.c,
// cap_ptrace_access_check). For the init of a node, which runs with the uid of everything in it. Lost with the next exec.
int caps_guard(struct err *err);
// Lets one capability survive the next exec: our uid inside is not 0, so exec would clear it (capabilities(7),
// "ambient").
int caps_keep_over_exec(unsigned cap, struct err *err);
bool caps_any(void); // any permitted capability left?
