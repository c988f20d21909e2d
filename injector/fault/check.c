// SPDX-License-Identifier: PostgreSQL
#include "injector/fault/check.h"

const char *mechanism_param(const struct mechanism *m, const setting_list *params, const char *name) {
    for (size_t i = 0; params && i < params->n; i++)
        if (str_eq(params->items[i].key, name))
            return params->items[i].value;
    for (const struct mechanism_param *p = m->params; p && p->name; p++)
        if (str_eq(p->name, name))
            return p->fallback;
    return NULL;
}

// The words of a "word" parameter are checked here too: a fault injected by hand has not passed the scenario reader.
static bool word_allowed(const char *words, const char *value) {
    size_t len = strlen(value);
    for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
        if (strcspn(w, "|") == len && strncmp(w, value, len) == 0)
            return true;
    return false;
}

int mechanism_check_words(const struct mechanism *m, const setting_list *params, struct err *err) {
    for (const struct mechanism_param *p = m->params; p && p->name; p++) {
        const char *value = mechanism_param(m, params, p->name);
        if (!value)
            return err_set(err, EINVAL, "%s needs '%s' (%s)", m->name, p->name, p->help);
        if (p->words && str_eq(p->kind, "word") && !word_allowed(p->words, value))
            return err_set(err, EINVAL, "%s: '%s' is not a %s; it can be: %s", m->name, value, p->name, p->words);
    }
    for (size_t i = 0; params && i < params->n; i++) {
        bool known = false;
        for (const struct mechanism_param *p = m->params; p && p->name; p++)
            known = known || str_eq(p->name, params->items[i].key);
        if (!known)
            return err_set(err, EINVAL, "%s has no parameter '%s'", m->name, params->items[i].key);
    }
    return 0;
}

static void nodes_with(const struct topology *t, unsigned bit, struct strbuf *out) {
    for (size_t i = 0; i < t->nodes.n; i++)
        if (t->nodes.items[i].services & bit)
            strbuf_addf(out, "%s%s", out->len ? ", " : "", t->nodes.items[i].name);
}

int check_service_in(const struct topology *t, const char *service, struct err *err) {
    unsigned bit = service_asked(service);
    for (size_t i = 0; i < t->nodes.n; i++)
        if (t->nodes.items[i].services & bit)
            return 0;
    return err_set(err, ENOENT,
                   "no node of topology %s runs %s; add it to a node's services or choose another topology",
                   t->name ? t->name : "(inline)", service);
}

int check_service_on(const struct topology *t, const struct node_def *node, const char *service, struct err *err) {
    unsigned bit = service_asked(service);
    if (node->services & bit)
        return 0;
    cleanup_strbuf struct strbuf where = {0};
    nodes_with(t, bit, &where);
    return err_set(err, ENOENT, "%s does not run %s; nodes that do: %s", node->name, service,
                   where.len ? strbuf_str(&where) : "none");
}

int check_postgres_somewhere(const struct topology *t, const setting_list *params, struct err *err) {
    (void)params;
    return check_service_in(t, "postgres", err);
}

int check_etcd_somewhere(const struct topology *t, const setting_list *params, struct err *err) {
    (void)params;
    return check_service_in(t, "etcd", err);
}

int check_runs_postgres(const struct topology *t, const struct node_def *node, const setting_list *params,
                        struct err *err) {
    (void)params;
    return check_service_on(t, node, "postgres", err);
}

int check_runs_etcd(const struct topology *t, const struct node_def *node, const setting_list *params,
                    struct err *err) {
    (void)params;
    return check_service_on(t, node, "etcd", err);
}

int check_not_application(const struct mechanism *m, const struct node_def *node, struct err *err) {
    if (node->services & SERVICE_APP)
        return err_set(err, EINVAL, "%s: %s runs the application, whose process belongs to the measurement", m->name,
                       node->name);
    return 0;
}
