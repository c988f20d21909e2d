// SPDX-License-Identifier: PostgreSQL
#pragma once
// Pid 1 of a node. Private to lab/node.
#include <sys/types.h>

#include "lab/base/vec.h"
#include "lab/node/proto.h"

enum { INIT_SERVICES_MAX = 32, INIT_WAITS_MAX = 64, INIT_TREE_MAX = 4096 };

struct init_service {
    char name[64];
    pid_t pid; // 0 = free slot
};

struct init_wait { // a signal whose end somebody waits for
    int pidfd;     // -1 = free slot
    usec_t deadline;
    struct answer answer;
};

struct init_watchdog { // init_watchdog.c
    int fd;            // -1 = none fitted
    bool armed;
    usec_t timeout, last; // as asked for; the last write, CLOCK_MONOTONIC
};

struct init_duty {             // init_duty.c
    usec_t on, off;            // the two parts of a period; off 0 = full speed
    usec_t next;               // when the other part begins; USEC_NEVER = full speed
    bool running;              // in the first part
    pid_t pids[INIT_TREE_MAX]; // stopped by us
    size_t n;
};

struct init {
    int control;
    int handoff; // where a service leaves the listener of its filter; -1 = no disk layer
    unsigned disk_layer;
    pid_t disk_agent;
    int signals; // signalfd with SIGCHLD
    struct init_service services[INIT_SERVICES_MAX];
    struct init_wait waits[INIT_WAITS_MAX];
    struct init_watchdog watchdog;
    struct init_duty duty;
};

// What the boot needs; descriptors of the supervisor, valid until the boot closed them.
struct boot {
    int control;
    int disk; // the disk agent's; -1 = none
    unsigned disk_layer;
    int net, uts, ipc, mnt; // namespaces to enter; mnt is the node's base, of which the boot makes its own copy
    const char *name;
    bool watchdog; // the machine has one
};
_Noreturn void init_main(const struct boot *b); // in the cloned child, pid 1 of its new pid namespace

void init_answer(const struct init *in, const struct answer *a);
void init_start(struct init *in, const struct request *rq, char *data, size_t len); // init_service.c
struct init_service *init_service_of(struct init *in, pid_t pid);                   // NULL: not a service's own process
void init_signal(struct init *in, const struct request *rq);                        // init_signal.c
void init_waits_check(struct init *in, usec_t now); // answers those that ended or ran out of time
void init_watchdog_fit(struct init *in);
void init_watchdog_read(struct init *in);
usec_t init_watchdog_deadline(const struct init *in);
void init_watchdog_check(struct init *in, usec_t now);         // tells when it has expired
void init_duty_set(struct init *in, const struct request *rq); // init_duty.c
void init_duty_check(struct init *in, usec_t now);
void init_duty_forget(struct init *in, pid_t pid); // stopped by somebody else too: not ours to continue
void init_reap(struct init *in);                   // init_reap.c

// /proc/PID/stat, as far as we need it.
struct proc_stat {
    char comm[32];
    char state;
    pid_t ppid;
};
int proc_stat_read(const char *proc, int64_t pid,
                   struct proc_stat *ret); // proc = "/proc" or a node's, seen from outside
