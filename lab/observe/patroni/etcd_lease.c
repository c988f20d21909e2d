// SPDX-License-Identifier: PostgreSQL
// How old is the lease on the leader key? etcd tells the remaining time in whole seconds, cut (lease.Remaining().Seconds() as an
// integer, server/etcdserver/v3_server.go), and nothing when it is renewed. So the moment r of the last renewal is known as an
// interval, and every answer is a constraint on it. Looked at when the time was s, asked <= s <= answered, remaining R of granted G:
//     G - R - 1 < s - r <= G - R    =>    asked - (G - R) <= r < answered - (G - R - 1)
// - an answer whose interval lies behind the known one: it was renewed in between, after the last time it was asked;
// - any other narrows it. Questions are placed where the answer halves the interval: at its middle plus whole seconds;
// - a renewal within a second of the one before hides: both answers say "G - 1 left" (seen: Patroni renews again 150 ms after it
//   took the lock). So while the answer is that young, the upper end is simply now; it settles with the first older answer;
// - "0 left" says little: an expired lease waits up to 500 ms for etcd's scan, and a negative remainder is cut towards zero;
// - Patroni's leader writes `status` right after it renewed (dcs/__init__.py, update_leader): a change of that key is an upper
//   end at once, and a reason to ask.
// An etcd leader change renews every lease without Patroni (lessor.Promote): for the time left that is the same.
#include <stdio.h>

#include "lab/node/places.h"
#include "lab/observe/patroni/etcd_internal.h"

#define LEASE_PERIOD   (250 * MSEC)
#define LEASE_DEADLINE SEC
#define LEASE_GRAIN    (5 * MSEC) // narrower than this is not worth a question

enum lease_change lease_learn(usec_t *lo, usec_t *hi, usec_t last_asked, usec_t asked, usec_t answered, int64_t granted,
                              int64_t remaining) {
    usec_t gone = remaining < granted ? (usec_t)(granted - remaining) * SEC : 0;
    usec_t new_lo = usec_sub(asked, gone), new_hi = gone ? usec_sub(answered, gone - SEC) : answered;
    bool young = gone <= SEC, was_young = *hi >= last_asked;
    if (*hi && new_lo <= *hi && new_hi >= *lo && (!young || was_young)) {
        usec_t width = *hi - *lo;
        *lo = new_lo > *lo ? new_lo : *lo;
        *hi = young || new_hi < *hi ? new_hi : *hi;
        return *hi - *lo < width ? LEASE_NARROWED : LEASE_SAME;
    }
    *lo = last_asked > new_lo ? last_asked : new_lo; // the last answer did not know of it yet
    *hi = new_hi;
    if (*lo > *hi)
        *lo = new_lo;
    return LEASE_RENEWED;
}

static void emit_grant(struct etcd *e, bool gone) {
    struct lease *l = &e->lease;
    struct event ev = EVENT_NEW(GRANT);
    (void)snprintf(ev.u.GRANT.id, sizeof ev.u.GRANT.id, "%" PRIx64, l->id);
    STR_COPY(ev.u.GRANT.holder, l->holder);
    ev.u.GRANT.renewed = l->hi;
    ev.u.GRANT.error_us = (int64_t)(l->hi - l->lo);
    ev.u.GRANT.length = (usec_t)l->granted * SEC;
    ev.u.GRANT.remaining_s = gone ? 0 : l->remaining;
    ev.u.GRANT.gone = gone;
    l->told_error = l->hi - l->lo;
    l->gone_told = gone;
    sink_emit(e->o->sink, &ev);
}

void lease_key(struct etcd *e, const struct dcs_kv *kv) {
    struct lease *l = &e->lease;
    if (kv->gone || kv->lease == 0) {
        if (l->id && !l->gone_told)
            emit_grant(e, true);
        l->id = 0;
        return;
    }
    STR_COPY(l->holder, kv->value);
    if (kv->lease == l->id)
        return;
    l->id = kv->lease;
    l->lo = l->hi = 0;
    l->last_ok = 0;
    l->gone_told = false;
    l->next = 0;
}

void lease_hint(struct etcd *e, usec_t now) {
    struct lease *l = &e->lease;
    if (l->id && !l->request)
        l->next = now;
}

static void learn_ttl(struct etcd *e, const struct dcs_ttl *t, usec_t now) {
    struct lease *l = &e->lease;
    if (t->remaining == 0 && t->granted > 0)
        return;
    if (t->remaining < 0 || t->granted <= 0) {
        if (!l->gone_told)
            emit_grant(e, true); // expired; the key goes with it
        return;
    }
    l->remaining = t->remaining;
    l->granted = t->granted;
    enum lease_change change = lease_learn(&l->lo, &l->hi, l->last_ok, l->asked, now, t->granted, t->remaining);
    l->last_ok = l->asked;
    // Told at each renewal, once its upper end has settled, and again whenever it is known twice as well.
    bool settles = !l->settled && t->granted - t->remaining > 1;
    l->settled = change == LEASE_RENEWED ? settles : l->settled || settles;
    if (change == LEASE_RENEWED || settles || (change == LEASE_NARROWED && (l->hi - l->lo) * 2 <= l->told_error))
        emit_grant(e, false);
}

// The next question: where its answer halves the interval, if that is soon; else one period on.
static usec_t next_question(const struct lease *l, usec_t now) {
    usec_t regular = now + LEASE_PERIOD;
    if (!l->hi || l->hi - l->lo < LEASE_GRAIN)
        return regular;
    usec_t middle = l->lo + (l->hi - l->lo) / 2, earliest = now + LEASE_PERIOD / 2;
    usec_t k = earliest > middle ? (earliest - middle + SEC - 1) / SEC : 1;
    usec_t best = middle + k * SEC;
    return best < regular + LEASE_PERIOD / 4 ? best : regular;
}

static void on_ttl(void *arg, const struct http_answer *a) {
    struct etcd *e = arg;
    struct lease *l = &e->lease;
    struct dcs_ttl t;
    usec_t now = observer_now(e->o);
    l->request = NULL;
    if (a->status == 200 && dcs_read_ttl(a->body, &t)) {
        if (l->id)
            learn_ttl(e, &t, now);
        l->next = next_question(l, now);
    } else {
        l->turn++; // ask another member: this one may be cut off from its leader
        l->next = now + LEASE_PERIOD;
    }
}

void lease_turn(struct etcd *e, usec_t now) {
    struct lease *l = &e->lease;
    if (!l->id || l->request || now < l->next)
        return;
    l->asked_of = member_pick(e, &l->turn);
    if (!l->asked_of)
        return;
    cleanup_strbuf struct strbuf json = {0};
    dcs_ask_ttl(&json, l->id);
    struct http_options o = {.method = "POST",
                             .port = STACK_ETCD_PORT,
                             .path = "/v3/lease/timetolive",
                             .json = strbuf_str(&json),
                             .deadline = LEASE_DEADLINE,
                             .done = on_ttl,
                             .arg = e};
    l->asked = now;
    (void)http_start(l->asked_of->w->http, &o, &l->request, NULL);
}
