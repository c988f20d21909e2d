// SPDX-License-Identifier: PostgreSQL
// bascule settings: what --set, `set:` and a topology take.
#include "lab/base/json.h"
#include "lab/cli/simple.h"
#include "lab/cmd/cmd.h"
#include "lab/scenario/read.h"

static const int SETTINGS_SCHEMA = 1; // of --json; raised when a key changes its meaning or goes

static bool wanted(const struct setting_about *a, const struct simple_options *o) {
    return !o->n_args || str_eq(a->name, o->args[0]) ||
           (str_starts(a->name, o->args[0]) && a->name[strlen(o->args[0])] == '.'); // a section: "patroni"
}

static void add_json(cJSON *array, const struct setting_about *a) {
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "name", a->name);
    (void)cJSON_AddStringToObject(o, "values", a->values);
    cJSON *words = cJSON_AddArrayToObject(o, "words");
    for (const char *const *w = a->words; w && *w; w++)
        (void)cJSON_AddItemToArray(words, cJSON_CreateString(*w));
    (void)cJSON_AddItemToArray(array, o);
}

static int nothing(const char *name) {
    VEC(const char *) words = {0};
    struct setting_about a;
    for (size_t i = 0; i < settings_count(); i++) {
        setting_about(i, &a);
        VEC_PUSH(&words, a.name);
    }
    VEC_PUSH(&words, NULL);
    const char *near = str_nearest(name, words.items);
    if (near)
        log_error("there is no setting '%s' (did you mean '%s'?)", name, near);
    else
        log_error("there is no setting '%s' (`bascule settings` lists them)", name);
    VEC_DONE(&words);
    return EXIT_USAGE;
}

int settings_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("settings", SIMPLE_JSON, "[NAME|SECTION]",
                 "Lists what --set, a scenario's `set:` and a topology take. postgresql.NAME takes any parameter of "
                 "PostgreSQL that the lab does not set itself, node.NAME.image a node's image.",
                 0, argc, argv, &o);
    cleanup_json cJSON *root = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(root, "schema_version", SETTINGS_SCHEMA);
    cJSON *array = cJSON_AddArrayToObject(root, "settings");
    struct setting_about a;
    size_t n = 0;
    for (size_t i = 0; i < settings_count(); i++) {
        setting_about(i, &a);
        if (!wanted(&a, &o))
            continue;
        n++;
        if (o.json)
            add_json(array, &a);
        else
            (void)printf("%-34s %s\n", a.name, a.values);
    }
    if (n == 0)
        return nothing(o.args[0]);
    if (o.json) {
        char *text = cJSON_Print(root);
        (void)printf("%s\n", text);
        cJSON_free(text);
    }
    return EXIT_PASS;
}
