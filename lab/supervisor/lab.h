// SPDX-License-Identifier: PostgreSQL
#pragma once
// Starting a lab, seen from the command that wants one. The lab itself is a process tree in namespaces of its own whose
// pid 1 is the supervisor (supervisor.h); the command and the lab share a run folder, a lifeline and a control socket,
// nothing else.
#include <sys/types.h>

#include "lab/base/err.h"
#include "lab/scenario/plan.h"

enum { LAB_NAME_MAX = 48, LAB_PATH_MAX = 512 };

struct lab_options {
    const struct plan *plan; // borrowed; steps are empty for `bascule up`
    bool scenario;           // run the plan's steps; false: stand there until `bascule down`
    bool keep;               // scenario: stay up when it is over
    bool workload;           // run the application
    bool fresh;              // ignore prepared templates
    char name[LAB_NAME_MAX]; // wanted name; "-2", "-3" ... is added when auto_name and it is taken
    bool auto_name;
    const char *run_dir;   // exists, writable, absolute
    const char *cache_dir; // NULL = no templates
    const char *overrides; // text of --set options, for the record; may be NULL
};

struct lab_handle {
    pid_t pid;               // of the supervisor, in our pid namespace
    int pidfd;               // readable when it has ended
    int lifeline;            // write end: closing it ends the lab unless it was detached
    char name[LAB_NAME_MAX]; // the name it got
};

// Creates the control socket, then the namespaces, then the supervisor in them. Returns once the supervisor runs; what
// happens then is told by the event log in run_dir. The lab dies with this process until `detach` is sent over the
// control socket.
int lab_launch(const struct lab_options *o, struct lab_handle *ret, struct err *err);

// ---- the control socket: an abstract SOCK_SEQPACKET address in the host's network namespace, so nothing is left on
// disk ------- "bascule/UID/NAME". One JSON object per message each way; fds may come along (SCM_RIGHTS).
int lab_socket_listen(const char *name, uid_t uid, struct err *err);  // -EADDRINUSE when a lab of that name runs
int lab_socket_connect(const char *name, uid_t uid, struct err *err); // -ECONNREFUSED when there is none
// Names of this user's running labs, sorted, from /proc/net/unix.
typedef VEC(char *) name_list;
int lab_names(uid_t uid, name_list *ret, struct err *err);
void name_list_done(name_list *l);
