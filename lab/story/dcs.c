// SPDX-License-Identifier: PostgreSQL
// etcd: who leads it, and whether it serves (lab/model/quorum.h). An election is told when it has lasted: members that die together are seen one after
// the other.
#include <stdio.h>

#include "lab/story/internal.h"

#define ASKED_EVERY (500 * MSEC) // each member, in its own namespace (lab/observe/patroni/etcd_member.c)

static const char *leader_now(const struct story *s) {
    for (size_t i = 0; i < s->model->n_nodes; i++)
        if (s->model->nodes[i].arbiter_answered && s->model->nodes[i].arbiter_leads)
            return s->model->nodes[i].name;
    return "";
}

static void tell_election(struct story *s, usec_t now) {
    const usec_t lasts = ASKED_EVERY + 100 * MSEC;
    if (s->quorum.state != QUORUM_ELECTS || s->election_told || now < s->quorum.since + lasts)
        return;
    s->election_told = true;
    tell(s, s->quorum.since, MOMENT_ETCD, TOLD_EVENT, MOOD_WARN, s->etcd_leader,
         "etcd has lost its leader %s: %zu of %zu members answer and elect another", s->etcd_leader,
         quorum_members(s->model, true), quorum_members(s->model, false))
        ->error = s->etcd_error;
}

static void tell_quorum_lost(struct story *s, usec_t t) {
    size_t up = quorum_members(s->model, true), all = quorum_members(s->model, false);
    struct moment *m;
    if (up > all / 2)
        m = tell(s, t, MOMENT_QUORUM_LOST, TOLD_MAIN, MOOD_BAD, "",
                 "etcd has no quorum: %zu of %zu members answer but agree on no leader, so nobody can renew or take "
                 "the leader key",
                 up, all);
    else
        m = tell(s, t, MOMENT_QUORUM_LOST, TOLD_MAIN, MOOD_BAD, "",
                 "etcd has lost its quorum: %zu of %zu members answer%s, so nobody can renew or take the leader key",
                 up, all, up == 1 ? "s" : "");
    m->error = s->etcd_error;
}

static void tell_etcd_leader(struct story *s, usec_t t, const struct quorum_watch *before, const char *leader) {
    char text[USEC_TEXT_MAX];
    usec_t without = before->since && t > before->since ? t - before->since : 0;
    struct moment *m = NULL;
    if (before->state == QUORUM_LOST)
        m = tell(s, t, MOMENT_QUORUM_BACK, TOLD_MAIN, MOOD_GOOD, leader,
                 "etcd has a quorum again after %s: %s leads it", usec_format(text, without), leader);
    else if (!*s->etcd_leader)
        (void)tell(s, t, MOMENT_ETCD, TOLD_DETAIL, MOOD_NEUTRAL, leader, "%s leads etcd", leader);
    else if (!str_eq(leader, s->etcd_leader))
        m = tell(s, t, MOMENT_ETCD, TOLD_EVENT, MOOD_NEUTRAL, leader, "%s leads etcd now (before: %s)", leader,
                 s->etcd_leader);
    else if (s->election_told)
        m = tell(s, t, MOMENT_ETCD, TOLD_EVENT, MOOD_NEUTRAL, leader, "%s leads etcd again", leader);
    if (m)
        m->error = s->etcd_error;
    s->election_told = false;
    STR_COPY(s->etcd_leader, leader);
}

// "no answer for 2.0 s": it fell silent up to so long before it was said to be.
static usec_t silence_before(const char *error) {
    double seconds = 0;
    return sscanf(error, "no answer for %lf s", &seconds) == 1 && seconds > 0 && seconds < 60 ? (usec_t)(seconds * 1e6)
                                                                                              : 0;
}

void tell_dcs(struct story *s, const struct event *ev) {
    struct quorum_watch before = s->quorum;
    bool changed = quorum_note(&s->quorum, s->model, ev->t);
    const char *leader = leader_now(s);
    if (ev->kind == EVENT_ARBITER)
        s->etcd_error = ASKED_EVERY + silence_before(ev->u.ARBITER.error);
    else if (ev->kind == EVENT_NODE_POWER)
        s->etcd_error = 0;
    if (changed && s->quorum.state == QUORUM_LOST)
        tell_quorum_lost(s, s->quorum.since);
    else if (s->quorum.state == QUORUM_LED && *leader && (changed || !str_eq(leader, s->etcd_leader)))
        tell_etcd_leader(s, ev->t, &before, leader);
    tell_election(s, ev->t);
}
