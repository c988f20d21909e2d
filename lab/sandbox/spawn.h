// SPDX-License-Identifier: PostgreSQL
#pragma once
// Children of ours that share our code: cloned, watched through a pidfd, reporting their first steps over a pipe.
// For lab/sandbox, lab/node and the launch of a lab; the functions on pidfds also for who waits for a process that is not a child.
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lab/base/err.h"
#include "lab/base/usec.h"

// clone(2) as a fork with CLONE_* namespace flags: no exec, so a child of CLONE_NEWUSER keeps its capabilities. Returns
// 0 in the child, the pid in the parent with *ret_pidfd (close-on-exec), or -errno. Only for single-threaded callers.
// The child must leave with _exit.
pid_t spawn_clone(unsigned long flags, int *ret_pidfd);

int spawn_pidfd_open(pid_t pid);                  // -errno on failure
int spawn_pidfd_kill(int pidfd, int sig);         // 0 or -errno
bool spawn_pidfd_gone(int pidfd, int timeout_ms); // true once the process has ended (zombie or reaped)
int spawn_wait(pid_t pid); // waits for this child, retried over EINTR; its wait status, or -errno
int spawn_end(pid_t pid);  // the same, with SIGKILL first: one that hangs must not make us hang

// The start of a child, told over a pipe: one struct err, code 0 = all went well.
void spawn_report(int fd, const struct err *report);
// Reads it. 0, or negative with the child's own message; "what" names the child when it ended without a word, or said none for a
// minute (-ETIMEDOUT; then it is the caller's to end).
int spawn_report_wait(int fd, const char *what, struct err *err);

// In a fresh child before exec: default signal dispositions and an empty mask, whatever the event loop had blocked.
void spawn_reset_signals(void);
// Closes every descriptor from `first` on.
void spawn_close_from(int first);
