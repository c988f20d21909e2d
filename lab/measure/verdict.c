// SPDX-License-Identifier: PostgreSQL
// One word for the run, the first that applies:
//
//   invalid   the record is damaged (lab/proof/): neither a pass nor a failure can be read from it; or the lab still runs
//   skipped   the host can't do it, or the scenario does not apply
//   error     the lab itself broke, or the log ends without run.end (killed)
//   fail      data: writes lost beyond the limit, unexpected, duplicated or foreign rows, nodes with another history, two
//             primaries proven. One proven violation fails a run whatever else went wrong in it
//   known-defect  a known defect was seen on a version that has it, and it explains every expectation that failed: never a
//             pass, and no news either. What it does not explain fails (or is doubtful) as ever
//   invalid   a fault was not verified (it proves nothing), or the run was interrupted
//   fail      the scenario's own deadline or condition failed, an expectation failed
//   invalid   an expectation could not be judged, or only a time failed (a deadline is one) and the machine was too noisy to believe times
//   pass
#include <stdio.h>

#include "lab/measure/fold.h"

static void decide(struct measure *m, enum verdict v, const char *reason) {
    m->out.verdict = v;
    STR_COPY(m->out.reason, reason);
}

static bool about_data(const struct expect_result *e) {
    return words_is_count(e->kind) || e->kind == EXPECT_SPLIT_BRAIN || e->kind == EXPECT_SAME_HISTORY;
}

// A stalled machine makes times longer (and a lower limit easier to meet), never a row appear.
static bool about_time(const struct expect_result *e) {
    return e->kind == EXPECT_WRITE_OUTAGE || e->kind == EXPECT_READ_OUTAGE || e->kind == EXPECT_RECOVERY ||
           e->kind == EXPECT_REJOIN || e->kind == EXPECT_PHASES || e->kind == EXPECT_WRITE_AVAILABILITY ||
           e->kind == EXPECT_READ_AVAILABILITY;
}

static bool unexplained(const struct expect_result *e) {
    return e->known && !e->ok && !*e->defect;
}

static const struct expect_result *first_failed(const struct measure *m, bool data) {
    VEC_FOREACH (&m->out.expects, e)
        if (unexplained(e) && about_data(e) == data)
            return e;
    return NULL;
}

static const struct expect_result *first_failed_but_time(const struct measure *m) {
    VEC_FOREACH (&m->out.expects, e)
        if (unexplained(e) && !about_time(e))
            return e;
    return NULL;
}

static const struct expect_result *first_unknown(const struct measure *m) {
    VEC_FOREACH (&m->out.expects, e)
        if (!e->known)
            return e;
    return NULL;
}

// The first lack stands for all: the report has the list.
static bool decide_record(struct measure *m) {
    const struct record_proof *r = m->out.run.record;
    char why[EVENT_TEXT_MAX];
    if (r && r->live && m->out.run.no_end)
        return decide(m, VERDICT_INVALID, "the run is still going on: these are its numbers so far"), true;
    if (!r || !fold_damaged(m) || m->out.run.no_end) // a run that was killed has its own word
        return false;
    const struct record_lack *first = r->missing.items;
    (void)snprintf(why, sizeof why, "the record is damaged: %s%s", first ? first->text : "",
                   r->missing.n > 1 ? "; and more" : "");
    return decide(m, VERDICT_INVALID, why), true;
}

static bool decide_end(struct measure *m) {
    struct measures *o = &m->out;
    if (o->run.end_reason == END_REASON_SKIPPED)
        return decide(m, VERDICT_SKIPPED, *o->run.end_detail ? o->run.end_detail : "skipped"), true;
    if (o->run.no_end)
        return decide(m, VERDICT_ERROR, "the log ends without run.end: the run was killed"), true;
    if (o->run.end_reason == END_REASON_BROKEN)
        return decide(m, VERDICT_ERROR, *o->run.end_detail ? o->run.end_detail : "the lab broke"), true;
    return false;
}

static bool decide_unverified(struct measure *m) {
    char why[EVENT_TEXT_MAX];
    VEC_FOREACH (&m->out.faults, f) {
        if (f->ok)
            continue;
        (void)snprintf(why, sizeof why, "%s on %s was not %s: %.300s", f->mechanism, *f->nodes ? f->nodes : f->target,
                       f->action ? "done" : "verified", *f->detail ? f->detail : "no word of it in the log");
        return decide(m, VERDICT_INVALID, why), true;
    }
    if (m->out.run.end_reason == END_REASON_UNVERIFIED)
        return decide(m, VERDICT_INVALID, *m->out.run.end_detail ? m->out.run.end_detail : "a fault was not verified"),
               true;
    if (m->out.run.end_reason == END_REASON_UNWATCHED)
        return decide(m, VERDICT_INVALID,
                      *m->out.run.end_detail ? m->out.run.end_detail : "nobody watched when it mattered"),
               true;
    if (m->out.run.end_reason == END_REASON_INTERRUPTED)
        return decide(m, VERDICT_INVALID, "interrupted before the scenario was over"), true;
    return false;
}

// More than a fifth of the writes were never tried: the client itself stood still, its gaps say nothing of the cluster.
static bool client_stalled(const struct measures *o) {
    return o->outage.attempts_missing > 0 && o->outage.attempts_missing * 4 > o->writes.attempted;
}

// Why times can't be believed, before what failed. False: they can.
static bool decide_doubtful(struct measure *m, const char *failed) {
    struct measures *o = &m->out;
    char why[EVENT_TEXT_MAX];
    if (client_stalled(o))
        (void)snprintf(why, sizeof why,
                       "the client itself stood still (%" PRId64 " writes never tried), which may be why: %.300s",
                       o->outage.attempts_missing, failed);
    else if (o->noise.noisy)
        (void)snprintf(why, sizeof why,
                       "too noisy to judge (%d s with timers over 100 ms late), which may be why: %.300s",
                       o->noise.seconds, failed);
    else
        return false;
    return decide(m, VERDICT_INVALID, why), true;
}

static bool decide_expectations(struct measure *m) {
    const struct expect_result *failed = first_failed(m, false);
    if (!failed)
        return false;
    if (!first_failed_but_time(m) && decide_doubtful(m, failed->text))
        return true;
    return decide(m, VERDICT_FAIL, failed->text), true;
}

static bool decide_conditions(struct measure *m) {
    if (m->out.run.end_reason != END_REASON_EXPECTATION)
        return false;
    VEC_FOREACH (&m->out.defects, d)
        if (defect_explains(d, "conditions"))
            return false;
    const char *why = *m->out.run.end_detail ? m->out.run.end_detail : "a condition of the scenario was not met";
    if (first_failed_but_time(m) || !decide_doubtful(m, why))
        decide(m, VERDICT_FAIL, why);
    return true;
}

// The defect that was seen where it is known to be.
static const struct defect_measure *find_struck(const struct measure *m) {
    VEC_FOREACH (&m->out.defects, d)
        if (d->seen && d->affected)
            return d;
    return NULL;
}

// Of another history the loss comes first; what each node has stands beside the expectation.
static void decide_data(struct measure *m, const struct expect_result *e) {
    cleanup_strbuf struct strbuf loss = {0};
    bool history = e->kind == EXPECT_FOREIGN_ROWS || e->kind == EXPECT_SAME_HISTORY;
    bool told = history && m->out.contents.diverged && measure_loss_text(&m->out, &loss);
    decide(m, VERDICT_FAIL, told ? strbuf_str(&loss) : e->text);
}

// Which expectations it broke that the loss does not name.
static void failed_by(const struct measure *m, struct strbuf *out) {
    if (m->out.run.end_reason == END_REASON_EXPECTATION) // decide_conditions has let it pass
        strbuf_add(out, "a wait of the scenario");
    VEC_FOREACH (&m->out.expects, e)
        if (*e->defect)
            strbuf_addf(out, "%s%s", out->len ? ", " : "", expect_result_name(e));
}

// Nothing failed that it does not explain.
static void decide_known_defect(struct measure *m, const struct defect_measure *d) {
    char why[EVENT_TEXT_MAX];
    cleanup_strbuf struct strbuf failed = {0}, loss = {0};
    failed_by(m, &failed);
    if (measure_loss_text(&m->out, &loss))
        strbuf_add(&loss, ". ");
    (void)snprintf(why, sizeof why, "%.160s%.63s, a known defect of %.63s %.63s, at %.2f s: %.120s%s%.100s (%.120s)",
                   strbuf_str(&loss), d->id, d->software, d->version, (double)d->at / 1e6, d->detail,
                   failed.len ? "; failed by it: " : "; nothing failed by it", strbuf_str(&failed), d->reference);
    decide(m, VERDICT_KNOWN_DEFECT, why);
}

void verdict_measure(struct measure *m) {
    const struct defect_measure *struck = find_struck(m);
    if (decide_record(m) || decide_end(m))
        return;
    const struct expect_result *e = first_failed(m, true);
    if (e)
        return decide_data(m, e);
    if (!struck && decide_unverified(m)) // a defect that was seen is a proven finding, as lost rows are
        return;
    if (decide_conditions(m) || decide_expectations(m))
        return;
    if (struck)
        return decide_known_defect(m, struck);
    e = first_unknown(m);
    if (e)
        return decide(m, VERDICT_INVALID, e->text);
    decide(m, VERDICT_PASS, m->out.expects.n ? "every expectation held" : "the scenario ran to its end");
}
