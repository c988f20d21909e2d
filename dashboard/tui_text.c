// SPDX-License-Identifier: PostgreSQL
// Frames of a recorded run as text: for tests, for pasting into a page.
#include "dashboard/tui_internal.h"

static void print_frame(struct tui *t, const struct tui_text_options *o, struct canvas *c, struct strbuf *out) {
    int y, x;
    t->dash.model = t->replay.feed.model;
    t->dash.history = t->replay.feed.history;
    t->dash.now = t->replay.cursor;
    t->dash.log_end = t->replay.end;
    frame_draw(t, c, &y, &x);
    if (o->every)
        strbuf_addf(out, "%s== %.3f s\n", out->len ? "\n" : "", (double)t->dash.now / (double)SEC);
    canvas_to_text(c, o->tones, out);
}

static void go_to(struct tui *t, usec_t at) {
    replay_seek(&t->replay, at);
    while (!replay_run(&t->replay, USEC_NEVER / 4, NULL))
        ;
}

int tui_text(const struct tui_text_options *o, struct strbuf *out, struct err *err) {
    struct tui_options same = {.run_dir = o->run_dir, .view = o->view, .pidfd = -1, .record = o->record};
    struct tui t = {.o = &same, .is_replay = true, .dash = {.readonly = true, .speed = 1, .paused = true}};
    STR_COPY(t.dash.run_dir, o->run_dir);
    t.view = tui_view(o->view, err);
    if (t.view < 0)
        return t.view;
    int r = replay_open(&t.replay, o->run_dir, err);
    if (r < 0)
        return r;
    struct canvas c;
    canvas_init(&c, o->rows, o->cols, !o->ascii);
    go_to(&t, o->every ? 0 : o->at);
    print_frame(&t, o, &c, out);
    for (usec_t at = o->every; o->every && at <= t.replay.end; at += o->every) {
        go_to(&t, at);
        print_frame(&t, o, &c, out);
    }
    canvas_done(&c);
    frame_close_views(&t);
    source_close(&t);
    return 0;
}
