// SPDX-License-Identifier: PostgreSQL
// The table.
#include <ctype.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>

#include "lab/cli/style.h"
#include "lab/cmd/matrix/matrix.h"

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
    bool utf8 = cli_style(STDOUT_FILENO).utf8;
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
