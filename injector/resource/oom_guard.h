// SPDX-License-Identifier: PostgreSQL
#pragma once
// An OOM killer in user space, as earlyoom and systemd-oomd are: watches what one PostgreSQL uses, and when that passes a
// limit kills the process that the kernel would take, with the signal that the kernel sends.
#include "injector/resource/memory_use.h"

struct oom_kill {
    struct memory_process victim; // as it was when it was chosen
    int64_t total;                // of all of them, at that instant
    int error;                    // 0, or the negative errno of the signal; -ETIMEDOUT: still there 5 s later
    usec_t sent, ended;           // run time
};
// Both may free the guard.
typedef void (*oom_guard_killed)(void *arg, const struct oom_kill *k); // each time
typedef void (*oom_guard_gone)(void *arg); // the postmaster is gone: the guard sleeps for good

struct oom_guard_spec {
    struct node *node;
    struct process postmaster; // it and its descendants are watched
    int64_t limit;             // bytes, compared with memory_use.total
    // Descendants with an oom_score_adj of `raised` get `born` instead, as PG_OOM_ADJUST_VALUE does: what the postmaster
    // inherits to them is its own burden. Equal = leave them alone.
    int raised, born;
    oom_guard_killed killed;
    oom_guard_gone gone;
    void *arg;
};

struct oom_guard;
int oom_guard_new(sd_event *loop, const struct oom_guard_spec *spec, struct oom_guard **ret, struct err *err);
bool oom_guard_firing(const struct oom_guard *g); // it has chosen, and waits for the end of its victim; NULL = no
void oom_guard_free(struct oom_guard **g);        // NULL inside is fine
// Once, by hand: gives `born` to the descendants that have `raised`.
void oom_guard_unburden(const struct oom_guard_spec *spec);
