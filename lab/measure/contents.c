// SPDX-License-Identifier: PostgreSQL
// What every node's ledger table held at the end, and who follows another history than the final leader. Timeline numbers and even
// history files can be identical then (two promotions from timeline 1 both make a timeline 2); these can't:
//   contents   rows that the leader lacks, or, once it has replayed all that the leader had, rows of the leader that it lacks
//   order      it had replayed further than the leader had written: at the final read, where the leader is asked last, or during
//              the run (ahead.c) with the standby still standing there at the end
#include <stdio.h>
#include <stdlib.h>

#include "lab/measure/fold.h"

static int64_t count_only(const struct measure *m, const struct node_state *n) {
    struct idset others = {0};
    bool anybody = false;
    for (size_t i = 0; i < m->n_nodes; i++) {
        const struct node_state *o = &m->nodes[i];
        if (o == n || !o->read_said || !fold_read_whole(o))
            continue;
        anybody = true;
        idset_add_all(&others, &o->rows);
    }
    int64_t only = anybody ? idset_count_minus(&n->rows, &others) : -1;
    idset_done(&others);
    return only;
}

// The stretch after which the standby can't have been repaired: it still stands where it stood.
static const struct ahead_span *lasting_span(const struct measure *m, const struct node_state *n,
                                             const struct node_state *leader) {
    VEC_FOREACH (&m->out.aheads, s) {
        if (!str_eq(s->node, n->name) || !str_eq(s->leader, leader->name))
            continue;
        if (s->end == AHEAD_OPEN || (s->end == AHEAD_OVERTAKEN && n->lsn == s->lsn))
            return s;
    }
    return NULL;
}

static void find_order(struct node_contents *c, const struct node_state *n, const struct node_state *leader) {
    bool asked_later = n->lsn_read && leader->lsn_asked >= n->lsn_read;
    if (!n->read_leader && asked_later && n->lsn > leader->lsn)
        c->ahead = (int64_t)(n->lsn - leader->lsn);
}

static void judge(const struct measure *m, struct node_contents *c, const struct node_state *n,
                  const struct node_state *leader) {
    char here[LSN_TEXT_MAX], there[LSN_TEXT_MAX];
    const struct ahead_span *span = lasting_span(m, n, leader);
    if (c->foreign > 0)
        (void)snprintf(c->because, sizeof c->because, "holds %" PRId64 " rows that %s, the leader, lacks", c->foreign,
                       leader->name);
    else if (c->missing > 0 && !c->behind)
        (void)snprintf(c->because, sizeof c->because,
                       "lacks %" PRId64 " rows of %s, the leader, though it is not behind", c->missing, leader->name);
    else if (c->ahead > 0)
        (void)snprintf(c->because, sizeof c->because, "replayed to %s, and %s, asked later, had written to %s",
                       lsn_format(here, n->lsn), leader->name, lsn_format(there, leader->lsn));
    else if (span)
        (void)snprintf(c->because, sizeof c->because, "stood at %s when %s, asked later, had written to %s",
                       lsn_format(here, span->lsn), leader->name, lsn_format(there, span->leader_lsn));
    c->diverged = *c->because != '\0';
}

static void read_node(const struct measure *m, struct node_contents *c, const struct node_state *n,
                      const struct node_state *leader) {
    STR_COPY(c->node, n->name);
    c->only_here = c->absent = c->foreign = c->missing = -1;
    c->read = fold_read_whole(n);
    c->leader = n == leader;
    c->primary = n->read_leader;
    c->timeline = n->timeline;
    c->lsn = n->lsn;
    if (!c->read) {
        STR_COPY(c->why, n->read ? "parts of what was read are missing" : n->read_error);
        return;
    }
    c->rows = idset_count(&n->rows);
    if (!c->rows)
        STR_COPY(c->why, n->read_error);
    c->duplicates = n->duplicates;
    c->only_here = count_only(m, n);
    if (m->ledger_records)
        c->absent = idset_count_minus(&m->ok, &n->rows);
    if (!leader)
        return;
    c->foreign = idset_count_minus(&n->rows, &leader->rows);
    c->missing = idset_count_minus(&leader->rows, &n->rows);
    c->behind = !n->read_leader && (!n->goal || n->lsn < n->goal);
    if (c->leader)
        return;
    find_order(c, n, leader);
    judge(m, c, n, leader);
}

// One may be behind the other.
static bool same_line(const struct idset *a, const struct idset *b) {
    return idset_count_minus(a, b) == 0 || idset_count_minus(b, a) == 0;
}

static void number_histories(struct measure *m) {
    int next = 2;
    VEC_FOREACH (&m->out.contents.nodes, c) {
        if (!c->read)
            continue;
        c->history = 1;
        if (!c->diverged)
            continue;
        c->history = 0;
        const struct idset *rows = &m->nodes[fold_find_node(m, c->node)].rows;
        for (struct node_contents *o = m->out.contents.nodes.items; o < c; o++)
            if (o->diverged && same_line(rows, &m->nodes[fold_find_node(m, o->node)].rows))
                c->history = o->history;
        if (!c->history)
            c->history = next++;
    }
}

// ---- in words --------------------------------------------------------------------------------------------------------

struct text {
    char *to;
    size_t size;
};
static void add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void add(struct text *t, const char *fmt, ...) {
    size_t n = strlen(t->to);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(t->to + n, t->size - n, fmt, ap);
    va_end(ap);
}

static int count_history(const struct measure *m, int history) {
    int n = 0;
    VEC_FOREACH (&m->out.contents.nodes, c)
        n += c->diverged && c->history == history;
    return n;
}

static void add_names(struct text *t, const struct measure *m, int history) {
    int left = count_history(m, history);
    VEC_FOREACH (&m->out.contents.nodes, c)
        if (c->diverged && c->history == history) {
            left--;
            add(t, "%s%s", c->node, left > 1 ? ", " : left == 1 ? " and " : "");
        }
}

// "n2 and n3 follow another history: they have up to 120 rows that n1, the leader, has not, and lack 100 of its rows; both sides say timeline 2"
static void tell_history(struct text *t, const struct measure *m, const struct node_contents *first,
                         const char *leader) {
    bool several = count_history(m, first->history) > 1, same_timeline = true;
    int64_t foreign = 0, missing = 0, least = INT64_MAX;
    VEC_FOREACH (&m->out.contents.nodes, c) {
        if (!c->diverged || c->history != first->history)
            continue;
        foreign = c->foreign > foreign ? c->foreign : foreign;
        missing = c->missing > missing ? c->missing : missing;
        least = c->foreign < least ? c->foreign : least;
        same_timeline = same_timeline && c->timeline && c->timeline == fold_final_leader(m)->timeline;
    }
    if (*t->to)
        add(t, "; ");
    add_names(t, m, first->history);
    add(t, " follow%s another history: ", several ? "" : "s");
    if (!foreign && !missing) {
        add(t, "the rows are those of %s, the leader, but %s %s", leader, several ? "one" : "it", first->because);
        return;
    }
    if (foreign)
        add(t, "%s %s%" PRId64 " row%s that %s, the leader, has not", several ? "they have" : "it has",
            least < foreign ? "up to " : "", foreign, foreign == 1 ? "" : "s", leader);
    if (missing && foreign)
        add(t, ", and lack%s %" PRId64 " of its rows", several ? "" : "s", missing);
    else if (missing)
        add(t, "%s %" PRId64 " rows of %s, the leader", several ? "they lack" : "it lacks", missing, leader);
    if (same_timeline)
        add(t, "; both sides say timeline %" PRId64, first->timeline);
}

// All of them, whatever their histories.
static void name_diverged(struct measure *m) {
    struct text t = {m->out.contents.diverged_names, sizeof m->out.contents.diverged_names};
    int left = m->out.contents.diverged;
    VEC_FOREACH (&m->out.contents.nodes, c)
        if (c->diverged) {
            left--;
            add(&t, "%s%s", c->node, left > 1 ? ", " : left == 1 ? " and " : "");
        }
}

static void say_divergence(struct measure *m, const struct node_state *leader) {
    struct text t = {m->out.contents.diverged_text, sizeof m->out.contents.diverged_text};
    VEC_FOREACH (&m->out.contents.nodes, c) {
        bool first = c->diverged;
        for (const struct node_contents *o = m->out.contents.nodes.items; o < c; o++)
            first = first && !(o->diverged && o->history == c->history);
        if (first)
            tell_history(&t, m, c, leader->name);
    }
}

void contents_measure(struct measure *m) {
    const struct node_state *leader = fold_final_leader(m);
    if (leader && !fold_read_whole(leader))
        leader = NULL;
    for (size_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].read_said)
            read_node(m, VEC_ADD(&m->out.contents.nodes), &m->nodes[i], leader);
    number_histories(m);
    VEC_FOREACH (&m->out.contents.nodes, c)
        m->out.contents.diverged += c->diverged;
    if (!m->out.contents.diverged)
        return;
    name_diverged(m);
    say_divergence(m, leader);
}
