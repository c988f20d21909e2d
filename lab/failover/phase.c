// SPDX-License-Identifier: PostgreSQL
// The chain of a recovery, each link beginning where the one before it ended, so that they add up to the recovery time:
//
//   fault effective --detect--> leader key gone --elect--> new leader key --promote--> accepts writes --reroute-->
//   first acknowledged write of the application            and after it: rejoin, until the cluster is healthy
//   again
//
// A link whose end was not seen is absent, and the next one covers its time: nothing is left unexplained.
//   key never went (postmaster killed and restarted in place)  one link, return = writable again
//   key changed hands without having gone                      detect absent, elect from the fault
//   no key: who leads is what the managers say                 the same: that the old leader is given up shows in nothing but the next
//   the client was served again before a direct probe saw it   the acknowledgement itself is the proof: promote ends
//   there no outage (the old primary went on: Patroni killed)        reroute absent, the rest from the events alone
//
// When etcd loses its quorum nobody can take the key, and the leader fences itself because it can't renew it:
//
//   fault effective --demote--> the leader accepts no write --no-quorum--> etcd has a quorum --quorum-back--> the Patroni that will
//   lead has written to etcd --promote--> accepts writes --reroute--> ...     or, when the key has gone meanwhile, detect and elect
//   as above instead of quorum-back
//
// While it goes on, the link whose end has not come is the current one, and nothing follows it.
#include "lab/failover/phase.h"

struct chain {
    const struct leadership *l;
    const struct recovery_case *asked;
    struct recovery *out;
    bool served;
    usec_t cursor; // end of the last link
    usec_t limit;  // nothing later belongs to this recovery
    usec_t gone, put, gone_error, put_error;
    char node[NODE_NAME_MAX]; // who served in the end
};

static void add_link(struct chain *c, enum phase_kind kind, usec_t end, usec_t error) {
    struct phase *p = &c->out->phases[kind];
    p->present = true;
    p->start = c->cursor;
    p->duration = end - c->cursor;
    p->error = error;
    c->cursor = end;
}

static void go_on(struct chain *c, enum phase_kind kind) {
    struct phase *p = &c->out->phases[kind];
    if (!c->asked->live || c->served)
        return;
    *p = (struct phase){.name = p->name, .present = true, .open = true, .start = c->cursor};
    p->duration = usec_sub(c->asked->now, c->cursor);
    c->out->current = (int)kind;
}

// What is known only since a first read may have happened any time since the key was last seen.
static usec_t key_error(const struct key_change *k, usec_t known) {
    return k->initial && k->t > known ? k->t - known : 0;
}

// What an observer that stood still read when it looked again happened meanwhile, as what a manager says happened since it was last asked; and where the writes were back before it looked, before they were.
// *ret_error: how much earlier it may have been.
static usec_t key_time(const struct chain *c, const struct key_change *k, usec_t *ret_error) {
    usec_t stood = leadership_unwatched(c->l, k->t), last_look = usec_sub(k->t, stood > k->error ? stood : k->error);
    usec_t since = last_look > c->asked->start ? last_look : c->asked->start;
    bool unseen = last_look < k->t && k->t > since;
    usec_t at = unseen && c->served && c->limit < k->t && c->limit > since ? c->limit : k->t;
    *ret_error = unseen ? at - since : 0;
    return at;
}

// The first loss of the key and the last taking of it before writes were back: an election that had to be repeated is
// one.
static void find_keys(struct chain *c) {
    usec_t start = c->asked->start, known = start;
    const char *holder = leadership_holder(c->l, start);
    c->gone = c->put = 0;
    STR_COPY(c->node, holder);
    VEC_FOREACH (&c->l->keys, k) {
        usec_t late, t = key_time(c, k, &late);
        if (t <= start || t > c->limit)
            continue;
        late += key_error(k, known);
        if (k->gone && !c->gone) {
            c->gone = t;
            c->gone_error = late;
        } else if (!k->gone && (c->gone || !str_eq(k->value, holder))) {
            c->put = t;
            c->put_error = late;
            STR_COPY(c->node, k->value);
        }
        known = k->t;
    }
}

// kind: PROMOTE, or RETURN when the leader kept its key and its role: then it must have been refused first.
static bool link_writable(struct chain *c, enum phase_kind kind) {
    usec_t at, error;
    if (!*c->node || !leadership_writable(c->l, c->node, c->cursor, kind == PHASE_RETURN, &at, &error))
        return false;
    if (c->served && at > c->limit) { // the client was faster than the probe
        usec_t since = at - error;
        if (since >= c->limit)
            return false; // refused by the probe after the client had been served: somebody else served it
        error = c->limit - since;
        at = c->limit;
    }
    add_link(c, kind, at, error);
    return true;
}

static void link_reroute(struct chain *c) {
    if (c->served && c->asked->end >= c->cursor)
        add_link(c, PHASE_REROUTE, c->asked->end, c->asked->resolution);
    else
        go_on(c, PHASE_REROUTE);
}

static void link_promote(struct chain *c) {
    if (link_writable(c, PHASE_PROMOTE) || c->served)
        link_reroute(c);
    else
        go_on(c, PHASE_PROMOTE);
}

static void link_keys(struct chain *c) {
    if (c->gone && c->gone >= c->cursor &&
        (c->put || !c->served)) // key lost and writes back without a new leader: not what brought them back
        add_link(c, PHASE_DETECT, c->gone, c->gone_error);
    if (c->put && c->put >= c->cursor)
        add_link(c, PHASE_ELECT, c->put, c->put_error);
}

static bool accepts_all_along(const struct chain *c) {
    usec_t at, error;
    return *c->node && leadership_writable(c->l, c->node, c->cursor, false, &at, &error) && at == c->cursor;
}

static void link_in_place(struct chain *c) {
    bool returned = link_writable(c, PHASE_RETURN);
    c->out->in_place = returned || c->served || c->asked->effect == HA_RESTARTS;
    if (returned || c->served)
        link_reroute(c);
    else if (c->asked->effect == HA_RESTARTS)
        go_on(c, PHASE_RETURN);
    else if (c->asked->effect == HA_NONE && accepts_all_along(c)) { // the application does not reach it
        c->out->in_place = true;
        go_on(c, PHASE_REROUTE);
    } else
        go_on(c, c->out->joined ? PHASE_ELECT : PHASE_DETECT);
}

static void link_all(struct chain *c) {
    link_keys(c);
    if (c->put)
        link_promote(c);
    else if (!c->gone)
        link_in_place(c);
    else if (c->served)
        link_reroute(c);
    else
        go_on(c, PHASE_ELECT);
}

// ---- a lost quorum -------------------------------------------------------------------------------------------------------

// The loss that made the leader fence itself in this chain: the key still stood when it did. *ret_fell: when.
static const struct quorum_loss *find_loss(const struct chain *c, usec_t *ret_fell, usec_t *ret_error) {
    const usec_t seen_late =
        SEC; // members are asked twice a second: the fault may be older than the loss that it causes
    usec_t start = c->asked->start;
    VEC_FOREACH (&c->l->quorum_losses, q) {
        usec_t from = q->from > seen_late ? q->from - seen_late : 0;
        if (q->from + seen_late < start || from > c->limit)
            continue;
        *ret_fell =
            leadership_fell(c->l, leadership_holder(c->l, start), from, q->to < c->limit ? q->to : c->limit, ret_error);
        if (*ret_fell > start && (!c->gone || c->gone > *ret_fell))
            return q;
    }
    return NULL;
}

static void link_without_quorum(struct chain *c, const struct quorum_loss *q, usec_t demoted, usec_t error) {
    const usec_t asked_every = SEC / 2; // lab/observe/patroni/etcd_member.c
    add_link(c, PHASE_DEMOTE, demoted, error);
    if (q->to > c->limit) {
        go_on(c, PHASE_NO_QUORUM);
        return;
    }
    add_link(c, PHASE_NO_QUORUM, q->to, asked_every);
    bool moved = c->gone || c->put;
    link_keys(c);
    usec_t back = moved ? 0 : leadership_wrote_key(c->l, c->node, c->cursor, c->limit);
    if (back)
        add_link(c, PHASE_QUORUM_BACK, back, 0);
    if (!moved && !back && !c->served && c->asked->live)
        go_on(c, PHASE_QUORUM_BACK);
    else if (c->put || !c->gone)
        link_promote(c);
    else if (c->served)
        link_reroute(c);
    else
        go_on(c, PHASE_ELECT);
}

// Did the failover come after a short pause of another kind? Then the chain is told by the events alone, to the end.
static bool look_later(struct chain *c) {
    if (!c->served || c->put || c->gone || c->asked->pause >= SEC)
        return false;
    struct chain later = *c;
    later.limit = c->asked->now;
    find_keys(&later);
    if (!later.put)
        return false;
    later.served = false;
    *c = later;
    return true;
}

void recovery_tell(const struct leadership *l, const struct recovery_case *asked, struct recovery *ret) {
    struct chain c = {.l = l, .asked = asked, .out = ret, .cursor = asked->start, .limit = asked->now};
    usec_t demoted = 0, error = 0;
    *ret = (struct recovery){.current = -1, .joined = leadership_claimed(l)};
#define X(kind, text) ret->phases[PHASE_##kind].name = text;
    PHASES(X)
#undef X
    c.served = asked->served && asked->end > asked->start;
    if (c.served)
        c.limit = asked->end;
    find_keys(&c);
    const struct quorum_loss *loss = look_later(&c) ? NULL : find_loss(&c, &demoted, &error);
    ret->no_quorum = loss;
    ret->quorum_lost = loss ? loss->from : 0;
    if (loss)
        link_without_quorum(&c, loss, demoted, error);
    else
        link_all(&c);
    STR_COPY(ret->leader, c.node);
    ret->cursor = c.cursor;
}
