// SPDX-License-Identifier: PostgreSQL
// Signals by pidfd: open, then look that it is still the process meant, then send, so a reused pid is never hit. A tree
// is collected until a scan finds nothing new; one that is to be stopped or killed is stopped while it is collected, so
// that nothing forks away meanwhile, and the states are read back: stopped means seen stopped.
#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "lab/node/init.h"
#include "lab/node/node.h"
#include "lab/sandbox/spawn.h"

enum { WAIT_FOR_END_MS = 5000, STOP_TRIES = 200, SCANS_MAX = 50 };

struct tree {
    pid_t pids[INIT_TREE_MAX];
    size_t n;
};

static bool in_tree(const struct tree *t, pid_t pid) {
    for (size_t i = 0; i < t->n; i++)
        if (t->pids[i] == pid)
            return true;
    return false;
}

// Adds the children of members, one generation or more per scan. How many were new?
static size_t add_children(struct tree *t) {
    size_t before = t->n;
    cleanup_dir DIR *dir = opendir("/proc");
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct proc_stat st;
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
        if (!pid || t->n == INIT_TREE_MAX || in_tree(t, pid) || proc_stat_read("/proc", pid, &st) < 0)
            continue;
        if (in_tree(t, st.ppid) && st.state != 'Z')
            t->pids[t->n++] = pid;
    }
    return t->n - before;
}

static void scan_everybody(struct tree *t) {
    cleanup_dir DIR *dir = opendir("/proc");
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct proc_stat st;
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
        if (pid > 1 && t->n < INIT_TREE_MAX && proc_stat_read("/proc", pid, &st) == 0 && st.state != 'Z')
            t->pids[t->n++] = pid;
    }
}

static int send_one(pid_t pid, int sig) {
    cleanup_close int pidfd = spawn_pidfd_open(pid);
    return pidfd < 0 ? pidfd : spawn_pidfd_kill(pidfd, sig);
}

static int send_from(const struct tree *t, size_t from, int sig) {
    int n = 0;
    for (size_t i = from; i < t->n; i++)
        n += send_one(t->pids[i], sig) == 0;
    return n;
}

static char state_of(pid_t pid) {
    struct proc_stat st;
    return proc_stat_read("/proc", pid, &st) < 0 ? 'X' : st.state;
}

// Between vfork and its child's exec a parent sleeps in state D and can't stop (vfork(2)); while its child is stopped it
// is as still as one that did.
static bool waits_for_stopped_child(const struct tree *t, pid_t parent) {
    for (size_t i = 0; i < t->n; i++) {
        struct proc_stat st;
        if (proc_stat_read("/proc", t->pids[i], &st) == 0 && st.ppid == parent && st.state == 'T')
            return true;
    }
    return false;
}

// How many are stopped; the dead don't count. A process in a long system call stops when that ends: usually at once.
static int await_stopped(const struct tree *t, int *ret_stopped) {
    for (int i = 0; i < STOP_TRIES; i++) {
        size_t dead = 0, stopped = 0;
        for (size_t k = 0; k < t->n; k++) {
            char state = state_of(t->pids[k]);
            dead += strchr("ZX", state) != NULL;
            stopped += strchr("Tt", state) != NULL || (state == 'D' && i > 2 && waits_for_stopped_child(t, t->pids[k]));
        }
        *ret_stopped = (int)stopped;
        if (dead + stopped == t->n)
            return 0;
        (void)poll(NULL, 0, 1);
    }
    return -ETIMEDOUT;
}

static void collect(struct tree *t) {
    for (int i = 0; i < SCANS_MAX && add_children(t) > 0; i++)
        ;
}

// A fork that was under way when its process got the signal still gives a child, so a scan says that the tree is whole
// only if everything known was seen stopped before it.
static int stop_all(struct tree *t, int *ret_stopped) {
    size_t had = 0;
    for (int i = 0; i < SCANS_MAX; i++) {
        (void)send_from(t, had, SIGSTOP);
        had = t->n;
        int r = await_stopped(t, ret_stopped);
        if (r < 0 || add_children(t) == 0)
            return r;
    }
    return -ETIMEDOUT;
}

static int signal_tree(struct tree *t, int sig, struct answer *a) {
    int stopped = 0, r = 0;
    if (sig == SIGSTOP || sig == SIGKILL)
        r = stop_all(t, &stopped);
    else
        collect(t);
    a->n = stopped;
    if (sig != SIGSTOP)
        a->n = send_from(t, 0, sig);
    return sig == SIGSTOP ? r : 0; // what could not be stopped in time is killed all the same
}

// The process itself by the descriptor that was opened before its identity was looked at.
static int signal_one(const struct tree *t, int pidfd, int sig, struct answer *a) {
    int r = spawn_pidfd_kill(pidfd, sig);
    a->n = r == 0;
    return r == 0 && sig == SIGSTOP ? await_stopped(t, &a->n) : r;
}

static int send_signal(struct init *in, const struct request *rq, int pidfd, struct answer *a) {
    static struct tree t;
    t.n = 1;
    t.pids[0] = (pid_t)rq->pid;
    a->sent = usec_now();
    int r = rq->tree ? signal_tree(&t, rq->sig, a) : signal_one(&t, pidfd, rq->sig, a);
    for (size_t i = 0; rq->sig == SIGSTOP && i < t.n; i++)
        init_duty_forget(in, t.pids[i]);
    return r;
}

// Everybody at one instant: kill(-1) signals, in one system call, every process that we can see but ourselves.
static int hit_everybody(struct init *in, int sig, struct answer *a) {
    static struct tree t;
    int r = -ETIMEDOUT;
    a->sent = usec_now();
    for (int i = 0; i < SCANS_MAX && r < 0; i++) {
        if (kill(-1, sig) < 0 && errno != ESRCH)
            return -errno;
        t.n = 0;
        scan_everybody(&t);
        a->n = (int)t.n;
        if (sig != SIGSTOP)
            return 0;
        in->duty.n = 0; // all of them are stopped by somebody else now
        r = await_stopped(&t, &a->n);
        size_t had = t.n;
        t.n = 0;
        scan_everybody(&t);
        r = r == 0 && t.n <= had ? 0 : -ETIMEDOUT; // a fork under way: once more
    }
    return r;
}

static void await_end(struct init *in, int pidfd, const struct answer *a) {
    for (size_t i = 0; i < ARRAY_SIZE(in->waits); i++)
        if (in->waits[i].pidfd < 0) {
            in->waits[i] =
                (struct init_wait){.pidfd = pidfd, .answer = *a, .deadline = usec_now() + WAIT_FOR_END_MS * MSEC};
            return;
        }
    (void)close(pidfd); // too many at once: answered without the end
    init_answer(in, a);
}

void init_signal(struct init *in, const struct request *rq) {
    struct answer a = {.kind = ANSWER_SIGNALLED, .id = rq->id};
    struct proc_stat st;
    cleanup_close int pidfd = rq->pid > 1 ? spawn_pidfd_open((pid_t)rq->pid) : -EPERM; // pid 1 is power, not a process
    if (rq->everybody) {
        int e = hit_everybody(in, rq->sig, &a);
        a.error = e < 0 ? -e : 0;
        init_answer(in, &a);
        return;
    }
    int r = pidfd < 0 ? pidfd : 0;
    if (r == 0 && (proc_stat_read("/proc", rq->pid, &st) < 0 || st.state == 'Z'))
        r = -ESRCH;
    if (r == 0)
        r = send_signal(in, rq, pidfd, &a);
    a.error = r < 0 ? -r : 0;
    if (r == 0 && rq->await)
        await_end(in, STEAL_FD(pidfd), &a);
    else
        init_answer(in, &a);
}

void init_waits_check(struct init *in, usec_t now) {
    for (size_t i = 0; i < ARRAY_SIZE(in->waits); i++) {
        struct init_wait *w = &in->waits[i];
        if (w->pidfd < 0)
            continue;
        bool gone = spawn_pidfd_gone(w->pidfd, 0);
        if (!gone && now < w->deadline)
            continue;
        w->answer.ended = gone ? now : 0;
        init_answer(in, &w->answer);
        (void)close(STEAL_FD(w->pidfd));
    }
}
