// SPDX-License-Identifier: PostgreSQL
// The scenario's expectations against the measured numbers. What could not be measured is "not known", which is never a
// pass. unexpected_writes, foreign_rows and split_brain are always expected to be none, unless the scenario says
// otherwise.
#include <stdio.h>

#include "lab/measure/fold.h"

struct reading {
    bool known;
    double value;              // µs, count or percent
    char text[EVENT_TEXT_MAX]; // the value for people, or why it is not known
};

static struct reading unknown(const char *why) {
    struct reading r = {.known = false};
    STR_COPY(r.text, why);
    return r;
}

static struct reading duration(usec_t t) {
    struct reading r = {.known = true, .value = (double)t};
    (void)usec_format(r.text, t);
    return r;
}

static struct reading count(int64_t n) {
    struct reading r = {.known = true, .value = (double)n};
    (void)snprintf(r.text, sizeof r.text, "%" PRId64, n);
    return r;
}

static struct reading percent(double v, bool known) {
    struct reading r = {.known = known, .value = v};
    (void)snprintf(r.text, sizeof r.text, known ? "%.2f %%" : "the application did nothing", v);
    return r;
}

static struct reading read_outage_value(const struct measures *o) {
    if (!o->first_write && !o->outage)
        return unknown("the application wrote nothing");
    struct reading r = duration(o->write_outage);
    if (o->outage_open) {
        r.value = 1e18; // longer than any limit
        (void)snprintf(r.text, sizeof r.text, "writes were still failing at the end");
    }
    return r;
}

static struct reading read_recovery(const struct measures *o) {
    if (o->outage_open) {
        struct reading r = {.known = true, .value = 1e18};
        STR_COPY(r.text, "writes were still failing at the end");
        return r;
    }
    if (!o->first_write)
        return unknown("the application wrote nothing");
    if (o->outage && o->cause < 0)
        return unknown("there was an outage and no fault to count from");
    return duration(o->recovery);
}

static struct reading read_count(const struct measures *o, int64_t n) {
    return o->writes.checked ? count(n) : unknown(o->writes.unchecked_why);
}

static struct reading read_split_brain(const struct measure *m) {
    const struct measures *o = &m->out;
    if (m->sql.n == 0)
        return unknown("no direct probe of any PostgreSQL");
    struct reading r = duration(o->split_brain_min);
    char text[USEC_TEXT_MAX];
    if (o->split_brain_min > 0)
        (void)snprintf(r.text, sizeof r.text, "%s proven on %s", usec_format(text, o->split_brain_min),
                       o->split_brain_nodes);
    else
        STR_COPY(r.text, "none");
    return r;
}

static struct reading read_rejoin(const struct measures *o) {
    if (o->rejoin_known)
        return duration(o->rejoin);
    struct reading r = {.known = o->cause >= 0, .value = 1e18};
    STR_COPY(r.text, o->cause >= 0 ? "not every member streamed again before the end" : "there was no fault");
    return r;
}

static struct reading read_phases(const struct measures *o) {
    int bounded = 0;
    struct reading r = {.known = true};
    for (int i = 0; i < PHASE_COUNT; i++) {
        const struct phase *p = &o->phases[i];
        if (!p->present || !p->bounded)
            continue;
        bounded++;
        if (!p->inside) {
            char d[USEC_TEXT_MAX], lo[USEC_TEXT_MAX], hi[USEC_TEXT_MAX];
            r.value = 1;
            (void)snprintf(r.text, sizeof r.text, "%s took %s, outside %s to %s", p->name, usec_format(d, p->duration),
                           usec_format(lo, p->bound_min), usec_format(hi, p->bound_max));
            return r;
        }
    }
    if (!bounded)
        return unknown("no phase of this fault has a computable bound");
    (void)snprintf(r.text, sizeof r.text, "%d of %d inside", bounded, bounded);
    return r;
}

static struct reading read_history(const struct measures *o) {
    int others = 0, silent = 0;
    const struct node_contents *leader = NULL;
    VEC_FOREACH (&o->contents, c) {
        if (c->leader)
            leader = c;
        else
            others += c->read, silent += !c->read;
    }
    if (!leader || !leader->read)
        return unknown("the leader's table was not read whole at the end");
    if (!others)
        return unknown("no other node's table was read at the end");
    struct reading r = count(o->diverged_nodes);
    if (o->diverged_nodes)
        STR_COPY(r.text, o->diverged_text);
    else
        (void)snprintf(r.text, sizeof r.text, "%d of %d node%s as %s, the leader%s", others, others + silent,
                       others + silent > 1 ? "s" : "", leader->node, silent ? "; the rest was not read" : "");
    return r;
}

static struct reading take_reading(const struct measure *m, const char *kind) {
    const struct measures *o = &m->out;
    if (str_eq(kind, "write_outage"))
        return read_outage_value(o);
    if (str_eq(kind, "read_outage"))
        return o->reads_ok + o->reads_failed ? duration(o->read_outage) : unknown("the application read nothing");
    if (str_eq(kind, "recovery"))
        return read_recovery(o);
    if (str_eq(kind, "lost_writes"))
        return read_count(o, o->writes.lost);
    if (str_eq(kind, "local_only_writes"))
        return o->writes.from_ledger ? count(o->writes.local_only) : unknown("there is no ledger of the writes");
    if (str_eq(kind, "local_only_lost"))
        return read_count(o, o->writes.local_only_lost);
    if (str_eq(kind, "unexpected_writes"))
        return read_count(o, o->writes.unexpected);
    if (str_eq(kind, "duplicated_writes"))
        return read_count(o, o->writes.duplicated);
    if (str_eq(kind, "foreign_rows"))
        return read_count(o, o->writes.foreign);
    if (str_eq(kind, "same_history") || str_eq(kind, "diverged_nodes"))
        return read_history(o);
    if (str_eq(kind, "split_brain"))
        return read_split_brain(m);
    if (str_eq(kind, "rejoin"))
        return read_rejoin(o);
    if (str_eq(kind, "phases"))
        return read_phases(o);
    if (str_eq(kind, "write_availability"))
        return percent(o->write_availability, o->first_write != 0);
    if (str_eq(kind, "read_availability"))
        return percent(o->read_availability, o->reads_ok + o->reads_failed > 0);
    return unknown("this program does not know this expectation");
}

static bool is_count(const char *kind) {
    return str_ends(kind, "_writes") || str_eq(kind, "local_only_lost") || str_eq(kind, "foreign_rows") ||
           str_eq(kind, "diverged_nodes");
}

static void format_limit(const char *kind, double v, char *out, size_t size) {
    char t[USEC_TEXT_MAX];
    if (is_count(kind))
        (void)snprintf(out, size, "%.0f", v);
    else if (str_ends(kind, "availability"))
        (void)snprintf(out, size, "%.2f %%", v);
    else
        (void)snprintf(out, size, "%s", usec_format(t, v > 0 ? (usec_t)v : 0));
}

// "write_outage from 20 s to 34 s" when the scenario's own words are not in the log.
static void describe(const struct expectation *x, char *out, size_t size) {
    char lo[64], hi[64];
    format_limit(x->kind, x->min, lo, sizeof lo);
    format_limit(x->kind, x->max, hi, sizeof hi);
    if (*x->text) // as the author wrote it: "at most 34s"
        (void)snprintf(out, size, "%s%s%s", str_starts(x->text, x->kind) ? "" : x->kind,
                       str_starts(x->text, x->kind) ? "" : " ", x->text);
    else if (x->has_min && x->has_max)
        (void)snprintf(out, size, "%s from %s to %s", x->kind, lo, hi);
    else if (x->has_min)
        (void)snprintf(out, size, "%s at least %s", x->kind, lo);
    else if (x->has_max && !(x->max > 0))
        (void)snprintf(out, size, "no %s", x->kind);
    else if (x->has_max)
        (void)snprintf(out, size, "%s at most %s", x->kind, hi);
    else if (str_eq(x->kind, "phases"))
        (void)snprintf(out, size, "phases inside their bounds");
    else
        (void)snprintf(out, size, "%s%s%s", x->kind, *x->node ? " " : x->wanted ? "" : " no", x->node);
}

// New leader: yes, no, or this node. A leader that came back by itself is no new leader.
static struct reading judge_new_leader(const struct measures *o, const struct expectation *x, bool *ok) {
    struct reading r = {.known = *o->old_leader || *o->new_leader};
    if (!r.known) {
        STR_COPY(r.text, "no leader was ever seen");
        return r;
    }
    if (*x->node)
        *ok = str_eq(o->new_leader, x->node);
    else
        *ok = o->leader_changed == x->wanted;
    if (o->leader_changed)
        (void)snprintf(r.text, sizeof r.text, "%.31s after %.31s", o->new_leader, o->old_leader);
    else
        (void)snprintf(r.text, sizeof r.text, "%.31s stayed", *o->old_leader ? o->old_leader : o->new_leader);
    return r;
}

static void judge(struct measure *m, const struct expectation *x) {
    bool ok = false;
    struct reading r;
    if (str_eq(x->kind, "new_leader")) {
        r = judge_new_leader(&m->out, x, &ok);
    } else if (str_eq(x->kind, "same_history")) {
        r = take_reading(m, x->kind);
        ok = (r.value > 0) != x->wanted;
    } else {
        bool range = x->has_min || x->has_max;
        r = take_reading(m, x->kind);
        bool none = !range && (is_count(x->kind) || str_eq(x->kind, "split_brain") || str_eq(x->kind, "phases"));
        if (!range && !none)
            r = unknown("the expectation has no limit");
        ok = (!x->has_min || r.value >= x->min) && (!x->has_max || r.value <= x->max) && (!none || !(r.value > 0));
    }
    struct expect_result *e = VEC_ADD(&m->out.expects);
    char head[300];
    describe(x, head, sizeof head);
    STR_COPY(e->kind, x->kind);
    e->known = r.known;
    e->ok = r.known && ok;
    (void)snprintf(e->text, sizeof e->text, "%.150s: %s%s", head, r.known ? "" : "not known, ", r.text);
}

static bool is_said(const struct measure *m, const char *kind) {
    VEC_FOREACH (&m->expectations, x)
        if (str_eq(x->kind, kind))
            return true;
    return false;
}

void expect_measure(struct measure *m) {
    static const char *const implicit[] = {"unexpected_writes", "duplicated_writes", "foreign_rows", "split_brain"};
    VEC_FOREACH (&m->expectations, x)
        judge(m, x);
    if (m->out.writes.attempted == 0) // nothing was written: the log of a lab without an application
        return;
    for (size_t i = 0; i < ARRAY_SIZE(implicit); i++)
        if (!is_said(m, implicit[i])) {
            struct expectation x = {.has_max = true};
            STR_COPY(x.kind, implicit[i]);
            judge(m, &x);
        }
}
