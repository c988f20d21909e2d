// SPDX-License-Identifier: PostgreSQL
#pragma once
// Starting a lab, seen from the command that wants one. The lab itself is a process tree in namespaces of its own whose
// pid 1 is the supervisor (supervisor.h); the command and the lab share a run folder, a lifeline and a control socket,
// nothing else.
#include <sys/types.h>

#include "lab/base/err.h"
#include "lab/plan/plan.h"

enum { LAB_NAME_MAX = 48, LAB_PATH_MAX = 512 };

struct lab_options {
    const struct plan *plan; // borrowed; steps are empty for `bascule up`
    bool scenario;           // run the plan's steps; false: stand there until `bascule down`
    bool keep;               // scenario: stay up when it is over
    bool hold;               // scenario: held before its first step
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

// Finds a free name, makes the namespaces, and the supervisor in them. Returns once the supervisor listens; what
// happens then is told by the event log in run_dir. The lab dies with this process until `detach` is sent over the
// control socket.
int lab_launch(const struct lab_options *o, struct lab_handle *ret, struct err *err);

// ---- finding a running lab -------------------------------------------------------------------------------------------
// A lab listens on a socket in its own /run (address.c says why there). One JSON object per SEQPACKET message each way; fds may come
// along (SCM_RIGHTS).
#define LAB_COMM "bascule-lab" // what its pid 1 is called

struct lab_ref {
    pid_t pid; // of its supervisor, in our pid namespace
    char name[LAB_NAME_MAX];
    char run_dir[LAB_PATH_MAX]; // "" = could not be read
};
typedef VEC(struct lab_ref) lab_list; // free with VEC_DONE

// 1 to LAB_NAME_MAX - 1 letters, digits, '-', '_' or '.'.
bool lab_name_valid(const char *name);
// The nearest such name to a text that is none: what does not fit becomes '-'.
void lab_name_from(const char *text, char ret[static LAB_NAME_MAX]);
// This user's labs, sorted by name. Asks the kernel and none of the supervisors; other users' processes count for nothing.
int lab_list_running(lab_list *ret, struct err *err);
int lab_find(const char *name, struct lab_ref *ret, struct err *err); // -ECONNREFUSED when none has this name
// In the lab's mount namespace.
int lab_socket_listen(const char *name, const char *run_dir, struct err *err);
// A connected, non-blocking socket. Never waits. -ECONNREFUSED when it has ended meanwhile.
int lab_socket_connect(const struct lab_ref *lab, struct err *err);
// A pidfd of its supervisor: to wait for its end, or to end it. -ECONNREFUSED when it has ended meanwhile.
int lab_pidfd(const struct lab_ref *lab, struct err *err);
// Is its pid still that of a lab with its name? A look at one process.
bool lab_runs(const struct lab_ref *lab);
// Between looking for a free name and its appearance no other start of this user may do the same. Returns a descriptor to close, or
// negative where there is no folder to lock, or it was not to be had within 5 s: then two that start in the same moment may get the same name.
int lab_names_lock(void);
