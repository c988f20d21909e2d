// SPDX-License-Identifier: PostgreSQL
// A scenario file into a plan:
//   text -> tree (yaml/) -> topology -> needs -> workload, set, --set -> checks of the settings -> steps -> order -> expectations.
// Every stage goes on after a complaint, with what it could make of it; the plan is handed out only when there was
// none.
#include "lab/scenario/read.h"

#include <sys/random.h>

#include "lab/scenario/expect/expect.h"
#include "lab/scenario/settings/settings.h"
#include "lab/scenario/stacks.h"
#include "lab/scenario/steps/steps.h"
#include "lab/scenario/topology/read_topology.h"
#include "lab/scenario/yaml/load.h"

struct draft { // the file's keys
    const struct ynode *title, *group, *lesson, *needs, *topology, *set, *workload, *settle, *observe, *timeout, *steps,
        *expect, *known_defects;
};
#define FIELD(name, required)                                                                                          \
    { #name, read_node, offsetof(struct draft, name), required }
static const struct field fields[] = {FIELD(title, true),          FIELD(group, false),
                                      FIELD(lesson, false),        FIELD(needs, false),
                                      FIELD(topology, true),       FIELD(workload, false),
                                      FIELD(set, false),           FIELD(settle, false),
                                      FIELD(observe, false),       FIELD(timeout, false),
                                      FIELD(steps, true),          FIELD(expect, false),
                                      FIELD(known_defects, false), {0}};

static char *plan_name(const char *path) {
    const char *slash = strrchr(path, '/');
    char *name = xstrdup(slash ? slash + 1 : path);
    if (str_ends(name, ".yaml"))
        name[strlen(name) - strlen(".yaml")] = '\0';
    return name;
}

// Small enough to be read out and typed again.
static uint64_t choose_seed(void) {
    uint32_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed || seed % 1000000 == 0)
        return 1;
    return seed % 1000000;
}

static struct plan *plan_new(const char *path, const struct read_options *o) {
    struct plan *p = xcalloc(1, sizeof *p);
    p->file = xstrdup(path);
    p->name = plan_name(path);
    p->title = xstrdup("");
    p->lesson = xstrdup("");
    p->seed = o->seed ? o->seed : choose_seed();
    p->workload = (struct workload_def){.writes_per_s = 100,
                                        .reads_per_s = 10,
                                        .route = ROUTE_MULTI_HOST,
                                        .deadline = 2 * SEC,
                                        .connect_timeout = 2 * SEC};
    p->settle = 2 * SEC;
    p->observe = 3 * SEC;
    p->timeout = 10 * MINUTE;
    return p;
}

// `--set topology=NAME` runs the same scenario on another cluster.
static struct topology *read_topology(struct reader *r, const struct draft *d, const struct plan *p) {
    const char *file = r->file;
    for (size_t i = 0; r->o->overrides && i < r->o->overrides->n; i++) {
        const struct setting *s = &r->o->overrides->items[i];
        if (!str_eq(s->key, "topology"))
            continue;
        cleanup_free char *place = xasprintf("--set topology=%s", s->value);
        r->file = place;
        r->by_hand = true;
        struct topology *t = topology_load(r, (struct mark){0, 0}, s->value);
        r->file = file;
        r->by_hand = false;
        return t;
    }
    return d->topology ? topology_from_node(r, d->topology, p->name) : NULL;
}

// Without a topology its settings are read into a scrap one: their own mistakes are found all the same.
static void read_settings(struct reader *r, const struct draft *d, struct plan *p) {
    struct topology *scrap = p->topology ? NULL : xcalloc(1, sizeof *scrap);
    const struct settings_to all = {.topology = scrap ? scrap : p->topology, .plan = p};
    const struct {
        const char *name;
        const struct ynode *value;
    } times[] = {{"settle", d->settle}, {"observe", d->observe}, {"timeout", d->timeout}};
    for (size_t i = 0; i < ARRAY_SIZE(times); i++)
        if (times[i].value && text_of(r, times[i].value, "a duration such as 10s"))
            setting_apply(r, &all, times[i].value->key_mark, times[i].value->mark, times[i].name, times[i].value->text);
    if (d->workload)
        settings_read_section(r, &all, "workload", d->workload);
    if (d->set)
        settings_read_set(r, &all, d->set);
    settings_override(r, &all);
    topology_free(scrap);
}

static void check_settings(struct reader *r, const struct draft *d, struct plan *p) {
    const struct ynode *route = d->workload ? ynode_get(d->workload, "route") : NULL;
    struct mark none = {0, 0};
    if (!p->topology)
        return;
    struct mark at = d->set ? d->set->key_mark : d->topology ? d->topology->key_mark : none;
    topology_check(r, p->topology, at);
    topology_fit_replication(r, p->topology, at);
    if (p->workload.route == ROUTE_HAPROXY && topology_count(p->topology, SERVICE_HAPROXY) == 0)
        complain(r, route ? route->mark : none,
                 "route haproxy needs a node that runs haproxy; topology '%s' has none (try "
                 "patroni-3-haproxy)",
                 p->topology->name);
}

static void read_group(struct reader *r, const struct ynode *n, enum scenario_group *ret) {
    const char *text = text_of(r, n, "a group such as crash");
    cleanup_words struct words all = {0};
    cleanup_strbuf struct strbuf list = {0};
    for (int g = GROUP_NONE + 1; text && g < GROUP_COUNT; g++) {
        words_add(&all, scenario_group_name((enum scenario_group)g));
        if (str_eq(text, scenario_group_name((enum scenario_group)g))) {
            *ret = (enum scenario_group)g;
            return;
        }
    }
    if (!text)
        return;
    words_join(&all, &list);
    complain(r, n->mark, "unknown group '%s'%s; allowed: %s", SHOWN(text), HINT(text, words_all(&all)),
             strbuf_str(&list));
}

static void read_plan(struct reader *r, const struct ynode *root, struct plan *p) {
    struct draft d = {0};
    decode_fields(r, root, "a scenario", fields, &d);
    if (root->kind != YNODE_MAP)
        return;
    if (d.title)
        read_text(r, d.title, &p->title);
    if (d.group)
        read_group(r, d.group, &p->group);
    if (d.lesson)
        read_text(r, d.lesson, &p->lesson);
    p->topology = read_topology(r, &d, p);
    if (d.needs)
        needs_read(r, d.needs, p);
    read_settings(r, &d, p);
    // On a stack that lacks what it needs it is skipped: whatever else does not fit there is no mistake of the file.
    if (needs_met(p)) {
        r->t = p->topology;
        check_settings(r, &d, p);
    }
    if (d.steps) {
        cleanup_free struct step_marks *marks = steps_read(r, d.steps, p);
        if (marks)
            steps_check_order(r, p, marks);
    }
    if (d.expect)
        expects_read(r, d.expect, p);
    if (d.known_defects)
        known_defects_read(r, d.known_defects, p);
}

int scenario_read_text(const char *path, const char *text, size_t len, const struct read_options *o, struct diags *d,
                       struct plan **ret) {
    struct reader r = {.file = path, .d = d, .o = o};
    size_t before = d->errors;
    struct ynode *root = file_parse(&r, text, len);
    struct plan *p = plan_new(path, o);
    if (root)
        read_plan(&r, root, p);
    ynode_free(root);
    if (d->errors > before || !root) {
        plan_free(p);
        return -EINVAL;
    }
    *ret = p;
    return 0;
}

int scenario_read(const char *path, const struct read_options *o, struct diags *d, struct plan **ret, struct err *err) {
    cleanup_strbuf struct strbuf text = {0};
    int r = file_load(path, &text, err);
    if (r < 0)
        return r;
    return scenario_read_text(path, strbuf_str(&text), text.len, o, d, ret);
}
