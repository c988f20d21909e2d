// SPDX-License-Identifier: PostgreSQL
// Each etcd member is asked for its status every 500 ms: does it answer, whom does it take for the leader, how far is its log.
#include <stdio.h>

#include "lab/node/places.h"
#include "lab/observe/patroni/etcd_internal.h"

#define STATUS_PERIOD (500 * MSEC)
#define STATUS_REPEAT (5 * SEC)

bool member_leads_somewhere(const struct etcd_member *m) {
    return m->answered && m->status.leader != 0;
}

struct etcd_member *member_pick(struct etcd *e, size_t *turn) {
    for (size_t i = 0; i < e->members.n; i++) {
        struct etcd_member *m = &e->members.items[(*turn + i) % e->members.n];
        if (!watched_on(m->w) || !member_leads_somewhere(m))
            continue;
        *turn = (*turn + i) % e->members.n;
        return m;
    }
    return NULL;
}

static void tell(struct etcd_member *m, const char *error, usec_t now) {
    const struct dcs_status *a = &m->status, *b = &m->told;
    bool same =
        m->told_any && m->answered == m->told_answered &&
        (!m->answered || (a->leader == b->leader && a->term == b->term && a->header.member == b->header.member));
    if (same && now - m->told_at < STATUS_REPEAT)
        return;
    if (same && !m->answered)
        return; // its silence was told; nothing new is in it
    m->told = m->status;
    m->told_answered = m->answered;
    m->told_any = true;
    m->told_at = now;
    struct event ev = EVENT_NEW(ARBITER);
    STR_COPY(ev.u.ARBITER.node, m->w->def->name);
    STR_COPY(ev.u.ARBITER.service, "etcd");
    ev.u.ARBITER.answered = m->answered;
    STR_COPY(ev.u.ARBITER.error, error);
    if (m->answered) {
        ev.u.ARBITER.leads = a->leader && a->leader == a->header.member;
        ev.u.ARBITER.term = a->term;
        (void)snprintf(ev.u.ARBITER.id, sizeof ev.u.ARBITER.id, "%" PRIx64, a->header.member);
        if (a->leader)
            (void)snprintf(ev.u.ARBITER.follows, sizeof ev.u.ARBITER.follows, "%" PRIx64, a->leader);
        ev.u.ARBITER.db_bytes = a->db_bytes;
        ev.u.ARBITER.raft_index = a->raft_index;
    }
    sink_emit(m->etcd->o->sink, &ev);
}

static void on_status(void *arg, const struct http_answer *a) {
    struct etcd_member *m = arg;
    usec_t now = observer_now(m->etcd->o);
    struct dcs_status status;
    m->status_request = NULL;
    if (a->status == 0 && observer_listens_since(m->etcd->o, m->status_asked) > m->status_asked) {
        m->status_next = now; // it was we who did not listen
        return;
    }
    m->answered = a->status == 200 && dcs_read_status(a->body, &status);
    if (m->answered)
        m->status = status;
    tell(m, m->answered ? "" : a->status ? "an answer that is no status" : a->error, now);
}

static void ask(struct etcd_member *m, usec_t now) {
    struct http_options o = {.method = "POST",
                             .port = STACK_ETCD_PORT,
                             .path = "/v3/maintenance/status",
                             .json = "{}",
                             .deadline = NO_ANSWER,
                             .done = on_status,
                             .arg = m};
    m->status_asked = now;
    m->status_next = now + STATUS_PERIOD;
    (void)http_start(m->w->http, &o, &m->status_request, NULL);
}

static void member_turn(struct etcd_member *m, usec_t now) {
    if (!watched_on(m->w)) {
        http_cancel(m->status_request);
        m->status_request = NULL;
        m->answered = false;
        tell(m, "powered off", now);
        return;
    }
    if (!m->status_request && now >= m->status_next)
        ask(m, now);
}

void members_turn(struct etcd *e, usec_t now) {
    VEC_FOREACH (&e->members, m)
        member_turn(m, now);
}
