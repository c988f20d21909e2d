// SPDX-License-Identifier: PostgreSQL
// PostgreSQL as the observer's own probes see it: who accepts writes, and since when no longer. A change lies between two probes; the moment carries
// that bracket.
//
//   a leader fences itself   its writes are refused, then its PostgreSQL is gone for a moment, then it is a standby: one fall, told once, with the end
//                            of its leader key set beside it as soon as that is known
//   a silence                is told when it has lasted: a restart of a second is none
#include "lab/model/blame.h"
#include "lab/story/internal.h"

#define SILENCE (SEC + SEC / 2)

static const char *other_writer(const struct story *s, int node) {
    for (size_t i = 0; i < s->model->n_nodes; i++)
        if ((int)i != node && s->pg[i].writable)
            return s->model->nodes[i].name;
    return NULL;
}

static const char *why_refused(const struct event *ev) {
    if (ev->u.SQL.answered && ev->u.SQL.in_recovery)
        return "it is a standby now";
    if (!ev->u.SQL.answered && !*ev->u.SQL.error)
        return "it does not answer";
    return ev->u.SQL.error;
}

static void tell_read_only(struct story *s, int node, const struct event *ev) {
    struct pg_told *p = &s->pg[node];
    const char *name = ev->u.SQL.node, *why = why_refused(ev);
    struct moment *m = tell(s, ev->t, MOMENT_DEMOTED, TOLD_MAIN, MOOD_WARN, name, "%s accepts no writes any more%s%s",
                            name, *why ? ": " : "", why);
    m->error = ev->u.SQL.previous && ev->u.SQL.previous < ev->t ? ev->t - ev->u.SQL.previous : 0;
    p->fell = ev->t;
    p->fall = m->id;
    fault_bites_by(s, node, ev->t);
    if (!str_eq(s->holder, name) && str_eq(s->lost_by, name) && ev->t > s->key_lost) {
        char text[USEC_TEXT_MAX];
        add_detail(m, "%s AFTER %s", usec_format(text, ev->t - s->key_lost), s->model->kind->lost);
    }
}

static void tell_writable(struct story *s, int node, const struct event *ev) {
    struct pg_told *p = &s->pg[node];
    const char *name = ev->u.SQL.node, *other = other_writer(s, node);
    char text[USEC_TEXT_MAX];
    struct moment *m;
    if (other)
        m = tell(s, ev->t, MOMENT_WRITABLE, TOLD_MAIN, MOOD_BAD, name,
                 "%s ACCEPTS WRITES BESIDE %s, on timeline %" PRId64, name, other, ev->u.SQL.timeline);
    else if (p->fell)
        m = tell(s, ev->t, MOMENT_WRITABLE, TOLD_MAIN, MOOD_GOOD, name,
                 "%s accepts writes again after %s, on timeline %" PRId64, name, usec_format(text, ev->t - p->fell),
                 ev->u.SQL.timeline);
    else
        m = tell(s, ev->t, MOMENT_WRITABLE, s->ready ? TOLD_MAIN : TOLD_EVENT, s->ready ? MOOD_GOOD : MOOD_NEUTRAL,
                 name, "%s accepts writes, on timeline %" PRId64, name, ev->u.SQL.timeline);
    if (s->ready)
        m->error = ev->u.SQL.previous && ev->u.SQL.previous < ev->t ? ev->t - ev->u.SQL.previous : 0;
    if (p->timeline && ev->u.SQL.timeline && ev->u.SQL.timeline != p->timeline)
        add_detail(m, "a new timeline: before it was on %" PRId64, p->timeline);
    p->fall = 0;
}

static void tell_silence(struct story *s, int node, const struct event *ev) {
    struct pg_told *p = &s->pg[node];
    if (p->silence_told || !p->silent_since || ev->t < p->silent_since + SILENCE)
        return;
    p->silence_told = true;
    fault_bites_by(s, node, p->silent_since);
    struct moment *m = tell(s, p->silent_since, MOMENT_POSTGRES, TOLD_EVENT, MOOD_WARN, ev->u.SQL.node,
                            "PostgreSQL on %s does not answer", ev->u.SQL.node);
    add_detail(m, "%s", ev->u.SQL.error);
}

static void tell_state(struct story *s, int node, const struct event *ev) {
    struct pg_told *p = &s->pg[node];
    const char *name = ev->u.SQL.node;
    bool came = !p->answered || !p->in_recovery;
    if (ev->u.SQL.in_recovery && came && (p->wrote || p->silence_told))
        (void)tell(s, ev->t, MOMENT_POSTGRES, TOLD_EVENT, MOOD_NEUTRAL, name,
                   "PostgreSQL on %s runs as a standby, on timeline %" PRId64, name, ev->u.SQL.timeline);
    else if (ev->u.SQL.in_recovery && !came && p->timeline && ev->u.SQL.timeline > 0 &&
             ev->u.SQL.timeline != p->timeline)
        (void)tell(s, ev->t, MOMENT_POSTGRES, TOLD_EVENT, MOOD_NEUTRAL, name,
                   "%s follows timeline %" PRId64 " now (before: %" PRId64 ")", name, ev->u.SQL.timeline, p->timeline);
    else if (!ev->u.SQL.in_recovery && !ev->u.SQL.writable && p->silence_told)
        (void)tell(s, ev->t, MOMENT_POSTGRES, TOLD_EVENT, MOOD_WARN, name,
                   "PostgreSQL on %s answers but accepts no writes%s%s", name, *ev->u.SQL.error ? ": " : "",
                   ev->u.SQL.error);
}

static void on_sql(struct story *s, int node, const struct event *ev) {
    struct pg_told *p = &s->pg[node];
    const struct model_node *n = &s->model->nodes[node];
    if (n->power_changed && !n->on) // an answer that was under way when the power went
        return;
    bool writable = ev->u.SQL.answered && ev->u.SQL.writable;
    if (p->writable && !writable)
        tell_read_only(s, node, ev);
    else if (!p->writable && writable)
        tell_writable(s, node, ev);
    else if (ev->u.SQL.answered && !writable)
        tell_state(s, node, ev);
    if (ev->u.SQL.answered)
        p->silent_since = 0, p->silence_told = false;
    else if (!p->silent_since && (p->answered || p->writable) && s->ready)
        p->silent_since = ev->t;
    tell_silence(s, node, ev);
    if (ev->u.SQL.answered && ev->u.SQL.timeline > 0)
        p->timeline = ev->u.SQL.timeline;
    p->answered = ev->u.SQL.answered;
    p->in_recovery = ev->u.SQL.answered && ev->u.SQL.in_recovery;
    p->writable = writable;
    p->wrote |= writable;
}

// Who streams from whom: the beginning is news when the pair has not streamed for a while, or never.
static void on_row(struct story *s, int sender, const struct event *ev) {
    const usec_t while_ = 2 * SEC;
    int standby = story_node(s, ev->u.REPLICATION.standby);
    if (standby < 0)
        return;
    struct pg_told *p = &s->pg[sender];
    bool now = !ev->u.REPLICATION.gone && str_eq(ev->u.REPLICATION.state, "streaming");
    if (now == p->streams[standby])
        return;
    p->streams[standby] = now;
    if (!now) {
        p->stopped[standby] = ev->t;
        (void)tell(s, ev->t, MOMENT_POSTGRES, TOLD_DETAIL, MOOD_WARN, ev->u.REPLICATION.standby,
                   "%s no longer streams from %s", ev->u.REPLICATION.standby, ev->u.REPLICATION.node);
    } else {
        bool news = s->ready && (!p->stopped[standby] || ev->t > p->stopped[standby] + while_);
        (void)tell(s, ev->t, MOMENT_POSTGRES, news ? TOLD_EVENT : TOLD_DETAIL, MOOD_NEUTRAL, ev->u.REPLICATION.standby,
                   "%s streams from %s", ev->u.REPLICATION.standby, ev->u.REPLICATION.node);
    }
}

// The row of a standby that is stuck says "streaming" all the same. Where no fault tells it, nothing else says why the cluster is not healthy.
static void tell_stillness(struct story *s, int node, usec_t t) {
    const struct model_node *n = &s->model->nodes[node];
    struct pg_told *p = &s->pg[node];
    bool was = p->still;
    p->still = n->row_doubt == ROW_STILL;
    if (p->still && !was) {
        p->still_weight = model_explains(s->model, "", t) ? TOLD_DETAIL : TOLD_EVENT;
        (void)tell(s, t, MOMENT_POSTGRES, p->still_weight, MOOD_WARN, n->name,
                   "%s has received nothing for %d s: the leader %s writes, and shows it as streaming", n->name,
                   (int)(EVENT_STILL / SEC), s->model->leader);
    } else if (was && n->streaming) {
        (void)tell(s, t, MOMENT_POSTGRES, p->still_weight, MOOD_NEUTRAL, n->name, "%s receives again what %s writes",
                   n->name, s->model->leader);
    }
}

void tell_postgres(struct story *s, const struct event *ev) {
    int node = story_node(s, ev->kind == EVENT_SQL ? ev->u.SQL.node : ev->u.REPLICATION.node);
    if (node < 0)
        return;
    tell_stillness(s, node, ev->t);
    if (ev->kind == EVENT_SQL)
        on_sql(s, node, ev);
    else
        on_row(s, node, ev);
}

// What a machine without power can't do needs no words of its own.
void postgres_power(struct story *s, int node) {
    struct pg_told *p = &s->pg[node];
    if (p->writable)
        p->fell = s->now;
    p->answered = p->in_recovery = p->writable = p->silence_told = false;
    p->still = false;
    p->silent_since = 0;
    p->fall = 0;
    for (size_t i = 0; i < NODES_MAX; i++) {
        p->streams[i] = s->pg[i].streams[node] = false;
        p->stopped[i] = 0;
    }
}

usec_t postgres_key_gone(struct story *s, const char *holder, const char *how) {
    int node = story_node(s, holder);
    struct pg_told *p = node < 0 ? NULL : &s->pg[node];
    struct moment *m = p ? moment_find(s, p->fall) : NULL;
    usec_t before = m && s->now >= m->t ? s->now - m->t : 0;
    char text[USEC_TEXT_MAX];
    if (before)
        add_detail(m, "%s before its leader key %s", usec_format(text, before), how);
    if (p)
        p->fall = 0;
    return before;
}

// Who must confirm a commit, by the DCS: Patroni promotes nobody else in synchronous mode.
void tell_sync(struct story *s, usec_t t) {
    cleanup_strbuf struct strbuf names = {0};
    for (size_t i = 0; i < s->model->n_nodes; i++)
        if (s->model->nodes[i].in_sync_key)
            strbuf_addf(&names, "%s%s", names.len ? ", " : "", s->model->nodes[i].name);
    const char *now = strbuf_str(&names);
    bool first = !s->sync_known;
    if (!first && str_eq(now, s->sync))
        return;
    s->sync_known = true;
    enum moment_weight w = s->ready ? TOLD_EVENT : TOLD_DETAIL;
    if (*now)
        (void)tell(s, t, MOMENT_SYNC, w, MOOD_NEUTRAL, "", "synchronous standby by the DCS: %s%s%s%s", now,
                   first ? "" : " (before: ",
                   first      ? ""
                   : *s->sync ? s->sync
                              : "none",
                   first ? "" : ")");
    else if (!first)
        (void)tell(s, t, MOMENT_SYNC, w, MOOD_WARN, "", "the DCS names no synchronous standby any more (before: %s)",
                   s->sync);
    STR_COPY(s->sync, now);
}
