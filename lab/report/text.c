// SPDX-License-Identifier: PostgreSQL
// The report for people: read by somebody tired, in a terminal of 80 columns. Words before numbers, every number with
// its unit, every sign readable without colour.
#include <stdio.h>

#include "lab/report/paint.h"
#include "lab/report/text_faults.h"

struct page {
    const struct measures *m;
    const struct story *story;
    const struct report_style *s;
    const struct glyphs *g;
    struct strbuf *out;
};

static void heading(struct page *p, const char *text) {
    strbuf_addn(p->out, "\n", 1);
    paint_add(p->out, p->s, PAINT_BOLD, text);
    strbuf_addn(p->out, "\n", 1);
}

// "  label          text", the text wrapped under itself.
static void row(struct page *p, const char *label, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void row(struct page *p, const char *label, const char *fmt, ...) {
    enum { COLUMN = 18 };
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    strbuf_add(p->out, "  ");
    paint_cell(p->out, p->s, COLUMN - 2, label);
    paint_wrap(p->out, p->s, COLUMN, COLUMN, strbuf_str(&text));
}

static void put_sentence(struct page *p) {
    cleanup_strbuf struct strbuf text = {0};
    report_sentence(p->m, p->s, &text);
    paint_wrap(p->out, p->s, 0, 2, strbuf_str(&text));
}

static void put_title(struct page *p) {
    const struct measures *m = p->m;
    enum paint colour;
    const char *verdict = paint_verdict(m->verdict, &colour);
    paint_rule(p->out, p->s);
    paint_add(p->out, p->s, colour, verdict);
    strbuf_add(p->out, "  ");
    cleanup_strbuf struct strbuf title = {0};
    strbuf_addf(&title, "%s%s%s", *m->run.scenario ? m->run.scenario : "a lab without a scenario",
                *m->run.title ? ": " : "", m->run.title);
    paint_wrap(p->out, p->s, strlen(verdict) + 2, strlen(verdict) + 2, strbuf_str(&title));
    strbuf_addf(p->out, "%*s", (int)strlen(verdict) + 2, "");
    paint_wrap(p->out, p->s, strlen(verdict) + 2, strlen(verdict) + 2, m->reason);
    paint_rule(p->out, p->s);
    put_sentence(p);
}

// Before any number: what the numbers lack.
static void put_damage(struct page *p) {
    const struct record_proof *r = p->m->run.record;
    if (!r || r->live || r->complete)
        return;
    heading(p, "The record is damaged");
    VEC_FOREACH (&r->missing, l) {
        strbuf_add(p->out, "  ");
        paint_add(p->out, p->s, PAINT_BAD, "!");
        strbuf_add(p->out, " ");
        paint_wrap(p->out, p->s, 4, 4, l->text);
    }
    strbuf_add(p->out, "  ");
    paint_wrap(p->out, p->s, 2, 2,
               "What follows is what the rest of the record gives. Nothing of it is a result; only another run is.");
}

static void put_moment(struct page *p, const struct moment *m) {
    cleanup_strbuf struct strbuf text = {0};
    char sec[32];
    moment_text(m, &text);
    strbuf_addf(p->out, "%s  %s ", paint_seconds(sec, m->t),
                m->mood == MOOD_BAD    ? "!"
                : m->mood == MOOD_GOOD ? "+"
                                       : " ");
    paint_wrap(p->out, p->s, 14, 14, strbuf_str(&text));
    if (*m->detail) {
        strbuf_addf(p->out, "%14s", "");
        paint_wrap(p->out, p->s, 14, 16, m->detail);
    }
}

static void put_story(struct page *p) {
    size_t n = 0;
    heading(p, "What happened (seconds since the lab began; ! bad, + good)");
    for (size_t i = 0; i < story_count(p->story); i++) {
        const struct moment *m = story_at(p->story, i);
        if (m->weight < TOLD_EVENT)
            continue;
        n++;
        put_moment(p, m);
    }
    if (!n)
        strbuf_add(p->out, "  nothing happened\n");
}

static void put_faults(struct page *p) {
    bool any = false;
    VEC_FOREACH (&p->m->faults, f) {
        cleanup_strbuf struct strbuf text = {0};
        if (f->action)
            continue;
        if (!any)
            heading(p, "Faults");
        any = true;
        text_fault_steps(f, &text);
        strbuf_add(p->out, "  ");
        paint_wrap(p->out, p->s, 2, 4, strbuf_str(&text));
    }
}

static void put_bounds(struct page *p, const struct phase *h) {
    if (!h->bounded) {
        paint_add(p->out, p->s, PAINT_DIM, "no bound");
        return;
    }
    char text[96];
    (void)snprintf(text, sizeof text, "%.2f %s %.2f s", (double)h->bound_min / 1e6, p->g->dash,
                   (double)h->bound_max / 1e6);
    int pad = 18 - (int)strlen(text) + (p->s->utf8 ? 2 : 0); // the dash is three bytes and one column
    strbuf_addf(p->out, "%s%*s", text, pad > 0 ? pad : 1, "");
    paint_add(p->out, p->s, h->inside ? PAINT_GOOD : PAINT_BAD, h->inside ? "inside" : "OUTSIDE");
}

static void put_phase(struct page *p, const struct phase *h) {
    char start[32], took[32];
    strbuf_addf(p->out, "  %-11s%s %s  ", h->name, paint_seconds(start, h->start), paint_seconds(took, h->duration));
    put_bounds(p, h);
    strbuf_addn(p->out, "\n", 1);
    if (*h->why) {
        strbuf_addf(p->out, "%13s", "");
        paint_wrap(p->out, p->s, 13, 13, h->why);
    }
}

static void put_phases(struct page *p) {
    enum { TEXT_COLUMN = 36 };
    const struct measures *m = p->m;
    usec_t sum = 0;
    int n = 0;
    heading(p, "Phases of the recovery");
    for (int i = 0; i < PHASE_COUNT; i++) {
        const struct phase *h = &m->phases.list[i];
        if (!h->present)
            continue;
        if (n++ == 0) {
            strbuf_addf(p->out, "  %-11s%10s %10s  ", "phase", "begins", "took");
            paint_wrap(p->out, p->s, TEXT_COLUMN, TEXT_COLUMN, "best and worst case from the live settings");
        }
        if (i != PHASE_REJOIN)
            sum += h->duration;
        put_phase(p, h);
    }
    if (n == 0)
        row(p, "none", "no leader was lost and no write outage followed the fault");
    char text[32];
    if (!m->cause.recovery)
        return;
    strbuf_addf(p->out, "  %-11s%10s %s  ", "sum", "", paint_seconds(text, sum));
    paint_wrap(p->out, p->s, TEXT_COLUMN, TEXT_COLUMN,
               sum == m->cause.recovery ? "without rejoin = the recovery time"
                                        : "NOT the recovery time: something is unexplained");
}

static void put_outage(struct page *p) {
    const struct measures *m = p->m;
    char a[USEC_TEXT_MAX], b[USEC_TEXT_MAX], c[USEC_TEXT_MAX];
    if (!m->outage.present && m->outage.hiccup) {
        row(p, "write outage", "none; the longest pause was %s and no write failed in it",
            usec_format(a, m->outage.hiccup));
        return;
    }
    if (!m->outage.present) {
        row(p, "write outage", "none (no pause above %s)", usec_format(a, m->outage.threshold));
        return;
    }
    row(p, "write outage", "%s%s %s %s  (acknowledged at %.3f s, then not until %.3f s)",
        m->outage.open ? "at least " : "", usec_format(a, m->outage.length), p->g->plus_minus,
        usec_format(b, m->outage.resolution), (double)m->outage.start / 1e6, (double)m->outage.end / 1e6);
    if (m->outage.open)
        row(p, "recovery", "none: writes were still failing at the end");
    else if (m->cause.recovery)
        row(p, "recovery", "%s %s %s from the fault to the first write that lasted", usec_format(a, m->cause.recovery),
            p->g->plus_minus, usec_format(b, m->outage.resolution));
    if (m->cause.fault < 0)
        row(p, "cause", "not known: no fault and no act of this run explains it");
    if (m->cluster.outage)
        row(p, "cluster alone",
            "%s %s %s in which no node took a write from inside; the rest is the way to one: network, driver, proxy",
            usec_format(a, m->cluster.outage), p->g->plus_minus, usec_format(c, m->cluster.resolution));
}

static void put_application(struct page *p) {
    const struct measures *m = p->m;
    char a[USEC_TEXT_MAX], b[USEC_TEXT_MAX];
    heading(p, "What the application felt");
    if (m->writes.attempted == 0) {
        strbuf_add(p->out, "  no application was running\n");
        return;
    }
    put_outage(p);
    row(p, "resolution", "%s: one write every %s, and a write takes %s", usec_format(a, m->outage.resolution),
        usec_format(b, m->outage.period), usec_format((char[USEC_TEXT_MAX]){0}, m->outage.latency));
    if (m->read_outage.length)
        row(p, "read outage", "%s, from %.1f s on (in steps of 100 ms)", usec_format(a, m->read_outage.length),
            (double)m->read_outage.start / 1e6);
    row(p, "availability", "writes %.2f %%, reads %.2f %% of the time", m->availability.writes, m->availability.reads);
}

static void put_writes(struct page *p) {
    const struct write_counts *w = &p->m->writes;
    if (w->attempted == 0)
        return;
    heading(p, "Data");
    row(p, "writes",
        "%" PRId64 " tried: %" PRId64 " acknowledged, %" PRId64 " failed, %" PRId64 " with unknown outcome%s",
        w->attempted, w->acknowledged, w->failed, w->unknown,
        w->from_ledger ? "" : " (no ledger: counted from the ticks)");
    if (!w->checked) {
        row(p, "lost writes", "not known: %s", w->unchecked_why);
        return;
    }
    if (!w->lost && *w->cut_why)
        row(p, "lost writes", "none of those that were reported; %s", w->cut_why);
    else if (w->lost)
        row(p, "lost writes", "%" PRId64 " acknowledged writes are gone (acknowledged from %.3f s to %.3f s)", w->lost,
            (double)w->lost_first / 1e6, (double)w->lost_last / 1e6);
    else
        row(p, "lost writes", "none");
    row(p, "unexpected",
        "%" PRId64 " failed yet present, %" PRId64 " duplicated; %" PRId64 " unknown ones turned out written",
        w->unexpected, w->duplicated, w->recovered);
    if (w->unreported)
        row(p, "unreported", "%" PRId64 " rows of which the application did not report what it was told",
            w->unreported);
    if (w->local_only)
        row(p, "local only",
            "%" PRId64 " acknowledged without their synchronous standby (counted as unknown); %" PRId64
            " of them are gone",
            w->local_only, w->local_only_lost);
    if (w->foreign)
        row(p, "foreign rows", "%" PRId64 " rows on %s that the leader lacks: these standbys follow another history",
            w->foreign, w->foreign_nodes);
}

// "712 rows: 120 that n1 lacks, 100 of n1's missing, 65 acknowledged ones absent; replayed to 0/5030A10, timeline 2"
static void put_node_rows(struct page *p, const struct node_contents *c) {
    char label[NODE_NAME_MAX + 8], lsn[LSN_TEXT_MAX];
    (void)snprintf(label, sizeof label, "  %s%s", c->node, c->leader ? " *" : "");
    if (!c->read) {
        row(p, label, "not read: %s", c->why);
        return;
    }
    cleanup_strbuf struct strbuf text = {0};
    strbuf_addf(&text, "%s%" PRId64 " rows", c->diverged ? "DIVERGED, " : "", c->rows);
    if (c->foreign > 0)
        strbuf_addf(&text, ", %" PRId64 " that the leader lacks", c->foreign);
    if (c->missing > 0)
        strbuf_addf(&text, ", %" PRId64 " of the leader's missing%s", c->missing, c->behind ? " (it was behind)" : "");
    if (c->only_here > 0)
        strbuf_addf(&text, ", %" PRId64 " only here", c->only_here);
    if (c->absent > 0)
        strbuf_addf(&text, ", %" PRId64 " acknowledged writes absent", c->absent);
    if (c->duplicates > 0)
        strbuf_addf(&text, ", %" PRId64 " duplicates", c->duplicates);
    if (c->lsn)
        strbuf_addf(&text, "; %s %s, timeline %" PRId64, c->primary ? "at" : "replayed to", lsn_format(lsn, c->lsn),
                    c->timeline);
    row(p, label, "%s", strbuf_str(&text));
}

static void put_contents(struct page *p) {
    const struct measures *m = p->m;
    size_t read = 0;
    VEC_FOREACH (&m->contents.nodes, c)
        read += c->read;
    if (!m->contents.nodes.n)
        return;
    if (m->contents.diverged)
        row(p, "contents", "%s", m->contents.diverged_text);
    else
        row(p, "contents", "%zu of %zu nodes read at the end, none follows another history (* = the leader)", read,
            m->contents.nodes.n);
    VEC_FOREACH (&m->contents.nodes, c)
        put_node_rows(p, c);
}

static void put_aheads(struct page *p) {
    static const char *const ends[] = {[AHEAD_OPEN] = "to the end of the run",
                                       [AHEAD_OVERTAKEN] = "then the leader wrote past it",
                                       [AHEAD_WENT_BACK] = "then it was rewound or rebuilt",
                                       [AHEAD_NEW_LEADER] = "then the leader was another",
                                       [AHEAD_UNSEEN] = "then it was not seen any more"};
    char took[USEC_TEXT_MAX], error[USEC_TEXT_MAX], here[LSN_TEXT_MAX], there[LSN_TEXT_MAX];
    VEC_FOREACH (&p->m->aheads, s)
        row(p, "ahead",
            "%s was ahead of %s, its leader, for %s %s %s from %.2f s on (replayed to %s, written to %s); %s", s->node,
            s->leader, usec_format(took, s->to - s->from), p->g->plus_minus, usec_format(error, s->resolution),
            (double)s->from / 1e6, lsn_format(here, s->lsn), lsn_format(there, s->leader_lsn), ends[s->end]);
}

// The hole that takes back "none" of what the expectation `kind` is about; NULL = it stands.
static const struct expect_result *taken_back(const struct measures *m, enum expect_kind kind) {
    VEC_FOREACH (&m->expects, e)
        if (e->kind == kind && e->watched && e->watched_hole && !e->known)
            return e;
    return NULL;
}

static void put_split_brain(struct page *p) {
    const struct measures *m = p->m;
    char a[USEC_TEXT_MAX], b[USEC_TEXT_MAX];
    const struct expect_result *unknown = taken_back(m, EXPECT_SPLIT_BRAIN);
    if (m->writes.attempted == 0)
        return;
    if (m->split_brain.unknown)
        row(p, "split brain", "not known: the record is damaged");
    else if (m->split_brain.min)
        row(p, "split brain", "%s proven, %s possible: %s accepted writes at the same time",
            usec_format(a, m->split_brain.min), usec_format(b, m->split_brain.max), m->split_brain.nodes);
    else if (unknown)
        row(p, "split brain", "none was seen; not known for %s in which nobody watched",
            usec_format(a, unknown->watched_hole));
    else if (m->split_brain.max)
        row(p, "split brain", "none proven; the probes can't exclude %s (%s)", usec_format(a, m->split_brain.max),
            m->split_brain.nodes);
    else
        row(p, "split brain", "none");
}

static void put_expectations(struct page *p) {
    heading(p, "Expectations");
    if (!p->m->expects.n)
        strbuf_add(p->out, "  the scenario has none\n");
    VEC_FOREACH (&p->m->expects, e) {
        const char *word = !e->known ? "unknown" : e->ok ? "ok" : *e->defect ? "DEFECT" : "FAILED";
        bool warn = !e->known || *e->defect;
        strbuf_add(p->out, "  ");
        paint_add(p->out, p->s, warn ? PAINT_WARN : e->ok ? PAINT_GOOD : PAINT_BAD, word);
        strbuf_addf(p->out, "%*s", 9 - (int)strlen(word), "");
        cleanup_strbuf struct strbuf text = {0};
        strbuf_addf(&text, *e->defect ? "%s (explained by %s)" : "%s", e->text, e->defect);
        paint_wrap(p->out, p->s, 11, 11, strbuf_str(&text));
    }
}

static void put_defect(struct page *p, const struct defect_measure *d) {
    row(p, d->id, "%s. %s %s has it, here is %s", d->text, d->software, d->versions,
        *d->version ? d->version : "a version that was not recorded");
    if (d->seen)
        row(p, "", "SEEN at %.2f s: %s", (double)d->at / 1e6, d->detail);
    else
        row(p, "", "not seen in this run%s", d->affected ? "; it does not show every time" : "");
    row(p, "", "%s", d->reference);
}

static void put_defects(struct page *p) {
    if (!p->m->defects.n)
        return;
    heading(p, "Known defects");
    VEC_FOREACH (&p->m->defects, d)
        put_defect(p, d);
}

static void put_holes(struct page *p) {
    char words[200];
    VEC_FOREACH (&p->m->holes, h)
        row(p, h == p->m->holes.items ? "not watched" : "", "%s", watch_words(h, words, sizeof words));
}

static void put_host(struct page *p) {
    const struct measures *m = p->m;
    char a[USEC_TEXT_MAX];
    cleanup_strbuf struct strbuf v = {0};
    VEC_FOREACH (&m->versions, x)
        strbuf_addf(&v, "%s%s %s%s%s", v.len ? ", " : "", x->component, x->version, *x->nodes ? " on " : "", x->nodes);
    heading(p, "Run");
    if (v.len)
        row(p, "versions", "%s", v.data);
    row(p, "host", "%" PRId64 " cpus, %" PRId64 " MB, Linux %s; timers up to %s late%s", m->run.cpus, m->run.memory_mb,
        m->run.kernel, usec_format(a, m->noise.late_max), m->noise.noisy ? " - TOO NOISY to judge times" : "");
    if (m->run.record)
        row(p, "record", "%s", m->run.record->text);
    put_holes(p);
    row(p, "seed", "%" PRIu64, m->run.seed);
}

void report_text(const struct measures *m, const struct story *story, const char *run_dir,
                 const struct report_style *style, struct strbuf *out) {
    struct page p = {m, story, style, paint_glyphs(style), out};
    put_title(&p);
    put_damage(&p);
    put_story(&p);
    put_faults(&p);
    put_phases(&p);
    put_application(&p);
    put_writes(&p);
    put_split_brain(&p);
    put_contents(&p);
    put_aheads(&p);
    put_expectations(&p);
    put_defects(&p);
    put_host(&p);
    if (!str_empty(run_dir)) // never wrapped: it is there to be copied
        strbuf_addf(out, "  %-16s%s\n", "run folder", run_dir);
    enum paint colour;
    const char *verdict = paint_verdict(m->verdict, &colour);
    strbuf_addn(out, "\n", 1);
    paint_add(out, style, colour, verdict);
    strbuf_add(out, ": ");
    paint_wrap(out, style, strlen(verdict) + 2, strlen(verdict) + 2, m->reason);
    put_sentence(&p); // once more: in a terminal the beginning is out of sight by now
}
