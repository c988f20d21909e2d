// SPDX-License-Identifier: PostgreSQL
#pragma once
// A recorded log, folded up to any time, and a view drawn over it: the dashboard without a terminal.
#include "dashboard/dash.h"

struct player {
    VEC(struct event) events;
    size_t next;
    struct dash dash;
};

// Reads tests/screen/logs/NAME.jsonl.
void player_open(struct player *p, const char *name);
void player_take(struct player *p, const struct event *events, size_t n); // these instead of a file
void player_to(struct player *p, usec_t t);                               // forward only
void player_close(struct player *p);

struct stage { // one view on one canvas
    const struct view_ops *view;
    void *state;
    struct canvas canvas;
};
void stage_open(struct stage *s, const char *view, int rows, int cols, bool utf8);
void stage_draw(struct stage *s, const struct player *p);
bool stage_key(struct stage *s, struct player *p, int key);
void stage_close(struct stage *s);
