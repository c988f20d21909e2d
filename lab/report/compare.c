// SPDX-License-Identifier: PostgreSQL
// One table of rows for text and JSON: what is compared is decided here once, and written by two printers.
#include "lab/report/compare_internal.h"

#include <stdio.h>

#include "lab/base/json.h"
#include "lab/report/paint.h"

static const int COMPARE_SCHEMA = 1;

void compare_take(struct compare_run *run, const struct event *ev) {
    if (ev->kind != EVENT_CONFIG || *ev->u.CONFIG.node)
        return;
    struct compare_setting *found = NULL;
    VEC_FOREACH (&run->settings, s)
        if (str_eq(s->key, ev->u.CONFIG.key))
            found = s;
    if (!found) {
        found = VEC_ADD(&run->settings);
        STR_COPY(found->key, ev->u.CONFIG.key);
    }
    STR_COPY(found->value, ev->u.CONFIG.value);
}

// ---- what differs --------------------------------------------------------------------------------------------------

struct fact { // one row of words
    char name[EVENT_NAME_MAX + 32];
    char value[COMPARE_RUNS_MAX][EVENT_TEXT_MAX]; // "" = this run does not say
};
typedef VEC(struct fact) fact_list;

static struct fact *fact_named(fact_list *facts, const char *name) {
    VEC_FOREACH (facts, f)
        if (str_eq(f->name, name))
            return f;
    struct fact *f = VEC_ADD(facts);
    STR_COPY(f->name, name);
    return f;
}

static void add_fact(fact_list *facts, const char *name, size_t run, const char *value) {
    STR_COPY(fact_named(facts, name)->value[run], value);
}

static void add_machine(fact_list *facts, size_t i, const struct measures *m) {
    char text[64];
    add_fact(facts, "scenario", i, m->run.scenario);
    add_fact(facts, "topology", i, m->run.topology);
    (void)snprintf(text, sizeof text, "%" PRIu64, m->run.seed);
    add_fact(facts, "seed", i, text);
    add_fact(facts, "kernel", i, m->run.kernel);
    (void)snprintf(text, sizeof text, "%" PRId64, m->run.cpus);
    add_fact(facts, "processors", i, text);
    (void)snprintf(text, sizeof text, "%.0f ms", (double)m->outage.period / 1e3);
    add_fact(facts, "write period", i, text);
}

static void add_versions(fact_list *facts, size_t i, const struct measures *m) {
    char name[EVENT_NAME_MAX + 32];
    VEC_FOREACH (&m->versions, v) {
        (void)snprintf(name, sizeof name, "%s%s%.24s", v->component, *v->nodes ? " of " : "", v->nodes);
        add_fact(facts, name, i, v->version);
    }
}

static bool differs(const struct fact *f, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (!str_eq(f->value[0], f->value[i]))
            return true;
    return false;
}

// Settings before versions before the machine: what somebody turned on purpose comes first.
static void gather_facts(const compare_list *runs, fact_list *out) {
    fact_list all = {0};
    for (size_t i = 0; i < runs->n; i++)
        VEC_FOREACH (&runs->items[i].settings, s)
            add_fact(&all, s->key, i, s->value);
    for (size_t i = 0; i < runs->n; i++)
        add_versions(&all, i, runs->items[i].m);
    for (size_t i = 0; i < runs->n; i++)
        add_machine(&all, i, runs->items[i].m);
    VEC_FOREACH (&all, f)
        if (differs(f, runs->n))
            VEC_PUSH(out, *f);
    VEC_DONE(&all);
}

// ---- the numbers ---------------------------------------------------------------------------------------------------

struct number { // one row of numbers
    const char *name;
    bool is_time; // µs, else a count
    struct {
        bool known;
        double value, error;
    } of[COMPARE_RUNS_MAX];
};
typedef VEC(struct number) number_list;

static void set_number(struct number *row, size_t run, bool known, double value, double error) {
    row->of[run].known = known;
    row->of[run].value = value;
    row->of[run].error = error;
}

static struct number *add_row(number_list *rows, const char *name, bool is_time) {
    struct number *row = VEC_ADD(rows);
    row->name = name;
    row->is_time = is_time;
    return row;
}

static bool any_known(const struct number *row, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (row->of[i].known)
            return true;
    return false;
}

static void add_outage(const compare_list *runs, number_list *rows) {
    struct number *row = add_row(rows, "write outage", true);
    for (size_t i = 0; i < runs->n; i++) {
        const struct measures *m = runs->items[i].m;
        set_number(row, i, m->writes.attempted > 0 && !m->outage.open, (double)m->outage.length,
                   (double)m->outage.resolution);
    }
}

static void add_phases(const compare_list *runs, number_list *rows) {
    for (int p = 0; p < PHASE_COUNT; p++) {
        struct number row = {.name = NULL, .is_time = true};
        for (size_t i = 0; i < runs->n; i++) {
            const struct phase *h = &runs->items[i].m->phases.list[p];
            if (h->present)
                row.name = h->name;
            set_number(&row, i, h->present, (double)h->duration, (double)h->error);
        }
        if (row.name)
            VEC_PUSH(rows, row);
    }
}

static void add_losses(const compare_list *runs, number_list *rows) {
    struct number *row = add_row(rows, "writes lost", false);
    for (size_t i = 0; i < runs->n; i++)
        set_number(row, i, runs->items[i].m->writes.checked, (double)runs->items[i].m->writes.lost, 0);
    row = add_row(rows, "writes failed", false);
    for (size_t i = 0; i < runs->n; i++)
        set_number(row, i, runs->items[i].m->writes.attempted > 0, (double)runs->items[i].m->writes.failed, 0);
    row = add_row(rows, "split brain", true);
    for (size_t i = 0; i < runs->n; i++)
        set_number(row, i, runs->items[i].m->split_brain.min > 0, (double)runs->items[i].m->split_brain.min, 0);
}

static void gather_numbers(const compare_list *runs, number_list *out) {
    number_list all = {0};
    add_outage(runs, &all);
    add_phases(runs, &all);
    add_losses(runs, &all);
    VEC_FOREACH (&all, row)
        if (any_known(row, runs->n))
            VEC_PUSH(out, *row);
    VEC_DONE(&all);
}

// ---- text ----------------------------------------------------------------------------------------------------------

enum { HEAD = 25, COLUMN = 12 }; // widths; four runs fit into 80 columns

char compare_letter(size_t i) {
    return (char)('A' + (int)i);
}

// What is read from a damaged record, or from one that is not over, is no result, and neither is its difference to another.
static bool is_result(const struct compare_run *run) {
    enum record_state s = record_state(run->m->run.record);
    return s != RECORD_DAMAGED && s != RECORD_LIVE;
}

static bool all_results(const compare_list *runs) {
    VEC_FOREACH (runs, r)
        if (!is_result(r))
            return false;
    return true;
}

static void put_record(const struct record_proof *r, const struct report_style *style, struct strbuf *out) {
    cleanup_strbuf struct strbuf words = {0};
    record_words(r, &words);
    if (!words.len)
        return;
    bool bad = record_state(r) == RECORD_DAMAGED;
    strbuf_add(out, "   ");
    paint_add(out, style, bad ? PAINT_BAD : PAINT_WARN, bad ? "!" : "?");
    strbuf_add(out, " the record: ");
    paint_wrap(out, style, 17, 5, strbuf_str(&words));
}

static void put_names(const compare_list *runs, const struct report_style *style, struct strbuf *out) {
    for (size_t i = 0; i < runs->n; i++) {
        enum paint colour;
        const char *verdict = paint_verdict(runs->items[i].m->verdict, &colour);
        strbuf_addf(out, "%c  ", compare_letter(i));
        paint_clean(out, style, runs->items[i].name);
        strbuf_add(out, "  ");
        paint_add(out, style, colour, verdict);
        strbuf_addn(out, "\n", 1);
        put_record(runs->items[i].m->run.record, style, out);
    }
}

static void put_heads(const compare_list *runs, const char *title, const struct report_style *style,
                      struct strbuf *out) {
    cleanup_strbuf struct strbuf head = {0};
    strbuf_addf(&head, "%-*s", HEAD, title);
    for (size_t i = 0; i < runs->n; i++) {
        const char name[] = {compare_letter(i), is_result(&runs->items[i]) ? '\0' : '!', '\0'};
        strbuf_addf(&head, "%*s", COLUMN, name);
    }
    strbuf_addn(out, "\n", 1);
    paint_add(out, style, PAINT_BOLD, strbuf_str(&head));
}

// Cuts what is wider than a column: a long value (pg_hba rules) is read in full in --json.
static void put_word(const char *value, const struct report_style *style, struct strbuf *out) {
    char cut[COLUMN];
    bool whole = STR_COPY(cut, *value ? value : "-");
    if (!whole)
        cut[COLUMN - 3] = cut[COLUMN - 2] = '.';
    strbuf_addf(out, "%*s", COLUMN - (int)strlen(cut), "");
    paint_clean(out, style, cut);
}

static void put_facts(const compare_list *runs, const fact_list *facts, const struct report_style *style,
                      struct strbuf *out) {
    if (!facts->n) {
        strbuf_add(out, "\nSettings, versions, topology and machine are the same.\n");
        return;
    }
    put_heads(runs, "What differs", style, out);
    strbuf_addn(out, "\n", 1);
    VEC_FOREACH (facts, f) {
        char name[HEAD - 1];
        STR_COPY(name, f->name);
        strbuf_add(out, "  ");
        paint_cell(out, style, HEAD - 2, name);
        for (size_t i = 0; i < runs->n; i++)
            put_word(f->value[i], style, out);
        strbuf_addn(out, "\n", 1);
    }
}

static void format_number(const struct number *row, size_t i, char *out, size_t size) {
    if (!row->of[i].known)
        (void)snprintf(out, size, "-");
    else if (row->is_time)
        (void)snprintf(out, size, "%.*f s", row->of[i].error >= 100000 ? 1 : 2, row->of[i].value / 1e6);
    else
        (void)snprintf(out, size, "%.0f", row->of[i].value);
}

// The difference of two runs, with its sign, or "same" where it is inside what the two can resolve.
static void format_difference(const struct number *row, char *out, size_t size) {
    double d = row->of[1].value - row->of[0].value, error = row->of[0].error + row->of[1].error;
    if (!row->of[0].known || !row->of[1].known)
        (void)snprintf(out, size, "-");
    else if ((d < 0 ? -d : d) <= error)
        (void)snprintf(out, size, row->is_time ? "same (+-%.2f)" : "same", error / 1e6);
    else if (row->is_time)
        (void)snprintf(out, size, "%+.2f s", d / 1e6);
    else
        (void)snprintf(out, size, "%+.0f", d);
}

static void put_numbers(const compare_list *runs, const number_list *rows, const struct report_style *style,
                        struct strbuf *out) {
    char text[48];
    put_heads(runs, "Measured", style, out);
    if (runs->n == 2)
        strbuf_addf(out, "%*s", COLUMN + 2, "B - A");
    strbuf_addn(out, "\n", 1);
    VEC_FOREACH (rows, row) {
        strbuf_addf(out, "  %-*s", HEAD - 2, row->name);
        for (size_t i = 0; i < runs->n; i++) {
            format_number(row, i, text, sizeof text);
            strbuf_addf(out, "%*s", COLUMN, text);
        }
        if (runs->n == 2) {
            if (all_results(runs))
                format_difference(row, text, sizeof text);
            else
                STR_COPY(text, "no result");
            strbuf_addf(out, "%*s", COLUMN + 2, text);
        }
        strbuf_addn(out, "\n", 1);
    }
}

// Behind the numbers that it speaks of.
static void put_warning(const compare_list *runs, const struct report_style *style, struct strbuf *out) {
    if (all_results(runs))
        return;
    strbuf_add(out, "  ");
    paint_add(out, style, PAINT_BAD, "!");
    strbuf_addn(out, " ", 1);
    paint_wrap(out, style, 4, 4,
               "The record of a run marked so is damaged, or not over: its numbers are what there is of it, and no "
               "difference to "
               "them is a result.");
}

void compare_text(const compare_list *runs, const struct report_style *style, struct strbuf *out) {
    fact_list facts = {0};
    number_list rows = {0};
    gather_facts(runs, &facts);
    gather_numbers(runs, &rows);
    put_names(runs, style, out);
    put_facts(runs, &facts, style, out);
    put_numbers(runs, &rows, style, out);
    put_warning(runs, style, out);
    compare_lanes(runs, style, out);
    VEC_DONE(&facts);
    VEC_DONE(&rows);
}

// ---- JSON ----------------------------------------------------------------------------------------------------------

static cJSON *json_record(const struct record_proof *r) {
    cJSON *o = cJSON_CreateObject(), *missing = cJSON_CreateArray();
    (void)cJSON_AddBoolToObject(o, "sealed", r->sealed);
    (void)cJSON_AddBoolToObject(o, "complete", r->complete);
    (void)cJSON_AddBoolToObject(o, "live", r->live);
    (void)cJSON_AddStringToObject(o, "text", r->text);
    (void)cJSON_AddStringToObject(o, "unknown", r->unknown);
    VEC_FOREACH (&r->missing, l)
        (void)cJSON_AddItemToArray(missing, cJSON_CreateString(l->text));
    (void)cJSON_AddItemToObject(o, "missing", missing);
    return o;
}

static cJSON *json_runs(const compare_list *runs) {
    cJSON *array = cJSON_CreateArray();
    VEC_FOREACH (runs, r) {
        cJSON *o = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(o, "name", r->name);
        (void)cJSON_AddStringToObject(o, "scenario", r->m->run.scenario);
        (void)cJSON_AddStringToObject(o, "verdict", verdict_name(r->m->verdict));
        (void)cJSON_AddBoolToObject(o, "result", is_result(r));
        if (r->m->run.record)
            (void)cJSON_AddItemToObject(o, "record", json_record(r->m->run.record));
        (void)cJSON_AddItemToArray(array, o);
    }
    return array;
}

static cJSON *json_facts(const fact_list *facts, size_t n) {
    cJSON *array = cJSON_CreateArray();
    VEC_FOREACH (facts, f) {
        cJSON *o = cJSON_CreateObject(), *values = cJSON_CreateArray();
        (void)cJSON_AddStringToObject(o, "name", f->name);
        for (size_t i = 0; i < n; i++)
            (void)cJSON_AddItemToArray(values, *f->value[i] ? cJSON_CreateString(f->value[i]) : cJSON_CreateNull());
        (void)cJSON_AddItemToObject(o, "values", values);
        (void)cJSON_AddItemToArray(array, o);
    }
    return array;
}

static cJSON *json_numbers(const number_list *rows, size_t n) {
    cJSON *array = cJSON_CreateArray();
    VEC_FOREACH (rows, row) {
        cJSON *o = cJSON_CreateObject(), *values = cJSON_CreateArray();
        double scale = row->is_time ? 1e3 : 1;
        (void)cJSON_AddStringToObject(o, "name", row->name);
        (void)cJSON_AddStringToObject(o, "unit", row->is_time ? "ms" : "count");
        for (size_t i = 0; i < n; i++) {
            cJSON *v = cJSON_CreateNull();
            if (row->of[i].known) {
                cJSON_Delete(v);
                v = cJSON_CreateObject();
                (void)cJSON_AddNumberToObject(v, "value", row->of[i].value / scale);
                (void)cJSON_AddNumberToObject(v, "error", row->of[i].error / scale);
            }
            (void)cJSON_AddItemToArray(values, v);
        }
        (void)cJSON_AddItemToObject(o, "values", values);
        (void)cJSON_AddItemToArray(array, o);
    }
    return array;
}

void compare_json(const compare_list *runs, struct strbuf *out) {
    fact_list facts = {0};
    number_list rows = {0};
    gather_facts(runs, &facts);
    gather_numbers(runs, &rows);
    cleanup_json cJSON *root = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(root, "schema_version", COMPARE_SCHEMA);
    (void)cJSON_AddBoolToObject(root, "result", all_results(runs));
    (void)cJSON_AddItemToObject(root, "runs", json_runs(runs));
    (void)cJSON_AddItemToObject(root, "differ", json_facts(&facts, runs->n));
    (void)cJSON_AddItemToObject(root, "numbers", json_numbers(&rows, runs->n));
    char *text = cJSON_Print(root);
    strbuf_addf(out, "%s\n", text);
    cJSON_free(text);
    VEC_DONE(&facts);
    VEC_DONE(&rows);
}
