// SPDX-License-Identifier: PostgreSQL
#pragma once
// The timeline of a scenario, as a pure machine: engine_step(engine, event) -> effects. It reads no clock, opens no file and
// logs nothing; each event carries its time, so a 90-second scenario is a unit test of a millisecond.
#include "lab/model/model.h"
#include "lab/plan/plan.h"
#include "lab/record/event.h"

enum effect_kind {
    EFFECT_RECORD, // write .event to the log (a step changed state)
    EFFECT_INJECT, // inject .step's mechanism on .nodes; the world answers with fault events carrying .id
    EFFECT_HEAL,   // heal the fault .id
    EFFECT_ACTION, // do .step's action on .nodes; the world answers with action events carrying .id
    EFFECT_FINISH, // the scenario is over: .reason, .detail; everything injected has been healed or was asked to be
};

struct effect {
    enum effect_kind kind;
    const struct step *step;              // INJECT, ACTION: borrowed from the plan
    char id[EVENT_NAME_MAX];              // INJECT, HEAL, ACTION: the fault's or action's id = the step's name
    char nodes[NODES_MAX][NODE_NAME_MAX]; // resolved targets
    size_t n_nodes;
    enum end_reason reason;      // FINISH
    char detail[EVENT_TEXT_MAX]; // FINISH
    struct event event;          // RECORD
};
typedef VEC(struct effect) effect_list;

struct engine; // opaque

// plan is borrowed and must outlive the engine. `began` is not needed: the scenario clock starts by itself, when the model
// has been complete for plan->settle and writes flow.
struct engine *engine_new(const struct plan *plan);
void engine_free(struct engine *e);
// Feeds one event (EVENT_TICK when only time has passed) and appends what is to be done now. Call it for every event, in order.
void engine_step(struct engine *e, const struct event *ev, effect_list *out);
// Run time at which engine_step wants a tick even if nothing happens; USEC_NEVER when it waits for events only.
usec_t engine_deadline(const struct engine *e);
bool engine_finished(const struct engine *e);
// A trainer steps through the scenario, with COMMAND events (hold.c): "hold" = no further step starts,
// "next" = one step may, "go" = on by itself. What has started goes on; faults keep their durations.
bool engine_held(const struct engine *e);
bool engine_stands(const struct engine *e); // held, and nothing is under way: it stands before its next step
// What a step does to whom, one line for people. Not yet started: "net.drop on the leader, which is n2 now" for the next one, without the
// second half for those after it, and for a plan alone; started: "net.drop on n2". Return buf.
char *plan_step_words(const struct plan *plan, size_t i, char *buf, size_t size);
char *engine_step_words(const struct engine *e, size_t i, char *buf, size_t size);
// "step 2 of 5, 'cut': net.drop on n2". Of the next step; "" = none is left. Return buf.
char *engine_step_title(const struct engine *e, size_t i, char *buf, size_t size);
int64_t engine_next_step(const struct engine *e); // its index; -1 = none is left
char *engine_next_title(const struct engine *e, char *buf, size_t size);
const char *engine_step_state(const struct engine *e, size_t i); // done, failed, skipped, now, next, "to come"
// What the engine waits for, one line for people: "waiting for 'leader changed' (12 s of 60 s)". Returns buf.
char *engine_waiting_for(const struct engine *e, char *buf, size_t size);
// Begin healing everything and finish with this reason ("interrupted"): Ctrl-C, a broken lab.
void engine_abort(struct engine *e, usec_t now, enum end_reason reason, const char *detail, effect_list *out);
// The model that the engine folds, for status displays. Borrowed.
const struct model *engine_model(const struct engine *e);
// For injections by hand: resolves a selector now. Returns the number of nodes, or -ENOENT with err ("no sync standby now").
int engine_resolve(struct engine *e, const struct selector *sel, char (*nodes)[NODE_NAME_MAX], struct err *err);
