// SPDX-License-Identifier: PostgreSQL
// Where events come from: a log that grows, or one that is played.
#include <stdio.h>

#include "dashboard/tui_internal.h"

static const usec_t SLICE = 20 * MSEC; // longest time away from the keyboard

static void show_feed(struct tui *t, const struct feed *f) {
    t->dash.model = f->model;
    t->dash.history = f->history;
    if ((size_t)t->dash.node >= f->model->n_nodes)
        t->dash.node = 0;
}

static void live_clock(struct tui *t) {
    const struct feed *f = &t->feed;
    usec_t now = usec_now();
    t->dash.log_end = f->latest;
    t->dash.now = t->dash.alive && f->mono && now > f->mono ? now - f->mono : f->latest;
    if (t->dash.now < f->latest)
        t->dash.now = f->latest;
}

void source_show_replay(struct tui *t) {
    show_feed(t, &t->replay.feed);
    t->dash.now = t->replay.cursor;
    t->dash.log_end = t->replay.end;
}

static void say_damage(struct tui *t) {
    cleanup_strbuf struct strbuf words = {0};
    record_words(t->o->record, &words);
    tui_say(t, "the record is %s", strbuf_str(&words));
}

const struct feed_unclear *source_unclear(const struct tui *t) {
    return t->is_replay ? &t->replay.unclear : &t->feed.unclear;
}

static void say_unclear(struct tui *t) {
    cleanup_strbuf struct strbuf words = {0};
    feed_unclear_text(source_unclear(t), &words);
    if (t->is_replay && t->replay.cut)
        strbuf_addf(&words, "%sits last line is cut off", words.len ? "; " : "");
    if (words.len)
        tui_say(t, "%s", words.data);
}

int source_open(struct tui *t, struct err *err) {
    int r = t->is_replay ? replay_open(&t->replay, t->o->run_dir, err) : feed_open(&t->feed, t->o->run_dir, err);
    if (r < 0)
        return r;
    if (t->is_replay) {
        if (t->o->at_given) {
            replay_seek(&t->replay, t->o->at);
            t->more = true;
        }
        source_show_replay(t);
        say_unclear(t);
    } else {
        show_feed(t, &t->feed);
        source_tick(t);
    }
    if (record_state(t->o->record) == RECORD_DAMAGED || (t->o->record && *t->o->record->unknown))
        say_damage(t);
    t->ticked = usec_now();
    return 0;
}

void source_close(struct tui *t) {
    feed_close(&t->feed);
    replay_close(&t->replay);
}

// Paused: nothing is folded. The log keeps what happens meanwhile.
static void live_tick(struct tui *t) {
    if (t->dash.paused)
        return;
    int64_t unclear = feed_unclear_lines(&t->feed.unclear);
    int news = feed_follow(&t->feed, SLICE);
    if (news < 0) {
        tui_say(t, "the event log can't be read any more: %s", strerror(-news));
        return;
    }
    if (feed_unclear_lines(&t->feed.unclear) && !unclear) // the first: later ones are counted in the title
        say_unclear(t);
    t->urgent |= (news & FEED_URGENT) != 0;
    t->dirty |= (news & FEED_NEWS) && !t->dash.alive;
    t->more = news & FEED_MORE;
    live_clock(t);
}

static void replay_tick(struct tui *t, usec_t now) {
    struct replay *r = &t->replay;
    bool urgent = false;
    if (!t->more && !t->dash.paused) { // arrived: time goes on from here
        usec_t passed = (usec_t)((double)(now - t->ticked) * t->dash.speed);
        replay_seek(r, r->cursor + passed);
    }
    bool was_under_way = t->more;
    t->more = !replay_run(r, SLICE, &urgent);
    t->urgent |= urgent && !t->more;
    t->dirty |= was_under_way && !t->more;
    source_show_replay(t);
    if (!t->dash.paused && r->cursor >= r->end) {
        t->dash.paused = true;
        t->dirty = true;
        tui_say(t, "the end of the log (g: from the beginning)");
    }
}

void source_tick(struct tui *t) {
    usec_t now = usec_now();
    if (t->is_replay)
        replay_tick(t, now);
    else
        live_tick(t);
    t->ticked = now;
}

bool source_moves(const struct tui *t) {
    return !t->dash.paused && (t->is_replay || t->dash.alive);
}

void source_lab_ended(struct tui *t) {
    t->dash.alive = false;
    t->dirty = true;
    if (!t->dash.paused)
        source_tick(t); // its last lines
}

bool source_held(const struct tui *t) {
    return t->is_replay ? t->replay.feed.held : t->feed.held;
}
