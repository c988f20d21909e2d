// SPDX-License-Identifier: PostgreSQL
#include "lab/model/watch.h"

#include <stdio.h>

struct watched_node {
    char name[NODE_NAME_MAX];
    bool postgres, off;
    bool waits;   // its probe has a question open that was told to be unanswered: it says nothing more until that ends
    usec_t since; // the last word of its probe; USEC_NEVER = nothing to watch yet
};

struct watch {
    struct watched_node nodes[NODES_MAX];
    size_t n_nodes;
    bool noise;            // there was a noise event
    usec_t noise_at;       // the last one
    usec_t merged;         // what one line may stand for now (record.thinned)
    bool over;             // the lab is being stopped: nobody has to watch any more
    usec_t over_at;        // since then
    size_t told;           // index + 1 of the hole that the last event told of, 0 = none
    watch_hole_list holes; // as seen, in the order in which they ended; no more than HOLES_MAX
};

// A log of an honest run has a handful. In one with more, the last of each source grows: too much is then not known, never too little.
enum { HOLES_MAX = 512 };

const char *watch_source_name(enum watch_source s) {
    static const char *const names[] = {
#define X(name, text) [WATCH_##name] = text,
        WATCH_SOURCES(X)
#undef X
    };
    return names[s];
}

struct watch *watch_new(void) {
    return xcalloc(1, sizeof(struct watch));
}

void watch_free(struct watch *w) {
    if (!w)
        return;
    VEC_DONE(&w->holes);
    free(w);
}

static void add_hole(watch_hole_list *out, enum watch_source source, const char *node, usec_t from, usec_t to) {
    struct watch_hole h = {.source = source, .from = from, .to = to};
    STR_COPY(h.node, node);
    if (to > from)
        VEC_PUSH(out, h);
}

static struct watch_hole *last_of(struct watch *w, enum watch_source source, const char *node) {
    for (size_t i = w->holes.n; i > 0; i--)
        if (w->holes.items[i - 1].source == source && str_eq(w->holes.items[i - 1].node, node))
            return &w->holes.items[i - 1];
    return NULL;
}

static void note_hole(struct watch *w, enum watch_source source, const char *node, usec_t from, usec_t to) {
    struct watch_hole *last = last_of(w, source, node);
    bool joins = last && from <= last->to && to >= last->from;
    if (!last || (!joins && w->holes.n < HOLES_MAX)) {
        add_hole(&w->holes, source, node, from, to);
        w->told = to > from ? w->holes.n : 0;
        return;
    }
    w->told = (size_t)(last - w->holes.items) + 1;
    last->from = from < last->from ? from : last->from;
    last->to = to > last->to ? to : last->to;
}

static struct watched_node *find(struct watch *w, const char *name) {
    for (size_t i = 0; i < w->n_nodes; i++)
        if (str_eq(w->nodes[i].name, name))
            return &w->nodes[i];
    if (w->n_nodes == NODES_MAX || !*name)
        return NULL;
    struct watched_node *n = &w->nodes[w->n_nodes++];
    *n = (struct watched_node){.since = USEC_NEVER};
    STR_COPY(n->name, name);
    return n;
}

// A merged line vouches for the time since the line before it, but for its longest pause.
static usec_t unwatched(const struct event *ev, usec_t silence) {
    return ev->repeats && ev->pause < silence ? ev->pause : silence;
}

// ---- PostgreSQL ------------------------------------------------------------------------------------------------------
static usec_t silence(const struct watched_node *n, usec_t t) {
    bool due = n->postgres && !n->off && !n->waits && n->since != USEC_NEVER;
    return due && t > n->since ? t - n->since : 0;
}

static void on_node_info(struct watch *w, const struct event *ev) {
    struct watched_node *n = find(w, ev->u.NODE_INFO.node);
    if (n)
        n->postgres = services_read(ev->u.NODE_INFO.services) & SERVICE_POSTGRES;
}

static void on_power(struct watch *w, const struct event *ev) {
    struct watched_node *n = find(w, ev->u.NODE_POWER.node);
    if (!n)
        return;
    if (!ev->u.NODE_POWER.on && silence(n, ev->t) > WATCH_SQL)
        note_hole(w, WATCH_POSTGRES, n->name, n->since, ev->t);
    n->off = !ev->u.NODE_POWER.on;
    n->waits = false;
    n->since = n->since == USEC_NEVER ? USEC_NEVER : ev->t;
}

static void on_sql(struct watch *w, const struct event *ev) {
    struct watched_node *n = find(w, ev->u.SQL.node);
    if (!n)
        return;
    if (unwatched(ev, silence(n, ev->t)) > WATCH_SQL)
        note_hole(w, WATCH_POSTGRES, n->name, n->since, ev->t);
    n->postgres = true;
    n->since = n->since == USEC_NEVER || ev->t > n->since ? ev->t : n->since;
    n->waits =
        !ev->u.SQL.answered && (str_starts(ev->u.SQL.error, "no answer") || str_eq(ev->u.SQL.error, "powered off"));
}

// ---- the observer ----------------------------------------------------------------------------------------------------
bool watch_standstill(const struct event *ev, usec_t *from, usec_t *to) {
    if (ev->kind != EVENT_NOISE || ev->u.NOISE.late_max_us < (int64_t)WATCH_STILL)
        return false;
    usec_t late = (usec_t)ev->u.NOISE.late_max_us;
    // The timer that is late tells of it at once, so the standstill ended when the event was made.
    *from = ev->t > late ? ev->t - late : 0;
    *to = ev->t;
    return true;
}

static void on_noise(struct watch *w, const struct event *ev) {
    usec_t from = ev->t, to = ev->t;
    (void)watch_standstill(ev, &from, &to);
    if (w->noise && from > w->noise_at && unwatched(ev, from - w->noise_at) > WATCH_NOISE)
        from = w->noise_at;
    if (to > from)
        note_hole(w, WATCH_OBSERVER, "", from, to);
    w->noise = true;
    w->noise_at = ev->t > w->noise_at ? ev->t : w->noise_at;
}

// ---- the application -------------------------------------------------------------------------------------------------
// Late attempts are told in the bucket of their schedule, a row of buckets for one standstill: all of them end at the same time.
static void on_tick(struct watch *w, const struct event *ev) {
    usec_t from = ev->u.CLIENT_TICK.from, late = ev->u.CLIENT_TICK.late_us > 0 ? (usec_t)ev->u.CLIENT_TICK.late_us : 0;
    if (late < WATCH_STILL)
        return;
    note_hole(w, WATCH_APPLICATION, "", from, from + late < EVENT_TIME_MAX ? from + late : EVENT_TIME_MAX);
}

const struct watch_hole *watch_told(const struct watch *w) {
    return w->told ? &w->holes.items[w->told - 1] : NULL;
}

void watch_event(struct watch *w, const struct event *ev) {
    w->told = 0;
    bool stops =
        ev->kind == EVENT_RUN_END || (ev->kind == EVENT_LAB_STATE && ev->u.LAB_STATE.state == LAB_STATE_STOPPING);
    if (stops && !w->over) {
        w->over = true;
        w->over_at = ev->t;
    }
    if (ev->kind == EVENT_CLIENT_TICK) // a bucket may be told later than it was
        on_tick(w, ev);
    if (w->over)
        return;
    if (ev->kind == EVENT_RECORD_THINNED)
        w->merged = ev->u.RECORD_THINNED.others;
    if (ev->kind == EVENT_NODE_INFO)
        on_node_info(w, ev);
    else if (ev->kind == EVENT_NODE_POWER)
        on_power(w, ev);
    else if (ev->kind == EVENT_SQL)
        on_sql(w, ev);
    else if (ev->kind == EVENT_NOISE)
        on_noise(w, ev);
}

// ---- the list --------------------------------------------------------------------------------------------------------
static int by_from(const void *a, const void *b) {
    const struct watch_hole *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (int)x->source - (int)y->source;
}

static bool explained(const watch_hole_list *l, const struct watch_hole *h) {
    usec_t left = h->to - h->from;
    VEC_FOREACH (l, o) {
        usec_t from = o->from > h->from ? o->from : h->from, to = o->to < h->to ? o->to : h->to;
        if (o->source == WATCH_OBSERVER && to > from)
            left -= to - from < left ? to - from : left;
    }
    return left <= WATCH_SQL;
}

void watch_list(const struct watch *w, usec_t until, watch_hole_list *out) {
    watch_hole_list all = {0};
    usec_t end = w->over && w->over_at < until ? w->over_at : until;
    VEC_FOREACH (&w->holes, h)
        if (h->from < until)
            add_hole(&all, h->source, h->node, h->from, h->to < until ? h->to : until);
    if (w->noise && end > w->noise_at && end - w->noise_at > WATCH_NOISE + w->merged)
        add_hole(&all, WATCH_OBSERVER, "", w->noise_at, end);
    for (size_t i = 0; i < w->n_nodes; i++)
        if (silence(&w->nodes[i], end) > WATCH_SQL + w->merged)
            add_hole(&all, WATCH_POSTGRES, w->nodes[i].name, w->nodes[i].since, end);
    VEC_FOREACH (&all, h)
        if (h->source != WATCH_POSTGRES || !explained(&all, h))
            VEC_PUSH(out, *h);
    VEC_SORT(out, by_from);
    VEC_DONE(&all);
}

char *watch_words(const struct watch_hole *h, char *buf, size_t size) {
    double from = (double)h->from / 1e6, to = (double)h->to / 1e6;
    switch (h->source) {
    case WATCH_POSTGRES:
        (void)snprintf(buf, size, "nobody watched %s's PostgreSQL from %.1f s to %.1f s", h->node, from, to);
        break;
    case WATCH_APPLICATION:
        (void)snprintf(buf, size, "the application stood still from %.1f s to %.1f s and tried nothing", from, to);
        break;
    case WATCH_OBSERVER:
    case WATCH_SOURCE_COUNT:
        (void)snprintf(buf, size, "nobody watched from %.1f s to %.1f s: the lab's supervisor stood still", from, to);
        break;
    }
    return buf;
}
