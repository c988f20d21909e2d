// SPDX-License-Identifier: PostgreSQL
// result.json. The schema stands in docs/measures.md and is checked by tests/unit/test_report.c; keys are only ever
// added. Times are milliseconds with three decimals. What does not exist or is not known is null, never 0.
#include "lab/base/json.h"
#include "lab/report/report.h"

struct json {
    struct strbuf *out;
    int depth;
    bool first;
};

static void key(struct json *j, const char *name) {
    strbuf_addf(j->out, "%s\n%*s", j->first ? "" : ",", j->depth * 2, "");
    j->first = false;
    if (name) {
        json_quote(j->out, name);
        strbuf_add(j->out, ": ");
    }
}

static void open_block(struct json *j, const char *name, const char *bracket) {
    key(j, name);
    strbuf_add(j->out, bracket);
    j->depth++;
    j->first = true;
}

static void close_block(struct json *j, const char *bracket) {
    j->depth--;
    if (!j->first)
        strbuf_addf(j->out, "\n%*s", j->depth * 2, "");
    strbuf_add(j->out, bracket);
    j->first = false;
}

static void put_str(struct json *j, const char *name, const char *v) {
    key(j, name); // NULL: an item of a list
    json_quote(j->out, v);
}
static void put_str_or_null(struct json *j, const char *name, const char *v) {
    key(j, name);
    if (*v)
        json_quote(j->out, v);
    else
        strbuf_add(j->out, "null");
}
static void put_int(struct json *j, const char *name, int64_t v, bool known) {
    key(j, name);
    if (known)
        strbuf_addf(j->out, "%" PRId64, v);
    else
        strbuf_add(j->out, "null");
}
static void put_bool(struct json *j, const char *name, bool v) {
    key(j, name);
    strbuf_add(j->out, v ? "true" : "false");
}
// By integers: a program that called setlocale(3) would get a decimal comma from printf's %f.
static void put_ms(struct json *j, const char *name, usec_t t, bool known) {
    key(j, name);
    if (known)
        strbuf_addf(j->out, "%" PRIu64 ".%03" PRIu64, t / 1000, t % 1000);
    else
        strbuf_add(j->out, "null");
}
static void put_percent(struct json *j, const char *name, double v, bool known) {
    int64_t hundredths = (int64_t)(v * 100 + 0.5);
    key(j, name);
    if (known)
        strbuf_addf(j->out, "%" PRId64 ".%02" PRId64, hundredths / 100, hundredths % 100);
    else
        strbuf_add(j->out, "null");
}

static void put_seed(struct json *j, uint64_t seed) { // beyond 2^53 a JSON number would be rounded
    key(j, "seed");
    strbuf_addf(j->out, seed > UINT64_C(1) << 53 ? "\"%" PRIu64 "\"" : "%" PRIu64, seed);
}

static void put_head(struct json *j, const struct measures *m) {
    put_str(j, "scenario", m->run.scenario);
    put_str(j, "title", m->run.title);
    put_str(j, "topology", m->run.topology);
    put_seed(j, m->run.seed);
    put_str(j, "verdict", verdict_name(m->verdict));
    put_str(j, "reason", m->reason);
    put_str_or_null(j, "end_reason", end_reason_name(m->run.end_reason));
    cleanup_strbuf struct strbuf sentence = {0};
    report_sentence(m, &(struct report_style){.utf8 = true}, &sentence);
    put_str(j, "sentence", strbuf_str(&sentence));
}

static void put_record(struct json *j, const struct measures *m) {
    const struct record_proof *r = m->run.record;
    if (!r) // a fold of events that are no record
        return;
    open_block(j, "record", "{");
    put_bool(j, "sealed", r->sealed);
    put_bool(j, "complete", r->complete);
    put_bool(j, "live", r->live);
    put_str(j, "text", r->text);
    put_str(j, "unknown", r->unknown);
    put_int(j, "bytes", r->bytes, true);
    put_str(j, "sha256", r->sha256);
    open_block(j, "missing", "[");
    VEC_FOREACH (&r->missing, l)
        put_str(j, NULL, l->text);
    close_block(j, "]");
    close_block(j, "}");
}

static void put_times(struct json *j, const struct measures *m) {
    bool wrote = m->writes.attempted > 0;
    put_ms(j, "write_outage_ms", m->outage.length, wrote);
    put_bool(j, "write_outage_open", m->outage.open);
    put_int(j, "outages", m->outage.count, wrote);
    put_ms(j, "outages_total_ms", m->outage.total, wrote);
    put_ms(j, "hiccup_ms", m->outage.hiccup, wrote);
    put_ms(j, "outage_start_ms", m->outage.start, m->outage.present);
    put_ms(j, "outage_end_ms", m->outage.end, m->outage.present && !m->outage.open);
    put_ms(j, "recovery_ms", m->cause.recovery, m->cause.recovery > 0);
    put_ms(j, "resolution_ms", m->outage.resolution, wrote);
    put_ms(j, "cluster_outage_ms", m->cluster.outage, m->cluster.outage > 0);
    put_ms(j, "cluster_resolution_ms", m->cluster.resolution, m->cluster.outage > 0);
    put_ms(j, "read_outage_ms", m->read_outage.length, m->availability.reads_ok + m->availability.reads_failed > 0);
    put_ms(j, "rejoin_ms", m->phases.rejoin, m->phases.rejoin_known);
    put_int(j, "lag_bytes", m->lag.bytes, m->lag.bytes > 0);
    put_str_or_null(j, "lag_node", m->lag.node);
    put_ms(j, "lag_at_ms", m->lag.at, m->lag.bytes > 0);
    put_ms(j, "healthy_at_ms", m->cluster.healthy_at, m->cluster.healthy_at > 0);
    put_ms(j, "first_write_ms", m->outage.first_write, m->outage.first_write > 0);
    put_ms(j, "last_write_ms", m->outage.last_write, m->outage.last_write > 0);
    put_ms(j, "ended_ms", m->run.ended, true);
    put_str_or_null(j, "old_leader", m->cause.old_leader);
    put_str_or_null(j, "new_leader", m->cause.new_leader);
    put_bool(j, "leader_changed", m->cause.leader_changed);
}

static void put_phases(struct json *j, const struct measures *m) {
    open_block(j, "phases", "[");
    for (int i = 0; i < PHASE_COUNT; i++) {
        const struct phase *p = &m->phases.list[i];
        if (!p->present)
            continue;
        open_block(j, NULL, "{");
        put_str(j, "name", p->name);
        put_ms(j, "start_ms", p->start, true);
        put_ms(j, "duration_ms", p->duration, true);
        put_ms(j, "error_ms", p->error, true);
        put_ms(j, "bound_min_ms", p->bound_min, p->bounded);
        put_ms(j, "bound_max_ms", p->bound_max, p->bounded);
        key(j, "inside");
        strbuf_add(j->out, !p->bounded ? "null" : p->inside ? "true" : "false");
        put_str(j, "why", p->why);
        close_block(j, "}");
    }
    close_block(j, "]");
}

static void put_writes(struct json *j, const struct measures *m) {
    const struct write_counts *w = &m->writes;
    open_block(j, "writes", "{");
    put_int(j, "attempted", w->attempted, true);
    put_int(j, "acknowledged", w->acknowledged, true);
    put_int(j, "failed", w->failed, true);
    put_int(j, "unknown", w->unknown, true);
    put_int(j, "lost", w->lost, w->checked);
    put_int(j, "unexpected", w->unexpected, w->checked);
    put_int(j, "duplicated", w->duplicated, w->checked);
    put_int(j, "recovered", w->recovered, w->checked);
    put_int(j, "foreign", w->foreign, w->checked);
    put_int(j, "unreported", w->unreported, w->checked);
    put_int(j, "local_only", w->local_only, w->from_ledger);
    put_int(j, "local_only_lost", w->local_only_lost, w->checked);
    put_ms(j, "lost_first_ms", w->lost_first, w->lost > 0);
    put_ms(j, "lost_last_ms", w->lost_last, w->lost > 0);
    put_bool(j, "checked", w->checked);
    put_str_or_null(j, "unchecked_why", w->unchecked_why);
    put_str_or_null(j, "cut_why", w->cut_why);
    close_block(j, "}");
}

static void put_fault(struct json *j, const char *name, const struct fault_measure *f) {
    open_block(j, name, "{");
    put_str(j, "id", f->id);
    put_str(j, "target", f->target);
    put_str(j, "nodes", f->nodes);
    put_str(j, "mechanism", f->mechanism);
    put_bool(j, "action", f->action);
    put_bool(j, "verified", f->ok);
    put_str(j, "detail", f->detail);
    put_ms(j, "asked_ms", f->asked, f->asked > 0);
    put_ms(j, "effective_ms", f->effective, f->effective > 0);
    put_bool(j, "effective_seen", f->effective_seen);
    put_ms(j, "verified_ms", f->verified, f->verified > 0);
    put_ms(j, "heal_asked_ms", f->heal_asked, f->heal_asked > 0);
    put_ms(j, "healed_ms", f->healed, f->healed > 0);
    put_ms(j, "heal_verified_ms", f->heal_verified, f->heal_verified > 0);
    close_block(j, "}");
}

static void put_faults(struct json *j, const struct measures *m) {
    if (m->cause.fault >= 0) {
        put_fault(j, "fault", &m->faults.items[m->cause.fault]);
    } else {
        key(j, "fault");
        strbuf_add(j->out, "null");
    }
    open_block(j, "faults", "[");
    VEC_FOREACH (&m->faults, f)
        put_fault(j, NULL, f);
    close_block(j, "]");
}

static void put_lsn(struct json *j, const char *name, lsn_t lsn) {
    char text[LSN_TEXT_MAX];
    put_str_or_null(j, name, lsn ? lsn_format(text, lsn) : "");
}

static void put_contents(struct json *j, const struct measures *m) {
    open_block(j, "contents", "[");
    VEC_FOREACH (&m->contents.nodes, c) {
        open_block(j, NULL, "{");
        put_str(j, "node", c->node);
        put_bool(j, "read", c->read);
        put_str_or_null(j, "unread_why", c->why);
        put_bool(j, "leader", c->leader);
        put_bool(j, "primary", c->primary);
        put_int(j, "rows", c->rows, c->read);
        put_int(j, "only_here", c->only_here, c->read && c->only_here >= 0);
        put_int(j, "absent", c->absent, c->read && c->absent >= 0);
        put_int(j, "duplicates", c->duplicates, c->read);
        put_int(j, "foreign", c->foreign, c->read && c->foreign >= 0);
        put_int(j, "missing", c->missing, c->read && c->missing >= 0);
        put_bool(j, "behind", c->behind);
        put_int(j, "timeline", c->timeline, c->timeline > 0);
        put_lsn(j, "lsn", c->lsn);
        put_int(j, "ahead_bytes", c->ahead, c->read && c->foreign >= 0);
        put_int(j, "history", c->history, c->history > 0);
        put_bool(j, "diverged", c->diverged);
        put_str_or_null(j, "because", c->because);
        close_block(j, "}");
    }
    close_block(j, "]");
}

static void put_aheads(struct json *j, const struct measures *m) {
    static const char *const ends[] = {[AHEAD_OPEN] = "open",
                                       [AHEAD_OVERTAKEN] = "overtaken",
                                       [AHEAD_WENT_BACK] = "went back",
                                       [AHEAD_NEW_LEADER] = "new leader",
                                       [AHEAD_UNSEEN] = "unseen"};
    open_block(j, "standby_ahead", "[");
    VEC_FOREACH (&m->aheads, s) {
        open_block(j, NULL, "{");
        put_str(j, "node", s->node);
        put_str(j, "leader", s->leader);
        put_ms(j, "from_ms", s->from, true);
        put_ms(j, "to_ms", s->to, true);
        put_ms(j, "resolution_ms", s->resolution, true);
        put_lsn(j, "lsn", s->lsn);
        put_lsn(j, "leader_lsn", s->leader_lsn);
        put_str(j, "end", ends[s->end]);
        close_block(j, "}");
    }
    close_block(j, "]");
}

static void put_defects(struct json *j, const struct measures *m) {
    open_block(j, "known_defects", "[");
    VEC_FOREACH (&m->defects, d) {
        open_block(j, NULL, "{");
        put_str(j, "id", d->id);
        put_str(j, "software", d->software);
        put_str(j, "versions", d->versions);
        put_str_or_null(j, "version", d->version);
        put_bool(j, "affected", d->affected);
        put_str(j, "signature", defect_signature_name(d->signature));
        put_bool(j, "always", d->always);
        put_bool(j, "seen", d->seen);
        put_ms(j, "seen_ms", d->at, d->seen);
        put_str_or_null(j, "node", d->node);
        put_str_or_null(j, "detail", d->detail);
        put_str(j, "explains", d->explains);
        put_str(j, "text", d->text);
        put_str(j, "reference", d->reference);
        close_block(j, "}");
    }
    close_block(j, "]");
}

static void put_holes(struct json *j, const struct measures *m) {
    open_block(j, "holes", "[");
    VEC_FOREACH (&m->holes, h) {
        open_block(j, NULL, "{");
        put_str(j, "source", watch_source_name(h->source));
        put_str_or_null(j, "node", h->node);
        put_ms(j, "from_ms", h->from, true);
        put_ms(j, "to_ms", h->to, true);
        close_block(j, "}");
    }
    close_block(j, "]");
}

static void put_watched(struct json *j, const struct expect_result *e) {
    if (!e->watched) {
        key(j, "watched");
        strbuf_add(j->out, "null");
        return;
    }
    open_block(j, "watched", "{");
    put_ms(j, "from_ms", e->watched_from, true);
    put_ms(j, "to_ms", e->watched_to, true);
    put_ms(j, "longest_hole_ms", e->watched_hole, true);
    close_block(j, "}");
}

// Only where the scenario asks for it.
static void put_law(struct json *j, const struct expect_result *e) {
    if (!e->law) {
        key(j, "bounds");
        strbuf_add(j->out, "null");
        return;
    }
    open_block(j, "bounds", "{");
    put_ms(j, "min_ms", e->law_min, true);
    put_ms(j, "max_ms", e->law_max, true);
    put_ms(j, "error_ms", e->law_error, true);
    close_block(j, "}");
}

static void put_expects(struct json *j, const struct measures *m) {
    open_block(j, "expectations", "[");
    VEC_FOREACH (&m->expects, e) {
        open_block(j, NULL, "{");
        put_str(j, "kind", expect_result_name(e));
        put_str(j, "text", e->text);
        key(j, "ok");
        strbuf_add(j->out, !e->known ? "null" : e->ok ? "true" : "false");
        put_str_or_null(j, "known_defect", e->defect);
        put_watched(j, e);
        if (e->inside)
            put_law(j, e);
        close_block(j, "}");
    }
    close_block(j, "]");
}

// "15.14"; where nodes differ "3.0.2 on n1,n2; 4.0.7 on n3". The first entry of a component speaks for all.
static void put_version(struct json *j, const struct measures *m, const struct version_seen *first) {
    cleanup_strbuf struct strbuf text = {0};
    VEC_FOREACH (&m->versions, v) {
        if (!str_eq(v->component, first->component))
            continue;
        if (v < first)
            return; // told with that one
        strbuf_addf(&text, "%s%s%s%s", text.len ? "; " : "", v->version, *v->nodes ? " on " : "", v->nodes);
    }
    put_str(j, first->component, strbuf_str(&text));
}

static void put_host(struct json *j, const struct measures *m) {
    open_block(j, "versions", "{");
    VEC_FOREACH (&m->versions, v)
        put_version(j, m, v);
    close_block(j, "}");
    open_block(j, "host", "{");
    put_str(j, "kernel", m->run.kernel);
    put_int(j, "cpus", m->run.cpus, true);
    put_int(j, "memory_mb", m->run.memory_mb, true);
    put_ms(j, "late_max_ms", m->noise.late_max, true);
    put_bool(j, "noisy", m->noise.noisy);
    close_block(j, "}");
}

void report_json(const struct measures *m, struct strbuf *out) {
    struct json j = {.out = out, .first = true};
    bool reads = m->availability.reads_ok + m->availability.reads_failed > 0, wrote = m->writes.attempted > 0;
    strbuf_add(out, "{");
    j.depth++;
    put_head(&j, m);
    put_record(&j, m);
    put_times(&j, m);
    put_phases(&j, m);
    put_writes(&j, m);
    put_ms(&j, "split_brain_ms", m->split_brain.min, !m->split_brain.unknown);
    put_ms(&j, "split_brain_possible_ms", m->split_brain.max, !m->split_brain.unknown);
    put_str_or_null(&j, "split_brain_nodes", m->split_brain.nodes);
    open_block(&j, "availability", "{");
    put_percent(&j, "write", m->availability.writes, wrote);
    put_percent(&j, "read", m->availability.reads, reads);
    close_block(&j, "}");
    put_int(&j, "diverged_nodes", m->contents.diverged, m->writes.checked);
    put_contents(&j, m);
    put_aheads(&j, m);
    put_faults(&j, m);
    put_holes(&j, m);
    put_expects(&j, m);
    put_defects(&j, m);
    put_host(&j, m);
    strbuf_add(out, "\n}\n");
}
