// SPDX-License-Identifier: PostgreSQL
// How a node comes into doubt, and how it is cleared. One pair of probes may catch a standby that is ahead for a moment and rewound at once, so it is
// told when the pairs of AHEAD_LASTS prove it. When a node in doubt becomes the leader itself, the others are in doubt.
#include <stdio.h>
#include <strings.h>

#include "lab/model/fold.h"

#define AHEAD_LASTS SEC
#define SETTLED                                                                                                        \
    (2 *                                                                                                               \
     SEC) // after its leader accepts connections as a primary a standby of another history has nothing left to replay
#define HAND_AT_IT (10 * SEC) // a fault in the DCS so long before may have written the key

static bool can_follow(const struct model *m, size_t i) {
    return (m->nodes[i].services & SERVICE_POSTGRES) && !str_eq(m->nodes[i].name, m->leader);
}

static void set_doubt(struct model_doubt *d, enum doubt why, usec_t t) {
    d->why = why;
    d->since = t;
    d->stands = 0;
}

// ---- the leader key --------------------------------------------------------------------------------------------------

static bool hand_at_dcs(const struct model *m, usec_t t) {
    for (size_t i = 0; i < m->n_faults; i++)
        if (str_starts(m->faults[i].mechanism, "dcs.") && m->faults[i].asked + HAND_AT_IT >= t)
            return true;
    return false;
}

// A former holder writes itself into the key while another one holds it. Whoever takes a free key creates it anew.
static bool is_theft(struct model *m, const struct event *ev) {
    const struct model_node *by = model_node(m, ev->u.AUTHORITY.holder);
    return by && by->has_led && *m->leader && !str_eq(m->leader, by->name) && !ev->u.AUTHORITY.initial &&
           m->leader_created && m->leader_created == ev->u.AUTHORITY.epoch;
}

static void note_theft(struct model *m, const struct event *ev) {
    const struct model_node *by = model_node(m, ev->u.AUTHORITY.holder);
    m->theft = (struct model_theft){.t = ev->t};
    STR_COPY(m->theft.by, by->name);
    STR_COPY(m->theft.from, m->leader);
    if (!hand_at_dcs(m, ev->t))
        m->theft.defect = defects_find(DEFECT_LEADER_KEY_OVERWRITTEN, m->kind->name,
                                       *by->manager_version ? by->manager_version : m->manager_version);
}

// before: the doubt in which the new leader itself was until now. What was proven of it and the former leader is proven of those two alone: any
// other node may have followed either.
static void put_others_in_doubt(struct model *m, const char *leader, const char *former, enum doubt before, bool theft,
                                usec_t t) {
    for (size_t i = 0; i < m->n_nodes; i++) {
        struct model_doubt *d = &m->doubts[i];
        if (!(m->nodes[i].services & SERVICE_POSTGRES) || str_eq(m->nodes[i].name, leader))
            continue;
        d->stands = 0;
        enum doubt why = str_eq(m->nodes[i].name, former) ? before : before ? DOUBT_KEY : DOUBT_NONE;
        if (theft && why < DOUBT_KEY)
            why = DOUBT_KEY;
        if (why > d->why || (before && why < d->why))
            set_doubt(d, why, t);
    }
}

void model_diverge_key(struct model *m, const struct event *ev) {
    struct model_node *n = ev->u.AUTHORITY.gone ? NULL : model_node(m, ev->u.AUTHORITY.holder);
    bool theft = n && is_theft(m, ev);
    if (theft)
        note_theft(m, ev);
    m->leader_created = ev->u.AUTHORITY.gone ? 0 : ev->u.AUTHORITY.epoch;
    if (!n)
        return;
    model_diverge_leader(m, n, theft, ev->t);
}

void model_diverge_leader(struct model *m, struct model_node *n, bool theft, usec_t t) {
    n->has_led = true;
    if (str_eq(m->followed, n->name))
        return;
    char former[NODE_NAME_MAX];
    STR_COPY(former, m->followed);
    STR_COPY(m->followed, n->name);
    m->leads_since = 0;
    struct model_doubt *d = &m->doubts[model_index(m, n)];
    enum doubt before = d->why;
    set_doubt(d, DOUBT_NONE, 0);
    put_others_in_doubt(m, n->name, former, before, theft, t);
}

// With the last doubt the theft is over too: a divergence after that has a cause of its own.
static void clear_doubt(struct model *m, struct model_doubt *d) {
    set_doubt(d, DOUBT_NONE, 0);
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->doubts[i].why)
            return;
    m->theft = (struct model_theft){0};
}

// ---- positions -------------------------------------------------------------------------------------------------------

static void compare(struct model *m, size_t i, const struct event *ev) {
    struct model_doubt *d = &m->doubts[i];
    struct ahead_watch *w = &d->watch;
    if (w->open && !str_eq(w->leader, ev->u.SQL.node))
        w->open = false;
    enum ahead_found found = ahead_compare(w, ev->u.SQL.node, ev->u.SQL.lsn_asked, ev->u.SQL.lsn);
    if (found == AHEAD_PROVEN && w->to >= w->from + AHEAD_LASTS) {
        if (d->why != DOUBT_AHEAD)
            set_doubt(d, DOUBT_AHEAD, w->from);
        d->stands = w->kept;
    } else if (found == AHEAD_REFUTED) {
        w->open = false;
        if (d->why && d->stands && ahead_pair(w, ev->u.SQL.lsn_asked)->lsn != d->stands)
            clear_doubt(m, d);
    }
}

void model_diverge_sql(struct model *m, const struct model_node *n, const struct event *ev) {
    struct model_doubt *d = &m->doubts[model_index(m, n)];
    bool answered = ev->u.SQL.answered, standby = answered && ev->u.SQL.in_recovery;
    lsn_t lsn = standby && ev->u.SQL.replayed ? ev->u.SQL.replayed : ev->u.SQL.lsn;
    if (!standby) {
        ahead_no_standby(&d->watch, ev->t, answered);
    } else {
        ahead_standby(&d->watch, ev->t, lsn);
        if (d->why && !d->stands && m->leads_since && ev->t >= m->leads_since + SETTLED)
            d->stands = lsn;
    }
    // A primary without the key leads nobody.
    if (!answered || standby || !lsn || !ev->u.SQL.lsn_asked || !str_eq(m->leader, n->name) ||
        ev->u.SQL.lsn_asked < m->leader_changed)
        return;
    if (!m->leads_since)
        m->leads_since = ev->t;
    for (size_t i = 0; i < m->n_nodes; i++)
        if (can_follow(m, i))
            compare(m, i, ev);
}

void model_diverge_power(struct model *m, const struct model_node *n, usec_t t) {
    ahead_no_standby(&m->doubts[model_index(m, n)].watch, t, false);
}

void model_apply_version(struct model *m, const struct event *ev) {
    if (strcasecmp(ev->u.VERSION.component, m->kind->title) != 0)
        return;
    struct model_node *n = model_node(m, ev->u.VERSION.node);
    if (n)
        STR_COPY(n->manager_version, ev->u.VERSION.version);
    else if (!*ev->u.VERSION.node)
        STR_COPY(m->manager_version, ev->u.VERSION.version);
}

// ---- what is known of it ---------------------------------------------------------------------------------------------

enum doubt model_node_doubt(const struct model *m, const struct model_node *n) {
    size_t i = model_index(m, n);
    return n->on && can_follow(m, i) ? m->doubts[i].why : DOUBT_NONE;
}

static size_t in_doubt(const struct model *m, enum doubt why, size_t ret[NODES_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < m->n_nodes; i++)
        if (model_node_doubt(m, &m->nodes[i]) == why)
            ret[n++] = i;
    return n;
}

static void names(const struct model *m, const size_t *which, size_t n, struct strbuf *out) {
    for (size_t i = 0; i < n; i++)
        strbuf_addf(out, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", m->nodes[which[i]].name);
}

// First of all: a narrow screen cuts the rest.
static void name_defect(const struct model *m, struct strbuf *out) {
    if (m->theft.defect)
        strbuf_addf(out, " (%s)", m->theft.defect->id);
}

static void tell_key(const struct model *m, size_t n, struct strbuf *out) {
    strbuf_add(out, " may follow another history");
    name_defect(m, out);
    if (str_eq(m->theft.by, m->leader))
        strbuf_addf(out, ": %s wrote itself into the leader key while %s held it", m->theft.by, m->theft.from);
    else
        strbuf_addf(out, ": %s not been seen following the leader since %s", n == 1 ? "it has" : "they have",
                    m->kind->has & HA_AUTHORITY ? "its key was written over" : "that leads");
}

static void tell_ahead(const struct model *m, const size_t *which, size_t n, struct strbuf *out) {
    const struct ahead_watch *w = &m->doubts[which[0]].watch;
    char here[LSN_TEXT_MAX], there[LSN_TEXT_MAX];
    strbuf_addf(out, " follow%s another history than the leader %s", n == 1 ? "s" : "", m->leader);
    name_defect(m, out);
    if (w->standby.lsn && str_eq(w->leader, m->leader))
        strbuf_addf(out, ": %s had replayed to %s when %s, asked later, had written to %s", m->nodes[which[0]].name,
                    lsn_format(here, w->standby.lsn), m->leader, lsn_format(there, w->primary.lsn));
}

enum doubt model_divergence(const struct model *m, char *why, size_t size) {
    size_t which[NODES_MAX], n = 0;
    enum doubt worst = DOUBT_AHEAD;
    for (; worst > DOUBT_NONE && (n = in_doubt(m, worst, which)) == 0; worst--)
        ;
    if (worst == DOUBT_NONE || !why || !size)
        return worst;
    cleanup_strbuf struct strbuf out = {0};
    names(m, which, n, &out);
    if (worst == DOUBT_AHEAD)
        tell_ahead(m, which, n, &out);
    else
        tell_key(m, n, &out);
    (void)str_copy(why, size, strbuf_str(&out));
    return worst;
}

const struct defect_known *model_divergence_defect(const struct model *m) {
    return model_divergence(m, NULL, 0) ? m->theft.defect : NULL;
}
