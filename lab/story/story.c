// SPDX-License-Identifier: PostgreSQL
// The list itself: what is told takes its place in time, what is old is forgotten, every event goes to the parts that it concerns.
#include "lab/story/internal.h"

#include <stdio.h>

enum {
    OUTAGES_MOST = 1000
}; // each is told as it comes; of those kept only the latest matter, which may turn out to go on

const char *moment_kind_name(enum moment_kind kind) {
    static const char *const names[MOMENT_KIND_COUNT] = {
#define X(kind, name) [MOMENT_##kind] = name,
        MOMENT_KINDS(X)
#undef X
    };
    return (unsigned)kind < MOMENT_KIND_COUNT ? names[kind] : "?";
}

struct story *story_new(void) {
    struct story *s = xcalloc(1, sizeof *s);
    s->model = model_new();
    s->app.felt.most = OUTAGES_MOST;
    return s;
}

static void free_moment(struct moment *m) {
    free(m->text);
    free(m->detail);
    free(m);
}

void story_free(struct story *s) {
    if (!s)
        return;
    VEC_FOREACH (&s->list, m)
        free_moment(*m);
    VEC_DONE(&s->list);
    VEC_DONE(&s->news);
    VEC_DONE(&s->faults);
    VEC_DONE(&s->settings);
    VEC_DONE(&s->waits);
    VEC_DONE(&s->proxies);
    outages_done(&s->app.felt);
    model_free(s->model);
    free(s);
}

size_t story_count(const struct story *s) {
    return s->list.n;
}

const struct moment *story_at(const struct story *s, size_t i) {
    return s->list.items[i];
}

size_t story_news_count(const struct story *s) {
    return s->news.n;
}

const struct moment *story_news(const struct story *s, size_t i) {
    return s->news.items[i];
}

// ---- telling -----------------------------------------------------------------------------------------------------------

// Of the same time: in the order of telling.
static void move_to_its_time(struct story *s, size_t i) {
    struct moment *m = s->list.items[i];
    for (; i > 0 && s->list.items[i - 1]->t > m->t; i--)
        s->list.items[i] = s->list.items[i - 1];
    s->list.items[i] = m;
}

struct moment *tell(struct story *s, usec_t t, enum moment_kind kind, enum moment_weight w, enum moment_mood mood,
                    const char *node, const char *fmt, ...) {
    cleanup_strbuf struct strbuf text = {0};
    struct moment *m = xcalloc(1, sizeof *m);
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    *m = (struct moment){.t = t, .kind = kind, .weight = w, .mood = mood, .told = s->now, .id = ++s->last_id};
    m->text = xstrdup(strbuf_str(&text));
    m->detail = xstrdup("");
    STR_COPY(m->node, node);
    VEC_PUSH(&s->list, m);
    VEC_PUSH(&s->news, m);
    move_to_its_time(s, s->list.n - 1);
    return m;
}

struct moment *moment_find(struct story *s, uint64_t id) {
    for (size_t i = id ? s->list.n : 0; i > 0; i--)
        if (s->list.items[i - 1]->id == id)
            return s->list.items[i - 1];
    return NULL;
}

void set_text(struct moment *m, const char *fmt, ...) {
    struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    free(m->text);
    m->text = text.data ? text.data : xstrdup("");
}

void add_detail(struct moment *m, const char *fmt, ...) {
    struct strbuf more = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&more, fmt, ap);
    va_end(ap);
    if (more.len && *m->detail) {
        char *both = xasprintf("%s; %s", m->detail, more.data);
        free(m->detail);
        m->detail = both;
    } else if (more.len) {
        free(m->detail);
        m->detail = STEAL(more.data);
    }
    strbuf_done(&more);
}

void move_moment(struct story *s, struct moment *m, usec_t t) {
    size_t i = 0, to = 0;
    while (i < s->list.n && s->list.items[i] != m)
        i++;
    if (i == s->list.n)
        return;
    memmove(&s->list.items[i], &s->list.items[i + 1], (s->list.n - i - 1) * sizeof s->list.items[0]);
    while (to < s->list.n - 1 && s->list.items[to]->t < t)
        to++;
    memmove(&s->list.items[to + 1], &s->list.items[to], (s->list.n - 1 - to) * sizeof s->list.items[0]);
    s->list.items[to] = m;
    m->t = t;
}

void moment_text(const struct moment *m, struct strbuf *out) {
    char text[USEC_TEXT_MAX];
    strbuf_add(out, m->text);
    if (m->error < MSEC)
        return;
    if (m->kind == MOMENT_WRITES_BACK || m->kind == MOMENT_WRITES_STOP || m->kind == MOMENT_READS_BACK ||
        m->kind == MOMENT_READS_STOP)
        strbuf_addf(out, " (good to %s)", usec_format(text, m->error));
    else
        strbuf_addf(out, " (or up to %s earlier)", usec_format(text, m->error));
}

// ---- forgetting --------------------------------------------------------------------------------------------------------

static void drop_moments(struct story *s, size_t among, bool details_only) {
    size_t kept = 0;
    for (size_t i = 0; i < s->list.n; i++) {
        struct moment *m = s->list.items[i];
        if (i < among && (!details_only || m->weight == TOLD_DETAIL))
            free_moment(m);
        else
            s->list.items[kept++] = m;
    }
    s->list.n = kept;
}

static void make_room(struct story *s) {
    if (s->list.n < STORY_MOST)
        return;
    drop_moments(s, s->list.n / 2, true);
    if (s->list.n > STORY_MOST / 5 * 4) // nothing but things that matter: the oldest go
        drop_moments(s, s->list.n / 5, false);
}

// ---- the fold ----------------------------------------------------------------------------------------------------------

int story_node(const struct story *s, const char *name) {
    for (size_t i = 0; *name && i < s->model->n_nodes; i++)
        if (str_eq(s->model->nodes[i].name, name))
            return (int)i;
    return -1;
}

// " without n1, n2": machines with PostgreSQL that have no power; healthy speaks of the others.
static void nodes_without_power(const struct story *s, struct strbuf *out) {
    for (size_t i = 0; i < s->model->n_nodes; i++) {
        const struct model_node *n = &s->model->nodes[i];
        if (n->power_changed && !n->on && (n->services & SERVICE_POSTGRES))
            strbuf_addf(out, "%s%s", out->len ? ", " : " without ", n->name);
    }
}

static void tell_health(struct story *s, const struct event *ev) {
    enum health_news news = health_note(&s->health, s->model, ev);
    if (news != HEALTH_FIRST && news != HEALTH_AGAIN)
        return;
    cleanup_strbuf struct strbuf missing = {0};
    nodes_without_power(s, &missing);
    struct moment *m =
        tell(s, s->health.since, MOMENT_HEALTHY, news == HEALTH_FIRST ? TOLD_EVENT : TOLD_MAIN, MOOD_GOOD,
             s->model->leader, "healthy%s%s: the leader is %s, every other member streams from it",
             news == HEALTH_FIRST ? "" : " again", news == HEALTH_FIRST ? "" : strbuf_str(&missing), s->model->leader);
    m->error = s->health.error;
}

static void dispatch(struct story *s, const struct event *ev) {
    switch (ev->kind) {
    case EVENT_CLIENT_TICK:
    case EVENT_CLIENT_ERROR:
    case EVENT_CLIENT_SERVER:
        tell_application(s, ev);
        break;
    case EVENT_AUTHORITY:
    case EVENT_ENTRY:
    case EVENT_GRANT:
        tell_leader(s, ev);
        break;
    case EVENT_ARBITER: // told by tell_dcs
        break;
    case EVENT_FAULT:
        tell_fault(s, ev);
        break;
    case EVENT_ACTION:
        tell_action(s, ev);
        break;
    case EVENT_LOG_LINE:
        tell_log(s, ev);
        break;
    case EVENT_SERVICE:
    case EVENT_NODE_POWER:
    case EVENT_WATCHDOG:
        tell_machine(s, ev);
        break;
    case EVENT_PROXY:
        tell_proxy(s, ev);
        break;
    case EVENT_MANAGER:
        tell_manager(s, ev);
        break;
    case EVENT_SQL:
    case EVENT_REPLICATION:
        tell_postgres(s, ev);
        break;
    default:
        tell_scenario(s, ev);
    }
}

void story_event(struct story *s, const struct event *ev) {
    VEC_CLEAR(&s->news);
    make_room(s);
    s->now = ev->t > s->now ? ev->t : s->now;
    if (s->closed && ev->kind != EVENT_RUN_END)
        return;
    if (ev->kind == EVENT_LAB_STATE && ev->u.LAB_STATE.state == LAB_STATE_STOPPING)
        s->closed = true; // what dies now dies because the lab is taken down
    model_apply(s->model, ev);
    outages_event(&s->app.felt, ev);
    tell_divergence(s, ev->t);
    tell_dcs(s, ev);
    tell_claim(s);
    dispatch(s, ev);
    tell_health(s, ev);
}

void story_finish(struct story *s) {
    VEC_CLEAR(&s->news);
    if (s->finished)
        return;
    s->finished = true;
    finish_application(s);
}

// ---- findings of the measures ------------------------------------------------------------------------------------------

void name_defect(struct moment *m, const char *id, const char *about, const char *reference) {
    if (!strstr(m->detail, id))
        add_detail(m, "known defect %s: %s (%s)", id, about, reference);
}

// The moment that the signature is about may stand already: then it only gets its name.
void story_defect(struct story *s, usec_t t, const char *node, const char *id, const char *seen, const char *about,
                  const char *reference) {
    struct moment *m = NULL;
    VEC_FOREACH (&s->list, x)
        if ((*x)->t == t && ((*x)->kind == MOMENT_KEY_STOLEN || (*x)->kind == MOMENT_AHEAD))
            m = *x;
    if (!m)
        m = tell(s, t, MOMENT_DEFECT, TOLD_MAIN, MOOD_BAD, node, "%s", seen);
    name_defect(m, id, about, reference);
}

void story_ahead(struct story *s, usec_t t, const char *node, const char *leader, lsn_t replayed, lsn_t written) {
    VEC_FOREACH (&s->list, x)
        if ((*x)->t == t && (*x)->kind == MOMENT_AHEAD && str_eq((*x)->node, node)) {
            ahead_words(*x, node, leader, replayed, written);
            return;
        }
    struct moment *m = tell(s, t, MOMENT_AHEAD, TOLD_MAIN, MOOD_BAD, node, "%s", "");
    ahead_words(m, node, leader, replayed, written);
}

void story_outage_resolution(struct story *s, usec_t from, usec_t to, usec_t resolution) {
    VEC_FOREACH (&s->list, m)
        if (((*m)->kind == MOMENT_WRITES_STOP && (*m)->t == from) ||
            ((*m)->kind == MOMENT_WRITES_BACK && (*m)->t == to))
            (*m)->error = resolution;
}

void story_outage_unexplained(struct story *s, usec_t from) {
    VEC_FOREACH (&s->list, m)
        if ((*m)->kind == MOMENT_WRITES_STOP && (*m)->t == from)
            add_detail(*m, STORY_UNEXPLAINED);
}
