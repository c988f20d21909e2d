// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the processes of one PostgreSQL use of the machine's memory, and which of them an OOM killer takes. From the node's
// own /proc, in small reads.
#include "injector/process/process.h"

enum { OOM_SCORE_ADJ_MAX = 1000 }; // proc(5): the process is always taken first

struct memory_process {
    struct process process;
    char title[64];  // for ps; "" until memory_use_name
    int64_t own;     // bytes: RssAnon + VmSwap of /proc/PID/status; pages shared by fork are counted in each
    int64_t swapped; // bytes: VmSwap alone
    int64_t shared;  // bytes: RssShmem, what it has touched of the shared memory
    int score, adj;  // oom_score and oom_score_adj, after memory_use_choose
    int64_t weight;  // bytes: VmRSS + VmSwap + VmPTE, what the kernel's oom_badness() counts; likewise
};
struct memory_use {
    VEC(struct memory_process) processes; // the postmaster first, then its descendants
    int64_t
        total; // bytes: the own memory of all, and the shared memory once (the largest share that one of them has touched)
};

// Finds the processes: the postmaster (which must still be the same) and its descendants. -ESRCH: it is gone.
int memory_use_find(const struct node *n, const struct process *postmaster, struct memory_use *ret, struct err *err);
// Measures those found; one that is gone counts nothing. Some 30 us for each of them.
void memory_use_measure(const struct node *n, struct memory_use *u);
// The same again at a third of the price: only the anonymous memory is read (/proc/PID/statm), the rest is as it was measured.
void memory_use_follow(const struct node *n, struct memory_use *u);
void memory_use_name(const struct node *n, struct memory_use *u); // reads every title
// Whom the kernel would take: the highest oom_score. That one is in steps of 1/667 of the host's memory, so among equals
// the most memory by the kernel's own sum (mm/oom_kill.c: oom_badness). NULL = they are all gone.
const struct memory_process *memory_use_choose(const struct node *n, struct memory_use *u);
void memory_use_done(struct memory_use *u);

// /proc/PID/oom_score_adj. Anybody may raise that of his own process, and lower it again to what it was born with;
// below that needs CAP_SYS_RESOURCE (proc(5)). read: INT_MIN = no such process.
int oom_score_adj_read(const struct node *n, int64_t pid);
int oom_score_adj_write(const struct node *n, int64_t pid, int adj, struct err *err);

// MemAvailable of the host, in bytes; -1 = it can't be read.
int64_t memory_available(void);
