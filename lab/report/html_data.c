// SPDX-License-Identifier: PostgreSQL
// The page's JSON block: result.json as it is, and beside it what a drawing needs. Times are run time in milliseconds; rows are
// arrays, their columns are named by the comment here and in lab/report/html.
#include "lab/report/html_fold.h"

#include "lab/base/json.h"
#include "lab/report/report.h"

enum {
    ROWS_MAX = 6000,        // rows of the event list
    RANGES_MAX = 2000,      // of lost ids
    NOISE_FLOOR_US = 20000, // lateness below this is nothing to look at
};

// ---- small pieces
static void put_ms(struct strbuf *out, usec_t t) {
    strbuf_addf(out, "%" PRIu64, t / 1000);
    if (t % 1000)
        strbuf_addf(out, ".%03" PRIu64, t % 1000);
}
static void put_end(struct strbuf *out, usec_t t) { // of something that may still last: null
    if (t == USEC_NEVER)
        strbuf_add(out, "null");
    else
        put_ms(out, t);
}
static void comma(struct strbuf *out) {
    char last = out->len ? out->data[out->len - 1] : '[';
    if (last != '[' && last != '{')
        strbuf_add(out, ",");
}
static void key(struct strbuf *out, const char *name) {
    comma(out);
    json_quote(out, name);
    strbuf_add(out, ":");
}
static void str(struct strbuf *out, const char *name, const char *v) {
    key(out, name);
    json_quote(out, v);
}
static void num(struct strbuf *out, const char *name, int64_t v) {
    key(out, name);
    strbuf_addf(out, "%" PRId64, v);
}
static void ms(struct strbuf *out, const char *name, usec_t t) {
    key(out, name);
    put_ms(out, t);
}

// ---- parts
static void put_run(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    key(out, "run");
    strbuf_add(out, "{");
    str(out, "lab", p->begin.u.RUN_BEGIN.lab);
    str(out, "program", p->begin.u.RUN_BEGIN.program);
    str(out, "tcp_cc", p->begin.u.RUN_BEGIN.tcp_cc);
    ms(out, "wall", p->begin.u.RUN_BEGIN.wall);
    ms(out, "end", p->end);
    ms(out, "period", m->outage.period);
    ms(out, "latency", m->outage.latency);
    ms(out, "threshold", m->outage.threshold);
    num(out, "noisy_seconds", m->noise.seconds);
    num(out, "attempts_missing", m->outage.attempts_missing);
    str(out, "end_detail", m->run.end_detail);
    str(out, "foreign_nodes", m->writes.foreign_nodes);
    ms(out, "read_outage_start", m->read_outage.start);
    strbuf_add(out, "}");
}

static void put_services(struct strbuf *out, unsigned services) {
    key(out, "services");
    strbuf_add(out, "[");
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if ((services & service_words[i].bit) &&
            !service_words[i].with) { // the page's word for PostgreSQL names the manager, too
            comma(out);
            json_quote(out, service_words[i].word);
        }
    strbuf_add(out, "]");
}

static void put_segments(struct strbuf *out, const char *name, const segment_list *l) { // [lane, from, to]
    key(out, name);
    strbuf_add(out, "[");
    VEC_FOREACH (l, s) {
        comma(out);
        strbuf_addf(out, "[%d,", (int)s->lane);
        put_ms(out, s->from);
        strbuf_add(out, ",");
        put_end(out, s->to);
        strbuf_add(out, "]");
    }
    strbuf_add(out, "]");
}

static void put_nodes(const struct html_page *p, struct strbuf *out) {
    key(out, "nodes");
    strbuf_add(out, "[");
    for (size_t i = 0; i < p->model->n_nodes; i++) {
        const struct model_node *n = &p->model->nodes[i];
        comma(out);
        strbuf_add(out, "{");
        str(out, "name", n->name);
        str(out, "address", n->address);
        put_services(out, n->services);
        put_segments(out, "lane", &p->lanes[i]);
        put_segments(out, "arbiter", &p->arbiters[i]);
        strbuf_add(out, "}");
    }
    strbuf_add(out, "]");
}

static void put_app_holes(const struct measures *m, struct strbuf *out) { // [from, to]
    key(out, "app_holes");
    strbuf_add(out, "[");
    VEC_FOREACH (&m->holes, h) {
        if (h->source != WATCH_APPLICATION)
            continue;
        comma(out);
        strbuf_add(out, "[");
        put_ms(out, h->from);
        strbuf_add(out, ",");
        put_ms(out, h->to);
        strbuf_add(out, "]");
    }
    strbuf_add(out, "]");
}

static void put_lane_names(const struct ha_kind *kind, struct strbuf *out) {
    key(out, "lanes");
    strbuf_add(out, "[");
#define X(name, text)                                                                                                  \
    comma(out);                                                                                                        \
    strbuf_add(out, "[\"" #name "\",");                                                                                \
    json_quote(out, text);                                                                                             \
    strbuf_add(out, "]");
    LANES(X)
    strbuf_add(out, "]");
    key(out, "arbiter_lanes");
    strbuf_add(out, "[");
    ARBITER_LANES(X)
#undef X
    strbuf_add(out, "]");
}

// What the page calls the things of the system that manages the cluster.
static void put_system(const struct ha_kind *kind, struct strbuf *out) {
    key(out, "system");
    strbuf_add(out, "{");
    str(out, "title", kind->title);
    str(out, "manager", kind->manager);
    str(out, "arbiter", *kind->arbiters ? services_first(SERVICES_ARBITER) : "");
    str(out, "arbiters", kind->arbiters);
    str(out, "lead", kind->lead);
    str(out, "gone", kind->phase.gone);
    str(out, "given", kind->phase.given);
    str(out, "kept", kind->phase.kept);
    strbuf_add(out, "}");
}

static void put_spans(struct strbuf *out, const char *name, const span_list *l) { // [who, from, to]
    key(out, name);
    strbuf_add(out, "[");
    VEC_FOREACH (l, s) {
        comma(out);
        strbuf_add(out, "[");
        json_quote(out, s->who);
        strbuf_add(out, ",");
        put_ms(out, s->from);
        strbuf_add(out, ",");
        put_end(out, s->to);
        strbuf_add(out, "]");
    }
    strbuf_add(out, "]");
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
    key(out, "leases");
    strbuf_add(out, "[");
    for (size_t i = 0; l && i < l->renewals.n;) {
        const struct renewal_seen *best = &l->renewals.items[i];
        for (i++; i < l->renewals.n && str_eq(l->renewals.items[i].holder, best->holder) &&
                  renewal_same(&l->renewals.items[i].renewal, &best->renewal);
             i++)
            if (l->renewals.items[i].renewal.error <= best->renewal.error)
                best = &l->renewals.items[i];
        comma(out);
        strbuf_add(out, "[");
        put_ms(out, best->renewal.at);
        strbuf_add(out, ",");
        put_ms(out, best->renewal.error);
        strbuf_add(out, ",");
        put_ms(out, best->renewal.ttl);
        strbuf_add(out, ",");
        json_quote(out, best->holder);
        strbuf_add(out, "]");
    }
    strbuf_add(out, "]");
}

// [from, length, w_ok, w_failed, w_unknown, r_ok, r_failed, w_max_us, r_max_us, w_low]
static void put_ticks(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    tick_list ticks = {0};
    usec_t step = 0;
    html_ticks(p, m, &ticks, &step);
    ms(out, "step", step);
    key(out, "ticks");
    strbuf_add(out, "[");
    VEC_FOREACH (&ticks, k) {
        comma(out);
        strbuf_addf(out, "[%" PRIu64 ",%" PRIu64, k->from / 1000, k->length / 1000);
        const int64_t columns[] = {k->w_ok,     k->w_failed, k->w_unknown, k->r_ok,
                                   k->r_failed, k->w_max_us, k->r_max_us,  k->w_low};
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
            strbuf_addf(out, ",%" PRId64, columns[i]);
        strbuf_add(out, "]");
    }
    strbuf_add(out, "]");
    VEC_DONE(&ticks);
}

static void put_row(struct strbuf *out,
                    const struct html_row *r) { // [t, kind, weight, node, service, level, text, count, last, marks]
    comma(out);
    strbuf_add(out, "[");
    put_ms(out, r->t);
    strbuf_addf(out, ",\"%s\",%d,", r->kind, (int)r->weight);
    const char *words[] = {r->node, r->service, r->level, r->text};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        json_quote(out, words[i]);
        strbuf_add(out, i + 1 < ARRAY_SIZE(words) ? "," : "");
    }
    bool marks = str_eq(r->kind, "log") && story_line_marks_step(r->service, r->text);
    if (r->count > 1 || marks) {
        strbuf_addf(out, ",%" PRId64 ",", r->count);
        put_ms(out, r->last);
    }
    if (marks)
        strbuf_add(out, ",1");
    strbuf_add(out, "]");
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
    key(out, "rows");
    strbuf_add(out, "[");
    VEC_FOREACH (&p->rows, r)
        if (row_fits(r, m, strictness) && n++ < ROWS_MAX)
            put_row(out, r);
    strbuf_add(out, "]");
    num(out, "rows_left_out", (int64_t)(p->rows.n - (n < ROWS_MAX ? n : ROWS_MAX)));
}

static void put_story(const struct html_page *p, struct strbuf *out) { // [t, mood, weight, kind, node, text, detail]
    static const char *const moods[] = {
        [MOOD_NEUTRAL] = "", [MOOD_GOOD] = "good", [MOOD_BAD] = "bad", [MOOD_WARN] = "warn"};
    key(out, "story");
    strbuf_add(out, "[");
    for (size_t i = 0; i < story_count(p->story); i++) {
        const struct moment *m = story_at(p->story, i);
        cleanup_strbuf struct strbuf text = {0};
        if (m->weight < TOLD_EVENT)
            continue;
        moment_text(m, &text);
        comma(out);
        strbuf_add(out, "[");
        put_ms(out, m->t);
        strbuf_addf(out, ",\"%s\",%d,\"%s\",", moods[m->mood], (int)m->weight, moment_kind_name(m->kind));
        const char *words[] = {m->node, strbuf_str(&text), m->detail};
        for (size_t w = 0; w < ARRAY_SIZE(words); w++) {
            json_quote(out, words[w]);
            strbuf_add(out, w + 1 < ARRAY_SIZE(words) ? "," : "]");
        }
    }
    strbuf_add(out, "]");
}

static void put_what(const struct measures *m,
                     struct strbuf *out) { // how each fault came about, in the injector's words
    key(out, "what");
    strbuf_add(out, "[");
    VEC_FOREACH (&m->faults, f) {
        comma(out);
        json_quote(out, f->what);
    }
    strbuf_add(out, "]");
}

static void put_ranges(const struct html_page *p, struct strbuf *out, const char *name, const range_list *l) {
    key(out, name); // [from, to, first, last, node]
    strbuf_add(out, "[");
    for (size_t i = 0; i < l->n && i < RANGES_MAX; i++) {
        const struct html_range *r = &l->items[i];
        comma(out);
        strbuf_addf(out, "[%" PRIu64 ",%" PRIu64 ",", r->from, r->to);
        put_ms(out, r->first);
        strbuf_add(out, ",");
        put_ms(out, r->last);
        strbuf_add(out, ",");
        json_quote(out, r->node >= 0 && r->node < (int)p->model->n_nodes ? p->model->nodes[r->node].name : "");
        strbuf_add(out, "]");
    }
    strbuf_add(out, "]");
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
    num(out, "lost_ranges", (int64_t)lost.n);
    VEC_DONE(&lost);
    VEC_DONE(&unexpected);
}

static void put_noise(const struct html_page *p, struct strbuf *out) { // [t, p99]
    key(out, "noise");
    strbuf_add(out, "[");
    VEC_FOREACH (&p->noise, n)
        if (n->p99_us >= NOISE_FLOOR_US) {
            comma(out);
            strbuf_add(out, "[");
            put_ms(out, n->t);
            strbuf_add(out, ",");
            put_ms(out, (usec_t)n->p99_us);
            strbuf_add(out, "]");
        }
    strbuf_add(out, "]");
}

static void put_settings(const struct html_page *p, struct strbuf *out) { // [key, node, value, changes]
    key(out, "settings");
    strbuf_add(out, "[");
    VEC_FOREACH (&p->settings, s) {
        comma(out);
        strbuf_add(out, "[");
        json_quote(out, s->key);
        strbuf_add(out, ",");
        json_quote(out, s->node);
        strbuf_add(out, ",");
        json_quote(out, s->value);
        strbuf_addf(out, ",%" PRId64 "]", s->changes);
    }
    strbuf_add(out, "]");
}

static void put_steps(const struct html_page *p, struct strbuf *out) { // [index, name, state, detail, t]
    key(out, "steps");
    strbuf_add(out, "[");
    VEC_FOREACH (&p->steps, s) {
        comma(out);
        strbuf_addf(out, "[%" PRId64 ",", s->index);
        json_quote(out, s->name);
        strbuf_add(out, ",");
        json_quote(out, step_status_name(s->state));
        strbuf_add(out, ",");
        json_quote(out, s->detail);
        strbuf_add(out, ",");
        put_ms(out, s->t);
        strbuf_add(out, "]");
    }
    strbuf_add(out, "]");
}

static void put_plan(const struct html_page *p, struct strbuf *out) {
    const cJSON *topology = cJSON_GetObjectItemCaseSensitive(p->plan, "topology");
    str(out, "lesson", json_str(p->plan, "lesson", ""));
    str(out, "topology_title", json_str(topology, "title", ""));
    key(out, "overrides"); // ["postgresql.max_connections=90", ...]
    strbuf_add(out, "[");
    for (const char *line = p->overrides ? p->overrides : ""; *line; line += strspn(line, "\n")) {
        size_t n = strcspn(line, "\n");
        cleanup_free char *one = xstrndup(line, n);
        comma(out);
        json_quote(out, one);
        line += n;
    }
    strbuf_add(out, "]");
}

static void put_files(const struct html_page *p, struct strbuf *out) { // [path, nodes, text]
    key(out, "files");
    strbuf_add(out, "[");
    VEC_FOREACH (&p->files, f) {
        comma(out);
        strbuf_add(out, "[");
        json_quote(out, f->path);
        strbuf_add(out, ",");
        json_quote(out, f->nodes);
        strbuf_add(out, ",");
        json_quote(out, f->text);
        strbuf_add(out, "]");
    }
    strbuf_add(out, "]");
}

void html_data(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    strbuf_add(out, "{");
    key(out, "result");
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
