// SPDX-License-Identifier: PostgreSQL
#pragma once
// The dashboard's heart: what is shown (model and history, folded up to `now`), and the contract of a view. A view reads this and
// draws on a canvas; it does no I/O. Nothing flows backwards: a key that acts on the lab becomes a request, which the loop sends
// over the control socket like `bascule inject` would.
#include "dashboard/canvas.h"
#include "dashboard/history.h"
#include "lab/model/model.h"

struct dash {
    struct model *model;
    struct history *history;
    usec_t now;     // run time shown: live, the clock (data may be older: see age); replay, the cursor
    usec_t log_end; // replay: time of the last event
    bool live;      // attached to a running lab
    bool alive;     // live: the supervisor answers; false: it is gone, what is shown is the last state
    bool paused;    // the display is frozen (events are still read)
    double speed;   // replay
    bool readonly;
    char run_dir[512];
    // shared between views
    int node;          // selected node, index in model->nodes
    char filter[64];   // of lists; "" = all
    char message[160]; // one line for the user, bottom; cleared at the next key
};

// What a key asks for beyond the view itself. The loop carries it out; in a replay or --readonly it says why it can't.
enum request_kind {
    REQUEST_NONE,
    REQUEST_INJECT, // .fault, .target, .params ("key=value key=value")
    REQUEST_HEAL,   // .target = id, "" = all
    REQUEST_SHELL,  // .target = node
    REQUEST_NEXT,   // let the held scenario take its next step
    REQUEST_HOLD,   // hold the scenario before its next step / go on by itself
};
struct request {
    enum request_kind kind;
    char fault[EVENT_NAME_MAX], target[EVENT_NAME_MAX], params[160];
};

struct view_ops {
    const char *name;  // "cluster": for --view and golden screens
    const char *title; // "Cluster"
    const char *tab;   // its name where there is little room; NULL = title
    char letter;       // opens it; F1.. follow the order of the table
    void *(*open)(void);
    void (*draw)(void *view, const struct dash *d, struct canvas *c, struct rect area);
    // An arrow, letter, ... (curses KEY_ codes). True = taken. *ret may ask for something.
    bool (*key)(void *view, struct dash *d, int key, struct request *ret);
    const char *help; // lines for the help screen: "Enter  details of the node\n..."
    void (*close)(void *view);
};

extern const struct view_ops view_cluster, view_network, view_dcs, view_replication, view_timeline, view_logs,
    view_client, view_scenario, view_lesson;
// In the order of the F keys, ends with NULL.
extern const struct view_ops *const views[];
