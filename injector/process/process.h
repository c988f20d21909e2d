// SPDX-License-Identifier: PostgreSQL
#pragma once
// The processes of a node, as its own /proc shows them (read through /proc/INIT/root/proc): never by name across the
// host, so a second lab beside ours can't be hit. A process is identified by pid *and* start time: a booting node hands
// out the same small pids again.
#include "lab/base/vec.h"
#include "lab/node/node.h"

struct process {
    int64_t pid, ppid; // inside the node
    char state;        // R S D T Z ...
    uint64_t start;    // clock ticks since boot
    uint64_t cpu;      // clock ticks used, user and system
};
typedef VEC(struct process) process_list;

// The text of /proc/PID/stat. False on anything malformed.
bool process_parse_stat(const char *text, struct process *ret);
// /proc/PID/FILE of the node into buf, cut to fit and terminated. Length, or -errno.
ssize_t process_text(const struct node *n, int64_t pid, const char *file, char *buf, size_t size);
// 0, or -ESRCH: no such process (or the node is off).
int process_read(const struct node *n, int64_t pid, struct process *ret);
// The same process as before, still there (a zombie is gone: it only waits to be reaped).
bool process_alive(const struct node *n, const struct process *p);
// In state T, or in vfork(2) waiting for a child that is.
bool process_frozen(const struct node *n, const struct process *p);
// Every process of the node.
int process_scan(const struct node *n, process_list *out, struct err *err);
// root and all its descendants, root first. Appends to out.
void process_tree(const process_list *all, int64_t root, process_list *out);

// PostgreSQL's processes by the title they set for ps (src/backend/utils/misc/ps_status.c: "postgres: CLUSTER: TITLE").
enum pg_process { PG_OTHER, PG_POSTMASTER, PG_WALRECEIVER, PG_WALSENDER, PG_STARTUP, PG_CHECKPOINTER, PG_BACKEND };
enum pg_process pg_process_by_name(const char *name); // "walreceiver"; PG_OTHER when unknown
enum pg_process pg_process_by_title(const char *title);
// The title of a process; "" when it is gone.
void process_title(const struct node *n, int64_t pid, char *buf, size_t size);
