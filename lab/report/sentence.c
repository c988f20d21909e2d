// SPDX-License-Identifier: PostgreSQL
// The run in one sentence. Parts, joined by "; ", the worst first:
//   what makes the rest doubtful   a fault that was not verified, a run that was interrupted or killed
//   what is worse than an outage   two nodes that took writes, lost writes, nodes with another history
//   what the application felt      the write outage or that there was none
//   what the time was spent with   the phases that lie in the outage, by their share
//   what else was seen             lag and reads where there was no outage; that the loss is not known
#include <ctype.h>
#include <stdio.h>

#include "lab/ha/ha.h"
#include "lab/report/paint.h"

struct sentence {
    const struct measures *m;
    const struct glyphs *g;
    struct strbuf *out;
    size_t begin;
};

enum {
    MOST_OF_IT = 50,        // percent: one phase is enough to explain the outage
    LAG_WORTH = 256 * 1024, // bytes; below it is the way of a busy standby
};

static void part(struct sentence *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void part(struct sentence *s, const char *fmt, ...) {
    va_list ap;
    if (s->out->len > s->begin)
        strbuf_add(s->out, "; ");
    va_start(ap, fmt);
    strbuf_vaddf(s->out, fmt, ap);
    va_end(ap);
}

// ---- what makes the rest doubtful
static void put_doubt(struct sentence *s) {
    const struct measures *m = s->m;
    VEC_FOREACH (&m->faults, f)
        if (!f->ok) {
            part(s, "%s %s on %s was not %s, so what follows is not proven to be its doing",
                 f->action ? "the act" : "the fault", f->mechanism,
                 *f->nodes    ? f->nodes
                 : *f->target ? f->target
                              : "?",
                 f->action ? "done" : "verified");
            break;
        }
    if (m->run.no_end && m->run.record && m->run.record->live)
        part(s, "the run is still going on, and what follows are its numbers so far");
    else if (m->run.no_end)
        part(s, "the run was killed before its end");
    else if (m->run.end_reason == END_REASON_UNWATCHED)
        part(s, "nobody watched while a step of the scenario was waiting, so its outcome is not known");
    else if (m->run.end_reason == END_REASON_INTERRUPTED)
        part(s, "the run was interrupted before its end");
    if (m->run.record && !m->run.record->live && !m->run.record->complete)
        part(s, "its record is damaged, so nothing that follows is a result");
}

// ---- what is worse than an outage
static void put_damage(struct sentence *s) {
    const struct measures *m = s->m;
    char a[USEC_TEXT_MAX];
    if (m->split_brain.min)
        part(s, "two leaders (%s) took writes at the same time, for %s at least", m->split_brain.nodes,
             usec_format(a, m->split_brain.min));
    cleanup_strbuf struct strbuf loss = {0};
    if (measure_loss_text(m, &loss))
        part(s, "%s", strbuf_str(&loss));
}

// ---- what the application felt
static const struct fault_measure *cause_of(const struct measures *m) {
    return m->cause.fault >= 0 ? &m->faults.items[m->cause.fault] : NULL;
}

static const struct ha_system *system_of(const struct measures *m) {
    return m->leadership ? m->leadership->system : ha_find("");
}

static const struct ha_kind *kind_of(const struct measures *m) {
    return m->leadership && m->leadership->kind ? m->leadership->kind : ha_kind_find("");
}

// "switchover from n1 to n2: " before what it cost.
static const char *act_words(const struct measures *m, char *buf, size_t size) {
    const struct fault_measure *f = cause_of(m);
    *buf = '\0';
    if (!f || !f->action)
        return buf;
    const char *dot = strchr(f->mechanism, '.'), *act = dot ? dot + 1 : f->mechanism;
    if (system_of(m)->names_leader(f->mechanism) && m->cause.leader_changed)
        (void)snprintf(buf, size, "%s from %s to %s: ", act, m->cause.old_leader, m->cause.new_leader);
    else
        (void)snprintf(buf, size, "%s: ", act);
    return buf;
}

// How long the application itself stood still in its outage: of that time nobody knows whether a write would have succeeded.
static usec_t stood_still(const struct measures *m) {
    usec_t sum = 0;
    VEC_FOREACH (&m->holes, h) {
        usec_t from = h->from > m->outage.start ? h->from : m->outage.start,
               to = h->to < m->outage.end ? h->to : m->outage.end;
        if (h->source == WATCH_APPLICATION)
            sum += usec_sub(to, from);
    }
    return sum;
}

static void put_outage(struct sentence *s) {
    const struct measures *m = s->m;
    char a[USEC_TEXT_MAX], b[USEC_TEXT_MAX], c[USEC_TEXT_MAX], act[2 * EVENT_NAME_MAX + 2 * NODE_NAME_MAX];
    cleanup_strbuf struct strbuf others = {0};
    if (m->outage.count > 1)
        strbuf_addf(&others, ", the longest of %d outages (%s together)", m->outage.count,
                    usec_format(c, m->outage.total));
    part(s, "%s%s%s %s %s without writes%s%s%s", act_words(m, act, sizeof act), m->outage.open ? "at least " : "",
         usec_format(a, m->outage.length), s->g->plus_minus, usec_format(b, m->outage.resolution),
         m->faults.n ? "" : ", though nothing was injected", m->outage.open ? ", to the end of the run" : "",
         strbuf_str(&others));
    if (stood_still(m))
        part(s, "for %s of it the application itself stood still", usec_format(a, stood_still(m)));
}

static void put_no_outage(struct sentence *s) {
    const struct measures *m = s->m;
    char a[USEC_TEXT_MAX], act[2 * EVENT_NAME_MAX + 2 * NODE_NAME_MAX];
    cleanup_strbuf struct strbuf text = {0};
    (void)act_words(m, act, sizeof act);
    strbuf_add(&text, act);
    if (m->outage.hiccup)
        strbuf_addf(&text, "no write outage, the longest pause was %s and no write failed in it",
                    usec_format(a, m->outage.hiccup));
    else
        strbuf_addf(&text, "no write outage, no pause of writes above %s", usec_format(a, m->outage.threshold));
    if (m->cause.leader_changed && !*act)
        strbuf_addf(&text, ", while %s took over from %s", m->cause.new_leader, m->cause.old_leader);
    if (!m->faults.n)
        strbuf_add(&text, ", and nothing was injected");
    part(s, "%s", strbuf_str(&text));
}

// ---- what the time was spent with
static const char *detect_words(const struct measures *m) {
    const struct fault_measure *f = cause_of(m);
    struct ha_fault done = {"", "", "", ""};
    if (f)
        done = (struct ha_fault){f->mechanism, f->params, f->nodes, m->cause.old_leader};
    return system_of(m)->waited_for(&done);
}

// What was waited for.
static const char *phase_words(const struct measures *m, int phase) {
    const struct ha_kind *kind = kind_of(m);
    switch ((enum phase_kind)phase) {
    case PHASE_DEMOTE:
        return "the leader to give up";
    case PHASE_NO_QUORUM:
        return kind->phase.quorum;
    case PHASE_QUORUM_BACK:
        return kind->phase.reached;
    case PHASE_DETECT:
        return detect_words(m);
    case PHASE_ELECT:
        return "the election of a new leader";
    case PHASE_RETURN:
        return kind->phase.returns;
    case PHASE_PROMOTE:
        return str_eq(m->phases.leader, m->cause.old_leader) ? "the leader to take writes again"
                                                             : "the new leader to be promoted";
    case PHASE_REROUTE:
        return "the application to reach a server that takes writes";
    case PHASE_REJOIN:
    case PHASE_COUNT:
        break;
    }
    return "";
}

// Percent of the outage that lies in this phase, rounded.
static int share(const struct measures *m, int phase) {
    const struct phase *p = &m->phases.list[phase];
    if (!p->present || !m->outage.length)
        return 0;
    usec_t end = usec_add(p->start, p->duration);
    usec_t from = p->start > m->outage.start ? p->start : m->outage.start,
           to = end < m->outage.end ? end : m->outage.end;
    return (int)((double)usec_sub(to, from) * 100 / (double)m->outage.length + 0.5);
}

// Nobody lost the lead, and no phase but the application's way back: when that was, by the fault's healing.
static bool put_no_failover(struct sentence *s) {
    const struct measures *m = s->m;
    const struct fault_measure *f = cause_of(m);
    char a[USEC_TEXT_MAX];
    for (int i = 0; i < PHASE_REROUTE; i++)
        if (m->phases.list[i].present)
            return false;
    if (!f || m->cause.leader_changed || m->outage.open)
        return false;
    if (!f->healed)
        part(s, "no failover, writes came back by themselves");
    else if (f->healed > m->outage.end)
        part(s, "no failover, writes came back while %s was in force", f->mechanism);
    else
        part(s, "no failover, writes came back %s after %s was healed", usec_format(a, m->outage.end - f->healed),
             f->mechanism);
    return true;
}

static void put_spent(struct sentence *s) {
    const struct measures *m = s->m;
    if (put_no_failover(s))
        return;
    int first = PHASE_COUNT, second = PHASE_COUNT;
    for (int i = 0; i < PHASE_REJOIN; i++) {
        if (first == PHASE_COUNT || share(m, i) > share(m, first)) {
            second = first;
            first = i;
        } else if (second == PHASE_COUNT || share(m, i) > share(m, second)) {
            second = i;
        }
    }
    int most = share(m, first), next = share(m, second);
    if (!most)
        return;
    if (most >= 100)
        part(s, "all of it waited for %s", phase_words(m, first));
    else if (most >= MOST_OF_IT || !next)
        part(s, "%d %% of it waited for %s", most, phase_words(m, first));
    else
        part(s, "%d %% of it waited for %s, %d %% for %s", most, phase_words(m, first), next, phase_words(m, second));
}

// ---- what else was seen
static void put_rest(struct sentence *s) {
    const struct measures *m = s->m;
    char a[USEC_TEXT_MAX];
    if (!m->outage.present && m->lag.bytes >= LAG_WORTH)
        part(s, "%s fell up to %.1f MB behind its leader", m->lag.node, (double)m->lag.bytes / 1e6);
    if (!m->outage.present && m->read_outage.length)
        part(s, "reads failed for %s", usec_format(a, m->read_outage.length));
    bool counted = m->writes.checked && (m->writes.lost || !*m->writes.cut_why);
    if (!counted && m->writes.acknowledged)
        part(s, "whether writes were lost is not known");
}

static void put_measured(struct sentence *s) {
    const struct measures *m = s->m;
    if (!m->writes.attempted) {
        part(s, "no application was running, so what it would have felt is not known");
        return;
    }
    if (!m->writes.acknowledged)
        part(s, "no write was ever acknowledged");
    if (m->outage.present)
        put_outage(s);
    else
        put_no_outage(s);
    if (m->outage.present)
        put_spent(s);
    put_rest(s);
}

void report_sentence(const struct measures *m, const struct report_style *style, struct strbuf *out) {
    struct sentence s = {m, paint_glyphs(style), out, out->len};
    if (m->run.end_reason == END_REASON_SKIPPED) {
        part(&s, "nothing was run: %s", m->reason);
    } else {
        if (m->run.end_reason == END_REASON_BROKEN)
            part(&s, "the lab broke: %s", m->reason);
        else
            put_doubt(&s);
        put_damage(&s);
        if (m->run.end_reason != END_REASON_BROKEN || m->writes.attempted)
            put_measured(&s);
    }
    if (out->len > s.begin)
        out->data[s.begin] = (char)toupper((unsigned char)out->data[s.begin]);
}
