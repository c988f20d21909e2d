// SPDX-License-Identifier: PostgreSQL
#pragma once
// A fake world in fake time: a cluster of n1, n2, n3 (PostgreSQL and etcd) and the application's node, which answers
// the engine's effects as a lab would. Power-off of the leader lets the lease run out, another member takes the key,
// and so on; with `claimed` the managers give a silent leader up after ttl, and whoever is promoted says so. What the injector answers, and how late, can be set per test. Nothing here knows the engine's insides.
#include "lab/engine/engine.h"
#include "tests/engine/events.h"
#include "tests/engine/plans.h"

// How the injector behaves. Delays count from the effect.
struct manners {
    usec_t verify_after;            // asked -> verified (or unverified)
    usec_t heal_after, heal_verify; // heal asked -> healed -> heal verified
    bool mute_inject, mute_heal;    // never answers
    bool unverified, failed;        // answers so instead of verified
    bool heal_unverified, heal_failed, no_heal_verify;
};

struct world_fault {
    char id[EVENT_NAME_MAX];
    char nodes[NODES_MAX][NODE_NAME_MAX];
    size_t n_nodes;
    char mechanism[STEP_NAME_MAX];
    struct manners manners;
    usec_t injected, heal_asked; // heal_asked 0 = not
    int injects, heals;          // how often the engine asked
    bool gone;
};

struct world;
struct world_item { // something that will happen
    usec_t t;
    uint64_t seq;
    struct event ev;                                 // fed to the engine, when there is no call
    void (*call)(struct world *w, const char *node); // else this
    char node[NODE_NAME_MAX];
};

struct world {
    struct plan *plan;
    struct engine *engine;
    usec_t now, end; // the clock; `end`: of the current world_step_until
    uint64_t seq;
    VEC(struct world_item) queue;
    VEC(struct world_fault) faults;
    VEC(struct event) records; // STEP events of the engine, in order
    struct event next;         // its last STEP_NEXT
    effect_list actions;
    struct manners manners; // for the next injections
    bool mute_actions, fail_actions, no_ticks;
    usec_t action_after;
    usec_t tick_late; // the engine's ticks are delivered up to this much late, by seed
    uint64_t random;
    // the cluster
    bool claimed; // fakeha (tests/fake/fake.h): no etcd, no key, no lease; set before world_boot
    bool on[3];
    int leader; // index, -1 = nobody holds the key
    int writer; // index of who accepts writes, -1 = nobody
    usec_t ttl, loop_wait, renewed;
    // what became of it
    bool finished;
    struct effect finish;
    usec_t finished_at;
    size_t steps; // engine calls
};

struct world *world_new(struct plan *plan); // owns the plan; nothing has happened yet
void world_free(struct world *w);
void world_boot(struct world *w); // the cluster comes up: complete at 3 s, writes flow from then on
void world_at(struct world *w, usec_t t, struct event ev);
void world_call(struct world *w, usec_t t, void (*call)(struct world *w, const char *node), const char *node);
void world_feed(struct world *w, const struct event *ev); // now
void world_abort(struct world *w, const char *reason, const char *detail);
void world_power_off(struct world *w, const char *node); // as world_call's function, too
void world_power_on(struct world *w, const char *node);
void world_move_leader(struct world *w, const char *node);
uint64_t world_random(struct world *w, uint64_t below);

// Lets time pass until the predicate holds (true) or `max` has passed (false).
bool world_step_until(struct world *w, bool (*predicate)(const struct world *w), usec_t max);
bool world_finished(const struct world *w);
void world_run(struct world *w); // to the end, at most an hour; fails the test otherwise
void world_pass(struct world *w, usec_t time);

// What the log of steps says: the time of `state` of step `name`, or USEC_NEVER; and its detail ("" when there is
// none).
usec_t world_when(const struct world *w, const char *name, const char *state);
const char *world_detail(const struct world *w, const char *name, const char *state);
struct world_fault *world_fault(const struct world *w, const char *id);
void world_print(const struct world *w); // the records, for a failing test

struct world *world_booted(struct plan *plan); // new, and coming up
struct world *world_begun(struct plan *plan);  // run until the scenario begins
struct world *world_begins(struct world *w);   // the same of one that is coming up
bool world_has_begun(const struct world *w);
void assert_reason(const struct world *w, const char *reason); // why the run finished
void assert_has(const char *text, const char *part);
void assert_all_healed(const struct world *w); // once each
