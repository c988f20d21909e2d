// SPDX-License-Identifier: PostgreSQL
// A key goes to what is on top: prompt, menu, help, the keys that are always the same, the view, the table, the views' letters.
#include <curses.h>

#include "dashboard/keys.h"
#include "dashboard/term.h"
#include "dashboard/tui_internal.h"

static void open_view(struct tui *t, int view) {
    t->view = view;
    t->help = false;
}

static void help_key(struct tui *t, int key, bool function) {
    bool down = function ? key == KEY_DOWN || key == KEY_NPAGE : key == 'j',
         up = function ? key == KEY_UP || key == KEY_PPAGE : key == 'k';
    int lines = function && (key == KEY_NPAGE || key == KEY_PPAGE) ? 10 : 1;
    if (down || up)
        t->help_top += down ? lines : -lines;
    else
        t->help = false;
}

// ---- replay ---------------------------------------------------------------------------------------------------------

static void seek(struct tui *t, usec_t to) {
    replay_seek(&t->replay, to);
    source_show_replay(t);
    t->more = true; // the loop gets there, in slices
}

static void seek_by(struct tui *t, int seconds) {
    usec_t from = t->more ? t->replay.target : t->replay.cursor, by = (usec_t)abs(seconds) * SEC;
    seek(t, seconds > 0 ? from + by : from > by ? from - by : 0);
}

static void seek_mark(struct tui *t, bool forward) {
    const struct mark *m = replay_mark(&t->replay, forward);
    if (!m) {
        tui_say(t, forward ? "nothing of note after this" : "nothing of note before this");
        return;
    }
    t->dash.paused = true;
    seek(t, m->t);
    tui_say(t, "%.3f s: %s", (double)m->t / (double)SEC, m->text);
}

static void step_event(struct tui *t) {
    if (t->more)
        return; // still on its way
    t->dash.paused = true;
    const struct event *ev = replay_step(&t->replay);
    source_show_replay(t);
    if (ev)
        tui_say(t, "%.3f s: %s", (double)t->replay.cursor / (double)SEC, event_kind_name(ev->kind));
    else
        tui_say(t, "the end of the log");
}

static void change_speed(struct tui *t, double factor) {
    double speed = t->dash.speed * factor;
    if (speed >= 1.0 / 16 && speed <= 1024)
        t->dash.speed = speed;
}

// ---- both -----------------------------------------------------------------------------------------------------------

static void select_node(struct tui *t, int step) {
    int n = (int)t->dash.model->n_nodes;
    if (n > 0)
        t->dash.node = (t->dash.node + step + n) % n;
}

static void ask_shell(struct tui *t) {
    struct request r = {.kind = REQUEST_SHELL};
    if ((size_t)t->dash.node < t->dash.model->n_nodes)
        STR_COPY(r.target, t->dash.model->nodes[t->dash.node].name);
    request_ask(t, &r);
}

static void toggle_pause(struct tui *t) {
    if (t->is_replay && t->dash.paused && t->replay.cursor >= t->replay.end)
        seek(t, 0); // play again
    t->dash.paused = !t->dash.paused;
}

static bool may_ask(struct tui *t) {
    if (!t->dash.readonly && t->dash.alive)
        return true;
    tui_say(t, t->dash.readonly ? "read-only: this dashboard only looks" : "the lab has ended");
    return false;
}

static void carry_out(struct tui *t, enum key_act what) {
    switch (what) {
    case KEY_ACT_NONE:
        return;
    case KEY_ACT_HELP:
        t->help = true;
        t->help_top = 0;
        return;
    case KEY_ACT_QUIT:
        t->quit = true;
        return;
    case KEY_ACT_REDRAW:
        term_redraw();
        return;
    case KEY_ACT_INJECT:
        if (may_ask(t))
            menu_open(&t->menu, t->o->vocabulary);
        return;
    case KEY_ACT_HEAL:
        request_ask(t, &(struct request){.kind = REQUEST_HEAL});
        return;
    case KEY_ACT_SHELL:
        ask_shell(t);
        return;
    case KEY_ACT_HOLD:
        request_ask(t, &(struct request){.kind = REQUEST_HOLD});
        return;
    case KEY_ACT_NEXT_STEP:
        request_ask(t, &(struct request){.kind = REQUEST_NEXT});
        return;
    case KEY_ACT_PAUSE:
        toggle_pause(t);
        return;
    case KEY_ACT_MARK_NEXT:
    case KEY_ACT_MARK_BACK:
        seek_mark(t, what == KEY_ACT_MARK_NEXT);
        return;
    case KEY_ACT_STEP:
        step_event(t);
        return;
    case KEY_ACT_BACK_1:
    case KEY_ACT_ON_1:
        seek_by(t, what == KEY_ACT_ON_1 ? 1 : -1);
        return;
    case KEY_ACT_BACK_10:
    case KEY_ACT_ON_10:
        seek_by(t, what == KEY_ACT_ON_10 ? 10 : -10);
        return;
    case KEY_ACT_FASTER:
    case KEY_ACT_SLOWER:
        change_speed(t, what == KEY_ACT_FASTER ? 2 : 0.5);
        return;
    case KEY_ACT_START:
    case KEY_ACT_END:
        seek(t, what == KEY_ACT_START ? 0 : t->replay.end);
        return;
    case KEY_ACT_FILTER:
        prompt_filter(&t->prompt, &t->dash);
        return;
    case KEY_ACT_NODE_NEXT:
    case KEY_ACT_NODE_BACK:
        select_node(t, what == KEY_ACT_NODE_NEXT ? 1 : -1);
        return;
    }
}

static bool fixed_key(struct tui *t, int key, bool function) {
    int view = keys_view(key, function, false);
    if (view >= 0) {
        open_view(t, view);
        return true;
    }
    const struct key_row *row = keys_find(key, t->is_replay, true);
    if (row)
        carry_out(t, row->act);
    return row;
}

static void plain_key(struct tui *t, int key, bool function) {
    if (fixed_key(t, key, function))
        return;
    struct request r = {0};
    if (views[t->view]->key && views[t->view]->key(frame_view_state(t), &t->dash, key, &r)) {
        request_ask(t, &r);
        return;
    }
    const struct key_row *row = keys_find(key, t->is_replay, false);
    int view = row ? -1 : keys_view(key, function, true);
    if (row)
        carry_out(t, row->act);
    else if (view >= 0)
        open_view(t, view);
    else if (key == KEY_ESCAPE && t->dash.filter[0])
        t->dash.filter[0] = '\0';
}

void tui_key(struct tui *t, int key, bool function) {
    struct request r = {0};
    t->dirty = true;
    t->dash.message[0] = '\0';
    if (t->prompt.kind != PROMPT_NONE) {
        prompt_key(&t->prompt, &t->dash, key, function, &r);
        request_send(t, &r);
    } else if (t->menu.page != MENU_CLOSED) {
        menu_key(&t->menu, &t->dash, key, function, &r);
        request_send(t, &r);
    } else if (t->help)
        help_key(t, key, function);
    else if (function || key < 256) // beyond: a letter that no key means, and that looks like a function key's code
        plain_key(t, key, function);
}
