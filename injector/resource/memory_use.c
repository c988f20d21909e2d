// SPDX-License-Identifier: PostgreSQL
#include "injector/resource/memory_use.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lab/base/fs.h"

// "RssAnon:     1234 kB" of /proc/PID/status (proc(5)), or a line of /proc/meminfo, in bytes; 0 when it is missing.
static int64_t line_kb(const char *text, const char *name) {
    const char *line = strstr(text, name);
    return line ? strtoll(line + strlen(name), NULL, 10) * 1024 : 0;
}

int memory_use_find(const struct node *n, const struct process *postmaster, struct memory_use *ret, struct err *err) {
    process_list all = {0}, tree = {0};
    int r = process_scan(n, &all, err);
    if (r >= 0)
        process_tree(&all, postmaster->pid, &tree);
    if (r >= 0 && (!tree.n || tree.items[0].start != postmaster->start))
        r = err_set(err, ESRCH, "postmaster %lld on %s is gone", (long long)postmaster->pid, node_name(n));
    VEC_CLEAR(&ret->processes);
    for (size_t i = 0; r >= 0 && i < tree.n; i++)
        VEC_ADD(&ret->processes)->process = tree.items[i];
    VEC_DONE(&all);
    VEC_DONE(&tree);
    return r;
}

static void add_up(struct memory_use *u) {
    int64_t shared = 0;
    u->total = 0;
    VEC_FOREACH (&u->processes, m) {
        u->total += m->own;
        shared = m->shared > shared ? m->shared : shared;
    }
    u->total += shared;
}

void memory_use_measure(const struct node *n, struct memory_use *u) {
    VEC_FOREACH (&u->processes, m) {
        char text[4096];
        m->own = m->swapped = m->shared = m->weight = 0;
        if (process_text(n, m->process.pid, "status", text, sizeof text) <= 0)
            continue;
        m->swapped = line_kb(text, "\nVmSwap:");
        m->own = line_kb(text, "\nRssAnon:") + m->swapped;
        m->shared = line_kb(text, "\nRssShmem:");
        m->weight = line_kb(text, "\nVmRSS:") + m->swapped + line_kb(text, "\nVmPTE:");
    }
    add_up(u);
}

void memory_use_follow(const struct node *n, struct memory_use *u) {
    long page = sysconf(_SC_PAGESIZE);
    VEC_FOREACH (&u->processes, m) {
        char text[128];
        long long resident,
            shared; // in pages; shared = of files and of shared memory (proc(5)), so the rest is anonymous
        if (process_text(n, m->process.pid, "statm", text, sizeof text) <= 0 ||
            sscanf(text, "%*d %lld %lld", &resident, &shared) != 2)
            m->own = 0;
        else
            m->own = (resident - shared) * page + m->swapped;
    }
    add_up(u);
}

void memory_use_name(const struct node *n, struct memory_use *u) {
    VEC_FOREACH (&u->processes, m)
        process_title(n, m->process.pid, m->title, sizeof m->title);
}

static int read_number(const struct node *n, int64_t pid, const char *file) {
    char text[32];
    return process_text(n, pid, file, text, sizeof text) > 0 ? (int)strtol(text, NULL, 10) : INT_MIN;
}

const struct memory_process *memory_use_choose(const struct node *n, struct memory_use *u) {
    struct memory_process *best = NULL;
    VEC_FOREACH (&u->processes, m) {
        m->score = read_number(n, m->process.pid, "oom_score");
        m->adj = read_number(n, m->process.pid, "oom_score_adj");
        if (m->score == INT_MIN || !process_alive(n, &m->process))
            continue;
        if (!best || m->score > best->score || (m->score == best->score && m->weight > best->weight))
            best = m;
    }
    if (best)
        process_title(n, best->process.pid, best->title, sizeof best->title);
    return best;
}

void memory_use_done(struct memory_use *u) {
    VEC_DONE(&u->processes);
}

int oom_score_adj_read(const struct node *n, int64_t pid) {
    return read_number(n, pid, "oom_score_adj");
}

int oom_score_adj_write(const struct node *n, int64_t pid, int adj, struct err *err) {
    char path[96], text[16];
    (void)snprintf(path, sizeof path, "/proc/%d/root/proc/%lld/oom_score_adj", (int)node_init_pid(n), (long long)pid);
    (void)snprintf(text, sizeof text, "%d", adj);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : fs_write_all(fd, text, strlen(text));
    return r < 0 ? err_sys(err, -r, "set oom_score_adj of process %lld on %s to %d", (long long)pid, node_name(n), adj)
                 : 0;
}

int64_t memory_available(void) {
    cleanup_strbuf struct strbuf text = {0};
    return fs_read("/proc/meminfo", 1 << 16, &text, NULL) < 0 ? -1 : line_kb(strbuf_str(&text), "\nMemAvailable:");
}
