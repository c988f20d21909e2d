// SPDX-License-Identifier: PostgreSQL
// Conditions. Each kind of atom is one function that gives a truth, the words for "not yet", and, where the clock alone
// can turn it, the time of the turn. An atom in words is about now; the hold and the deadline around it belong to the
// step.
#include "lab/engine/condition.h"

#include <stdio.h>

struct verdict {
    enum truth truth;
    usec_t turns; // USEC_NEVER = not by the clock
    char why[160];
};

static struct verdict say(enum truth truth, const char *fmt, ...) PRINTF_LIKE(2, 3);
static struct verdict say(enum truth truth, const char *fmt, ...) {
    struct verdict v = {.truth = truth, .turns = USEC_NEVER};
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(v.why, sizeof v.why, fmt, ap);
    va_end(ap);
    return v;
}

static enum truth truth_of(bool yes) {
    return yes ? TRUTH_YES : TRUTH_NO;
}

// ---- leader --------------------------------------------------------------------------------------------------------
static struct verdict leader_unseen(const struct scope *s) {
    return say(TRUTH_UNKNOWN, "%s", s->model->kind->unseen);
}

static struct verdict leader_none(const struct scope *s) {
    char nobody[160];
    return say(TRUTH_NO, "%s", model_nobody(s->model, nobody, sizeof nobody));
}

static struct verdict leader_exists(const struct scope *s) {
    const struct model_node *n = model_leader(s->model);
    if (!s->model->leader_known)
        return leader_unseen(s);
    if (!n)
        return leader_none(s);
    return say(truth_of(n->writable), "%s %s but does not accept writes", n->name, s->model->kind->holds);
}

static struct verdict leader_changed(const struct scope *s) {
    const char *leader = s->model->leader;
    if (!s->model->leader_known || !*s->old_leader)
        return say(TRUTH_UNKNOWN, "the leader has not been seen yet");
    if (!*leader)
        return leader_none(s);
    return say(truth_of(!str_eq(leader, s->old_leader)), "%s %s", s->model->kind->still, leader);
}

static struct verdict leader_is(const struct scope *s, const struct condition_atom *a) {
    const char *leader = s->model->leader;
    if (!s->model->leader_known)
        return leader_unseen(s);
    if (!*leader)
        return leader_none(s);
    const struct model_node *nodes[NODES_MAX];
    size_t needed, n = target_class(s, &a->who, true, nodes, &needed);
    for (size_t i = 0; i < n; i++)
        if (str_eq(nodes[i]->name, leader))
            return say(TRUTH_YES, "the leader is %s", leader);
    return say(TRUTH_NO, "the leader is %s", leader);
}

// ---- members -------------------------------------------------------------------------------------------------------
static enum truth has_role(const struct scope *s, const struct model_node *n, enum condition_role role) {
    bool seen = n->pg_changed || (n->power_changed && !n->on);
    int up = model_node_up(n);
    switch (role) {
    case CONDITION_ROLE_LEADER:
        return s->model->leader_known ? truth_of(str_eq(n->name, s->model->leader)) : TRUTH_UNKNOWN;
    case CONDITION_ROLE_REPLICA:
        return seen ? truth_of(model_is_replica(s->model, n)) : TRUTH_UNKNOWN;
    case CONDITION_ROLE_SYNC_STANDBY:
        return truth_of(model_is_sync_standby(s->model, n));
    case CONDITION_ROLE_STREAMING:
        return truth_of(n->streaming);
    case CONDITION_ROLE_UP:
        return up < 0 ? TRUTH_UNKNOWN : truth_of(up);
    case CONDITION_ROLE_DOWN:
        return up < 0 ? TRUTH_UNKNOWN : truth_of(!up);
    case CONDITION_ROLE_WRITABLE:
        return seen ? truth_of(n->writable) : TRUTH_UNKNOWN;
    }
    return TRUTH_UNKNOWN;
}

static struct verdict lag_one(const struct model_node *n, const struct condition_atom *a) {
    if (n->lag_bytes < 0)
        return say(TRUTH_UNKNOWN, "the lag of %s is not known", n->name);
    return say(truth_of(a->above ? n->lag_bytes > a->number : n->lag_bytes < a->number),
               "the lag of %s is %" PRId64 " bytes", n->name, n->lag_bytes);
}

static struct verdict member_one(const struct scope *s, const struct model_node *n, const struct condition_atom *a) {
    if (a->kind == CONDITION_LAG)
        return lag_one(n, a);
    enum truth t = has_role(s, n, a->role);
    return say(t, t == TRUTH_UNKNOWN ? "nothing is known of %s yet" : "%s is not %s", n->name,
               condition_role_name(a->role));
}

// A class of members: as many as its share asks for must comply. The reason given is that of the first that does not.
static struct verdict members(const struct scope *s, const struct condition_atom *a) {
    bool dead_too = a->kind == CONDITION_ROLE_IS && (a->role == CONDITION_ROLE_UP || a->role == CONDITION_ROLE_DOWN);
    const struct model_node *nodes[NODES_MAX];
    size_t needed, n = target_class(s, &a->who, dead_too, nodes, &needed), yes = 0, unknown = 0;
    struct verdict first = say(TRUTH_NO, "%s: nobody is meant by that now", target_words(&a->who));
    for (size_t i = 0; i < n; i++) {
        struct verdict v = member_one(s, nodes[i], a);
        if (v.truth != TRUTH_YES && yes == i)
            first = v;
        yes += v.truth == TRUTH_YES;
        unknown += v.truth == TRUTH_UNKNOWN;
    }
    first.truth = n && yes >= needed ? TRUTH_YES : yes + unknown >= needed && unknown ? TRUTH_UNKNOWN : TRUTH_NO;
    return first;
}

static struct verdict slot(const struct scope *s, const struct condition_atom *a) {
    const struct model_node *leader = model_leader(s->model);
    if (!leader || !leader->pg_answered)
        return say(TRUTH_UNKNOWN, "no leader answers that could show its slot %s", a->key);
    const struct model_slot *at = model_slot(s->model, leader->name, a->key);
    if (!at)
        return say(TRUTH_NO, "%s has shown no slot %s", leader->name, a->key);
    return say(truth_of(a->above ? at->retained_bytes > a->number : at->retained_bytes < a->number),
               "slot %s of %s holds back %" PRId64 " bytes", a->key, leader->name, at->retained_bytes);
}

// ---- the store, the grant and the arbiters; what the system does not have is never known ------------------------------
static bool has(const struct scope *s, enum ha_has what) {
    return s->model->kind->has & what;
}

static struct verdict has_no(const struct scope *s, const char *what) {
    return say(TRUTH_UNKNOWN, "%s has no %s", s->model->kind->title, what);
}

static struct verdict key(const struct scope *s, const struct condition_atom *a) {
    if (!has(s, HA_STORE))
        return has_no(s, "store of keys");
    bool present = model_key_present(s->model, a->key);
    if (!s->model->dcs_read)
        return say(TRUTH_UNKNOWN, "the DCS has not been read yet");
    return say(truth_of(present), "the key '%s' is %s", a->key, present ? "still there" : "not there");
}

// above: from this value on; below: under it. Written so that the turn happens at one exact microsecond.
static struct verdict lease_age(const struct scope *s, const struct condition_atom *a) {
    usec_t renewed = s->model->lease_renewed;
    if (!has(s, HA_GRANT))
        return has_no(s, "lease");
    if (!renewed || a->number < 0)
        return say(TRUTH_UNKNOWN, "the age of the leader's lease is not known");
    usec_t turn = renewed + (usec_t)a->number;
    bool old = s->now >= turn;
    struct verdict v = say(truth_of(a->above ? old : !old), "the lease is %.1f s old",
                           s->now > renewed ? (double)(s->now - renewed) / 1e6 : 0.0);
    v.turns = old ? USEC_NEVER : turn;
    return v;
}

static struct verdict lease_left(const struct scope *s, const struct condition_atom *a) {
    usec_t renewed = s->model->lease_renewed, ttl = s->model->lease_ttl;
    if (!has(s, HA_GRANT))
        return has_no(s, "lease");
    if (!renewed || !ttl || a->number < 0)
        return say(TRUTH_UNKNOWN, "the time left on the leader's lease is not known");
    usec_t end = renewed + ttl;
    usec_t turn = end > (usec_t)a->number ? end - (usec_t)a->number : 0;
    bool little = s->now >= turn;
    struct verdict v = say(truth_of(a->above ? !little : little), "the lease has %.1f s left",
                           end > s->now ? (double)(end - s->now) / 1e6 : 0.0);
    v.turns = little ? USEC_NEVER : turn;
    return v;
}

static struct verdict quorum(const struct scope *s) {
    if (!has(s, HA_ARBITERS))
        return has_no(s, "arbiter whose quorum could be looked at");
    return say(truth_of(model_quorum(s->model)), "%s has no quorum", s->model->kind->arbiters);
}

// ---- application
// ------------------------------------------------------------------------------------------------------ The last tick
// must be young: three ticks, or three periods of a slow workload. At a slow rate a tick without an acknowledgement is
// normal, so there an acknowledgement within the same window is enough.
struct flow {
    const char *what;
    double rate;
    int64_t ok, bad;
    bool recent; // a success inside the window, though perhaps not in the last tick
};

static usec_t flow_window(double rate) {
    const double three_ticks = 3e5, longest = 6e7;
    double periods = rate > 0 ? 3e6 / rate : 0;
    return (usec_t)(periods < three_ticks ? three_ticks : periods > longest ? longest : periods);
}

static struct verdict flows(const struct scope *s, const struct flow *f) {
    usec_t end = s->model->tick_at + flow_window(f->rate);
    if (!s->model->tick_at)
        return say(TRUTH_NO, "the application has not reported yet");
    if (s->now > end)
        return say(TRUTH_NO, "the application has not reported for %.1f s", (double)(s->now - s->model->tick_at) / 1e6);
    if (f->bad)
        return say(TRUTH_NO, "%" PRId64 " %s failed in the last 100 ms", f->bad, f->what);
    if (!f->ok && !f->recent)
        return say(TRUTH_NO, "no %s succeeded in the last 100 ms", f->what);
    struct verdict v = say(TRUTH_YES, "%s flow", f->what);
    v.turns = end + 1;
    return v;
}

static struct verdict writes_flow(const struct scope *s) {
    const struct model *m = s->model;
    double rate = s->plan->workload.writes_per_s;
    bool slow = rate > 0 && rate < 30; // fewer than three a tick
    bool recent = slow && m->w_last_ok && s->now <= m->w_last_ok + flow_window(rate);
    struct verdict v = flows(s, &(struct flow){"writes", rate, m->tick_w_ok, m->tick_w_bad, recent});
    if (v.truth == TRUTH_YES && !m->tick_w_ok && m->w_last_ok + flow_window(rate) + 1 < v.turns)
        v.turns = m->w_last_ok + flow_window(rate) + 1;
    return v;
}

static struct verdict reads_flow(const struct scope *s) {
    return flows(
        s, &(struct flow){"reads", s->plan->workload.reads_per_s, s->model->tick_r_ok, s->model->tick_r_bad, false});
}

// ---- atoms and conditions ------------------------------------------------------------------------------------------
static struct verdict positive(const struct scope *s, const struct condition_atom *a) {
    struct verdict v = {.turns = USEC_NEVER};
    switch (a->kind) {
    case CONDITION_HEALTHY:
        v.truth = truth_of(model_healthy(s->model, v.why, sizeof v.why));
        return v;
    case CONDITION_COMPLETE:
        v.truth = truth_of(model_complete(s->model, v.why, sizeof v.why));
        return v;
    case CONDITION_LEADER_EXISTS:
        return leader_exists(s);
    case CONDITION_LEADER_CHANGED:
        return leader_changed(s);
    case CONDITION_LEADER_IS:
        return leader_is(s, a);
    case CONDITION_ROLE_IS:
    case CONDITION_LAG:
        return members(s, a);
    case CONDITION_SLOT:
        return slot(s, a);
    case CONDITION_KEY:
        return key(s, a);
    case CONDITION_LEASE_AGE:
        return lease_age(s, a);
    case CONDITION_LEASE_LEFT:
        return lease_left(s, a);
    case CONDITION_QUORUM:
        return quorum(s);
    case CONDITION_WRITES_FLOW:
        return writes_flow(s);
    case CONDITION_READS_FLOW:
        return reads_flow(s);
    }
    return v;
}

char *condition_words(const struct condition *c, char *buf, size_t size) {
    cleanup_strbuf struct strbuf out = {0};
    for (size_t i = 0; str_empty(c->text) && i < c->atoms.n; i++) {
        strbuf_add(&out, i ? " and " : "");
        condition_atom_words(&c->atoms.items[i], &out);
    }
    (void)str_copy(buf, size, str_empty(c->text) ? strbuf_str(&out) : c->text);
    return buf;
}

static struct verdict atom(const struct scope *s, const struct condition_atom *a) {
    struct verdict v = positive(s, a);
    if (!a->negated || v.truth == TRUTH_UNKNOWN)
        return v;
    v.truth = v.truth == TRUTH_YES ? TRUTH_NO : TRUTH_YES;
    if (v.truth == TRUTH_NO && a->kind != CONDITION_KEY) {
        cleanup_strbuf struct strbuf words = {0};
        struct condition_atom plain = *a;
        plain.negated = false;
        condition_atom_words(&plain, &words);
        (void)snprintf(v.why, sizeof v.why, "'%s' still holds", strbuf_str(&words));
    }
    return v;
}

// All atoms must hold. While they do, the first turn of any breaks it; while some do not, it can't hold before the last
// of those has turned, and if one of them never turns by the clock, only an event helps.
struct judgement condition_judge(const struct scope *s, const struct condition *c) {
    struct judgement j = {.holds = true, .changes = USEC_NEVER};
    usec_t first_break = USEC_NEVER, last_turn = 0;
    for (size_t i = 0; i < c->atoms.n; i++) {
        struct verdict v = atom(s, &c->atoms.items[i]);
        if (v.truth == TRUTH_YES) {
            first_break = v.turns < first_break ? v.turns : first_break;
            continue;
        }
        last_turn = v.turns > last_turn ? v.turns : last_turn;
        if (j.holds)
            STR_COPY(j.why, v.why);
        j.holds = false;
    }
    j.changes = j.holds ? first_break : last_turn;
    return j;
}
