// SPDX-License-Identifier: PostgreSQL
#pragma once
// Every key that does not belong to a view, in one table: the dispatch, the key bar and the help screen come from it.
#include "dashboard/dash.h"

enum key_where { KEY_LIVE = 1, KEY_REPLAY = 2, KEY_FIXED = 4 /* even before the view is asked */ };
enum { CTRL_L = 'L' & 0x1f, KEY_ESCAPE = 27 };

// act, key, where, as shown, word in the key bar (or NULL), help
#define KEYS(X)                                                                                                        \
    X(HELP, '?', KEY_LIVE | KEY_REPLAY | KEY_FIXED, "?", "Help", "this help; any key closes it")                       \
    X(QUIT, 'q', KEY_LIVE | KEY_REPLAY | KEY_FIXED, "q", "Quit", "leave; the lab goes on")                             \
    X(INJECT, 'i', KEY_LIVE, "i", "Inject", "inject a fault: choose it, its target, its parameters")                   \
    X(HEAL, 'H', KEY_LIVE, "H", "Heal", "heal everything (asks first)")                                                \
    X(SHELL, 's', KEY_LIVE, "s", "Shell", "a shell on the selected node; exit comes back here")                        \
    X(PAUSE, ' ', KEY_LIVE | KEY_REPLAY, "Space", "Pause",                                                             \
      "freeze the display, let it go on; in a replay: stop, play")                                                     \
    X(HOLD, 'p', KEY_LIVE, "p", "Hold", "hold the scenario before its next step; again: let it go on by itself")       \
    X(NEXT_STEP, 'n', KEY_LIVE, "n", "Next", "let the held scenario take its next step")                               \
    X(MARK_NEXT, 'n', KEY_REPLAY, "n", "Next", "to the next fault, change of leader, begin or end of an outage")       \
    X(MARK_BACK, 'N', KEY_REPLAY, "N", "Back", "to the one before")                                                    \
    X(STEP, '.', KEY_REPLAY, ".", "Step", "one event on")                                                              \
    X(BACK_1, '[', KEY_REPLAY, "[", NULL, "1 s back")                                                                  \
    X(ON_1, ']', KEY_REPLAY, "]", NULL, "1 s on")                                                                      \
    X(BACK_10, '{', KEY_REPLAY, "{", NULL, "10 s back")                                                                \
    X(ON_10, '}', KEY_REPLAY, "}", NULL, "10 s on")                                                                    \
    X(FASTER, '+', KEY_REPLAY, "+", NULL, "play twice as fast")                                                        \
    X(SLOWER, '-', KEY_REPLAY, "-", NULL, "play half as fast")                                                         \
    X(START, 'g', KEY_REPLAY, "g", NULL, "to the beginning of the log")                                                \
    X(END, 'G', KEY_REPLAY, "G", NULL, "to its end")                                                                   \
    X(FILTER, '/', KEY_LIVE | KEY_REPLAY, "/", "Filter", "filter lists and logs by a text; empty or Esc: all again")   \
    X(NODE_NEXT, '\t', KEY_LIVE | KEY_REPLAY, "Tab", "Node", "select the next node")                                   \
    X(NODE_BACK, KEY_BTAB, KEY_LIVE | KEY_REPLAY, "S-Tab", NULL, "select the node before")                             \
    X(REDRAW, CTRL_L, KEY_LIVE | KEY_REPLAY | KEY_FIXED, "^L", NULL, "draw the screen again")

enum key_act {
    KEY_ACT_NONE,
#define X(act, key, where, shown, bar, help) KEY_ACT_##act,
    KEYS(X)
#undef X
};
struct key_row {
    enum key_act act;
    int key;
    unsigned where;
    const char *shown, *bar, *help;
};
extern const struct key_row key_rows[];
extern const size_t key_rows_n;

// The row of a key: fixed ones only, or the others.
const struct key_row *keys_find(int key, bool replay, bool fixed);
// The view that a key opens: F keys and digits, by the order of views[]; with letters, the views' own letter too. -1 = none.
int keys_view(int key, bool function, bool letters);
// The bar at the bottom: the views by number, then as many keys as there is room for.
void keys_bar(struct canvas *c, struct rect row, int view, bool replay);
