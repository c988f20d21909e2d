// SPDX-License-Identifier: PostgreSQL
// Known defects: is the signature of one in the log, is the program's version among those that have it, and which failed
// expectations does it explain? A signature is evidence of the defect itself, never its consequence alone: lost writes have many causes.
//
//   leader_key_overwritten  a node that held the leader key before writes itself into it while another one holds it. Every correct
//                           writer creates the key and only the lease's end or a delete removes it, so the key would have been
//                           created anew: the same `created` revision with another value is a write over it. (etcd's kv
//                           create_revision; Patroni creates it in a transaction that compares create_revision with 0:
//                           patroni/dcs/etcd3.py, attempt_to_acquire_leader)
//   standby_ahead           a stretch of ahead.c
//   shutdown_hangs          a PostgreSQL answers nothing but "the database system is shutting down" for a minute, and one of its
//                           processes had crashed in the last seconds before. A fast shutdown that comes while the startup process
//                           of a crash restart is at work waits for the checkpointer, which nobody tells to end
//                           (postmaster.c: PM_WAIT_BACKENDS with FatalError)
#include <stdio.h>
#include <strings.h>

#include "lab/base/version.h"
#include "lab/measure/fold.h"

#define HANG       MINUTE    // of a database whose shutdown takes a second
#define HANG_CRASH (5 * SEC) // the crash is so long before the first answer of that kind
#define HANG_LOG   (SEC / 2) // in logs of older programs a line has the time at which it was read

static bool held_before(const struct measure *m, const struct key_change *until, const char *node) {
    for (const struct key_change *k = m->leadership.keys.items; k < until; k++)
        if (!k->gone && str_eq(k->value, node))
            return true;
    return false;
}

static bool written_over(const struct key_change *a, const struct key_change *b) {
    if (a->gone || b->gone || b->initial || !*a->value || str_eq(a->value, b->value))
        return false;
    return a->created == b->created || !a->created || !b->created; // not recorded: no deletion between them was seen
}

static void find_key_overwritten(const struct measure *m, struct defect_measure *d) {
    if (leadership_claimed(&m->leadership)) // there is none: whoever leads next took nothing from anybody
        return;
    for (size_t i = 1; i < m->leadership.keys.n && !d->seen; i++) {
        const struct key_change *a = &m->leadership.keys.items[i - 1], *b = a + 1;
        if (!written_over(a, b) || !held_before(m, a, b->value))
            continue;
        d->seen = true;
        d->at = b->t;
        STR_COPY(d->node, b->value);
        (void)snprintf(d->detail, sizeof d->detail, "%s wrote itself into the leader key while %s held it", b->value,
                       a->value);
    }
}

static void find_standby_ahead(const struct measure *m, struct defect_measure *d) {
    if (!m->out.aheads.n)
        return;
    const struct ahead_span *s = &m->out.aheads.items[0];
    char here[LSN_TEXT_MAX], there[LSN_TEXT_MAX];
    d->seen = true;
    d->at = s->from;
    STR_COPY(d->node, s->leader);
    (void)snprintf(d->detail, sizeof d->detail, "%s had replayed to %s and %s, its leader, had only written to %s",
                   s->node, lsn_format(here, s->lsn), s->leader, lsn_format(there, s->leader_lsn));
}

static bool crashed_before(const struct measure *m, int node, usec_t t) {
    VEC_FOREACH (&m->crashes, c)
        if (c->node == node && c->t <= t + HANG_LOG && c->t + HANG_CRASH >= t)
            return true;
    return false;
}

static void find_shutdown_hangs(const struct measure *m, struct defect_measure *d) {
    usec_t since[NODES_MAX] = {0};
    VEC_FOREACH (&m->sql, s) {
        if (!s->stopping)
            since[s->node] = 0;
        else if (!since[s->node])
            since[s->node] = s->t;
        else if (!d->seen && s->t >= since[s->node] + HANG && crashed_before(m, s->node, since[s->node])) {
            d->seen = true;
            d->at = since[s->node];
            STR_COPY(d->node, m->nodes[s->node].name);
            (void)snprintf(d->detail, sizeof d->detail,
                           "PostgreSQL on %s was told to stop during a crash restart and did not end within %d s",
                           d->node, (int)(HANG / SEC));
        }
    }
}

// ---- versions --------------------------------------------------------------------------------------------------------

static const char *version_on(const struct measure *m, const char *software, const char *node) {
    const char *everywhere = "";
    VEC_FOREACH (&m->out.versions, v) {
        if (strcasecmp(v->component, software) != 0)
            continue;
        if (str_list_has(v->nodes, node))
            return v->version;
        if (!*v->nodes)
            everywhere = v->version;
    }
    return everywhere;
}

// Where nothing was seen: the first version of any node that is in the range, else any.
static const char *version_anywhere(const struct measure *m, const struct defect_measure *d) {
    const char *any = "";
    VEC_FOREACH (&m->out.versions, v) {
        if (strcasecmp(v->component, d->software) != 0)
            continue;
        if (version_in_range(d->versions, v->version))
            return v->version;
        any = v->version;
    }
    return any;
}

static void find_signature(struct measure *m, struct defect_measure *d) {
    switch (d->signature) {
    case DEFECT_LEADER_KEY_OVERWRITTEN:
        return find_key_overwritten(m, d);
    case DEFECT_STANDBY_AHEAD:
        return find_standby_ahead(m, d);
    case DEFECT_SHUTDOWN_HANGS:
        return find_shutdown_hangs(m, d);
    case DEFECT_NONE:
    case DEFECT_UNKNOWN: // nobody knows what to look for: it is not seen
        return;
    }
}

void defect_find(struct measure *m) {
    VEC_FOREACH (&m->out.defects, d) {
        find_signature(m, d);
        STR_COPY(d->version, d->seen ? version_on(m, d->software, d->node) : version_anywhere(m, d));
        d->affected = version_in_range(d->versions, d->version);
    }
}

bool defect_explains(const struct defect_measure *d, const char *kind) {
    return d->seen && d->affected && str_list_has(d->explains, kind);
}

// Two things that the scenario did not have to say: a defect outside its versions is a failure like any other, and one that shows
// `always` must show.
static void judge_presence(struct measure *m, const struct defect_measure *d) {
    bool stranger = d->seen && !d->affected, missed = !d->seen && d->affected && d->always;
    if (!stranger && !missed)
        return;
    struct expect_result *e = VEC_ADD(&m->out.expects);
    e->known = true;
    if (missed)
        (void)snprintf(e->text, sizeof e->text, "%s was not seen, though it always shows with %s %s", d->id,
                       d->software, d->versions);
    else if (version_known(d->version))
        (void)snprintf(e->text, sizeof e->text, "%s was seen with %s %s, though only %s is known to have it: %s", d->id,
                       d->software, d->version, d->versions, d->detail);
    else
        (void)snprintf(e->text, sizeof e->text, "%s was seen, and which version of %s it was is not recorded: %s",
                       d->id, d->software, d->detail);
}

void defect_explain(struct measure *m) {
    VEC_FOREACH (&m->out.expects, e)
        VEC_FOREACH (&m->out.defects, d)
            if (e->known && !e->ok && !*e->defect && defect_explains(d, expect_result_name(e)))
                STR_COPY(e->defect, d->id);
    VEC_FOREACH (&m->out.defects, d)
        judge_presence(m, d);
}
