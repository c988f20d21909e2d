// SPDX-License-Identifier: PostgreSQL
// What is said when a lab without a scenario ends: is everything that the application was told is done still there? One screen, for who has never
// heard of timelines.
#include "lab/report/paint.h"

static void line(struct strbuf *out, const struct report_style *s, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void line(struct strbuf *out, const struct report_style *s, const char *fmt, ...) {
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    strbuf_add(out, "  ");
    paint_wrap(out, s, 2, 2, strbuf_str(&text));
}

static void headline(struct strbuf *out, const struct report_style *s, enum paint p, const char *head,
                     const char *rest) {
    paint_add(out, s, p, head);
    strbuf_add(out, ": ");
    paint_wrap(out, s, strlen(head) + 2, strlen(head) + 2, rest);
}

// Failed injections, late timers and standbys that were not read say nothing about what is in the leader's table: of what makes a run invalid only
// this does.
static const char *not_known(const struct measures *m) {
    if (m->run.record && !m->run.record->complete)
        return m->reason;
    if (!m->writes.checked)
        return m->writes.unchecked_why;
    return *m->writes.cut_why ? m->writes.cut_why : NULL;
}

static const char *leader_of(const struct measures *m) {
    VEC_FOREACH (&m->contents.nodes, c)
        if (c->leader)
            return c->node;
    return "the leader";
}

static bool leader_was_read(const struct measures *m) {
    VEC_FOREACH (&m->contents.nodes, c)
        if (c->leader && c->read)
            return true;
    return false;
}

static void put_nodes(const struct measures *m, const struct report_style *s, struct strbuf *out) {
    const char *leader = leader_of(m);
    bool compared = leader_was_read(m);
    VEC_FOREACH (&m->contents.nodes, c) {
        if (!c->read)
            line(out, s, "%s: its table was not read (%s)", c->node, c->why);
        else if (c->leader)
            line(out, s, "%s, the leader: %" PRId64 " rows%s%s", c->node, c->rows, *c->why ? ": " : "", c->why);
        else if (!compared)
            line(out, s, "%s: %" PRId64 " rows, compared with no leader's", c->node, c->rows);
        else if (c->diverged)
            line(out, s,
                 "%s, ANOTHER HISTORY: %" PRId64 " rows; %" PRId64 " of them %s has not, %" PRId64 " of %s it has not",
                 c->node, c->rows, c->foreign, leader, c->missing, leader);
        else
            line(out, s, "%s: %" PRId64 " rows, as %s%s", c->node, c->rows, leader,
                 c->missing > 0 ? " (it was a little behind)" : "");
    }
}

static void put_defect(const struct measures *m, const struct report_style *s, struct strbuf *out) {
    VEC_FOREACH (&m->defects, d)
        if (d->seen)
            line(out, s, "Seen at %.1f s: %s. %s the known defect %s of %s %s: %s. %s", (double)d->at / 1e6, d->detail,
                 d->affected ? "That is" : "It looks like", d->id, d->software, d->versions, d->text, d->reference);
}

static void put_loss(const struct measures *m, const struct report_style *s, struct strbuf *out) {
    cleanup_strbuf struct strbuf loss = {0};
    bool lost = measure_loss_text(m, &loss);
    headline(out, s, PAINT_BAD, lost ? "DATA LOST" : "NOT AS IT SHOULD BE", lost ? strbuf_str(&loss) : m->reason);
    if (m->writes.lost > 0)
        line(out, s,
             "The application was told that %" PRId64 " writes are done. %" PRId64
             " of them, acknowledged from %.1f s to %.1f s, are not in the table of %s, the leader at the end.",
             m->writes.acknowledged, m->writes.lost, (double)m->writes.lost_first / 1e6,
             (double)m->writes.lost_last / 1e6, leader_of(m));
    put_nodes(m, s, out);
    put_defect(m, s, out);
}

enum verdict report_farewell(const struct measures *m, const struct report_style *s, struct strbuf *out) {
    cleanup_strbuf struct strbuf text = {0};
    if (m->verdict == VERDICT_ERROR) {
        headline(out, s, PAINT_BAD, "THE LAB BROKE", m->reason);
        return VERDICT_ERROR;
    }
    bool whole = !m->run.record || m->run.record->complete;
    if (m->writes.attempted == 0 && whole) {
        headline(out, s, PAINT_GOOD, "NOTHING TO LOSE", "no application had written anything");
        return VERDICT_PASS;
    }
    if (m->verdict == VERDICT_FAIL || (m->verdict == VERDICT_KNOWN_DEFECT && measure_loss_text(m, &text))) {
        put_loss(m, s, out);
        return m->verdict;
    }
    const char *why = not_known(m);
    if (why) {
        headline(out, s, PAINT_WARN, "NOT KNOWN", why);
        put_nodes(m, s, out);
        return VERDICT_INVALID;
    }
    strbuf_addf(&text,
                "all %" PRId64
                " acknowledged writes are in the table of %s, and every node that was read has its history",
                m->writes.acknowledged, leader_of(m));
    headline(out, s, PAINT_GOOD, "NOTHING LOST", strbuf_str(&text));
    put_defect(m, s, out);
    return VERDICT_PASS;
}
