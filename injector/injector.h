// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the rest of the program sees of this room: which faults and actions there are, and an injector that carries them out.
#include "injector/fault/fault.h"
#include "lab/reach/reach.h"

// ---- the catalogue -------------------------------------------------------------------------------------------------
const struct fault_ops *const *fault_catalogue(size_t *ret_n);
const struct fault_ops *fault_find(const char *mechanism);
// Every fault and every action as the vocabulary of the scenario reader. Static.
const struct vocabulary *fault_vocabulary(void);
// Asks check, and check_node for each target that names a node. targets may be NULL. Actions are checked too. For
// `bascule check` and before a run; the reason names the way out.
int fault_check(const char *mechanism, const struct topology *t, const selector_list *targets,
                const setting_list *params, struct err *err);
// A lab whose scenario has no storage fault starts its daemons without the filter, and pays nothing for it: adds to the
// topology's disk_layer what the plan's faults need (fault_ops.disk_layer).
void fault_plan_disk_layer(struct plan *plan);
// docs/faults.md, whole, from the table. Appends to out.
void fault_catalogue_markdown(struct strbuf *out);

// ---- running them --------------------------------------------------------------------------------------------------
// The injector emits fault events (asked, effective, verified | unverified, ...) through world->sink and owns live faults.
struct injector;
int injector_new(struct fault_world *world, struct injector **ret, struct err *err);
void injector_free(struct injector *in);
// The lab's network for those who observe it: what the faults in force should let through. It borrows the injector's world.
struct reach injector_reach(const struct injector *in);
// Starts an injection; what happens next comes as fault events with this id. Fails (and emits phase "failed") when it
// can't start.
int injector_inject(struct injector *in, const char *id, const char *mechanism, const char *target,
                    char (*nodes)[NODE_NAME_MAX], size_t n_nodes, const setting_list *params, struct err *err);
// Heals one (id) or all (NULL), newest first. Frozen things are thawed before anything is killed. A fault that is
// healed already answers with heal_verified again; one whose heal failed is tried again. -ENOENT: no fault of that id
// was ever injected.
int injector_heal(struct injector *in, const char *id, struct err *err);
size_t injector_active(const struct injector *in); // injected (or under way) and not yet healed

// The actions that are this room's: process.resume, node.power_on, service.start. Live faults they undo are healed on
// the way. Emits the action events done or failed (the caller has told "asked"). Returns 0, or -ENOENT: not one of
// ours.
int injector_act(struct injector *in, const char *id, const char *action, char (*nodes)[NODE_NAME_MAX], size_t n_nodes,
                 const setting_list *params, struct err *err);
