// SPDX-License-Identifier: PostgreSQL
// bascule faults: the catalogue, from the same table that scenarios are checked against.
#include "injector/injector.h"
#include "lab/base/json.h"
#include "lab/cli/simple.h"
#include "lab/cmd/cmd.h"
#include "lab/record/old_names.h"

static const int FAULTS_SCHEMA = 1; // of --json; raised when a key changes its meaning or goes

static void tell_params(const struct mechanism *m) {
    for (const struct mechanism_param *p = m->params; p && p->name; p++) {
        (void)printf("  %-12s %s", p->name, p->help);
        if (p->words)
            (void)printf(" (%s)", p->words);
        (void)printf("; %s%s\n", p->fallback ? "default " : "required",
                     p->fallback ? (*p->fallback ? p->fallback : "none") : "");
    }
}

static int tell_one(const struct mechanism *m) {
    (void)printf("%s: %s\n", m->name, m->summary);
    tell_params(m);
    if (old_name_then(m->name))
        (void)printf("\nOld name:    %s (read as this one wherever it stands)\n", old_name_then(m->name));
    const struct fault_ops *ops = m->action ? NULL : fault_find(m->name);
    if (!ops)
        return EXIT_PASS;
    (void)printf("\nMechanism:   %s\nStill works: %s\nTeaches:     %s\nNeeds:       %s\n", ops->mechanism,
                 ops->still_works, ops->exercises, ops->needs);
    return EXIT_PASS;
}

static int unknown(const char *name) {
    const char *near = vocabulary_nearest(fault_vocabulary(), name);
    if (near)
        log_error("there is no fault or action '%s' (did you mean '%s'?)", name, near);
    else
        log_error("there is no fault or action '%s' (`bascule faults` lists them)", name);
    return EXIT_USAGE;
}

static void tell_all(void) {
    const struct vocabulary *v = fault_vocabulary();
    for (int actions = 0; actions < 2; actions++) {
        (void)printf("%s%s\n", actions ? "\n" : "", actions ? "Actions (do:)" : "Faults (inject:)");
        for (size_t i = 0; i < v->n; i++)
            if (v->mechanisms[i].action == (actions == 1))
                (void)printf("  %-20s %s\n", v->mechanisms[i].name, v->mechanisms[i].summary);
    }
}

// ---- JSON ------------------------------------------------------------------------------------------------------------

static void put_text(cJSON *o, const char *key, const char *text) {
    (void)(text ? cJSON_AddStringToObject(o, key, text) : cJSON_AddNullToObject(o, key));
}

static cJSON *params_json(const struct mechanism *m) {
    cJSON *array = cJSON_CreateArray();
    for (const struct mechanism_param *p = m->params; p && p->name; p++) {
        cJSON *o = cJSON_CreateObject();
        put_text(o, "name", p->name);
        put_text(o, "help", p->help);
        put_text(o, "words", p->words);
        put_text(o, "default", p->fallback); // null: it must be given
        (void)cJSON_AddItemToArray(array, o);
    }
    return array;
}

static cJSON *mechanism_json(const struct mechanism *m) {
    cJSON *o = cJSON_CreateObject();
    const struct fault_ops *ops = m->action ? NULL : fault_find(m->name);
    put_text(o, "name", m->name);
    put_text(o, "old_name", old_name_then(m->name));
    put_text(o, "kind", m->action ? "action" : "fault");
    put_text(o, "summary", m->summary);
    (void)cJSON_AddItemToObject(o, "params", params_json(m));
    put_text(o, "mechanism", ops ? ops->mechanism : NULL);
    put_text(o, "still_works", ops ? ops->still_works : NULL);
    put_text(o, "teaches", ops ? ops->exercises : NULL);
    put_text(o, "needs", ops ? ops->needs : NULL);
    return o;
}

static void tell_json(const struct mechanism *only) {
    const struct vocabulary *v = fault_vocabulary();
    cleanup_json cJSON *root = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(root, "schema_version", FAULTS_SCHEMA);
    cJSON *array = cJSON_AddArrayToObject(root, "faults");
    for (size_t i = 0; i < v->n; i++)
        if (!only || only == &v->mechanisms[i])
            (void)cJSON_AddItemToArray(array, mechanism_json(&v->mechanisms[i]));
    char *text = cJSON_Print(root);
    (void)printf("%s\n", text);
    cJSON_free(text);
}

int faults_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("faults", SIMPLE_JSON, "[NAME]", "Lists the faults and actions, or explains one.", 0, argc, argv, &o);
    const struct mechanism *one = o.n_args ? vocabulary_find(fault_vocabulary(), o.args[0]) : NULL;
    if (o.n_args && !one)
        return unknown(o.args[0]);
    if (o.json)
        tell_json(one);
    else if (one)
        return tell_one(one);
    else
        tell_all();
    return EXIT_PASS;
}
