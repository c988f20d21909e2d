// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the injector: the live faults. Shared by injector.c (phases) and act.c (actions that undo faults).
#include "injector/errand/errand.h"
#include "injector/fault/retry.h"
#include "injector/injector.h"

enum stage {
    STAGE_INJECTING, // inject under way
    STAGE_VERIFYING, // in force; its measurement under way
    STAGE_ACTIVE,    // in force
    STAGE_HEALING,   // heal under way
    STAGE_CHECKING,  // healed; the measurement of that under way
    STAGE_HEALED,    // healed, measured
    STAGE_UNSURE,    // healed, but the measurement does not confirm it
    STAGE_STUCK,     // the heal itself failed: still in force, may be tried again
    STAGE_FAILED,    // the injection failed before it changed anything
};

struct live {
    struct fault f; // first: a completion brings the fault back
    struct injector *in;
    enum stage stage;
    bool heal_wanted;    // asked while still being injected
    bool queued;         // part of "heal everything", its turn not over yet
    setting_list params; // the copy behind f.params
    sd_event_source *deadline;
};

struct act;        // an action under way (act.c)
struct errand_act; // likewise (act_errand.c)
struct injector {
    struct fault_world *world;
    bool owns_cuts, owns_frozen, owns_shaper;
    VEC(struct live *) lives; // oldest first
    VEC(struct act *) acts;
    VEC(struct errand_act *) errands;
};

bool live_in_force(const struct live *lv);
// Begins to heal, or remembers that it is wanted. Harmless at any stage.
void injection_heal(struct live *lv);
// For tests and injector_inject: with ops that need not be in the catalogue.
int injector_inject_ops(struct injector *in, const char *id, const struct fault_ops *ops, const char *target,
                        char (*nodes)[NODE_NAME_MAX], size_t n_nodes, const setting_list *params, struct err *err);
void act_free(struct act *a);
// An action: the errand of one phase, then "done" or "failed". The injector owns it.
int errand_act_start(struct injector *in, const char *id, const struct mechanism *about,
                     const struct errand_phase *phase, usec_t patience, char (*nodes)[NODE_NAME_MAX], size_t n,
                     const setting_list *params, struct err *err);
void errand_act_free(struct errand_act *a);
