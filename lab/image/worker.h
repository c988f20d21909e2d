// SPDX-License-Identifier: PostgreSQL
#pragma once
// mmdebstrap under a guardian. Private to lab/image.
//
// Happy path: worker_start forks the guardian, which waits; the caller gives up root, takes the lock and says worker_go; the
// guardian makes a scratch folder, runs the program in it with its standard output into a pipe (a tar), waits, removes the scratch
// folder and sends the exit status.
// Root: the guardian keeps the rights its caller gives up. What it will run is fixed when it is forked.
// Ctrl-C, kill -9 of the caller: the control socket closes; the guardian ends the program (it lies in a pid namespace, so all of it
// goes) and clears away. kill -9 of the guardian: the program dies with it, but not what it has started, which holds our pipes open. So
// the caller is told the program's number over `life`, and ends its group when that pipe closes without an exit status
// (worker_read_life, worker_life_ended); the next worker clears the scratch folder. Who has given up root may not end what root's guardian
// started: he stops reading, and it ends with its next write into pipes that nobody reads.
#include <sys/types.h>

#include "lab/image/store.h"

struct worker {
    pid_t pid;
    int control, out, messages; // owned; out: the program's standard output; messages: its standard error
    int life;                   // owned; the guardian has the other end, and nobody else
    pid_t program;              // its number and its group's; 0 = not told yet
};
// argv is copied by the fork.
int worker_start(const char *const *argv, struct worker *ret, struct err *err);
// For a line_reader of w->life; arg: the worker.
void worker_read_life(void *arg, const char *line);
int worker_life_ended(void *arg, struct err *err);
int worker_go(struct worker *w, struct err *err);
// Waits for the end; the program's wait status, or negative.
int worker_wait(struct worker *w, struct err *err);
// Ends it, whatever it is doing, and reaps. Also for one that was never started (pid 0).
void worker_stop(struct worker *w);
