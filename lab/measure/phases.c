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
//   the client was served again before a direct probe saw it   the acknowledgement itself is the proof: promote ends
//   there no outage (the old primary went on: Patroni killed)        reroute absent, the rest from the events alone
//
// When etcd loses its quorum nobody can take the key, and the leader fences itself because it can't renew it:
//
//   fault effective --demote--> the leader accepts no write --no-quorum--> etcd has a quorum --quorum-back--> the Patroni that will
//   lead has written to etcd --promote--> accepts writes --reroute--> ...     or, when the key has gone meanwhile, detect and elect
//   as above instead of quorum-back
#include "lab/measure/fold.h"

struct chain {
    usec_t start;  // fault effective
    usec_t cursor; // end of the last link
    usec_t limit;  // nothing later belongs to this recovery
    usec_t gone, put, gone_error, put_error;
    char node[NODE_NAME_MAX]; // who served in the end
};

static void add_link(struct measure *m, struct chain *c, enum phase_kind kind, usec_t end, usec_t error) {
    struct phase *p = &m->out.phases[kind];
    p->present = true;
    p->start = c->cursor;
    p->duration = end - c->cursor;
    p->error = error;
    c->cursor = end;
}

// What is known only since a first read may have happened any time since the key was last seen.
static usec_t key_error(const struct key_change *k, usec_t known) {
    return k->initial && k->t > known ? k->t - known : 0;
}

// The first loss of the key and the last taking of it before writes were back: an election that had to be repeated is
// one.
static void find_keys(const struct measure *m, struct chain *c) {
    const char *holder = leader_at(m, c->start);
    usec_t known = c->start;
    STR_COPY(c->node, holder);
    VEC_FOREACH (&m->keys, k) {
        if (k->t <= c->start || k->t > c->limit)
            continue;
        if (k->gone && !c->gone) {
            c->gone = k->t;
            c->gone_error = key_error(k, known);
        } else if (!k->gone && (c->gone || !str_eq(k->value, holder))) {
            c->put = k->t;
            c->put_error = key_error(k, known);
            STR_COPY(c->node, k->value);
        }
        known = k->t;
    }
}

// When `node` accepted writes (again): the first accepted probe after `base`. `fell` says that it must have been
// refused first, so that a server that never stopped does not count as promoted.
static bool find_writable(const struct measure *m, const char *node, usec_t base, bool fell, usec_t *ret,
                          usec_t *ret_error) {
    int index = fold_find_node(m, node);
    bool refused = !fell, before = false;
    VEC_FOREACH (&m->sql, q) {
        if (q->node != index)
            continue;
        if (q->t <= base) {
            before = q->writable;
            continue;
        }
        if (!q->writable) {
            refused = true;
            before = false;
        } else if (refused) {
            *ret = before ? base : q->t; // it accepted writes all along
            usec_t since = q->previous > base && q->previous < q->t ? q->previous : base;
            *ret_error = before ? 0 : q->t - since;
            return true;
        }
    }
    return false;
}

// kind: PROMOTE, or RESTART when the leader kept its key and its role. stood_down: it is known to have accepted no writes.
static void link_writable(struct measure *m, struct chain *c, enum phase_kind kind, bool served, bool stood_down) {
    usec_t at, error;
    if (!*c->node || !find_writable(m, c->node, c->cursor, kind == PHASE_RETURN && !stood_down, &at, &error))
        return;
    if (served && at > c->limit) { // the client was faster than the probe
        usec_t since = at - error;
        if (since >= c->limit)
            return; // refused by the probe after the client had been served: somebody else served it
        error = c->limit - since;
        at = c->limit;
    }
    add_link(m, c, kind, at, error);
}

static void link_reroute(struct measure *m, struct chain *c, bool served) {
    if (served && m->out.outage_end >= c->cursor)
        add_link(m, c, PHASE_REROUTE, m->out.outage_end, m->out.resolution);
}

static void link_keys(struct measure *m, struct chain *c, bool served) {
    if (c->gone && c->gone >= c->cursor &&
        (c->put || !served)) // key lost and writes back without a new leader: not what brought them back
        add_link(m, c, PHASE_DETECT, c->gone, c->gone_error);
    if (c->put && c->put >= c->cursor)
        add_link(m, c, PHASE_ELECT, c->put, c->put_error);
}

static void link_all(struct measure *m, struct chain *c, bool served) {
    link_keys(m, c, served);
    if (c->put || !c->gone)
        link_writable(m, c, c->put ? PHASE_PROMOTE : PHASE_RETURN, served, false);
    link_reroute(m, c, served);
}

// ---- a lost quorum -------------------------------------------------------------------------------------------------------

// When the holder of the key ceased to accept writes between `from` and `to`; 0 = not seen.
static usec_t fell(const struct measure *m, const char *node, usec_t from, usec_t to, usec_t *ret_error) {
    int index = fold_find_node(m, node);
    bool wrote = false;
    VEC_FOREACH (&m->sql, q) {
        if (q->node != index || q->t > to)
            continue;
        if (wrote && !q->writable && q->t > from) {
            *ret_error = q->previous && q->previous < q->t ? q->t - q->previous : 0;
            return q->t;
        }
        wrote = q->writable;
    }
    return 0;
}

// The loss that made the leader fence itself in this chain: the key still stood when it did. *ret_fell: when.
static const struct quorum_loss *find_loss(const struct measure *m, const struct chain *c, usec_t *ret_fell,
                                           usec_t *ret_error) {
    const usec_t seen_late =
        SEC; // members are asked twice a second: the fault may be older than the loss that it causes
    VEC_FOREACH (&m->quorum_losses, l) {
        usec_t from = l->from > seen_late ? l->from - seen_late : 0;
        if (l->from + seen_late < c->start || from > c->limit)
            continue;
        *ret_fell = fell(m, leader_at(m, c->start), from, l->to < c->limit ? l->to : c->limit, ret_error);
        if (*ret_fell > c->start && (!c->gone || c->gone > *ret_fell))
            return l;
    }
    return NULL;
}

static usec_t wrote_its_key(const struct measure *m, const char *node, usec_t from, usec_t to) {
    int index = fold_find_node(m, node);
    VEC_FOREACH (&m->key_writes, w)
        if (w->node == index && w->t >= from && w->t <= to)
            return w->t;
    return 0;
}

static void link_without_quorum(struct measure *m, struct chain *c, const struct quorum_loss *l, usec_t demoted,
                                usec_t error, bool served) {
    const usec_t asked_every = SEC / 2; // lab/observe/etcd_member.c
    add_link(m, c, PHASE_DEMOTE, demoted, error);
    if (l->to > c->limit)
        return;
    add_link(m, c, PHASE_NO_QUORUM, l->to, asked_every);
    link_keys(m, c, served);
    usec_t back = c->gone || c->put ? 0 : wrote_its_key(m, c->node, c->cursor, c->limit);
    if (back)
        add_link(m, c, PHASE_QUORUM_BACK, back, 0);
    if (c->put || !c->gone)
        link_writable(m, c, PHASE_PROMOTE, served, true);
    link_reroute(m, c, served);
}

// The fault's own time may be known only to lie between its order and its effect.
static void add_fault_error(struct measure *m, const struct fault_measure *f) {
    usec_t error = f->effective && f->effective_seen     ? 0
                   : f->effective > f->asked && f->asked ? f->effective - f->asked
                                                         : 0;
    for (int i = 0; i < PHASE_REJOIN; i++)
        if (m->out.phases[i].present) {
            m->out.phases[i].error += error;
            return;
        }
}

// Rejoined: healthy again and for good (lab/model/health.h). It can be waited for from the moment at which writes were back, or from the fault's healing
// when that came later.
static void link_rejoin(struct measure *m, const struct fault_measure *f, usec_t start, usec_t cursor) {
    const struct health_change *last = m->healths.n ? &m->healths.items[m->healths.n - 1] : NULL;
    if (!last || !last->healthy || (m->out.outage && m->out.outage_open))
        return;
    m->out.rejoin_known = true;
    if (last->t <= start) // nobody ever left: there is nothing to rejoin
        return;
    usec_t from = f->healed > cursor && f->healed <= last->t ? f->healed : cursor;
    usec_t end = last->t > from ? last->t : from; // healthy before the first write was back: nothing left to wait for
    struct phase *p = &m->out.phases[PHASE_REJOIN];
    *p = (struct phase){.present = true, .name = p->name, .start = from, .duration = end - from, .error = last->error};
    m->out.rejoin = p->duration;
}

void phases_measure(struct measure *m) {
    struct measures *o = &m->out;
#define X(kind, text) o->phases[PHASE_##kind].name = text;
    PHASES(X)
#undef X
    if (o->cause < 0)
        return;
    const struct fault_measure *f = &o->faults.items[o->cause];
    struct chain c = {.start = f->effective ? f->effective : f->asked, .limit = o->ended};
    c.cursor = c.start;
    bool served = o->outage && !o->outage_open && o->outage_end > c.start;
    if (served)
        c.limit = o->outage_end;
    find_keys(m, &c);
    if (served && !c.put && !c.gone) { // did the failover come after a short pause of another kind?
        struct chain later = {.start = c.start, .cursor = c.start, .limit = o->ended};
        find_keys(m, &later);
        if (later.put && o->write_outage < SEC) {
            later.limit = o->ended;
            link_all(m, &later, false);
            STR_COPY(o->phase_leader, later.node);
            add_fault_error(m, f);
            link_rejoin(m, f, c.start, later.cursor);
            return;
        }
    }
    usec_t demoted = 0, error = 0;
    const struct quorum_loss *loss = find_loss(m, &c, &demoted, &error);
    m->quorum_lost = loss ? loss->from : 0;
    if (loss)
        link_without_quorum(m, &c, loss, demoted, error, served);
    else
        link_all(m, &c, served);
    STR_COPY(o->phase_leader, c.node);
    add_fault_error(m, f);
    link_rejoin(m, f, c.start, c.cursor);
}
