// SPDX-License-Identifier: PostgreSQL
#pragma once
// The dashboard's own parts, shared by tui_*.c and nobody else.
#include "dashboard/feed.h"
#include "dashboard/menu.h"
#include "dashboard/prompt.h"
#include "dashboard/replay.h"
#include "dashboard/tui.h"

enum { VIEWS_MAX = 16, JOBS_MAX = 8 };

struct job {   // a request on its way: a child whose last line of output is the answer
    pid_t pid; // 0 = free
    int out;
    char text[512];
    size_t len;
};

struct tui {
    const struct tui_options *o;
    struct dash dash;
    bool is_replay;
    struct feed feed;     // live
    struct replay replay; // replay
    int view;
    void *states[VIEWS_MAX]; // of views, opened when first shown
    struct menu menu;
    struct prompt prompt;
    bool help;
    int help_top;
    struct job jobs[JOBS_MAX];
    // the loop
    bool quit, dirty, urgent, more; // more: events wait that did not fit into the last slice of time
    int signal;                     // that ended us
    usec_t drawn, ticked;           // CLOCK_MONOTONIC of the last frame, of the last step in a replay
};

// tui_source.c: where events come from
int source_open(struct tui *t, struct err *err);
void source_close(struct tui *t);
void source_tick(struct tui *t);        // reads what is new, or plays on; sets urgent and more
bool source_moves(const struct tui *t); // the screen changes by itself
void source_show_replay(struct tui *t); // after every move of the cursor: going back makes a new model and history
void source_lab_ended(struct tui *t);
bool source_held(const struct tui *t);
const struct feed_unclear *source_unclear(const struct tui *t); // a replay: of the whole log

// tui_frame.c
void frame_draw(struct tui *t, struct canvas *c, int *ret_y, int *ret_x); // where a cursor belongs, or -1
void *frame_view_state(struct tui *t);
void frame_close_views(struct tui *t);

// tui_keys.c
void tui_key(struct tui *t, int key, bool function);

// tui_request.c
void request_send(struct tui *t, const struct request *r);
void request_ask(struct tui *t, const struct request *r); // asks y/n first where that is due
void request_read(struct tui *t, struct job *j);          // its pipe is readable

void tui_say(struct tui *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
