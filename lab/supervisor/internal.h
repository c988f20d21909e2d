// SPDX-License-Identifier: PostgreSQL
#pragma once
// The supervisor's own parts, shared by its files and nobody else.
#include <systemd/sd-event.h>

#include "injector/injector.h"
#include "lab/base/json.h"
#include "lab/engine/engine.h"
#include "lab/observe/observe.h"
#include "lab/reach/matrix.h"
#include "lab/record/run.h"
#include "lab/stack/stack.h"
#include "lab/supervisor/supervisor.h"
#include "lab/workload/workload.h"

struct control; // the control socket and its clients

struct action_state { // an administrator's act and what came of it, for `bascule inject` and `status`
    char id[EVENT_NAME_MAX], action[EVENT_NAME_MAX], detail[EVENT_TEXT_MAX];
    enum action_phase phase;
};
enum { ACTIONS_KEPT = 16 };

struct lab {
    const struct supervisor_options *o;
    const struct plan *plan;
    sd_event *loop;
    struct event_sink sink;
    struct run_log *log;
    struct thinner *thinner;     // what comes between the events and the log
    int write_failed;            // errno of a line that could not be written, while it is being handled
    bool record_failed;          // the disk of the run folder is full
    sd_event_source *room_timer; // looks how full it is
    VEC(struct event) queue;     // emitted, not yet shown to engine, stack and observer
    bool draining;
    enum lab_state state;
    bool detached;                // stay when the command that started us ends
    bool run_ended;               // run.end is written
    char missing[EVENT_TEXT_MAX]; // while starting: what is missing, as last said
    usec_t missing_said;
    bool leaving;               // `bascule down`: nothing is kept
    enum end_reason end_reason; // NONE = it goes on
    char end_detail[EVENT_TEXT_MAX];
    struct switch_net *sw;
    struct node *nodes[NODES_MAX];
    char *log_dirs[NODES_MAX];
    struct stack_paths paths[NODES_MAX]; // by index in the topology
    struct engine *engine;
    struct stack *stack;
    struct observer *observer;
    struct injector *injector;
    struct fault_world world;
    struct matrix *matrix;
    struct workload *workload;
    struct control *control;
    sd_event_source *engine_timer;
    VEC(struct action_state) actions;      // the newest last, at most ACTIONS_KEPT
    int hand_injections;                   // counter for "hand-N"
    VEC(struct hand_params *) hand_params; // parameters of injections by hand: they live as long as the lab
};
struct hand_params {
    setting_list list;
};

// supervisor.c
void lab_set_state(struct lab *lab, enum lab_state state, const char *detail);
void lab_progress(struct lab *lab, enum progress_phase phase, bool waiting, const char *fmt, ...) PRINTF_LIKE(4, 5);
void lab_finish(struct lab *lab, enum end_reason reason,
                const char *detail);      // begin the end of the run; may be called twice
void lab_quit(struct lab *lab, int code); // leave the loop
void lab_seal(struct lab *lab);           // record.seal: the record up to here is whole
struct node *lab_node(struct lab *lab, const char *name);

// build.c: switch, nodes, stack, observer, injector; and what the run folder keeps of them
int lab_build(struct lab *lab, struct err *err);
void lab_record_beginning(struct lab *lab);
// finish.c: from "the scenario is over" to run.end
void lab_collect(struct lab *lab);
// room.c: the run folder's disk
int lab_watch_room(struct lab *lab);               // negative errno when the timer can't be made
void lab_record_failed(struct lab *lab, int code); // errno: the run ends, and says why
// effects.c
void lab_carry_out(struct lab *lab, const effect_list *effects);
// action.c: administrator's acts
void lab_action(struct lab *lab, const char *id, const char *action, char (*nodes)[NODE_NAME_MAX], size_t n,
                const setting_list *params);
void lab_keep_action(struct lab *lab, const struct event *ev); // remembers what came of an act
// stepping.c
void lab_tell_command(struct lab *lab, const char *verb, const char *args, const char *from); // puts it into the record
// hold, next, go; words: what that did, for the one who asked.
int lab_step_by_hand(struct lab *lab, const char *verb, char *words, size_t size, struct err *err);
// control.c
int control_new(struct lab *lab, int fd, struct control **ret, struct err *err);
// status.c
cJSON *lab_status(const struct lab *lab);
