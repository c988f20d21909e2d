// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the room: the engine's state, and which file moves which part of it.
//
// Time. `now` is the engine's own clock. It moves to every deadline that lies before an event before that event is
// looked at, so the outcome does not depend on how late ticks are delivered. `stamp` is the time of the event being
// worked on: what goes into the log carries that, since a log does not run backwards.
#include "lab/engine/condition.h"
#include "lab/engine/engine.h"

// How long the world may take. Beyond it, the engine goes on without an answer.
#define INJECT_MAX      (60 * SEC)  // asked -> verified: the slowest mechanism fills a disk
#define HEAL_MAX        (30 * SEC)  // heal asked -> healed; with several at once, more of it for the later ones
#define HEAL_QUEUE_MAX  4           // of them: the injector may heal one after another
#define HEAL_VERIFY_MAX (20 * SEC)  // healed -> heal verified; the injector gives a measurement 15 s
#define HEAL_DUD_MAX    (5 * SEC)   // an injection that failed is healed for safety, with little patience
#define ABORT_MAX       (15 * SEC)  // somebody has pressed Ctrl-C
#define REJOIN_MAX      (120 * SEC) // after the last heal: every member back (base backups included)
#define REJOIN_DIVERGED                                                                                                \
    (30 * SEC) // of it, when a member follows another history: a rewind is under way by then, or nobody does it
#define REJOIN_HOLD (1 * SEC) // what the observer saw just before the heal may look complete for one probe

enum run_state {
    RUN_BEFORE,  // waits for a complete cluster and the application's writes
    RUN_STEPS,   // steps are under way
    RUN_OBSERVE, // all steps ended; the measures go on
    RUN_HEAL,    // everything injected is being healed; `reason` says why the run ends
    RUN_REJOIN,  // healed; every member should come back before the final read
    RUN_FINISHED,
};

enum step_phase {
    STEP_PENDING, // the step it hangs on has not ended
    STEP_DELAYED, // `delay` runs until `ready`
    STEP_WAITING, // eligible since `ready`: `when` must hold for `hold`
    STEP_STAYING, // started: `stays` must hold until started + stays_for
    STEP_BUSY,    // started: the world works on it
    STEP_ENDED,   // done; others may follow
    STEP_CLOSED,  // failed or skipped: nothing follows
};

enum action_answer { ACTION_NONE, ACTION_DONE, ACTION_FAILED };

struct step_state {
    enum step_phase phase;
    usec_t ready;      // eligible from here on
    usec_t held_since; // `when` has held since; USEC_NEVER = it does not hold
    usec_t changes;    // when the condition looked at may turn by the clock alone
    usec_t started, ended;
    usec_t watched_since; // `stays` is watched without a break since then
    usec_t unwatched;     // of its wait: time in which nobody watched
    bool told;            // "waiting" is in the log
    bool failed;          // closed: with an outcome that is told; else skipped
    bool released;        // the trainer's "next" lets it start although the scenario is held
    size_t heal_until;    // HEAL of everything: faults with a lower index, i.e. those of before its start
    enum action_answer answer;
    char whom[EVENT_NAME_MAX]; // as resolved when it started: "n2", "n1,n3"; "" = nobody, or not yet
    char detail[EVENT_TEXT_MAX];
};

enum live_phase {
    LIVE_ASKED,   // injection asked
    LIVE_BITES,   // verified, or a dud: failed or not verified
    LIVE_HEALING, // heal asked
    LIVE_HEALED,  // undone; the verification of it is awaited
    LIVE_GONE,
};

struct live_fault {
    char id[EVENT_NAME_MAX];
    size_t step; // SIZE_MAX: by hand
    enum live_phase phase;
    bool verified, dud;
    bool broke;              // ended by itself while it was in force
    enum end_reason trouble; // NONE, or the run's reason if it broke or could not be healed: UNVERIFIED, BROKEN
    bool told;               // the trouble is in the run's detail
    usec_t effective;        // 0 = not seen
    usec_t heal_at;          // `duration` is over; USEC_NEVER = not by itself
    usec_t limit;            // the phase's patience ends; USEC_NEVER = none
    char detail[EVENT_TEXT_MAX];
};

struct engine {
    const struct plan *plan;
    struct model *model;
    enum run_state state;
    usec_t now, stamp, state_since;
    bool started; // an event was seen: first_event is valid
    usec_t first_event, began;
    usec_t complete_since; // USEC_NEVER = not complete
    char why[200];         // what RUN_BEFORE and RUN_REJOIN wait for
    char old_leader[NODE_NAME_MAX];
    bool injected;                 // old_leader belongs to the first injection
    struct step_state *steps;      // as many as plan->steps
    VEC(struct live_fault) faults; // in the order of injection
    bool held;                     // by a trainer: see hold.c
    usec_t held_since;             // while held
    usec_t held_total;             // of earlier holds: the scenario's timeout does not count them
    usec_t sees_from;              // the observer has stood still: conditions are judged from here on; 0 = it never did
    usec_t unwatched;              // in all: the scenario's timeout does not count it
    usec_t held_until;             // end of the last hold: a step's clock does not start before it
    bool permit;                   // "next" was said, no step has taken it yet
    bool next_told;                // `next` is in the log
    struct event next;             // the last step.next
    bool aborted;
    usec_t heal_limit;      // of an abort; USEC_NEVER = none
    bool healed_something;  // in RUN_HEAL
    uint64_t draws;         // by hand
    enum end_reason reason; // NONE = running
    char detail[EVENT_TEXT_MAX];
    effect_list *out; // during a call from outside
};

struct scope engine_scope(const struct engine *e);
usec_t engine_rejoin_max(const struct engine *e); // how long the end waits for every member
struct effect *engine_effect(struct engine *e, enum effect_kind kind);
void engine_record(struct engine *e, int64_t index, const char *name, enum step_status state, const char *detail);
// Ends the run: the first reason stands. Steps that did not end are closed, everything injected gets healed.
void engine_end(struct engine *e, enum end_reason reason, const char *fmt, ...) PRINTF_LIKE(3, 4);
static inline usec_t earlier(usec_t a, usec_t b) {
    return a < b ? a : b;
}
static inline usec_t later_by(usec_t t, usec_t d) { // saturates: a scenario may say "stays 1000000h"
    return d >= USEC_NEVER - t ? USEC_NEVER : t + d;
}

// step.c
bool steps_advance(struct engine *e); // returns whether anything moved
// Adds the nodes that target k of step i means now; the step has not started.
int step_resolve(const struct engine *e, size_t i, size_t k, struct node_list *nodes, struct err *err);
bool steps_ended(const struct engine *e); // all of them
void steps_close(struct engine *e);       // the run ends: those under way fail, the rest is skipped
void steps_on_action(struct engine *e, const struct event *ev);
usec_t steps_deadline(const struct engine *e);

// hold.c
void hold_on_command(struct engine *e, const char *verb);
bool hold_stops(struct engine *e, size_t i);             // this step may not begin now; takes the permit when it may
bool hold_stops_clock(const struct engine *e, size_t i); // its clock stands still
bool step_not_started(const struct engine *e, size_t i); // step.c: its turn has come, it has not started

// words.c
void next_tell(struct engine *e); // step.next, when it says something new

// unwatched.c
void unwatched_note(struct engine *e, usec_t from, usec_t to); // the observer stood still
bool unwatched_now(const struct engine *e);                    // what the model says may be old
bool unwatched_stops(const struct engine *e, size_t i);        // this step is not judged now

// live.c
struct live_fault *live_find(struct engine *e, const char *id);
void live_inject(struct engine *e, size_t step, const struct node_list *nodes);
void live_heal(struct engine *e, struct live_fault *f); // asks, once
void live_heal_all(struct engine *e);                   // newest first, all of them at once
bool live_advance(struct engine *e);                    // durations and patience
void live_on_event(struct engine *e, const struct event *ev);
size_t live_active(const struct engine *e); // not gone
bool live_timed(const struct engine *e);    // some fault waits for the end of its duration, or is in healing
usec_t live_deadline(const struct engine *e);
