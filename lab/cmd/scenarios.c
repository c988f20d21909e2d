// SPDX-License-Identifier: PostgreSQL
// bascule scenarios: what is shipped, by what it teaches; one of them with its lesson.
#include <dirent.h>
#include <stdlib.h>

#include "injector/injector.h"
#include "lab/base/json.h"
#include "lab/cli/paths.h"
#include "lab/cli/simple.h"
#include "lab/cmd/cmd.h"
#include "lab/ha/kind/kind.h"
#include "lab/scenario/read.h"

typedef VEC(struct plan *) plan_list;

static int read_one(const char *path, const char *topologies, plan_list *out, struct err *err) {
    struct read_options ro = {.vocabulary = fault_vocabulary(), .topology_dir = topologies, .seed = 1};
    struct diags d = {0};
    struct plan *plan = NULL;
    int r = scenario_read(path, &ro, &d, &plan, err);
    if (plan)
        VEC_PUSH(out, plan);
    else if (!*err->msg)
        (void)err_set(err, EINVAL, "%s has mistakes (`bascule check %s` tells them)", path, path);
    diags_done(&d);
    return r;
}

static int is_scenario(const struct dirent *e) {
    return e->d_name[0] != '.' && str_ends(e->d_name, ".yaml");
}

static int read_all(const char *dir, const char *topologies, plan_list *out, struct err *err) {
    struct dirent **files = NULL;
    int n = scandir(dir, &files, is_scenario, alphasort), r = 0;
    if (n < 0)
        return err_sys(err, errno, "read the folder '%s'", dir);
    for (int i = 0; i < n; i++) {
        cleanup_free char *path = xasprintf("%s/%s", dir, files[i]->d_name);
        if (r == 0)
            r = read_one(path, topologies, out, err);
        free(files[i]);
    }
    free(files);
    return r;
}

// Why it is skipped on its own topology; "" = it is not.
static const char *why_skipped(const struct plan *p, struct err *err) {
    *err = (struct err){0};
    return ha_kind_check_needs(ha_kind_find(p->topology->stack), p->needs, err) < 0 ? err->msg : "";
}

static bool tell_group(const plan_list *plans, enum scenario_group group, bool first) {
    bool begun = false;
    struct err err;
    VEC_FOREACH (plans, p) {
        if ((*p)->group != group)
            continue;
        if (!begun)
            (void)printf("%s%s%s%s\n", first ? "" : "\n", group ? scenario_group_name(group) : "other",
                         group ? ": " : "", scenario_group_about(group));
        begun = true;
        const char *why = why_skipped(*p, &err);
        (void)printf("  %-32s %s%s%s\n", (*p)->name, (*p)->title, *why ? "; skipped: " : "", why);
    }
    return begun;
}

static void tell_groups(const plan_list *plans, int only) {
    bool any = false;
    for (int i = GROUP_NONE + 1; i <= GROUP_COUNT; i++) { // those without a group come last
        int group = i == GROUP_COUNT ? GROUP_NONE : i;
        if (only < 0 || group == only)
            any = tell_group(plans, (enum scenario_group)group, !any) || any;
    }
}

static void add_words(cJSON *o, const char *key, unsigned abilities) {
    cJSON *list = cJSON_AddArrayToObject(o, key);
    for (unsigned i = 0; i < ABILITY_COUNT; i++)
        if (abilities & 1U << i)
            (void)cJSON_AddItemToArray(list, cJSON_CreateString(ability_word(i)));
}

static void add_expects(cJSON *o, const struct plan *p) {
    cJSON *list = cJSON_AddArrayToObject(o, "expect");
    VEC_FOREACH (&p->expects, e) {
        cJSON *x = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(x, "kind", expect_kind_name(e->kind));
        (void)cJSON_AddStringToObject(x, "text", e->text);
        if (e->stack)
            (void)cJSON_AddStringToObject(x, "for", e->stack);
        (void)cJSON_AddItemToArray(list, x);
    }
}

static void tell_json(const plan_list *plans, int only) {
    cleanup_json cJSON *array = cJSON_CreateArray();
    struct err err;
    VEC_FOREACH (plans, p) {
        if (only >= 0 && (int)(*p)->group != only)
            continue;
        cJSON *o = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(o, "name", (*p)->name);
        (void)cJSON_AddStringToObject(o, "group", scenario_group_name((*p)->group));
        (void)cJSON_AddStringToObject(o, "title", (*p)->title);
        (void)cJSON_AddStringToObject(o, "lesson", (*p)->lesson);
        (void)cJSON_AddStringToObject(o, "topology", (*p)->topology->name);
        (void)cJSON_AddStringToObject(o, "stack", (*p)->topology->stack);
        add_words(o, "needs", (*p)->needs);
        const char *why = why_skipped(*p, &err);
        if (*why)
            (void)cJSON_AddStringToObject(o, "skipped", why);
        else
            (void)cJSON_AddNullToObject(o, "skipped");
        add_expects(o, *p);
        (void)cJSON_AddStringToObject(o, "file", (*p)->file);
        (void)cJSON_AddItemToArray(array, o);
    }
    char *text = cJSON_Print(array);
    (void)printf("%s\n", text);
    cJSON_free(text);
}

// What it asks of its stack, and what must come out of it.
static void tell_demands(const struct plan *p) {
    struct err err;
    const char *why = why_skipped(p, &err);
    if (p->needs)
        (void)printf("\nIt needs of its stack, which is %s\n", ha_kind_find(p->topology->stack)->title);
    for (unsigned i = 0; i < ABILITY_COUNT; i++)
        if (p->needs & 1U << i)
            (void)printf("  %-18s %s\n", ability_word(i), ability_about(i));
    if (*why)
        (void)printf("It is skipped: %s\n", why);
    (void)printf("\nExpected\n");
    VEC_FOREACH (&p->expects, e)
        (void)printf("  %-18s %s%s%s\n", expect_kind_name(e->kind), e->text, e->stack ? ", said for " : "",
                     e->stack ? e->stack : "");
}

static int tell_one(const plan_list *plans, const char *name) {
    VEC_FOREACH (plans, p) {
        if (!str_eq((*p)->name, name))
            continue;
        (void)printf("%s: %s\n%s%s%stopology %s\n\n%s", (*p)->name, (*p)->title, (*p)->group ? "group " : "",
                     scenario_group_name((*p)->group), (*p)->group ? ", " : "", (*p)->topology->name, (*p)->lesson);
        tell_demands(*p);
        (void)printf("\n%s\n", (*p)->file);
        return EXIT_PASS;
    }
    VEC(const char *) words = {0};
    for (int g = GROUP_NONE + 1; g < GROUP_COUNT; g++)
        VEC_PUSH(&words, scenario_group_name((enum scenario_group)g));
    VEC_FOREACH (plans, p)
        VEC_PUSH(&words, (*p)->name);
    VEC_PUSH(&words, NULL);
    const char *near = str_nearest(name, words.items);
    log_error("there is no group and no shipped scenario '%s'%s%s%s", name, near ? " (did you mean '" : "",
              near ? near : "", near ? "'?)" : " (`bascule scenarios` lists them)");
    VEC_DONE(&words);
    return EXIT_USAGE;
}

static int group_by_name(const char *name) {
    for (int g = GROUP_NONE + 1; g < GROUP_COUNT; g++)
        if (str_eq(name, scenario_group_name((enum scenario_group)g)))
            return g;
    return -1;
}

int scenarios_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("scenarios", SIMPLE_JSON, "[GROUP|NAME]",
                 "Lists the shipped scenarios by what they teach, or tells the lesson of one.", 0, argc, argv, &o);
    struct err err = {0};
    cleanup_strbuf struct strbuf dir = {0}, topologies = {0};
    plan_list plans = {0};
    int code = EXIT_PASS, group = o.n_args ? group_by_name(o.args[0]) : -1;
    if (paths_scenarios(&dir, &err) < 0 || paths_topologies(&topologies, &err) < 0 ||
        read_all(strbuf_str(&dir), strbuf_str(&topologies), &plans, &err) < 0)
        code = cli_fail(EXIT_USAGE, &err);
    else if (o.n_args && group < 0)
        code = tell_one(&plans, o.args[0]);
    else if (o.json)
        tell_json(&plans, group);
    else
        tell_groups(&plans, group);
    VEC_FOREACH (&plans, p)
        plan_free(*p);
    VEC_DONE(&plans);
    return code;
}
