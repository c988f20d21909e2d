// SPDX-License-Identifier: PostgreSQL
// What the runs of a cell say together, and the table.
#include <ctype.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>

#include "lab/cmd/follow.h"
#include "lab/cmd/matrix.h"

const char *const matrix_phases[] = {"demote", "no-quorum", "quorum-back", "detect", "elect",
                                     "return", "promote",   "reroute",     "rejoin", NULL};

// ---- numbers over runs -------------------------------------------------------------------------------------------------------

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef VEC(double) number_list;

static struct matrix_number summarise(number_list *list, double error) {
    struct matrix_number n = {.n = list->n, .error = error};
    if (list->n) {
        qsort(list->items, list->n, sizeof *list->items, by_value);
        n.min = list->items[0];
        n.max = list->items[list->n - 1];
        n.median = (list->items[(list->n - 1) / 2] + list->items[list->n / 2]) / 2;
    }
    VEC_DONE(list);
    return n;
}

static void take(const cJSON *value, const cJSON *its_error, number_list *list, double *error) {
    if (!cJSON_IsNumber(value))
        return; // null: not known
    VEC_PUSH(list, value->valuedouble);
    if (cJSON_IsNumber(its_error) && its_error->valuedouble > *error)
        *error = its_error->valuedouble;
}

struct matrix_number matrix_outage(const struct matrix_cell *c) {
    number_list list = {0};
    double error = 0;
    VEC_FOREACH (&c->runs, r)
        take(cJSON_GetObjectItemCaseSensitive(r->result, "write_outage_ms"),
             cJSON_GetObjectItemCaseSensitive(r->result, "resolution_ms"), &list, &error);
    return summarise(&list, error);
}

struct matrix_number matrix_phase(const struct matrix_cell *c, const char *name) {
    number_list list = {0};
    double error = 0;
    VEC_FOREACH (&c->runs, r) {
        const cJSON *phase;
        cJSON_ArrayForEach (phase, cJSON_GetObjectItemCaseSensitive(r->result, "phases")) {
            if (str_eq(json_str(phase, "name", ""), name))
                take(cJSON_GetObjectItemCaseSensitive(phase, "duration_ms"),
                     cJSON_GetObjectItemCaseSensitive(phase, "error_ms"), &list, &error);
        }
    }
    return summarise(&list, error);
}

int64_t matrix_lost(const struct matrix_cell *c) {
    int64_t most = -1;
    VEC_FOREACH (&c->runs, r) {
        int64_t n = json_int(cJSON_GetObjectItemCaseSensitive(r->result, "writes"), "lost", -1);
        if (n > most)
            most = n;
    }
    return most;
}

// ---- verdicts ------------------------------------------------------------------------------------------------------------------

int matrix_exit_code(const struct matrix_cell *c) {
    int code = EXIT_PASS;
    VEC_FOREACH (&c->runs, r)
        code = cmd_worse(code, r->ended ? r->code : EXIT_SKIPPED);
    return code;
}

const char *matrix_reason(const struct matrix_cell *c) {
    int worst = matrix_exit_code(c);
    VEC_FOREACH (&c->runs, r)
        if (r->ended && r->code == worst && *r->reason)
            return r->reason;
    return "";
}

void matrix_verdict(const struct matrix_cell *c, struct strbuf *out) {
    if (c->runs.n == 1) {
        strbuf_add(out, c->runs.items[0].verdict);
        return;
    }
    for (size_t i = 0; i < c->runs.n; i++) {
        size_t same = 0, before = 0;
        for (size_t k = 0; k < c->runs.n; k++) {
            bool equal = str_eq(c->runs.items[k].verdict, c->runs.items[i].verdict);
            same += equal;
            before += equal && k < i;
        }
        if (before == 0)
            strbuf_addf(out, "%s%zu %s", out->len ? ", " : "", same, c->runs.items[i].verdict);
    }
}

const char *matrix_version(const struct matrix_cell *c, const char *component) {
    VEC_FOREACH (&c->runs, r) {
        // "PostgreSQL", "Patroni", "etcd": the words of the log; ours are lower case.
        const cJSON *seen = cJSON_GetObjectItem(cJSON_GetObjectItemCaseSensitive(r->result, "versions"), component);
        if (cJSON_IsString(seen) && *seen->valuestring)
            return seen->valuestring;
    }
    return str_eq(component, "postgresql") ? c->found.postgresql
           : str_eq(component, "patroni")  ? c->found.patroni
           : str_eq(component, "etcd")     ? c->found.etcd
                                           : "";
}

// ---- the table -----------------------------------------------------------------------------------------------------------------

// Seconds with the digits that the resolution allows, the range when there are several: "24.91±0.01", "24.9±0.1 (22.0-26.3)".
static void number_text(const struct matrix_number *n, const char *plus_minus, struct strbuf *out) {
    if (n->n == 0) {
        strbuf_add(out, "-");
        return;
    }
    int digits = n->error >= 100 ? 1 : n->error >= 10 ? 2 : 3;
    strbuf_addf(out, "%.*f", digits, n->median / 1000);
    if (n->error > 0)
        strbuf_addf(out, "%s%.*f", plus_minus, digits, n->error / 1000);
    if (n->n > 1)
        strbuf_addf(out, " (%.*f-%.*f)", digits, n->min / 1000, digits, n->max / 1000);
}

static void set(struct libscols_line *line, size_t column, const char *text) {
    (void)scols_line_set_data(line, column, *text ? text : "-");
}

// Every failover has the same five phases; the others get a column when some run had them.
static bool has_column(const struct matrix *m, const char *phase) {
    static const char *const always[] = {"detect", "elect", "promote", "reroute", "rejoin"};
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        if (str_eq(phase, always[i]))
            return true;
    VEC_FOREACH (&m->cells, c)
        if (matrix_phase(c, phase).n)
            return true;
    return false;
}

static void row(const struct matrix *m, struct libscols_table *table, const struct matrix_cell *c,
                const char *plus_minus) {
    struct libscols_line *line = scols_table_new_line(table, NULL);
    static const char *const components[] = {"postgresql", "patroni", "etcd"};
    size_t column = 0;
    set(line, column++, c->label);
    set(line, column++, c->image);
    for (size_t i = 0; i < ARRAY_SIZE(components); i++)
        set(line, column++, matrix_version(c, components[i]));
    struct matrix_number outage = matrix_outage(c);
    cleanup_strbuf struct strbuf text = {0};
    number_text(&outage, plus_minus, &text);
    set(line, column++, strbuf_str(&text));
    for (const char *const *phase = matrix_phases; *phase; phase++) {
        if (!has_column(m, *phase))
            continue;
        struct matrix_number n = matrix_phase(c, *phase);
        strbuf_clear(&text);
        number_text(&n, plus_minus, &text);
        set(line, column++, strbuf_str(&text));
    }
    int64_t lost = matrix_lost(c);
    strbuf_clear(&text);
    if (lost >= 0)
        strbuf_addf(&text, "%" PRId64, lost);
    set(line, column++, strbuf_str(&text));
    strbuf_clear(&text);
    matrix_verdict(c, &text);
    set(line, column, strbuf_str(&text));
}

static void column(struct libscols_table *table, const char *head, int flags) {
    (void)scols_table_new_column(table, head, 0.05, flags);
}

void matrix_print_table(const struct matrix *m) {
    static const char *const first[] = {"SCENARIO", "IMAGE", "POSTGRESQL", "PATRONI", "ETCD"};
    bool utf8 = follow_style(STDOUT_FILENO).utf8;
    if (utf8)
        (void)setlocale(LC_CTYPE, "C.UTF-8"); // libsmartcols asks the C library what can be printed
    const char *plus_minus = utf8 ? "±" : "+-";
    struct libscols_table *table = scols_new_table();
    for (size_t i = 0; i < ARRAY_SIZE(first); i++)
        column(table, first[i], 0);
    column(table, "OUTAGE s", SCOLS_FL_RIGHT);
    for (const char *const *phase = matrix_phases; *phase; phase++)
        if (has_column(m, *phase)) {
            char head[32];
            (void)snprintf(head, sizeof head, "%s s", *phase);
            for (char *p = head; *p && *p != ' '; p++)
                *p = (char)toupper((unsigned char)*p);
            column(table, head, SCOLS_FL_RIGHT);
        }
    column(table, "LOST", SCOLS_FL_RIGHT);
    column(table, "VERDICT", 0);
    VEC_FOREACH (&m->cells, c)
        row(m, table, c, plus_minus);
    (void)scols_print_table(table);
    scols_unref_table(table);
    VEC_FOREACH (&m->cells, c)
        if (*matrix_reason(c))
            (void)printf("%s on %s: %s\n", c->label, c->image, matrix_reason(c));
    if (m->n_runs > 1)
        (void)printf("Numbers: the median of %lu runs (smallest-largest); lost: the most of any run.\n", m->n_runs);
    if (access(m->dir, F_OK) == 0)
        (void)printf("run folders: %s\n", m->dir);
}
