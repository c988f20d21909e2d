// SPDX-License-Identifier: PostgreSQL
// What the runs of a cell say together.
#include "lab/cmd/matrix/cells.h"

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
        code = cli_worse(code, r->ended ? r->code : EXIT_SKIPPED);
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
