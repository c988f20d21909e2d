// SPDX-License-Identifier: PostgreSQL
#include "injector/disk/disk_param.h"

#include "injector/fault/check.h"

enum disk disk_of(const struct fault *f) {
    return str_eq(fault_param(f, "disk"), "etcd") ? DISK_ETCD : DISK_POSTGRESQL;
}

enum disk_files disk_files_of(const struct fault *f) {
    const char *files = fault_param(f, "files"); // NULL: a fault without this parameter
    if (!files)
        return DISK_FILES_ALL;
    return str_eq(files, "wal") ? DISK_FILES_WAL : str_eq(files, "data") ? DISK_FILES_DATA : DISK_FILES_ALL;
}

static const char *service_of(const char *disk) {
    return str_eq(disk, "etcd") ? "etcd" : "postgres";
}

// What is synced by the write itself is nothing that the filter sees as a sync: the fault would be in force, be verified by a
// probe, and never meet the WAL; or, losing what was not synced, lose what was.
static int check_sync_method(const struct topology *t, const struct mechanism *about, const setting_list *params,
                             struct err *err) {
    const char *files = mechanism_param(about, params, "files"), *calls = mechanism_param(about, params, "calls");
    const char *disk = mechanism_param(about, params, "disk");
    if ((disk && str_eq(disk, "etcd")) || (files && str_eq(files, "data")) || (calls && !str_eq(calls, "sync")))
        return 0;
    for (size_t i = 0; i < t->postgresql.n; i++)
        if (str_eq(t->postgresql.items[i].key, "wal_sync_method") && str_starts(t->postgresql.items[i].value, "open_"))
            return err_set(err, EINVAL,
                           "%s knows fsync and fdatasync; with postgresql.wal_sync_method: %s each write of WAL is its "
                           "own sync: leave the setting out%s",
                           about->name, t->postgresql.items[i].value,
                           files ? ", or hit the data files alone with files: data" : "");
    return 0;
}

int disk_check(const struct topology *t, const setting_list *params, const struct fault_ops *ops, struct err *err) {
    const char *disk = mechanism_param(&ops->about, params, "disk");
    int r = disk ? check_service_in(t, service_of(disk), err) : 0;
    if (r < 0 || !ops->disk_layer)
        return r;
    unsigned have = t->disk_faults ? DISK_LAYER_ALL : t->disk_layer;
    if (ops->disk_layer & ~have)
        return err_set(err, ENOTSUP,
                       "%s: the daemons of this lab were started without the filter that storage faults need; start it "
                       "with --set disk_faults=yes (a scenario that uses the fault does so by itself)",
                       ops->about.name);
    if (ops->disk_layer & DISK_SYNC)
        r = check_sync_method(t, &ops->about, params, err);
    return r < 0 ? r : node_disk_supported(err);
}

int disk_check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                    struct err *err) {
    const char *disk = "postgresql";
    for (size_t i = 0; params && i < params->n; i++)
        if (str_eq(params->items[i].key, "disk"))
            disk = params->items[i].value;
    return check_service_on(t, node, service_of(disk), err);
}

int disk_check_power(const struct fault *f, struct err *err) {
    for (size_t k = 0; k < f->n_nodes; k++)
        if (!node_is_on(fault_world_node(f->world, f->nodes[k])))
            return err_set(err, EHOSTDOWN, "%s is powered off", f->nodes[k]);
    return 0;
}
