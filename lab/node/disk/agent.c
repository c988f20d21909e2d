// SPDX-License-Identifier: PostgreSQL
// The agent of a node's disks: one loop over the supervisor's requests, the listeners of filtered services and running
// probes. It never sleeps for a call: one that must wait is put on a list with its time, the next is looked at. A call
// that is killed while it waits is gone for the kernel too (ENOENT), so kill -9 works as it does not on a hung disk of
// the old kind; power-off kills the agent with everything else. If it ever ended alone the node would go down with it
// (init_reap.c): filtered calls would fail with ENOSYS, which no disk does.
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/base/vec.h"
#include "lab/node/disk/agent.h"
#include "lab/node/proto.h"
#include "lab/sandbox/spawn.h"

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1
#endif

enum { LISTENERS_MAX = 64, PROBES_MAX = 16, PATH_ROOM = 512 };

struct rule {
    struct disk_rule def;
    uint64_t hits;
};
struct call { // a system call that waits
    int listener;
    uint64_t id;
    uint32_t disk, files, class;
    usec_t since;
    struct seccomp_notif asked;
};
struct running { // a probe
    pid_t pid;
    int fd;
    uint32_t request;
    usec_t deadline;
};
struct agent {
    unsigned layer;
    int control, handoff, handoff_out;
    int listeners[LISTENERS_MAX];
    size_t n_listeners;
    VEC(struct rule) rules;
    VEC(struct call) waiting;
    VEC(struct running) probes;
    struct undo *undo; // NULL = not tracked
    bool frozen;       // rolled back: nothing goes on any more
};

static void send_answer(const struct agent *a, const struct disk_answer *what) {
    if (proto_send(a->control, what, sizeof *what, 0) < 0)
        _exit(0);
}

// ---- which file ----------------------------------------------------------------------------------------------------

static bool find_disk(const char *path, struct call *c) {
    if (fs_is_below(path, "/var/lib/postgresql"))
        c->disk = DISK_POSTGRESQL;
    else if (fs_is_below(path, "/var/lib/etcd"))
        c->disk = DISK_ETCD;
    else
        return false;
    c->files = strstr(path, "/pg_wal/") || strstr(path, "/member/wal/") ? DISK_FILES_WAL : DISK_FILES_DATA;
    return true;
}

static bool link_of(const char *proc, char *out) {
    ssize_t n = readlink(proc, out, PATH_ROOM - 1);
    out[n < 0 ? 0 : n] = '\0';
    return n > 0;
}

// The path a call names, read from its memory. Where the kernel forbids that (kernel.yama.ptrace_scope: we are no
// ancestor), the process's working folder stands for it: PostgreSQL's processes work in their data directory and name
// everything from there; etcd's do not, and its opens then pass.
static bool path_of(const struct seccomp_notif *q, const struct disk_call *kind, char *out) {
    char proc[64], cwd[PATH_ROOM] = "", text[PATH_ROOM] = "";
    (void)snprintf(proc, sizeof proc, "/proc/%d/cwd", (int)q->pid);
    (void)link_of(proc, cwd);
    uint64_t at = q->data.args[kind->path_arg];
    size_t page = 4096 - (at & 4095), len = page < sizeof text - 1 ? page : sizeof text - 1;
    struct iovec here = {.iov_base = text, .iov_len = len}, there = {.iov_base = (void *)(uintptr_t)at, .iov_len = len};
    ssize_t got = process_vm_readv((pid_t)q->pid, &here, 1, &there, 1, 0);
    if (got > 0 && text[0] == '/')
        (void)snprintf(out, PATH_ROOM, "%s", text);
    else
        (void)snprintf(out, PATH_ROOM, "%s/%s", cwd, got > 0 ? text : "");
    return out[0] == '/';
}

static void fd_proc(const struct seccomp_notif *q, char out[64]) {
    (void)snprintf(out, 64, "/proc/%d/fd/%d", (int)q->pid, (int)q->data.args[0]);
}

// ---- answers to calls ----------------------------------------------------------------------------------------------

static void send_word(const struct call *c, int error) {
    struct seccomp_notif_resp r = {.id = c->id, .error = -error, .flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    (void)ioctl(c->listener, SECCOMP_IOCTL_NOTIF_SEND, &r); // ENOENT: killed meanwhile
}

static bool rule_matches(const struct disk_rule *r, const struct call *c) {
    return r->disk == c->disk && r->calls & c->class && (r->files == DISK_FILES_ALL || r->files == c->files);
}

// 0 = now, with *error; else the time to look again, USEC_NEVER when only a change of the rules can free it.
static usec_t decide_call(const struct agent *a, const struct call *c, usec_t now, int *error) {
    usec_t delay = 0;
    *error = 0;
    if (a->frozen)
        return USEC_NEVER;
    for (size_t i = 0; i < a->rules.n; i++) {
        const struct disk_rule *r = &a->rules.items[i].def;
        if (!rule_matches(r, c))
            continue;
        if (r->hold)
            return USEC_NEVER;
        delay = r->delay > delay ? r->delay : delay;
        *error = *error ? *error : r->error;
    }
    return c->since + delay <= now ? 0 : c->since + delay;
}

static void track(struct agent *a, const struct seccomp_notif *q, unsigned class);

// Those whose time has come, or whose rule is gone.
static usec_t release_due(struct agent *a) {
    usec_t next = USEC_NEVER, now = usec_now();
    for (size_t i = 0; i < a->waiting.n;) {
        int error;
        usec_t when = decide_call(a, &a->waiting.items[i], now, &error);
        if (when) {
            next = when < next ? when : next;
            i++;
            continue;
        }
        const struct call *c = &a->waiting.items[i];
        if (a->undo && !error && c->class == DISK_SYNC) // synced now, not when it was asked for
            track(a, &c->asked, c->class);
        send_word(c, error);
        VEC_REMOVE(&a->waiting, i); // the others keep the order in which they came
    }
    return next;
}

// ---- what a power cut would forget ---------------------------------------------------------------------------------

static uint64_t position(const struct seccomp_notif *q) {
    char path[64], text[256];
    unsigned long long pos = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)q->pid, (int)q->data.args[0]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return sscanf(text, "pos: %llu", &pos) == 1 ? pos : 0;
}

static void track(struct agent *a, const struct seccomp_notif *q, unsigned class) {
    char path[64];
    const __u64 *v = q->data.args;
    fd_proc(q, path);
    if (class == DISK_SYNC) {
        if (q->data.nr == SYS_syncfs)
            undo_synced_all(a->undo);
        else
            undo_synced(a->undo, path);
        return;
    }
    switch (q->data.nr) {
    case SYS_write:
        undo_before(a->undo, path, position(q), v[2]);
        break;
    case SYS_pwrite64:
        undo_before(a->undo, path, v[3], v[2]);
        break;
    case SYS_pwritev: // how much is in the process's memory: everything from there on, then
    case SYS_pwritev2:
        undo_before(a->undo, path, v[3] == UINT64_MAX ? position(q) : v[3], 0); // -1: at the file's position
        break;
    case SYS_writev:
        undo_before(a->undo, path, position(q), 0);
        break;
    case SYS_ftruncate:
        undo_before(a->undo, path, v[1], 0);
        break;
    default: // fallocate
        undo_before(a->undo, path, v[2], v[3]);
    }
}

// ---- a call arrives ------------------------------------------------------------------------------------------------

static bool find_file(const struct seccomp_notif *q, const struct disk_call *kind, struct call *c) {
    char proc[64], path[PATH_ROOM];
    if (kind->path_arg >= 0)
        return path_of(q, kind, path) && find_disk(path, c);
    fd_proc(q, proc);
    return link_of(proc, path) && find_disk(path, c);
}

static void take(struct agent *a, int listener) {
    struct seccomp_notif q = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &q) < 0)
        return; // killed before we came
    const struct disk_call *kind = disk_call_find(q.data.nr);
    struct call c = {.listener = listener, .id = q.id, .class = kind ? kind->class : 0, .since = usec_now()};
    bool look = kind && (a->rules.n || a->undo || a->frozen);
    // The id is asked about after the look: a pid that was reused meanwhile is not mistaken for the caller.
    if (!look || !find_file(&q, kind, &c) || ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &q.id) < 0) {
        send_word(&c, 0);
        return;
    }
    for (size_t i = 0; i < a->rules.n; i++)
        a->rules.items[i].hits += rule_matches(&a->rules.items[i].def, &c);
    int error;
    usec_t when = decide_call(a, &c, c.since, &error);
    c.asked = q;
    if (when) {
        if (a->undo && !a->frozen && c.class == DISK_WRITE)
            track(a, &q, c.class);
        VEC_PUSH(&a->waiting, c);
        return;
    }
    if (a->undo && !error && c.class & (DISK_SYNC | DISK_WRITE))
        track(a, &q, c.class);
    send_word(&c, error);
}

static void drop_listener(struct agent *a, size_t i) {
    int fd = a->listeners[i];
    for (size_t k = a->waiting.n; k-- > 0;)
        if (a->waiting.items[k].listener == fd)
            a->waiting.items[k] = a->waiting.items[--a->waiting.n];
    (void)close(fd);
    a->listeners[i] = a->listeners[--a->n_listeners];
}

static void accept_listener(struct agent *a) {
    char byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    if (recvmsg(a->handoff, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
        return;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int fd = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    if (fd >= 0 && a->n_listeners < LISTENERS_MAX)
        a->listeners[a->n_listeners++] = fd;
    else if (fd >= 0)
        (void)close(fd); // its calls fail with ENOSYS: seen in its log
}

// ---- requests ------------------------------------------------------------------------------------------------------

static struct rule *rule_of(struct agent *a, uint32_t id) {
    VEC_FOREACH (&a->rules, r)
        if (r->def.id == id)
            return r;
    return NULL;
}

static void count(struct agent *a, uint32_t id, struct disk_answer *out) {
    const struct rule *r = rule_of(a, id);
    out->error = r ? 0 : ENOENT;
    out->hits = r ? r->hits : 0;
    for (size_t i = 0; r && i < a->waiting.n; i++) {
        const struct call *c = &a->waiting.items[i];
        out->held += rule_matches(&r->def, c) && ioctl(c->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->id) == 0;
    }
}

static void start_probe(struct agent *a, const struct disk_ask *q) {
    struct disk_answer out = {.kind = q->kind, .id = q->id};
    struct running p = {.request = q->id, .deadline = usec_now() + q->patience};
    p.pid = disk_probe_start(a->layer, a->handoff_out, q->rule.disk, q->rule.files, &p.fd);
    if (p.pid > 0) {
        VEC_PUSH(&a->probes, p);
        return;
    }
    out.error = (int32_t)-p.pid;
    send_answer(a, &out);
}

static void roll_back(struct agent *a, struct disk_answer *out) {
    a->frozen = true;
    out->error = a->undo ? -undo_apply(a->undo, &out->files, &out->bytes) : ENOSYS;
}

static void handle(struct agent *a) {
    struct disk_ask q;
    ssize_t n = recv(a->control, &q, sizeof q, MSG_DONTWAIT);
    if (n == 0)
        _exit(0);
    if (n != (ssize_t)sizeof q)
        return;
    struct disk_answer out = {.kind = q.kind, .id = q.id, .rule = q.rule.id};
    struct rule *r;
    switch ((enum disk_ask_kind)q.kind) {
    case DISK_ASK_ADD:
        VEC_PUSH(&a->rules, ((struct rule){.def = q.rule}));
        break;
    case DISK_ASK_DROP:
        if ((r = rule_of(a, q.rule.id)))
            *r = a->rules.items[--a->rules.n];
        (void)release_due(a);
        break;
    case DISK_ASK_COUNT:
        count(a, q.rule.id, &out);
        break;
    case DISK_ASK_PROBE:
        start_probe(a, &q);
        return;
    case DISK_ASK_ROLLBACK:
        roll_back(a, &out);
        break;
    }
    send_answer(a, &out);
}

// ---- probes --------------------------------------------------------------------------------------------------------

static void look_at_probe(struct agent *a, size_t i, usec_t now) {
    struct running p = a->probes.items[i];
    struct probe_result r = {0};
    struct disk_answer out = {.kind = DISK_ASK_PROBE, .id = p.request};
    ssize_t n = read(p.fd, &r, sizeof r);
    if (n < 0 && errno == EAGAIN && now < p.deadline)
        return;
    if (n == (ssize_t)sizeof r) {
        out.open_error = r.open_error;
        out.write_error = r.write_error;
        out.sync_error = r.sync_error;
        out.read_error = r.read_error;
        out.took = r.took;
    } else {
        out.unfinished = n < 0;
        out.error = n < 0 ? 0 : ECHILD; // it ended without a word
    }
    a->probes.items[i] = a->probes.items[--a->probes.n];
    (void)kill(p.pid, SIGKILL);
    (void)close(p.fd);
    send_answer(a, &out);
}

static usec_t next_probe(const struct agent *a) {
    usec_t next = USEC_NEVER;
    for (size_t i = 0; i < a->probes.n; i++)
        next = a->probes.items[i].deadline < next ? a->probes.items[i].deadline : next;
    return next;
}

// ---- loop ----------------------------------------------------------------------------------------------------------

static void sleep_until(struct agent *a, struct pollfd *p, size_t n, usec_t next) {
    usec_t now = usec_now(), probe = next_probe(a);
    next = probe < next ? probe : next;
    usec_t wait = next == USEC_NEVER ? SEC : next > now ? next - now : 0;
    wait = wait > SEC ? SEC : wait; // the writeback clock ticks too
    struct timespec ts = {.tv_sec = (time_t)(wait / SEC), .tv_nsec = (long)(wait % SEC) * 1000};
    (void)ppoll(p, (nfds_t)n, &ts, NULL);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void serve(struct agent *a) {
    struct pollfd p[2 + LISTENERS_MAX + PROBES_MAX] = {{.fd = a->control, .events = POLLIN},
                                                       {.fd = a->handoff, .events = POLLIN}};
    size_t n = 2, listeners = a->n_listeners, probes = a->probes.n < PROBES_MAX ? a->probes.n : PROBES_MAX;
    for (size_t i = 0; i < listeners; i++)
        p[n++] = (struct pollfd){.fd = a->listeners[i], .events = POLLIN};
    for (size_t i = 0; i < probes; i++)
        p[n++] = (struct pollfd){.fd = a->probes.items[i].fd, .events = POLLIN};
    sleep_until(a, p, n, release_due(a));
    usec_t now = usec_now();
    for (size_t i = listeners; i-- > 0;) {
        if (p[2 + i].revents & POLLIN)
            take(a, a->listeners[i]);
        else if (p[2 + i].revents) // the last process with this filter is gone
            drop_listener(a, i);
    }
    for (size_t i = probes; i-- > 0;)
        look_at_probe(a, i, now);
    if (p[1].revents)
        accept_listener(a);
    if (p[0].revents)
        handle(a);
    if (a->undo && !a->frozen)
        undo_writeback(a->undo, now);
}

void disk_agent_main(unsigned layer, int control, int handoff, int handoff_out) {
    static struct agent a;
    (void)prctl(PR_SET_NAME, "disk-agent");
    struct rlimit files; // one descriptor per file with unsynced changes
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    a = (struct agent){.layer = layer, .control = control, .handoff = handoff, .handoff_out = handoff_out};
    a.undo = layer & DISK_TRACK ? undo_new() : NULL;
    for (;;)
        serve(&a);
}
