// SPDX-License-Identifier: PostgreSQL
#include "lab/failover/leadership.h"

#include "lab/failover/system.h"
#include "lab/model/watch.h"

// Makes room for one more: the oldest fifth goes.
#define ROOM(l, v)                                                                                                     \
    do {                                                                                                               \
        if ((l)->most && (v)->n >= (l)->most) {                                                                        \
            size_t drop = (v)->n / 5 + 1;                                                                              \
            memmove((v)->items, (v)->items + drop, ((v)->n - drop) * sizeof *(v)->items);                              \
            (v)->n -= drop;                                                                                            \
        }                                                                                                              \
    } while (0)
#define ADD(l, v)                                                                                                      \
    ({                                                                                                                 \
        ROOM(l, v);                                                                                                    \
        VEC_ADD(v);                                                                                                    \
    })

void leadership_done(struct leadership *l) {
    VEC_DONE(&l->keys);
    VEC_DONE(&l->renewals);
    VEC_DONE(&l->unwatched);
    VEC_DONE(&l->etcd);
    VEC_DONE(&l->quorum_losses);
    VEC_DONE(&l->key_writes);
    VEC_DONE(&l->writable);
    VEC_DONE(&l->said);
    VEC_DONE(&l->named);
    VEC_DONE(&l->settings);
}

// ---- the fold --------------------------------------------------------------------------------------------------------

static void on_entry(struct leadership *l, const struct model *m, const struct event *ev) {
    const char *member = model_member_entry(m, ev->u.ENTRY.key);
    if (!member || ev->u.ENTRY.gone || ev->u.ENTRY.initial)
        return;
    struct node_word *w = ADD(l, &l->key_writes);
    w->t = ev->t;
    STR_COPY(w->node, member);
}

static void on_authority(struct leadership *l, const struct event *ev) {
    struct key_change *k = ADD(l, &l->keys);
    k->t = ev->t;
    k->gone = ev->u.AUTHORITY.gone;
    k->initial = ev->u.AUTHORITY.initial;
    k->created = ev->u.AUTHORITY.epoch;
    STR_COPY(k->value, k->gone ? "" : ev->u.AUTHORITY.holder);
}

// Where nobody gives leadership, it changes with what the model makes of the managers' words.
static void note_claim(struct leadership *l, const struct model *m) {
    const char *before = l->keys.n ? l->keys.items[l->keys.n - 1].value : "";
    l->kind = m->kind;
    if (!leadership_claimed(l) || str_eq(before, m->leader))
        return;
    bool first = !l->keys.n;
    struct key_change *k = ADD(l, &l->keys);
    k->t = m->leader_changed;
    k->error = m->leader_error;
    k->gone = !*m->leader;
    k->initial = first;
    STR_COPY(k->value, m->leader);
}

static void on_grant(struct leadership *l, const struct event *ev) {
    if (ev->u.GRANT.gone || ev->u.GRANT.renewed == 0)
        return;
    struct renewal_seen *r = ADD(l, &l->renewals);
    r->t = ev->t;
    r->renewal = (struct renewal){
        .at = ev->u.GRANT.renewed, .error = (usec_t)ev->u.GRANT.error_us, .ttl = ev->u.GRANT.length, .seen = true};
    STR_COPY(r->holder, ev->u.GRANT.holder);
}

static void on_arbiter(struct leadership *l, const struct event *ev) {
    struct arbiter_seen *e = ADD(l, &l->etcd);
    e->t = ev->t;
    e->leader = ev->u.ARBITER.answered && ev->u.ARBITER.leads;
    STR_COPY(e->node, ev->u.ARBITER.node);
}

static struct write_stretch *last_stretch(const struct leadership *l, const char *node) {
    for (size_t i = l->writable.n; i-- > 0;)
        if (str_eq(l->writable.items[i].node, node))
            return &l->writable.items[i];
    return NULL;
}

static void on_sql(struct leadership *l, const struct event *ev) {
    bool writable = ev->u.SQL.answered && ev->u.SQL.writable;
    struct write_stretch *s = last_stretch(l, ev->u.SQL.node);
    if (!s || s->writable != writable) {
        s = ADD(l, &l->writable);
        s->writable = writable;
        s->from = ev->t;
        s->previous = ev->u.SQL.previous;
        STR_COPY(s->node, ev->u.SQL.node);
    }
    s->last = ev->t;
}

static void on_config(struct leadership *l, const struct event *ev) {
    struct setting_seen *s = ADD(l, &l->settings);
    s->t = ev->t;
    STR_COPY(s->key, ev->u.CONFIG.key);
    STR_COPY(s->value, ev->u.CONFIG.value);
}

static void on_log_line(struct leadership *l, const struct event *ev) {
    const char *words = NULL;
    enum ha_said said =
        l->system ? l->system->said(ev->u.LOG_LINE.service, ev->u.LOG_LINE.text, &words) : HA_SAID_NOTHING;
    if (said == HA_SAID_NOTHING)
        return;
    struct leader_said *x = ADD(l, &l->said);
    x->t = ev->t;
    x->said = said;
    x->words = words;
    STR_COPY(x->node, ev->u.LOG_LINE.node);
}

static void on_manager(struct leadership *l, const struct event *ev) {
    if (!ev->u.MANAGER.paused)
        return;
    struct leader_said *x = ADD(l, &l->said);
    x->t = ev->t;
    x->paused = true;
    STR_COPY(x->node, ev->u.MANAGER.node);
}

static void on_action(struct leadership *l, const struct event *ev) {
    if (!l->system || ev->u.ACTION.phase != ACTION_PHASE_ASKED || !l->system->names_leader(ev->u.ACTION.action))
        return;
    struct leader_named *x = ADD(l, &l->named);
    x->t = ev->t;
    STR_COPY(x->id, ev->u.ACTION.id);
}

static void note_quorum(struct leadership *l, const struct model *m, usec_t t) {
    if (!quorum_note(&l->quorum, m, t))
        return;
    size_t n = l->quorum_losses.n;
    if (l->quorum.state == QUORUM_LOST)
        *ADD(l, &l->quorum_losses) = (struct quorum_loss){l->quorum.since, USEC_NEVER};
    else if (n && l->quorum_losses.items[n - 1].to == USEC_NEVER)
        l->quorum_losses.items[n - 1].to = t;
}

static void note_unwatched(struct leadership *l, const struct event *ev) {
    usec_t from, to;
    if (watch_standstill(ev, &from, &to))
        *ADD(l, &l->unwatched) = (struct unwatched){from, to};
}

void leadership_event(struct leadership *l, const struct model *m, const struct event *ev) {
    note_quorum(l, m, ev->t);
    note_unwatched(l, ev);
    note_claim(l, m);
    switch ((int)ev->kind) {
    case EVENT_AUTHORITY:
        return leadership_claimed(l) ? (void)0 : on_authority(l, ev);
    case EVENT_ENTRY:
        return on_entry(l, m, ev);
    case EVENT_GRANT:
        return on_grant(l, ev);
    case EVENT_ARBITER:
        return on_arbiter(l, ev);
    case EVENT_SQL:
        return on_sql(l, ev);
    case EVENT_CONFIG:
        return on_config(l, ev);
    case EVENT_LOG_LINE:
        return on_log_line(l, ev);
    case EVENT_MANAGER:
        return on_manager(l, ev);
    case EVENT_ACTION:
        return on_action(l, ev);
    default:
        return;
    }
}

// ---- questions -------------------------------------------------------------------------------------------------------

bool renewal_same(const struct renewal *a, const struct renewal *b) {
    return usec_sub(a->at, a->error) <= b->at && usec_sub(b->at, b->error) <= a->at;
}

void renewal_note(struct renewal *last, struct renewal r, usec_t t) {
    if (usec_sub(r.at, r.error) > t)
        return;
    bool same = last->seen && renewal_same(last, &r);
    if (last->seen && (same ? r.error > last->error : r.at < last->at))
        return;
    *last = r;
    last->seen = true;
}

bool leadership_claimed(const struct leadership *l) {
    return l->kind && !(l->kind->has & HA_AUTHORITY);
}

const char *leadership_holder(const struct leadership *l, usec_t t) {
    const char *holder = "";
    VEC_FOREACH (&l->keys, k)
        if (k->t <= t || (k->initial && k == l->keys.items))
            holder = k->value;
    return holder;
}

struct renewal leadership_renewal(const struct leadership *l, usec_t t) {
    struct renewal last = {0};
    VEC_FOREACH (&l->renewals, r)
        renewal_note(&last, r->renewal, t);
    return last;
}

const char *leadership_etcd_leader(const struct leadership *l, usec_t t) {
    const char *leader = "";
    VEC_FOREACH (&l->etcd, e)
        if (e->t <= t && (e->leader || str_eq(e->node, leader)))
            leader = e->leader ? e->node : "";
    return leader;
}

usec_t leadership_etcd_changed(const struct leadership *l, usec_t t) {
    const char *leader = "";
    VEC_FOREACH (&l->etcd, e) {
        if (e->t <= t && (e->leader || str_eq(e->node, leader)))
            leader = e->leader ? e->node : "";
        else if (*leader && e->t > t && e->leader && !str_eq(e->node, leader))
            return e->t;
    }
    return USEC_NEVER;
}

usec_t leadership_named(const struct leadership *l, usec_t since, const char *id) {
    usec_t first = USEC_NEVER;
    VEC_FOREACH (&l->named, x)
        if (x->t >= since && x->t < first && !str_eq(x->id, id))
            first = x->t;
    return first;
}

static bool read_duration(const char *text, usec_t unit, usec_t *ret) {
    char *end;
    double v = strtod(text, &end) * (double)unit;
    if (end == text || *end || !(v >= 0 && v <= (double)USEC_LONGEST)) // no number at all is in no range
        return false;
    *ret = (usec_t)v;
    return true;
}

usec_t leadership_setting(const struct leadership *l, const char *key, usec_t t, usec_t unit, usec_t fallback) {
    usec_t v = fallback;
    bool known = false;
    VEC_FOREACH (&l->settings, s) {
        if (!str_eq(s->key, key) || (known && s->t > t))
            continue;
        known = read_duration(s->value, unit, &v) || known;
    }
    return v;
}

usec_t leadership_wrote_key(const struct leadership *l, const char *node, usec_t from, usec_t to) {
    VEC_FOREACH (&l->key_writes, w)
        if (w->t >= from && w->t <= to && str_eq(w->node, node))
            return w->t;
    return 0;
}

bool leadership_writable(const struct leadership *l, const char *node, usec_t t, bool anew, usec_t *ret,
                         usec_t *ret_error) {
    bool refused = !anew;
    VEC_FOREACH (&l->writable, s) {
        if (s->last < t || !str_eq(s->node, node))
            continue;
        if (s->writable && refused) {
            bool all_along = s->from <= t && !anew;
            usec_t since = s->previous > t && s->previous < s->from ? s->previous : t;
            *ret = all_along ? t : s->from;
            *ret_error = all_along ? 0 : s->from - since;
            return true;
        }
        refused = refused || !s->writable;
    }
    return false;
}

usec_t leadership_fell(const struct leadership *l, const char *node, usec_t from, usec_t to, usec_t *ret_error) {
    bool wrote = false;
    VEC_FOREACH (&l->writable, s) {
        if (!str_eq(s->node, node))
            continue;
        if (wrote && !s->writable && s->from > from && s->from <= to) {
            *ret_error = s->previous && s->previous < s->from ? s->from - s->previous : 0;
            return s->from;
        }
        wrote = s->writable;
    }
    return 0;
}

usec_t leadership_unwatched(const struct leadership *l, usec_t t) {
    const usec_t catches_up = SEC; // the store's watch hands over every revision at once
    VEC_FOREACH (&l->unwatched, u)
        if (t > u->from && t <= usec_add(u->to, catches_up))
            return t - u->from;
    return 0;
}
