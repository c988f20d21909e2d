// SPDX-License-Identifier: PostgreSQL
#pragma once
// What a process of the lab gives up besides capabilities (caps.h), before anybody's command runs in it.
#include "lab/base/err.h"

// No program that this process or a descendant executes gains rights by its mode or file capabilities (PR_SET_NO_NEW_PRIVS), and
// none has the keys of the session it came from (keyrings(7)). Nothing in a lab needs either.
int confine_rights(struct err *err);
// What ps and /proc/PID show of a process lies in its own memory, and only there can a plain user change it. The bounds are two
// fields of /proc/self/stat, counted from 1 (proc(5)).
enum confine_range {
    CONFINE_ARGUMENTS = 48,   // arg_start, arg_end
    CONFINE_ENVIRONMENT = 50, // env_start, env_end
};
// Fills it with zeros; *ret_at is where it begins. Its length in bytes, 0 = it could not be found and nothing was done.
size_t confine_wipe(enum confine_range which, char **ret_at);
// Nothing of the environment it was started with can be read in /proc/PID/environ any more; getenv finds the variables of `keep` (a
// NULL-terminated list of names) in memory of its own. Pointers from getenv before this are void. Needs the /proc of the caller's pid
// namespace; where that can't be read the environment is still cut down, but its former text stays visible.
void confine_environment(const char *const *keep);
// This process and its descendants can't put words into the keyboard buffer of a terminal they share with their user (TIOCSTI), nor
// select and paste on a console (TIOCLINUX). Forbids the system calls of other architectures. Needs confine_rights before.
int confine_terminal(struct err *err);
