// SPDX-License-Identifier: PostgreSQL
#pragma once
// The link shaper as the faults see it: rules on flows, imposed and lifted, counted per fault. It starts the relay with
// the first rule, keeps one redirect per directed pair as long as any rule wants it, and takes every redirect away when
// the relay dies, so that no flow is left in a black hole.
#include "injector/fault/fault.h"
#include "injector/shaper/core.h"
#include "lab/reach/flows.h"

struct shaper; // one per world
struct shaper *shaper_new(const struct fault_world *w);
void shaper_free(struct shaper *s); // NULL is fine; the relay ends
// Can it be done on this host? Tried once per process in a throw-away lab (10 to 50 ms); inside a lab the relay's own
// start tells.
int shaper_check_host(struct err *err);

struct shape_counts {
    struct shape_stats stats;
    // By the relay since its start, of all faults together: loss that nobody asked for.
    uint64_t lost;   // its ring was full
    uint64_t unsent; // a port did not take them, for the reason `why` (errno of the last)
    int why;
};

// What a fault holds of it; embedded in the fault's state. Callbacks come from the loop or from within the call.
struct shape_client {
    struct shaper *shaper;
    uint32_t fault; // its number there; 0 = none
    void *arg;
    void (*imposed)(void *arg, bool ok, usec_t effective, const char *text); // effective: run time
    void (*lifted)(void *arg, bool ok, usec_t effective, const struct shape_counts *counts, const char *text);
    void (*counted)(void *arg, const struct shape_counts *counts); // NULL: the relay is gone
    void (*broken)(void *arg, const char *text); // the relay died; nothing of this fault is in force any more
    enum { SHAPE_IDLE, SHAPE_IMPOSING, SHAPE_IMPOSED, SHAPE_LIFTING } phase;
    usec_t asked;
};
// One rule per flow, all with the parameters of `r`. Ends with imposed.
void shaper_impose(struct shaper *s, struct shape_client *c, const struct shape_rule *r, const flow_list *flows,
                   const char *id);
void shaper_lift(struct shape_client *c, bool discard); // ends with lifted; harmless when nothing is imposed
void shaper_count(struct shape_client *c);              // ends with counted
void shaper_drop_client(struct shape_client *c);        // no more callbacks; rules still in force end

// What the rules in force, of all faults, make of a packet of this flow.
struct shape_expected {
    double arrives;                       // probability, intact
    double twice;                         // of those, duplicated
    double late;                          // of those, put behind others
    uint64_t delay_ns, least_ns, most_ns; // mean; the least and (but for tails) the most that the rules give
    uint64_t bits_per_s;                  // the slowest rate; 0 = no limit
    bool jammed, bursts;
};
void shaper_expect(const struct shaper *s, const struct net_flow *flow, struct shape_expected *ret);
bool shaper_jams(const struct shaper *s, const struct net_flow *flow);    // everything on it is held; s may be NULL
bool shaper_touches(const struct shaper *s, const struct net_flow *flow); // any rule is on it; s may be NULL
pid_t shaper_relay_pid(const struct shaper *s);                           // 0 = not running; for tests and diagnostics
