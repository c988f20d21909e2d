// SPDX-License-Identifier: PostgreSQL
// The table, folder by folder: scenario reader, `bascule faults` and docs/faults.md read it. A new fault is a row in its folder's faults.h.
#include "injector/catalogue.h"

#include "injector/dcs/faults.h"
#include "injector/disk/faults.h"
#include "injector/fault/check.h"
#include "injector/link/faults.h"
#include "injector/net/faults.h"
#include "injector/node/faults.h"
#include "injector/postgres/faults.h"
#include "injector/process/faults.h"
#include "injector/resource/faults.h"
#include "injector/traffic/faults.h"
#include "lab/record/old_names.h"

static const struct fault_ops *const rows[] = {
#define X(row) &row,
    PROCESS_FAULTS(X) NODE_FAULTS(X) RESOURCE_FAULTS(X) NET_FAULTS(X) LINK_FAULTS(X) DCS_FAULTS(X) POSTGRES_FAULTS(X)
        TRAFFIC_FAULTS(X) DISK_FAULTS(X)
#undef X
};

const struct fault_ops *const *fault_catalogue(size_t *ret_n) {
    *ret_n = ARRAY_SIZE(rows);
    return rows;
}

const struct fault_ops *fault_find(const char *mechanism) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (str_eq(rows[i]->about.name, mechanism))
            return rows[i];
    return NULL;
}

void fault_plan_disk_layer(struct plan *plan) {
    VEC_FOREACH (&plan->steps, s) {
        const struct fault_ops *f = s->kind == STEP_INJECT ? fault_find(s->mechanism) : NULL;
        if (f)
            plan->topology->disk_layer |= f->disk_layer;
    }
}

const struct action_row *action_find(const char *name) {
    size_t n;
    name = old_name_now(name);
    const struct action_row *const *a = action_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (str_eq(a[i]->about.name, name))
            return a[i];
    return NULL;
}

const struct vocabulary *fault_vocabulary(void) {
    static struct mechanism *words; // for good: the vocabulary is static
    static struct vocabulary v;
    if (v.n)
        return &v;
    size_t n_actions;
    const struct action_row *const *actions = action_rows(&n_actions);
    size_t n = 0;
    words = xcalloc(ARRAY_SIZE(rows) + n_actions, sizeof *words);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        words[n++] = rows[i]->about;
    for (size_t i = 0; i < n_actions; i++)
        words[n++] = actions[i]->about;
    v = (struct vocabulary){.mechanisms = words, .n = n};
    return &v;
}

typedef int (*check_fn)(const struct topology *t, const setting_list *params, struct err *err);
typedef int (*check_node_fn)(const struct topology *t, const struct node_def *node, const setting_list *params,
                             struct err *err);

static int check_named(const struct topology *t, const selector_list *targets, const setting_list *params,
                       check_node_fn check_node, struct err *err) {
    for (size_t i = 0; targets && check_node && i < targets->n; i++)
        for (size_t k = 0; targets->items[i].kind == SELECTOR_NODE && k < t->nodes.n; k++)
            if (str_eq(t->nodes.items[k].name, targets->items[i].node)) {
                int r = check_node(t, &t->nodes.items[k], params, err);
                if (r < 0)
                    return r;
            }
    return 0;
}

int fault_check(const char *mechanism, const struct topology *t, const selector_list *targets,
                const setting_list *params, struct err *err) {
    const struct fault_ops *f = fault_find(mechanism);
    const struct action_row *a = f ? NULL : action_find(mechanism);
    if (!f && !a)
        return err_set(err, ENOENT, "there is no fault or action '%s' (see `bascule faults`)", mechanism);
    check_fn check = f ? f->check : a->check;
    int r = mechanism_check_words(f ? &f->about : &a->about, params, err);
    if (r >= 0 && check)
        r = check(t, params, err);
    return r < 0 ? r : check_named(t, targets, params, f ? f->check_node : a->check_node, err);
}
