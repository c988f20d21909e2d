// SPDX-License-Identifier: PostgreSQL
// The page's JSON block: result.json as it is, and beside it what a drawing needs. Times are run time in milliseconds; rows are
// arrays, their columns are named by the comment here and in lab/report/html.
#include "lab/report/html_fold.h"

#include "lab/base/json.h"
#include "lab/base/json_write.h"
#include "lab/report/report.h"

enum {
    ROWS_MAX = 6000,        // rows of the event list
    RANGES_MAX = 2000,      // of lost ids
    NOISE_FLOOR_US = 20000, // lateness below this is nothing to look at
};

// ---- parts
static void put_run(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    json_begin(out, "run", "{");
    json_put_text(out, "lab", p->begin.u.RUN_BEGIN.lab);
    json_put_text(out, "program", p->begin.u.RUN_BEGIN.program);
    json_put_text(out, "tcp_cc", p->begin.u.RUN_BEGIN.tcp_cc);
    json_put_ms(out, "wall", p->begin.u.RUN_BEGIN.wall);
    json_put_ms(out, "end", p->end);
    json_put_ms(out, "period", m->outage.period);
    json_put_ms(out, "latency", m->outage.latency);
    json_put_ms(out, "threshold", m->outage.threshold);
    json_put_int(out, "noisy_seconds", m->noise.seconds);
    json_put_int(out, "attempts_missing", m->outage.attempts_missing);
    json_put_text(out, "end_detail", m->run.end_detail);
    json_put_text(out, "foreign_nodes", m->writes.foreign_nodes);
    json_put_ms(out, "read_outage_start", m->read_outage.start);
    json_end(out, "}");
}

static void put_services(struct strbuf *out, unsigned services) {
    json_begin(out, "services", "[");
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if ((services & service_words[i].bit) &&
            !service_words[i].with) { // the page's word for PostgreSQL names the manager, too
            json_put_text(out, NULL, service_words[i].word);
        }
    json_end(out, "]");
}

static void put_segments(struct strbuf *out, const char *name, const segment_list *l) { // [lane, from, to]
    json_begin(out, name, "[");
    VEC_FOREACH (l, s) {
        json_begin(out, NULL, "[");
        json_put_int(out, NULL, (int)s->lane);
        json_put_ms(out, NULL, s->from);
        json_put_ms_or_null(out, NULL, s->to);
        json_end(out, "]");
    }
    json_end(out, "]");
}

static void put_nodes(const struct html_page *p, struct strbuf *out) {
    json_begin(out, "nodes", "[");
    for (size_t i = 0; i < p->model->n_nodes; i++) {
        const struct model_node *n = &p->model->nodes[i];
        json_begin(out, NULL, "{");
        json_put_text(out, "name", n->name);
        json_put_text(out, "address", n->address);
        put_services(out, n->services);
        put_segments(out, "lane", &p->lanes[i]);
        put_segments(out, "arbiter", &p->arbiters[i]);
        json_end(out, "}");
    }
    json_end(out, "]");
}

static void put_app_holes(const struct measures *m, struct strbuf *out) { // [from, to]
    json_begin(out, "app_holes", "[");
    VEC_FOREACH (&m->holes, h) {
        if (h->source != WATCH_APPLICATION)
            continue;
        json_begin(out, NULL, "[");
        json_put_ms(out, NULL, h->from);
        json_put_ms(out, NULL, h->to);
        json_end(out, "]");
    }
    json_end(out, "]");
}

static void put_lane_names(const struct ha_kind *kind, struct strbuf *out) {
    json_begin(out, "lanes", "[");
#define X(name, text)                                                                                                  \
    json_begin(out, NULL, "[");                                                                                        \
    json_put_text(out, NULL, #name);                                                                                   \
    json_put_text(out, NULL, text);                                                                                    \
    json_end(out, "]");
    LANES(X)
    json_end(out, "]");
    json_begin(out, "arbiter_lanes", "[");
    ARBITER_LANES(X)
#undef X
    json_end(out, "]");
}

// What the page calls the things of the system that manages the cluster.
static void put_system(const struct ha_kind *kind, struct strbuf *out) {
    json_begin(out, "system", "{");
    json_put_text(out, "title", kind->title);
    json_put_text(out, "manager", kind->manager);
    json_put_text(out, "arbiter", *kind->arbiters ? services_first(SERVICES_ARBITER) : "");
    json_put_text(out, "arbiters", kind->arbiters);
    json_put_text(out, "lead", kind->lead);
    json_put_text(out, "gone", kind->phase.gone);
    json_put_text(out, "given", kind->phase.given);
    json_put_text(out, "kept", kind->phase.kept);
    json_end(out, "}");
}

static void put_spans(struct strbuf *out, const char *name, const span_list *l) { // [who, from, to]
    json_begin(out, name, "[");
    VEC_FOREACH (l, s) {
        json_begin(out, NULL, "[");
        json_put_text(out, NULL, s->who);
        json_put_ms(out, NULL, s->from);
        json_put_ms_or_null(out, NULL, s->to);
        json_end(out, "]");
    }
    json_end(out, "]");
}

static void put_key(const struct measures *m, struct strbuf *out) {
    span_list key = {0};
    for (size_t i = 0; m->leadership && i < m->leadership->keys.n; i++)
        html_span_note(&key, m->leadership->keys.items[i].t, m->leadership->keys.items[i].value);
    put_spans(out, "key", &key);
    VEC_DONE(&key);
}

// [renewed, error, ttl, holder]: the observer narrows one renewal down with each answer.
static void put_leases(const struct measures *m, struct strbuf *out) {
    const struct leadership *l = m->leadership;
    json_begin(out, "leases", "[");
    for (size_t i = 0; l && i < l->renewals.n;) {
        const struct renewal_seen *best = &l->renewals.items[i];
        for (i++; i < l->renewals.n && str_eq(l->renewals.items[i].holder, best->holder) &&
                  renewal_same(&l->renewals.items[i].renewal, &best->renewal);
             i++)
            if (l->renewals.items[i].renewal.error <= best->renewal.error)
                best = &l->renewals.items[i];
        json_begin(out, NULL, "[");
        json_put_ms(out, NULL, best->renewal.at);
        json_put_ms(out, NULL, best->renewal.error);
        json_put_ms(out, NULL, best->renewal.ttl);
        json_put_text(out, NULL, best->holder);
        json_end(out, "]");
    }
    json_end(out, "]");
}

// [from, length, w_ok, w_failed, w_unknown, r_ok, r_failed, w_max_us, r_max_us, w_low]
static void put_ticks(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    tick_list ticks = {0};
    usec_t step = 0;
    html_ticks(p, m, &ticks, &step);
    json_put_ms(out, "step", step);
    json_begin(out, "ticks", "[");
    VEC_FOREACH (&ticks, k) {
        json_begin(out, NULL, "[");
        json_put_usec(out, NULL, k->from / 1000);
        json_put_usec(out, NULL, k->length / 1000);
        const int64_t columns[] = {k->w_ok,     k->w_failed, k->w_unknown, k->r_ok,
                                   k->r_failed, k->w_max_us, k->r_max_us,  k->w_low};
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
            json_put_int(out, NULL, columns[i]);
        json_end(out, "]");
    }
    json_end(out, "]");
    VEC_DONE(&ticks);
}

static void put_row(struct strbuf *out, const struct ha_kind *kind,
                    const struct html_row *r) { // [t, kind, weight, node, service, level, text, count, last, marks]
    json_begin(out, NULL, "[");
    json_put_ms(out, NULL, r->t);
    json_put_text(out, NULL, r->kind);
    json_put_int(out, NULL, (int)r->weight);
    json_put_text(out, NULL, r->node);
    json_put_text(out, NULL, r->service);
    json_put_text(out, NULL, r->level);
    json_put_text(out, NULL, r->text);
    bool marks = str_eq(r->kind, "log") && story_line_marks_step(kind, r->service, r->text);
    if (r->count > 1 || marks) {
        json_put_int(out, NULL, r->count);
        json_put_ms(out, NULL, r->last);
    }
    if (marks)
        json_put_int(out, NULL, 1);
    json_end(out, "]");
}

// A list too long to be read loses its details first, then what happened far from faults and outage; never the main things.
static bool row_fits(const struct html_row *r, const struct measures *m, int strictness) {
    if (r->weight == TOLD_MAIN || strictness == 0)
        return true;
    if (strictness == 1)
        return html_interesting(m, r->t) || r->weight == TOLD_EVENT;
    return html_interesting(m, r->t) && (strictness == 2 || r->weight == TOLD_EVENT);
}

static void put_rows(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    int strictness = 0;
    for (; strictness < 3; strictness++) {
        size_t n = 0;
        VEC_FOREACH (&p->rows, r)
            n += row_fits(r, m, strictness);
        if (n <= ROWS_MAX)
            break;
    }
    size_t n = 0;
    json_begin(out, "rows", "[");
    VEC_FOREACH (&p->rows, r)
        if (row_fits(r, m, strictness) && n++ < ROWS_MAX)
            put_row(out, p->model->kind, r);
    json_end(out, "]");
    json_put_int(out, "rows_left_out", (int64_t)(p->rows.n - (n < ROWS_MAX ? n : ROWS_MAX)));
}

static void put_story(const struct html_page *p, struct strbuf *out) { // [t, mood, weight, kind, node, text, detail]
    static const char *const moods[] = {
        [MOOD_NEUTRAL] = "", [MOOD_GOOD] = "good", [MOOD_BAD] = "bad", [MOOD_WARN] = "warn"};
    json_begin(out, "story", "[");
    for (size_t i = 0; i < story_count(p->story); i++) {
        const struct moment *m = story_at(p->story, i);
        cleanup_strbuf struct strbuf text = {0};
        if (m->weight < TOLD_EVENT)
            continue;
        moment_text(m, &text);
        json_begin(out, NULL, "[");
        json_put_ms(out, NULL, m->t);
        json_put_text(out, NULL, moods[m->mood]);
        json_put_int(out, NULL, (int)m->weight);
        json_put_text(out, NULL, moment_kind_name(m->kind));
        json_put_text(out, NULL, m->node);
        json_put_text(out, NULL, strbuf_str(&text));
        json_put_text(out, NULL, m->detail);
        json_end(out, "]");
    }
    json_end(out, "]");
}

static void put_what(const struct measures *m,
                     struct strbuf *out) { // how each fault came about, in the injector's words
    json_begin(out, "what", "[");
    VEC_FOREACH (&m->faults, f) {
        json_put_text(out, NULL, f->what);
    }
    json_end(out, "]");
}

static void put_ranges(const struct html_page *p, struct strbuf *out, const char *name, const range_list *l) {
    json_begin(out, name, "["); // [from, to, first, last, node]
    for (size_t i = 0; i < l->n && i < RANGES_MAX; i++) {
        const struct html_range *r = &l->items[i];
        json_begin(out, NULL, "[");
        json_put_int(out, NULL, (int64_t)r->from);
        json_put_int(out, NULL, (int64_t)r->to);
        json_put_ms(out, NULL, r->first);
        json_put_ms(out, NULL, r->last);
        json_put_text(out, NULL, r->node >= 0 && r->node < (int)p->model->n_nodes ? p->model->nodes[r->node].name : "");
        json_end(out, "]");
    }
    json_end(out, "]");
}

static int64_t range_count(const range_list *l) {
    int64_t n = 0;
    VEC_FOREACH (l, r)
        n += (int64_t)(r->to - r->from + 1);
    return n;
}

// Ids are shown when they are those that measure counted; a page that contradicts itself would be worse than one without ids.
static void put_lost(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    range_list lost = {0}, unexpected = {0};
    if (m->writes.checked)
        html_lost(p, &lost, &unexpected);
    if (m->writes.checked && range_count(&lost) == m->writes.lost)
        put_ranges(p, out, "lost", &lost);
    if (m->writes.checked && range_count(&unexpected) == m->writes.unexpected)
        put_ranges(p, out, "unexpected", &unexpected);
    json_put_int(out, "lost_ranges", (int64_t)lost.n);
    VEC_DONE(&lost);
    VEC_DONE(&unexpected);
}

static void put_noise(const struct html_page *p, struct strbuf *out) { // [t, p99]
    json_begin(out, "noise", "[");
    VEC_FOREACH (&p->noise, n)
        if (n->p99_us >= NOISE_FLOOR_US) {
            json_begin(out, NULL, "[");
            json_put_ms(out, NULL, n->t);
            json_put_ms(out, NULL, (usec_t)n->p99_us);
            json_end(out, "]");
        }
    json_end(out, "]");
}

static void put_settings(const struct html_page *p, struct strbuf *out) { // [key, node, value, changes]
    json_begin(out, "settings", "[");
    VEC_FOREACH (&p->settings, s) {
        json_begin(out, NULL, "[");
        json_put_text(out, NULL, s->key);
        json_put_text(out, NULL, s->node);
        json_put_text(out, NULL, s->value);
        json_put_int(out, NULL, s->changes);
        json_end(out, "]");
    }
    json_end(out, "]");
}

static void put_steps(const struct html_page *p, struct strbuf *out) { // [index, name, state, detail, t]
    json_begin(out, "steps", "[");
    VEC_FOREACH (&p->steps, s) {
        json_begin(out, NULL, "[");
        json_put_int(out, NULL, s->index);
        json_put_text(out, NULL, s->name);
        json_put_text(out, NULL, step_status_name(s->state));
        json_put_text(out, NULL, s->detail);
        json_put_ms(out, NULL, s->t);
        json_end(out, "]");
    }
    json_end(out, "]");
}

static void put_plan(const struct html_page *p, struct strbuf *out) {
    const cJSON *topology = cJSON_GetObjectItemCaseSensitive(p->plan, "topology");
    json_put_text(out, "lesson", json_str(p->plan, "lesson", ""));
    json_put_text(out, "topology_title", json_str(topology, "title", ""));
    json_begin(out, "overrides", "["); // ["postgresql.max_connections=90", ...]
    for (const char *line = p->overrides ? p->overrides : ""; *line; line += strspn(line, "\n")) {
        size_t n = strcspn(line, "\n");
        cleanup_free char *one = xstrndup(line, n);
        json_put_text(out, NULL, one);
        line += n;
    }
    json_end(out, "]");
}

static void put_files(const struct html_page *p, struct strbuf *out) { // [path, nodes, text]
    json_begin(out, "files", "[");
    VEC_FOREACH (&p->files, f) {
        json_begin(out, NULL, "[");
        json_put_text(out, NULL, f->path);
        json_put_text(out, NULL, f->nodes);
        json_put_text(out, NULL, f->text);
        json_end(out, "]");
    }
    json_end(out, "]");
}

void html_data(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    strbuf_add(out, "{");
    json_put_key(out, "result");
    report_json(m, out);
    put_run(p, m, out);
    put_lane_names(p->model->kind, out);
    put_system(p->model->kind, out);
    put_nodes(p, out);
    put_app_holes(m, out);
    put_key(m, out);
    put_spans(out, "servers", &p->servers);
    put_leases(m, out);
    put_ticks(p, m, out);
    put_noise(p, out);
    put_rows(p, m, out);
    put_story(p, out);
    put_what(m, out);
    put_lost(p, m, out);
    put_settings(p, out);
    put_steps(p, out);
    html_links_put(p, out);
    put_plan(p, out);
    put_files(p, out);
    strbuf_add(out, "}\n");
}
