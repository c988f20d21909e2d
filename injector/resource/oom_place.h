// SPDX-License-Identifier: PostgreSQL
#pragma once
// resource.oom on one node: a session of the application whose sort uses up the memory, and the guard that kills for it.
//   connect -> ask for its pid -> [raise the postmaster's oom_score_adj] -> guard -> sort -> somebody is killed
#include "injector/fault/fault.h"
#include "injector/resource/oom_guard.h"
#include "lab/observe/pgconn.h"

struct oom_place;
// Somebody was killed for the first time (why NULL), or nobody will be, and why. The place may be stopped in it.
typedef void (*oom_place_told)(void *arg, struct oom_place *p, const char *why);

struct oom_place {
    struct node *node;
    int64_t more;           // bytes that PostgreSQL may use beyond what it uses when the sort begins
    bool postmaster_wanted; // as the victim
    oom_place_told told;
    void *arg;

    sd_event *loop;
    struct memory_use before;   // when the sort began: the processes of then
    struct oom_guard_spec spec; // limit 0 = it has not begun
    struct process hungry;      // the session's backend; pid 0 = not told yet
    bool eating, adj_raised;
    struct pgconn *c;
    struct oom_guard *guard;
    struct oom_kill kill; // the first
    unsigned kills;       // all of them
};

// The five fields at the top are the caller's. Does not move afterwards.
int oom_place_begin(const struct fault_world *w, const char *node, struct oom_place *p, struct err *err);
// The session and the guard end, and the query too, which would not notice it (SIGTERM to its backend, as pg_terminate_backend
// sends it). What happened stays to be asked for. Twice is fine.
void oom_place_stop(struct oom_place *p);
// Gives the postmaster, if it is still that one, the oom_score_adj of before. Twice is fine.
int oom_place_restore(struct oom_place *p, struct err *err);
void oom_place_done(struct oom_place *p);

// "n1: PostgreSQL uses ...; SIGKILL to ..." of the first kill.
void oom_place_kill_text(const struct oom_place *p, struct strbuf *out);
// Are the victim and everybody who dies with it gone? Of a backend that is every other child of the postmaster: the crash
// restart.
bool oom_place_gone(const struct oom_place *p);
// What was not as it should be; NULL = nothing.
const char *oom_place_objection(const struct oom_place *p);
bool oom_place_hungry(const struct oom_place *p); // is the session's backend still there?
bool oom_place_same_postmaster(const struct oom_place *p);
// What PostgreSQL uses now, in bytes, whichever postmaster it has, and the oom_score_adj of that; -1 = it does not run.
int64_t oom_place_used_now(const struct oom_place *p, int *ret_adj);
