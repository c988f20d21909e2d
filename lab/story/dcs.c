// SPDX-License-Identifier: PostgreSQL
// etcd: who leads it, and whether a majority answers. While an etcd elects a leader, a majority answers and nobody serves: that takes one to two
// election timeouts and is told as what it is.
#include "lab/story/internal.h"

#define ASKED_EVERY (500 * MSEC) // each member, in its own namespace (lab/observe/etcd_member.c)

static size_t members(const struct story *s, bool answering) {
    size_t n = 0;
    for (size_t i = 0; i < s->model->n_nodes; i++)
        n += (s->model->nodes[i].services & SERVICE_ETCD) && (!answering || s->model->nodes[i].etcd_answered);
    return n;
}

static const char *leader_now(const struct story *s) {
    for (size_t i = 0; i < s->model->n_nodes; i++)
        if (s->model->nodes[i].etcd_answered && s->model->nodes[i].etcd_leader)
            return s->model->nodes[i].name;
    return "";
}

static void lost(struct story *s, usec_t t, int state) {
    size_t up = members(s, true), all = members(s, false);
    if (state == ETCD_ELECTS)
        s->election_due = true;
    else
        tell(s, t, MOMENT_QUORUM_LOST, TOLD_MAIN, MOOD_BAD, "",
             "etcd has lost its quorum: %zu of %zu members answer%s, so nobody can renew or take the leader key", up,
             all, up == 1 ? "s" : "")
            ->error = s->etcd_error;
}

void tell_election(struct story *s, usec_t now) {
    const usec_t lasts = ASKED_EVERY + 100 * MSEC;
    if (!s->election_due || now < s->etcd_since + lasts)
        return;
    s->election_due = false;
    tell(s, s->etcd_since, MOMENT_ETCD, TOLD_EVENT, MOOD_WARN, s->etcd_leader,
         "etcd has lost its leader %s: %zu of %zu members answer and elect another", s->etcd_leader, members(s, true),
         members(s, false))
        ->error = s->etcd_error;
}

static void led(struct story *s, usec_t t, const char *leader) {
    char text[USEC_TEXT_MAX];
    usec_t for_time = s->etcd_since && t > s->etcd_since ? t - s->etcd_since : 0;
    if (s->etcd == ETCD_NO_QUORUM)
        tell(s, t, MOMENT_QUORUM_BACK, TOLD_MAIN, MOOD_GOOD, leader, "etcd has a quorum again after %s: %s leads it",
             usec_format(text, for_time), leader)
            ->error = s->etcd_error;
    else if (!*s->etcd_leader)
        (void)tell(s, t, MOMENT_ETCD, TOLD_DETAIL, MOOD_NEUTRAL, leader, "%s leads etcd", leader);
    else if (!str_eq(leader, s->etcd_leader))
        tell(s, t, MOMENT_ETCD, TOLD_EVENT, MOOD_NEUTRAL, leader, "%s leads etcd now (before: %s)", leader,
             s->etcd_leader)
            ->error = s->etcd_error;
    else if (s->etcd == ETCD_ELECTS)
        (void)tell(s, t, MOMENT_ETCD, TOLD_EVENT, MOOD_NEUTRAL, leader, "%s leads etcd again", leader);
}

void tell_dcs(struct story *s, const struct event *ev) {
    if (ev->kind != EVENT_DCS_MEMBER && ev->kind != EVENT_NODE_POWER)
        return;
    size_t up = members(s, true), all = members(s, false);
    int now = model_quorum(s->model) ? ETCD_LED : up > all / 2 ? ETCD_ELECTS : ETCD_NO_QUORUM;
    const char *leader = leader_now(s);
    s->etcd_error = ev->kind == EVENT_DCS_MEMBER ? ASKED_EVERY : 0;
    if (now == ETCD_LED && !*leader) // a majority follows somebody whose own word is still missing
        return;
    if (s->etcd == ETCD_UNKNOWN && now != ETCD_LED)
        return;
    if (now == ETCD_LED && (s->etcd != ETCD_LED || !str_eq(leader, s->etcd_leader)))
        led(s, ev->t, leader);
    else if (now != ETCD_LED && now != (int)s->etcd && !(now == ETCD_ELECTS && s->etcd == ETCD_NO_QUORUM))
        lost(s, ev->t, now);
    if (now == ETCD_ELECTS && s->etcd == ETCD_NO_QUORUM)
        return; // members are back, but nobody serves yet
    if (now == ETCD_LED)
        STR_COPY(s->etcd_leader, leader);
    if (now != (int)s->etcd)
        s->etcd_since = ev->t;
    s->etcd = (unsigned)now;
    s->election_due &= s->etcd == ETCD_ELECTS;
}
