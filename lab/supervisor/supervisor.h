// SPDX-License-Identifier: PostgreSQL
#pragma once
// The supervisor: pid 1 of the lab. One thread, one sd-event loop. It builds switch and nodes, lets the stack start
// them, feeds every event to log, engine, stack and observer, carries out the engine's effects, and answers the control
// socket.
#include "lab/supervisor/lab.h"

enum { SUPERVISOR_EXIT_OK = 0, SUPERVISOR_EXIT_BROKEN = 3 };

struct supervisor_options {
    const struct lab_options *lab;
    const char *name;
    int control;    // listening socket, owned
    int lifeline;   // read end, owned: EOF ends the lab unless detached
    pid_t host_pid; // ours, as the host sees it
};
// Runs the lab to its end. Returns the exit code; the caller _exits with it, and the kernel clears everything away.
int supervisor_main(const struct supervisor_options *o);
