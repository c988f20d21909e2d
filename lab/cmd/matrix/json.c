// SPDX-License-Identifier: PostgreSQL
// bascule matrix --json. Milliseconds as in result.json; what is not known is null.
#include "lab/cmd/matrix/matrix.h"

static void add_number(cJSON *o, const char *key, const struct matrix_number *n) {
    if (n->n == 0) {
        (void)cJSON_AddNullToObject(o, key);
        return;
    }
    cJSON *v = cJSON_AddObjectToObject(o, key);
    (void)cJSON_AddNumberToObject(v, "runs", (double)n->n);
    (void)cJSON_AddNumberToObject(v, "median_ms", n->median);
    (void)cJSON_AddNumberToObject(v, "min_ms", n->min);
    (void)cJSON_AddNumberToObject(v, "max_ms", n->max);
    (void)cJSON_AddNumberToObject(v, "error_ms", n->error);
}

static void add_text(cJSON *o, const char *key, const char *text) {
    if (*text)
        (void)cJSON_AddStringToObject(o, key, text);
    else
        (void)cJSON_AddNullToObject(o, key);
}

static cJSON *run_json(const struct matrix_run *r) {
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "verdict", r->verdict);
    add_text(o, "reason", r->reason);
    if (r->ended)
        (void)cJSON_AddNumberToObject(o, "exit_status", r->code);
    else
        (void)cJSON_AddNullToObject(o, "exit_status");
    add_text(o, "folder", r->folder);
    (void)cJSON_AddItemToObject(o, "result", r->result ? cJSON_Duplicate(r->result, true) : cJSON_CreateNull());
    return o;
}

static cJSON *cell_json(const struct matrix_cell *c) {
    static const char *const components[] = {"postgresql", "patroni", "etcd"};
    cleanup_strbuf struct strbuf verdict = {0};
    struct matrix_number outage = matrix_outage(c);
    int64_t lost = matrix_lost(c);
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "scenario", c->label);
    (void)cJSON_AddStringToObject(o, "image", c->image);
    add_text(o, "image_id", c->found.id);
    cJSON *versions = cJSON_AddObjectToObject(o, "versions");
    for (size_t i = 0; i < ARRAY_SIZE(components); i++)
        add_text(versions, components[i], matrix_version(c, components[i]));
    matrix_verdict(c, &verdict);
    (void)cJSON_AddStringToObject(o, "verdict", strbuf_str(&verdict));
    add_text(o, "reason", matrix_reason(c));
    (void)cJSON_AddNumberToObject(o, "exit_status", matrix_exit_code(c));
    add_number(o, "write_outage", &outage);
    cJSON *phases = cJSON_AddObjectToObject(o, "phases");
    for (const char *const *phase = matrix_phases; *phase; phase++) {
        struct matrix_number n = matrix_phase(c, *phase);
        add_number(phases, *phase, &n);
    }
    if (lost >= 0)
        (void)cJSON_AddNumberToObject(o, "lost", (double)lost);
    else
        (void)cJSON_AddNullToObject(o, "lost");
    cJSON *runs = cJSON_AddArrayToObject(o, "runs");
    VEC_FOREACH (&c->runs, r)
        (void)cJSON_AddItemToArray(runs, run_json(r));
    return o;
}

void matrix_print_json(const struct matrix *m) {
    cleanup_json cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "folder", m->dir);
    cJSON *rows = cJSON_AddArrayToObject(o, "rows");
    VEC_FOREACH (&m->cells, c)
        (void)cJSON_AddItemToArray(rows, cell_json(c));
    char *text = cJSON_Print(o);
    (void)printf("%s\n", text);
    cJSON_free(text);
}
