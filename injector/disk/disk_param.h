// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the storage faults share: whose disk, and whether it can be reached.
#include "injector/fault/fault.h"

#define DISK_PARAM                                                                                                     \
    { "disk", "word", "postgresql|etcd", "postgresql", "whose disk: /var/lib/postgresql or /var/lib/etcd" }
#define FILES_PARAM                                                                                                    \
    {                                                                                                                  \
        "files", "word", "all|wal|data", "all",                                                                        \
            "all of them, the write-ahead logs alone (pg_wal, member/wal), or everything but these"                    \
    }

enum disk disk_of(const struct fault *f);
enum disk_files disk_files_of(const struct fault *f);
// Some node has that disk; the services were started with the filter that `ops` needs (disk_layer), or will be.
int disk_check(const struct topology *t, const setting_list *params, const struct fault_ops *ops, struct err *err);
int disk_check_node(const struct topology *t, const struct node_def *node, const setting_list *params, struct err *err);
// Every node of the fault is on, or the reason.
int disk_check_power(const struct fault *f, struct err *err);
