// SPDX-License-Identifier: PostgreSQL
// A node's processes, read from the /proc of its own pid namespace, by way of its init: /proc/INIT/root/proc/PID. A process is known by
// its pid and its start time together, because pids are used again.
#include "injector/process/process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

bool process_parse_stat(const char *text, struct process *ret) {
    // proc(5): "pid (comm) state ppid ..."; comm may hold spaces and brackets, so the fields begin after the last ')'.
    struct process p = {0};
    const char *rest = strrchr(text, ')');
    long pid = 0, ppid = 0;
    unsigned long utime = 0, stime = 0;
    unsigned long long start = 0;
    if (!rest || sscanf(text, "%ld (", &pid) != 1)
        return false;
    if (sscanf(rest, ") %c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu", &p.state,
               &ppid, &utime, &stime, &start) != 5)
        return false;
    p.pid = pid;
    p.ppid = ppid;
    p.cpu = utime + stime;
    p.start = start;
    *ret = p;
    return true;
}

ssize_t process_text(const struct node *n, int64_t pid, const char *file, char *buf, size_t size) {
    pid_t init = node_init_pid(n);
    if (init <= 0 || pid <= 0)
        return -ESRCH;
    char path[96];
    (void)snprintf(path, sizeof path, "/proc/%d/root/proc/%lld/%s", (int)init, (long long)pid, file);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, buf, size - 1);
    if (len < 0)
        return -errno;
    buf[len] = '\0';
    return len;
}

int process_read(const struct node *n, int64_t pid, struct process *ret) {
    char buf[1024];
    if (process_text(n, pid, "stat", buf, sizeof buf) <= 0 || !process_parse_stat(buf, ret))
        return -ESRCH;
    return 0;
}

bool process_alive(const struct node *n, const struct process *p) {
    struct process now;
    return process_read(n, p->pid, &now) == 0 && now.start == p->start && now.state != 'Z' && now.state != 'X';
}

int process_scan(const struct node *n, process_list *out, struct err *err) {
    pid_t init = node_init_pid(n);
    if (init <= 0)
        return err_set(err, EHOSTDOWN, "%s is powered off", node_name(n));
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/root/proc", (int)init);
    cleanup_dir DIR *dir = opendir(path);
    if (!dir)
        return err_sys(err, errno, "read the process list of %s", node_name(n));
    for (const struct dirent *e; (e = readdir(dir));) {
        struct process p;
        if (isdigit((unsigned char)e->d_name[0]) && process_read(n, strtoll(e->d_name, NULL, 10), &p) == 0)
            VEC_PUSH(out, p);
    }
    return 0;
}

// A parent between vfork and its child's exec sleeps in state D and can't stop (vfork(2)); with its child stopped it is
// as still as one that did.
static bool waits_for_frozen_child(const struct node *n, int64_t pid) {
    process_list all = {0};
    bool found = false;
    if (process_scan(n, &all, NULL) >= 0)
        for (size_t i = 0; i < all.n; i++)
            found = found || (all.items[i].ppid == pid && all.items[i].state == 'T');
    VEC_DONE(&all);
    return found;
}

bool process_frozen(const struct node *n, const struct process *p) {
    struct process now;
    if (process_read(n, p->pid, &now) < 0 || now.start != p->start)
        return false;
    return now.state == 'T' || (now.state == 'D' && waits_for_frozen_child(n, p->pid));
}

static bool listed(const process_list *l, int64_t pid) {
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i].pid == pid)
            return true;
    return false;
}

void process_tree(const process_list *all, int64_t root, process_list *out) {
    size_t first = out->n;
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].pid == root)
            VEC_PUSH(out, all->items[i]);
    // Children of those found so far, until nothing new turns up: parents may come after children in /proc's order.
    for (size_t at = first; at < out->n; at++) {
        int64_t parent = out->items[at].pid;
        for (size_t i = 0; i < all->n; i++)
            if (all->items[i].ppid == parent && !listed(out, all->items[i].pid))
                VEC_PUSH(out, all->items[i]);
    }
}

static const struct {
    enum pg_process process;
    const char *name;
} pg_names[] = {{PG_POSTMASTER, "postmaster"}, {PG_WALRECEIVER, "walreceiver"},   {PG_WALSENDER, "walsender"},
                {PG_STARTUP, "startup"},       {PG_CHECKPOINTER, "checkpointer"}, {PG_BACKEND, "backend"}};

enum pg_process pg_process_by_name(const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(pg_names); i++)
        if (str_eq(pg_names[i].name, name))
            return pg_names[i].process;
    return PG_OTHER;
}

// Titles of processes that serve no client (backend_type descriptions in src/backend/utils/init/miscinit.c, and older
// ones).
static const char *const auxiliaries[] = {
    "walwriter",   "background writer", "archiver",        "autovacuum",  "logical replication", "stats collector",
    "logger",      "parallel worker",   "slotsync worker", "io worker",   "walsummarizer",       "bgworker",
    "walreceiver", "walsender",         "startup",         "checkpointer"};

static bool begins_with_word(const char *title, const char *word) {
    size_t n = strlen(word);
    return strncmp(title, word, n) == 0 && (title[n] == '\0' || title[n] == ' ' || title[n] == ':');
}

// "user database host(port) activity": three words at least, the third a host or [local].
static bool looks_like_backend(const char *title) {
    for (size_t i = 0; i < ARRAY_SIZE(auxiliaries); i++)
        if (begins_with_word(title, auxiliaries[i]))
            return false;
    const char *first = strchr(title, ' ');
    const char *second = first ? strchr(first + 1, ' ') : NULL;
    return second && (strncmp(second + 1, "[local]", 7) == 0 || isxdigit((unsigned char)second[1]));
}

enum pg_process pg_process_by_title(const char *title) {
    if (!str_starts(title, "postgres: "))
        return PG_OTHER;
    title += strlen("postgres: ");
    // With cluster_name (Patroni sets it to the scope) the title begins with "NAME: ".
    size_t name = strcspn(title, ": ");
    if (title[name] == ':' && title[name + 1] == ' ')
        title += name + 2;
    for (size_t i = 1; i < ARRAY_SIZE(pg_names); i++)
        if (pg_names[i].process != PG_BACKEND && begins_with_word(title, pg_names[i].name))
            return pg_names[i].process;
    return looks_like_backend(title) ? PG_BACKEND : PG_OTHER;
}

void process_title(const struct node *n, int64_t pid, char *buf, size_t size) {
    ssize_t len = process_text(n, pid, "cmdline", buf, size);
    if (len < 0)
        buf[0] = '\0';
}
