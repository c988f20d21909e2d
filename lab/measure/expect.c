// SPDX-License-Identifier: PostgreSQL
// The scenario's expectations against the measured numbers. What could not be measured is "not known", which is never a
// pass. unexpected_writes, foreign_rows and split_brain are always expected to be none, unless the scenario says
// otherwise.
//
// What was measured holds for watched time only. Where nobody watched, the truth lies in an interval (watched_claim): an expectation that
// holds at one end of it and not at the other is not known.
#include <stdio.h>

#include "lab/measure/fold.h"

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
    if (!o->outage.first_write && !o->outage.present)
        return unknown("the application wrote nothing");
    struct reading r = duration(o->outage.length);
    if (o->outage.open) {
        r.value = 1e18; // longer than any limit
        r.sentence = true;
        STR_COPY(r.text, "the application's writes were still failing at the end");
    }
    return r;
}

static struct reading read_recovery(const struct measures *o) {
    if (o->outage.open) {
        struct reading r = {.known = true, .sentence = true, .value = 1e18};
        STR_COPY(r.text, "the application's writes were still failing at the end");
        return r;
    }
    if (!o->outage.first_write)
        return unknown("the application wrote nothing");
    if (o->outage.present && o->cause.fault < 0)
        return unknown("no fault and no act of the run explains the outage: there is nothing to count from");
    return duration(o->cause.recovery);
}

static struct reading read_count(const struct measures *o, int64_t n) {
    return o->writes.checked ? count(n) : unknown(o->writes.unchecked_why);
}

// What rests on the application's word. Some are some; that there are none needs all of its word.
static struct reading read_told_count(const struct measures *o, int64_t n) {
    return o->writes.checked && n == 0 && *o->writes.cut_why ? unknown(o->writes.cut_why) : read_count(o, n);
}

static struct reading read_split_brain(const struct measure *m) {
    const struct measures *o = &m->out;
    if (o->split_brain.unknown)
        return unknown("the record is damaged");
    if (m->sql.n == 0)
        return unknown("no direct probe of any PostgreSQL");
    struct reading r = duration(o->split_brain.min);
    char text[USEC_TEXT_MAX];
    r.sentence = o->split_brain.min > 0;
    if (r.sentence)
        (void)snprintf(r.text, sizeof r.text, "%s accepted writes at the same time, proven for %s",
                       o->split_brain.nodes, usec_format(text, o->split_brain.min));
    return r;
}

static struct reading read_rejoin(const struct measures *o) {
    if (o->phases.rejoin_known)
        return duration(o->phases.rejoin);
    struct reading r = {.known = o->cause.fault >= 0, .sentence = true, .value = 1e18};
    STR_COPY(r.text, o->cause.fault >= 0 ? "the cluster was not healthy again at the end"
                     : o->faults.n
                         ? "no fault and no act of the run explains the outage: there is nothing to count from"
                         : "there was no fault");
    return r;
}

static struct reading read_phases(const struct measures *o) {
    int bounded = 0;
    struct reading r = {.known = true, .sentence = true};
    for (int i = 0; i < PHASE_COUNT; i++) {
        const struct phase *p = &o->phases.list[i];
        if (!p->present || !p->bounded)
            continue;
        bounded++;
        if (!p->inside) {
            char d[USEC_TEXT_MAX], lo[USEC_TEXT_MAX], hi[USEC_TEXT_MAX];
            r.value = 1;
            (void)snprintf(r.text, sizeof r.text, "the phase %s took %s; the settings allow %s to %s", p->name,
                           usec_format(d, p->duration), usec_format(lo, p->bound_min), usec_format(hi, p->bound_max));
            return r;
        }
    }
    if (!bounded)
        return unknown(o->cause.fault < 0 && o->faults.n
                           ? "no fault and no act of the run explains the outage: there is nothing to count from"
                           : "no phase of this fault has a computable bound");
    if (bounded == 1)
        STR_COPY(r.text, "the phase that has bounds took as long as the settings allow");
    else
        (void)snprintf(r.text, sizeof r.text,
                       "each of the %d phases that have bounds took as long as the settings allow", bounded);
    return r;
}

static struct reading read_history(const struct measures *o) {
    int others = 0, silent = 0;
    const struct node_contents *leader = NULL;
    VEC_FOREACH (&o->contents.nodes, c) {
        if (c->leader)
            leader = c;
        else
            others += c->read, silent += !c->read;
    }
    if (!leader || !leader->read)
        return unknown("the leader's table was not read whole at the end");
    if (!others)
        return unknown("no other node's table was read at the end");
    struct reading r = count(o->contents.diverged);
    r.sentence = true;
    if (o->contents.diverged)
        STR_COPY(r.text, o->contents.diverged_text);
    else
        (void)snprintf(r.text, sizeof r.text, "%d of %d other node%s follow%s the history of %s, the leader%s", others,
                       others + silent, others + silent > 1 ? "s" : "", others > 1 ? "" : "s", leader->node,
                       silent ? "; the rest was not read" : "");
    return r;
}

static struct reading read_foreign(const struct measures *o) {
    struct reading r = read_count(o, o->writes.foreign);
    r.sentence = r.known && r.value > 0 && *o->contents.diverged_text;
    if (r.sentence) // a row is foreign on each standby that has it: the sum over them says less than the sentence
        STR_COPY(r.text, o->contents.diverged_text);
    return r;
}

static struct reading take_reading(const struct measure *m, enum expect_kind kind) {
    const struct measures *o = &m->out;
    switch (kind) {
    case EXPECT_WRITE_OUTAGE:
        return read_outage_value(o);
    case EXPECT_READ_OUTAGE:
        return o->availability.reads_ok + o->availability.reads_failed ? duration(o->read_outage.length)
                                                                       : unknown("the application read nothing");
    case EXPECT_RECOVERY:
        return read_recovery(o);
    case EXPECT_LOST_WRITES:
        return read_told_count(o, o->writes.lost);
    case EXPECT_LOCAL_ONLY_WRITES:
        return o->writes.from_ledger ? count(o->writes.local_only) : unknown("there is no ledger of the writes");
    case EXPECT_LOCAL_ONLY_LOST:
        return read_told_count(o, o->writes.local_only_lost);
    case EXPECT_UNEXPECTED_WRITES:
        return read_told_count(o, o->writes.unexpected);
    case EXPECT_DUPLICATED_WRITES:
        return read_count(o, o->writes.duplicated);
    case EXPECT_FOREIGN_ROWS:
        return read_foreign(o);
    case EXPECT_SAME_HISTORY:
    case EXPECT_DIVERGED_NODES:
        return read_history(o);
    case EXPECT_SPLIT_BRAIN:
        return read_split_brain(m);
    case EXPECT_REJOIN:
        return read_rejoin(o);
    case EXPECT_PHASES:
        return read_phases(o);
    case EXPECT_WRITE_AVAILABILITY:
        return percent(o->availability.writes, o->outage.first_write != 0);
    case EXPECT_READ_AVAILABILITY:
        return percent(o->availability.reads, o->availability.reads_ok + o->availability.reads_failed > 0);
    case EXPECT_NEW_LEADER: // judge_new_leader
    case EXPECT_NONE:
    case EXPECT_UNKNOWN:
        break;
    }
    return unknown("this program does not know this expectation");
}

// New leader: yes, no, or this node. A leader that came back by itself is no new leader.
static struct reading judge_new_leader(const struct measures *o, const struct expectation *x, bool *ok) {
    struct reading r = {.known = *o->cause.old_leader || *o->cause.new_leader, .sentence = true, .value = 1};
    if (!r.known) {
        STR_COPY(r.text, "no leader was ever seen");
        return r;
    }
    if (*x->node)
        *ok = str_eq(o->cause.new_leader, x->node);
    else
        *ok = o->cause.leader_changed == x->wanted;
    if (o->cause.leader_changed)
        (void)snprintf(r.text, sizeof r.text, "%.31s became the leader after %.31s", o->cause.new_leader,
                       o->cause.old_leader);
    else
        (void)snprintf(r.text, sizeof r.text, "%.31s stayed the leader",
                       *o->cause.old_leader ? o->cause.old_leader : o->cause.new_leader);
    return r;
}

// Limits, or none at all of what is counted.
static bool meets(const struct expectation *x, bool none, double v) {
    return (!x->has_min || v >= x->min) && (!x->has_max || v <= x->max) && (!none || !(v > 0));
}

// The claim's windows go into the result; a hole that may change the answer takes it back.
static void judge_watched(const struct measure *m, const struct expectation *x, bool none, struct expect_result *e,
                          struct reading *r) {
    struct watched_claim c;
    if (!watched_claim(m, x->kind, &c))
        return;
    e->watched = true;
    e->watched_from = c.from, e->watched_to = c.to;
    e->watched_hole = c.holed ? c.hole.to - c.hole.from : 0;
    if (!r->known || !c.holed)
        return;
    bool ok = meets(x, none, r->value), low = meets(x, none, c.least < r->value ? c.least : r->value);
    bool high = meets(x, none, c.most > r->value ? c.most : r->value), gap = false;
    if (!ok && !low && !high) // too small at one end, too large at the other: something between would do
        gap = x->has_min && x->has_max && c.least < x->min && c.most > x->max;
    if (ok == low && ok == high && !gap)
        return;
    char words[160], seen[EVENT_TEXT_MAX];
    STR_COPY(seen, r->text);
    (void)watch_words(&c.hole, words, sizeof words);
    if (r->value > 0 && !r->sentence)
        (void)snprintf(r->text, sizeof r->text, "%s (seen: %.200s)", words, seen);
    else
        STR_COPY(r->text, words);
    r->known = false;
}

// The limits that hold are the scenario's own and the law's.
static void narrow(struct expectation *x, const struct inside *law) {
    double min = (double)usec_sub(law->min, law->error), max = (double)usec_add(law->max, law->error);
    x->min = x->has_min && x->min > min ? x->min : min;
    x->max = x->has_max && x->max < max ? x->max : max;
    x->has_min = x->has_max = true;
}

// The bounds rest on what was seen of the phases: where nobody watched, they are not known.
static void judge_law_watched(const struct measure *m, struct expect_result *e, struct inside *law) {
    struct watched_claim c;
    char words[160];
    if (!law->known || !watched_claim(m, EXPECT_PHASES, &c))
        return;
    usec_t hole = c.holed ? c.hole.to - c.hole.from : 0;
    e->watched_from = e->watched && e->watched_from < c.from ? e->watched_from : c.from;
    e->watched_to = e->watched && e->watched_to > c.to ? e->watched_to : c.to;
    e->watched_hole = e->watched && e->watched_hole > hole ? e->watched_hole : hole;
    e->watched = true;
    if (!c.holed)
        return;
    (void)watch_words(&c.hole, words, sizeof words);
    STR_COPY(law->why, words);
    law->known = law->told = false;
}

// held: the scenario's own limits. A law that is not known takes that back, and excuses nothing.
static void tell_law(const struct inside *law, bool held, struct expect_result *e, struct reading *r) {
    char min[USEC_TEXT_MAX], max[USEC_TEXT_MAX];
    e->inside = true;
    e->law = law->told;
    if (law->told)
        e->law_min = law->min, e->law_max = law->max, e->law_error = law->error;
    if (law->told)
        (void)snprintf(r->law, sizeof r->law, "the settings allow %s to %s", usec_format(min, law->min),
                       usec_format(max, law->max));
    else if (!law->known && held)
        (void)snprintf(r->law, sizeof r->law, "whether the settings allow that is not known: %.240s", law->why);
}

// None at all of it: what is expected of a count that has no limit.
static bool wants_none(const struct expectation *x) {
    return !x->has_min && !x->has_max &&
           (words_is_count(x->kind) || x->kind == EXPECT_SPLIT_BRAIN || x->kind == EXPECT_PHASES);
}

// By what the scenario itself says; the law comes on top.
static struct reading judge_value(const struct measure *m, const struct expectation *x, bool *ok) {
    if (x->kind == EXPECT_NEW_LEADER)
        return judge_new_leader(&m->out, x, ok);
    struct reading r = take_reading(m, x->kind);
    if (x->kind == EXPECT_SAME_HISTORY)
        *ok = (r.value > 0) != x->wanted;
    else if (x->has_min || x->has_max || wants_none(x) || x->inside)
        *ok = meets(x, wants_none(x), r.value);
    else
        r = unknown("the expectation has no limit");
    return r;
}

static void judge(struct measure *m, const struct expectation *x) {
    struct expect_result *e = VEC_ADD(&m->out.expects);
    struct expectation limits = *x;      // with those of the law
    struct inside law = {.known = true}; // nobody asked
    bool ok = false;
    e->kind = x->kind;
    struct reading r = judge_value(m, x, &ok);
    bool held = ok;
    if (x->inside)
        inside_measure(&m->out, x->kind, &law);
    if (x->inside && law.known) {
        narrow(&limits, &law);
        ok = meets(&limits, false, r.value);
    }
    judge_watched(m, &limits, wants_none(x), e, &r);
    if (x->inside) {
        judge_law_watched(m, e, &law);
        tell_law(&law, held, e, &r);
    }
    e->known = r.known && (law.known || !held);
    e->ok = e->known && ok;
    words_outcome(&m->out, x, &r, e->text, sizeof e->text);
}

static bool is_said(const struct measure *m, enum expect_kind kind) {
    VEC_FOREACH (&m->expectations, x)
        if (x->kind == kind)
            return true;
    return false;
}

void expect_measure(struct measure *m) {
    static const enum expect_kind implicit[] = {EXPECT_UNEXPECTED_WRITES, EXPECT_DUPLICATED_WRITES, EXPECT_FOREIGN_ROWS,
                                                EXPECT_SPLIT_BRAIN};
    VEC_FOREACH (&m->expectations, x)
        judge(m, x);
    if (m->out.writes.attempted == 0) // nothing was written: the log of a lab without an application
        return;
    for (size_t i = 0; i < ARRAY_SIZE(implicit); i++)
        if (!is_said(m, implicit[i])) {
            struct expectation x = {.kind = implicit[i], .has_max = true};
            judge(m, &x);
        }
}
