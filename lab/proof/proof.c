// SPDX-License-Identifier: PostgreSQL
// The seal, the lines, and the sentence that sums it up.
#include "lab/proof/internal.h"

#include <stdio.h>

struct proof *proof_new(void) {
    struct proof *p = xcalloc(1, sizeof *p);
    p->model = model_new();
    return p;
}

void proof_free(struct proof *p) {
    if (!p)
        return;
    model_free(p->model);
    for (size_t i = 0; i < NODES_MAX; i++)
        idset_done(&p->nodes[i].rows);
    VEC_DONE(&p->expects), VEC_DONE(&p->defects), VEC_DONE(&p->steps), VEC_DONE(&p->faults), VEC_DONE(&p->actions);
    VEC_DONE(&p->ticks), VEC_DONE(&p->acks), VEC_DONE(&p->merged), VEC_DONE(&p->out.missing);
    free(p);
}

void proof_lack(struct proof *p, const char *fmt, ...) {
    if (p->out.missing.n == SAID_MAX) {
        p->unsaid++;
        return;
    }
    struct record_lack *l = VEC_ADD(&p->out.missing);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(l->text, sizeof l->text, fmt, ap);
    va_end(ap);
}

void proof_event(struct proof *p, const struct event *ev) {
    if (p->events++ == 0)
        p->first = ev->kind;
    p->kinds[ev->kind]++;
    p->backwards[ev->kind] += ev->t < p->latest[ev->kind];
    p->latest[ev->kind] = ev->t;
    if (ev->kind == EVENT_RUN_BEGIN)
        p->begin = *ev;
    if (ev->kind == EVENT_RUN_END)
        p->end_reason = ev->u.RUN_END.reason;
    proof_take_plan(p, ev);
    proof_take_course(p, ev);
    proof_take_watch(p, ev);
    proof_take_client(p, ev);
}

// ---- lines -----------------------------------------------------------------------------------------------------------

// What was read and is not understood. In a record that is as it was written a newer bascule has written it; elsewhere it may be damage.
static void kinds_words(const struct run_read_stats *log, struct strbuf *out) {
    if (log->skipped)
        strbuf_addf(out,
                    "%" PRId64
                    " line%s of events.jsonl %s of a kind that this program does not know (the first is line "
                    "%" PRId64 ")",
                    log->skipped, log->skipped > 1 ? "s" : "", log->skipped > 1 ? "are" : "is", log->first_skipped);
}

static void unknown_words(const struct run_read_stats *log, struct strbuf *out) {
    if (log->unknown)
        strbuf_addf(out,
                    "%" PRId64
                    " line%s of events.jsonl hold%s a word that this program does not know (the first is line "
                    "%" PRId64 ": '%s' as %s of %s)",
                    log->unknown, log->unknown > 1 ? "s" : "", log->unknown > 1 ? "" : "s", log->first_unknown,
                    log->word.word, log->word.field, event_kind_name(log->word.kind));
}

static void judge_unknown(struct proof *p, const struct run_read_stats *log) {
    cleanup_strbuf struct strbuf kinds = {0}, words = {0};
    kinds_words(log, &kinds);
    unknown_words(log, &words);
    if (kinds.len)
        proof_lack(p, "%s: damaged, or made by a newer bascule", kinds.data);
    if (words.len)
        proof_lack(p, "%s: damaged, or made by a newer bascule", words.data);
}

static void note_unknown(struct proof *p, const struct run_read_stats *log) {
    cleanup_strbuf struct strbuf all = {0};
    kinds_words(log, &all);
    if (log->skipped && log->unknown)
        strbuf_add(&all, "; ");
    unknown_words(log, &all);
    STR_COPY(p->out.unknown, strbuf_str(&all));
}

static void judge_lines(struct proof *p, const struct run_read_stats *log) {
    if (log->broken)
        proof_lack(p, "%" PRId64 " line%s of events.jsonl can't be read (the first is line %" PRId64 ")", log->broken,
                   log->broken > 1 ? "s" : "", log->first_broken);
    judge_unknown(p, log);
    if (log->empty)
        proof_lack(p, "%" PRId64 " line%s of events.jsonl %s empty", log->empty, log->empty > 1 ? "s" : "",
                   log->empty > 1 ? "are" : "is");
    if (log->cut)
        proof_lack(p, "the last line of events.jsonl is cut");
}

// ---- the seal --------------------------------------------------------------------------------------------------------

static void judge_log_seal(struct proof *p, const struct run_read_stats *log) {
    __auto_type seal = &log->at.u.RECORD_SEAL;
    if (log->seal == RUN_SEAL_TRUE)
        return;
    if (seal->bytes == log->bytes && seal->lines == log->lines)
        proof_lack(p,
                   "events.jsonl is not what was written: its %" PRId64
                   " lines are as long as the seal says, and other ones",
                   log->lines);
    else
        proof_lack(p,
                   "events.jsonl is not what was written: by its seal %" PRId64 " lines (%" PRId64
                   " bytes) lie before it, there are %" PRId64 " (%" PRId64 " bytes)",
                   seal->lines, seal->bytes, log->lines, log->bytes);
}

static void judge_file(struct proof *p, const char *name, const char *sealed, const struct digest *found) {
    char hex[DIGEST_HEX] = "";
    if (found)
        digest_hex(found, hex);
    if (str_eq(hex, sealed))
        return;
    if (!found)
        proof_lack(p, "%s is missing", name);
    else if (!*sealed)
        proof_lack(p, "%s is not of this run: there was none when the record was sealed", name);
    else
        proof_lack(p, "%s is not what it was when the record was sealed", name);
}

static void judge_seal(struct proof *p, const struct proof_folder *f) {
    __auto_type seal = &f->log.at.u.RECORD_SEAL;
    judge_log_seal(p, &f->log);
    if (!f->alone) {
        judge_file(p, "ledger.bin", seal->ledger_sha256, f->ledger_digest);
        judge_file(p, "plan.json", seal->plan_sha256, f->plan_digest);
    }
    if (seal->lost)
        proof_lack(p, "%" PRId64 " event%s could not be written while the lab ran", seal->lost,
                   seal->lost > 1 ? "s" : "");
    if (!p->kinds[EVENT_RUN_END] && f->log.after)
        proof_lack(p, "lines follow the seal");
}

// Whoever promised a seal and came to the end of its run has written one.
static void judge_missing_seal(struct proof *p) {
    if (p->begin.u.RUN_BEGIN.sealing && p->kinds[EVENT_RUN_END])
        proof_lack(p, "the seal at the end is missing: the record is cut, or its writer was killed");
}

// ---- the sum ---------------------------------------------------------------------------------------------------------

static void say_thinned(struct proof *p) {
    char ticks[USEC_TEXT_MAX], others[USEC_TEXT_MAX];
    size_t len = strlen(p->out.text);
    if (p->thinned_ticks)
        (void)snprintf(p->out.text + len, sizeof p->out.text - len,
                       "; thinned: in calm one line stands for up to %s of the application, %s of an observation",
                       usec_format(ticks, p->thinned_ticks), usec_format(others, p->thinned_others));
}

static void say_unknown(struct proof *p) {
    size_t len = strlen(p->out.text);
    if (*p->out.unknown)
        (void)snprintf(p->out.text + len, sizeof p->out.text - len, "; %s", p->out.unknown);
}

static void sum_up(struct proof *p, bool alone) {
    struct record_proof *o = &p->out;
    o->complete = o->missing.n == 0;
    if (p->unsaid) {
        o->missing.n--; // one more that is only counted
        size_t more = p->unsaid + 1;
        (void)snprintf(VEC_ADD(&o->missing)->text, sizeof o->missing.items->text, "and %zu more", more);
    }
    if (o->live)
        STR_COPY(o->text, "being written: the lab is still running");
    else if (o->sealed && o->complete)
        STR_COPY(o->text, "sealed, and everything is as it was written");
    else if (o->complete && alone)
        STR_COPY(o->text, "no seal, and no run folder to compare with: whether it is whole is not known");
    else if (o->complete)
        STR_COPY(o->text, p->begin.u.RUN_BEGIN.sealing
                              ? "no seal (the run was killed); by the rules nothing is missing"
                              : "no seal (made by an older bascule); by the rules nothing is missing");
    else
        STR_COPY(o->text, o->sealed ? "DAMAGED: it is not what was sealed" : "DAMAGED, and without a seal");
    say_thinned(p);
    say_unknown(p);
}

const struct record_proof *proof_finish(struct proof *p, const struct proof_folder *folder) {
    p->out.sealed = folder->log.seal != RUN_SEAL_NONE;
    p->out.live = folder->live && !p->kinds[EVENT_RUN_END];
    if (folder->log.seal != RUN_SEAL_TRUE && !p->out.live)
        judge_lines(p, &folder->log);
    else
        note_unknown(p, &folder->log);
    if (folder->log.seal == RUN_SEAL_TRUE) {
        STR_COPY(p->out.sha256, folder->log.at.u.RECORD_SEAL.sha256);
        p->out.bytes = folder->log.at.u.RECORD_SEAL.bytes;
    }
    if (p->out.sealed)
        judge_seal(p, folder);
    else if (!p->out.live)
        judge_missing_seal(p);
    // A true seal needs no rules. Without an end, or with one in the middle, a run is judged by that and not by what it lacks.
    if (folder->log.seal != RUN_SEAL_TRUE && !folder->alone && proof_to_end(p)) {
        proof_judge_plan(p, folder->plan);
        proof_judge_watch(p);
        proof_judge_client(p, folder->ledger_digest);
    }
    sum_up(p, folder->alone);
    return &p->out;
}
