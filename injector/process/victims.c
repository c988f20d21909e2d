// SPDX-License-Identifier: PostgreSQL
#include "injector/process/victims.h"

#include "lab/node/places.h"

static int add(victim_list *out, struct node *n, int64_t pid, const char *what, struct err *err) {
    struct victim v = {.node = n};
    if (pid <= 0 || process_read(n, pid, &v.process) < 0 || v.process.state == 'Z')
        return err_set(err, ESRCH, "%s is not running on %s", what, node_name(n));
    STR_COPY(v.what, what);
    VEC_PUSH(out, v);
    return 0;
}

// A backend of the application tells more than one of Patroni's or the observer's own.
static bool better_backend(const char *title) {
    return strstr(title, " " STACK_DATABASE " ") || strstr(title, ": " STACK_APP_USER " ");
}

// One backend, by seed; of the application's if it has any. Which pids there are at that instant no seed decides.
static void add_one_backend(const struct fault *f, const victim_list *all, const victim_list *app, victim_list *out) {
    const victim_list *from = app->n ? app : all;
    if (from->n)
        VEC_PUSH(out, from->items[fault_draw(f, out->n) % from->n]);
}

static int add_postgres_child(const struct fault *f, victim_list *out, struct node *n, const process_list *all,
                              int64_t postmaster, const char *process, struct err *err) {
    enum pg_process wanted = pg_process_by_name(process);
    size_t first = out->n;
    victim_list backends = {0}, app = {0};
    for (size_t i = 0; i < all->n; i++) {
        char title[128];
        if (all->items[i].ppid != postmaster)
            continue;
        process_title(n, all->items[i].pid, title, sizeof title);
        if (pg_process_by_title(title) != wanted)
            continue;
        struct victim v = {.node = n, .process = all->items[i]};
        STR_COPY(v.what, process);
        VEC_PUSH(wanted == PG_BACKEND ? &backends : out, v);
        if (wanted == PG_BACKEND && better_backend(title))
            VEC_PUSH(&app, v);
    }
    add_one_backend(f, &backends, &app, out);
    VEC_DONE(&backends);
    VEC_DONE(&app);
    return out->n > first ? 0
                          : err_set(err, ESRCH, "PostgreSQL on %s (postmaster %lld) has no %s now", node_name(n),
                                    (long long)postmaster, process);
}

static int find_postgres(const struct fault *f, struct node *n, const char *process, victim_list *out,
                         struct err *err) {
    int64_t postmaster = node_postmaster_pid(n, STACK_PGDATA);
    if (pg_process_by_name(process) == PG_POSTMASTER || postmaster <= 0)
        return add(out, n, postmaster, "postmaster", err);
    process_list all = {0};
    int r = process_scan(n, &all, err);
    if (r >= 0)
        r = add_postgres_child(f, out, n, &all, postmaster, process, err);
    VEC_DONE(&all);
    return r;
}

static int find_on(const struct fault *f, const char *name, victim_list *out, struct err *err) {
    const char *service = fault_param(f, "service"), *process = fault_param(f, "process");
    struct node *n = fault_world_node(f->world, name);
    if (!n)
        return err_set(err, ENOENT, "there is no node '%s'", name);
    if (!node_is_on(n))
        return err_set(err, EHOSTDOWN, "%s is powered off: it runs no %s", name, service);
    if (str_eq(service, "postgres"))
        return find_postgres(f, n, process ? process : "postmaster", out, err);
    return add(out, n, node_service_pid(n, service), service, err);
}

int victims_find(const struct fault *f, victim_list *out, struct err *err) {
    for (size_t i = 0; i < f->n_nodes; i++) {
        int r = find_on(f, f->nodes[i], out, err);
        if (r < 0) {
            VEC_DONE(out);
            return r;
        }
    }
    return 0;
}

int victims_with_children(const victim_list *roots, victim_list *out, struct err *err) {
    for (size_t i = 0; i < roots->n; i++) {
        const struct victim *root = &roots->items[i];
        process_list all = {0}, tree = {0};
        int r = process_scan(root->node, &all, err);
        if (r >= 0)
            process_tree(&all, root->process.pid, &tree);
        for (size_t k = 0; k < tree.n; k++) {
            struct victim v = *root;
            v.process = tree.items[k];
            if (k > 0)
                (void)snprintf(v.what, sizeof v.what, "child of %.20s", root->what);
            VEC_PUSH(out, v);
        }
        VEC_DONE(&all);
        VEC_DONE(&tree);
        if (r < 0)
            return r;
    }
    return 0;
}

bool victims_any_alive(const victim_list *l) {
    for (size_t i = 0; i < l->n; i++)
        if (process_alive(l->items[i].node, &l->items[i].process))
            return true;
    return false;
}

void victims_text(const victim_list *l, struct strbuf *out) {
    enum { SHOWN = 4 };
    for (size_t i = 0; i < l->n && i < SHOWN; i++)
        strbuf_addf(out, "%s%s %lld on %s", i ? ", " : "", l->items[i].what, (long long)l->items[i].process.pid,
                    node_name(l->items[i].node));
    if (l->n > SHOWN)
        strbuf_addf(out, " and %zu more", l->n - SHOWN);
}
