// SPDX-License-Identifier: PostgreSQL
// A node's state as sign + word + tone. At most 11 characters a word: the cluster screen has 80 columns.
#include "dashboard/views/parts.h"

void words_role(const struct model *m, const struct model_node *n, struct piece *ret) {
    if (!(n->services & SERVICE_POSTGRES)) {
        bool arbiter = n->services & SERVICES_ARBITER;
        const char *what = arbiter                         ? services_first(SERVICES_ARBITER)
                           : n->services & SERVICE_HAPROXY ? "proxy"
                                                           : "application";
        piece_set(ret, TONE_DIM, SIGN_OFF, arbiter ? "%s only" : "%s", what);
        return;
    }
    if (*m->leader && str_eq(m->leader, n->name))
        piece_set(ret, TONE_LEADER, SIGN_LEADER, "leader");
    else if (lane_of(m, n) == LANE_WRITABLE_WITHOUT_KEY)
        piece_set(ret, TONE_BAD, SIGN_BAD, "%s", m->kind->alone.role);
    else if (model_is_sync_standby(m, n))
        piece_set(ret, TONE_REPLICA, SIGN_SYNC, "sync standby");
    else if (n->pg_answered && n->in_recovery)
        piece_set(ret, TONE_REPLICA, SIGN_REPLICA, "replica");
    else
        piece_set(ret, TONE_DIM, SIGN_OFF, "none");
}

enum tone lane_tone(enum lane lane) {
    switch (lane) {
    case LANE_OFF:
    case LANE_UNKNOWN:
    case LANE_UNWATCHED:
        return TONE_DIM;
    case LANE_STARTING:
    case LANE_STANDBY_ALONE:
    case LANE_LEADER_NOT_WRITABLE:
        return TONE_WARN;
    case LANE_DOWN:
    case LANE_WRITABLE_WITHOUT_KEY:
        return TONE_BAD;
    case LANE_REPLICA:
        return TONE_REPLICA;
    case LANE_LEADER:
        return TONE_LEADER;
    }
    return TONE_PLAIN;
}

void words_postgres(const struct model *m, const struct model_node *n, struct piece *ret) {
    static const struct {
        int sign;
        enum tone tone;
        const char *word;
    } words[] = {
        [LANE_OFF] = {SIGN_OFF, TONE_BAD, "power off"},
        [LANE_UNKNOWN] = {SIGN_UNKNOWN, TONE_WARN, "unknown"},
        [LANE_STARTING] = {SIGN_WARN, TONE_WARN, "starting"},
        [LANE_DOWN] = {SIGN_BAD, TONE_BAD, "no answer"},
        [LANE_REPLICA] = {SIGN_GOOD, TONE_GOOD, "streaming"},
        [LANE_STANDBY_ALONE] = {SIGN_WARN, TONE_WARN, "no stream"},
        [LANE_LEADER] = {SIGN_GOOD, TONE_GOOD, "writable"},
        [LANE_WRITABLE_WITHOUT_KEY] = {SIGN_BAD, TONE_BAD, "WRITABLE"},
        [LANE_LEADER_NOT_WRITABLE] = {SIGN_WARN, TONE_WARN, "read-only"},
        [LANE_UNWATCHED] = {SIGN_UNKNOWN, TONE_WARN, "unknown"},
    };
    enum lane lane = lane_of(m, n);
    if (!n->on && n->power_changed)
        piece_set(ret, TONE_BAD, SIGN_BAD, "power off");
    else if (!(n->services & SERVICE_POSTGRES))
        piece_set(ret, TONE_DIM, -1, "-");
    else if (n->pg_answered && n->in_recovery && model_node_doubt(m, n) == DOUBT_AHEAD)
        piece_set(ret, TONE_BAD, SIGN_BAD, "DIVERGED"); // it may stream: that says nothing
    else if (n->pg_answered && n->in_recovery && model_node_doubt(m, n) == DOUBT_KEY)
        piece_set(ret, TONE_WARN, SIGN_UNKNOWN, "in doubt");
    else if (lane == LANE_UNKNOWN && n->pg_answered)
        piece_set(ret, TONE_WARN, SIGN_WARN, "read-only"); // a primary without key that takes no writes
    else if (lane == LANE_STANDBY_ALONE && !*m->leader)
        piece_set(ret, TONE_WARN, SIGN_WARN, "no leader"); // nobody to stream from: not this node's fault
    else
        piece_set(ret, words[lane].tone, words[lane].sign, "%s", words[lane].word);
}

void words_manager(const struct model_node *n, struct piece *ret) {
    if (!(n->services & SERVICE_POSTGRES) || !n->on)
        piece_set(ret, TONE_DIM, -1, "-");
    else if (!n->manager_answered)
        piece_set(ret, n->pid_manager < 0 ? TONE_BAD : TONE_WARN, n->pid_manager < 0 ? SIGN_BAD : SIGN_WARN, "%s",
                  n->pid_manager < 0 ? "dead" : "silent");
    else if (n->paused)
        piece_set(ret, TONE_WARN, SIGN_WARN, "paused");
    else if (str_eq(n->state, "running") || str_eq(n->state, "streaming"))
        piece_set(ret, TONE_GOOD, SIGN_GOOD, "%s", n->state);
    else
        piece_set(ret, TONE_WARN, SIGN_WARN, "%s", *n->state ? n->state : "unknown");
}

void words_arbiter(const struct model_node *n, struct piece *ret) {
    if (!(n->services & SERVICES_ARBITER) || !n->on) {
        piece_set(ret, TONE_DIM, -1, "-");
        return;
    }
    switch (arbiter_lane_of(n)) {
    case ARBITER_LANE_LEADER:
        piece_set(ret, TONE_GOOD, SIGN_LEADER, "leader");
        break;
    case ARBITER_LANE_FOLLOWER:
        piece_set(ret, TONE_GOOD, SIGN_GOOD, "member");
        break;
    case ARBITER_LANE_LEADERLESS:
        piece_set(ret, TONE_WARN, SIGN_WARN, "alone");
        break;
    case ARBITER_LANE_OFF:
    case ARBITER_LANE_UNKNOWN:
    case ARBITER_LANE_UNWATCHED:
    case ARBITER_LANE_DOWN:
        piece_set(ret, TONE_BAD, SIGN_BAD, "%s", n->pid_arbiter < 0 ? "dead" : "silent");
        break;
    }
}

void words_lag(const struct model_node *n, struct piece *ret) {
    char text[SHORT_MAX];
    const int64_t notable = 1 << 20; // maximum_lag_on_failover, by default: such a replica may not become leader
    if (!(n->services & SERVICE_POSTGRES) || n->lag_bytes < 0)
        piece_set(ret, TONE_DIM, -1, "-");
    else if (n->lag_bytes >= notable)
        piece_set(ret, TONE_WARN, -1, "!%s", bytes_text(text, n->lag_bytes));
    else
        piece_set(ret, TONE_PLAIN, -1, "%s", bytes_text(text, n->lag_bytes));
}
