// SPDX-License-Identifier: PostgreSQL
#pragma once
// The contract of a fault: one file per mechanism fills it, its folder's faults.h names it. docs/HACKING.md says what else a new
// one touches. This room is below all faults; what runs them is injector/injector.h.
//
// Life: check (before the run) -> inject -> verify -> ... -> heal -> verify_healed. inject, heal and both verifications
// may finish later on the loop; each calls its completion exactly once. heal must be safe after a half-done inject and
// twice.
#include <systemd/sd-event.h>

#include "lab/node/node.h"
#include "lab/plan/plan.h"
#include "lab/record/event.h"
#include "lab/sandbox/switch.h"
#include "lab/scenario/vocabulary/vocabulary.h"

struct fault_world; // what a fault may touch; below

struct fault { // one live injection
    char id[EVENT_NAME_MAX];
    const struct fault_ops *ops;
    struct fault_world *world;
    char target[EVENT_NAME_MAX];          // as written
    char nodes[NODES_MAX][NODE_NAME_MAX]; // as resolved
    size_t n_nodes;
    const setting_list *params; // as written; the injector's own copy
    void *state;                // the mechanism's own, freed by ops->done
    void *extra;                // of one that does more around another mechanism's phases (disk.lose_unsynced)
    bool injected, healing, healed;
    bool touched; // set by the mechanism before its first change: a failed inject has something to undo
    usec_t asked, effective;
};

// Completion of a phase. ok = false and text = why. For inject, `effective` is the observed time of effect (run time);
// 0 = it could not be observed. May be called from within the phase's own call; a mechanism touches nothing of the
// fault after it.
typedef void (*fault_phase_done)(struct fault *f, bool ok, usec_t effective, const char *text);

struct errand_ops;     // errand/errand.h
struct disk_rule_kind; // disk/disk_rule.h

struct fault_ops {
    struct mechanism about;  // name, summary, parameters: what the scenario reader sees
    const char *mechanism;   // how it is done, one sentence: "SIGKILL through a pidfd by the node's init"
    const char *still_works; // what a student may wrongly expect to be broken
    const char *exercises;   // what it teaches
    const char *needs;       // "nothing", "root", "/dev/fuse"
    // Can it be done on this host, with these parameters and this topology? 0, or negative with the reason.
    int (*check)(const struct topology *t, const setting_list *params, struct err *err);
    // Does the host have what `needs` says, whatever topology and parameters? For `bascule doctor`. NULL = nothing to try.
    int (*check_host)(struct err *err);
    void (*inject)(struct fault *f, fault_phase_done done);
    void (*verify)(struct fault *f, fault_phase_done done); // a measurement that it bites
    void (*heal)(struct fault *f, fault_phase_done done);
    void (*verify_healed)(struct fault *f,
                          fault_phase_done done);                // a measurement that it is gone; NULL = nothing to see
    void (*describe)(const struct fault *f, struct strbuf *out); // the commands a student could type to do the same
    void (*done)(struct fault *f);                               // frees state; completions still under way are dropped
    // Can it be done to this node of the topology? Asked for nodes named in a scenario before the run, and for every
    // resolved target just before inject. NULL = any node will do.
    int (*check_node)(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err);
    usec_t patience; // how long inject, heal and a verification may each take; 0 = 15 s
    bool thaws;      // its heal lets something run again: goes before every other heal
    // Classes of system calls (lab/node/disk.h) that the daemons must have been started with a filter for; 0 = none.
    unsigned disk_layer;
    const struct errand_ops *errand;        // of mechanisms with ERRAND_PHASES
    const struct disk_rule_kind *disk_rule; // of those whose phases are disk/disk_rule.h
};

struct fault_world {
    sd_event *loop;
    const struct event_sink *sink;
    struct switch_net *sw;
    const struct topology *topology;
    uint64_t seed;                 // of the run: whatever a mechanism draws comes from it and the fault's id
    struct node *nodes[NODES_MAX]; // by index in topology->nodes
    // Starts again what a node runs after a power-on or a killed service (the stack knows how). service NULL = all of
    // them.
    int (*start_services)(void *arg, const char *node, const char *service, struct err *err);
    void *arg;
    void (*broke)(struct fault *f, const char *text); // what fault_broke does; set by injector_new
    // What several faults may hold at once: directed cuts and links (net_cuts.h), frozen processes (frozen.h), impaired
    // flows (relay/shaper.h). Leave them NULL: injector_new makes them, injector_free frees them.
    struct net_cuts *cuts;
    struct frozen *frozen;
    struct shaper *shaper;
};
struct node *fault_world_node(const struct fault_world *w, const char *name);
int fault_world_index(const struct fault_world *w,
                      const char *name);                          // in topology->nodes and nodes; -1 = there is none
const char *fault_param(const struct fault *f, const char *name); // its value or the table's fallback; NULL = none
// A number drawn from the run's seed and the fault's id; the same for the same `nth`.
uint64_t fault_draw(const struct fault *f, uint64_t nth);
// For a mechanism: what it did is gone without having been asked to (a process it needs died). The fault becomes "failed"
// with the reason and is healed, to undo what is left of it.
void fault_broke(struct fault *f, const char *text);
