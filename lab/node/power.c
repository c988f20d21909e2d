// SPDX-License-Identifier: PostgreSQL
// Power-on: clone an init into a new pid namespace, wait for its "booted", bring the port back, tell it.
// Power-off, in this order: the port goes down (from here on the node is silent), init gets SIGKILL and with it every
// process of its pid namespace, the kernel reaps them all, the TCP memory of the network namespace is wiped. No RST or
// FIN can leave. An init that ends by itself (kill -9 of it) is the same without the silence: peers get their resets;
// it is told as power off.
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/node/init.h"
#include "lab/node/internal.h"
#include "lab/sandbox/link.h"
#include "lab/sandbox/spawn.h"

// Reaping is the kernel's, some ms; a process in uninterruptible sleep (a hung disk) may keep it.
enum { REAP_TIMEOUT_MS = 3000, REAP_STEP_MS = 100 };

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void emit_power(const struct node *n, bool on) {
    struct event ev = EVENT_NEW(NODE_POWER);
    STR_COPY(ev.u.NODE_POWER.node, n->name);
    ev.u.NODE_POWER.on = on;
    sink_emit(&n->sink, &ev);
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

// Forgets the boot, whatever there is of it. The pidfd must be readable or the init must never have been waited for.
static void boot_forget(struct node *n) {
    n->on_control = sd_event_source_disable_unref(n->on_control);
    n->on_end = sd_event_source_disable_unref(n->on_end);
    n->on_pending = sd_event_source_disable_unref(n->on_pending);
    node_disk_abandon(n);
    close_fd(&n->control);
    close_fd(&n->init_pidfd);
    close_fd(&n->ns[NODE_NS_MNT]);
    close_fd(&n->ns[NODE_NS_PID]);
    close_fd(&n->ns[NODE_NS_TIME]);
    n->init = 0;
    VEC_CLEAR(&n->pending);
    VEC_CLEAR(&n->services);
}

static void reap(int pidfd) {
    siginfo_t si;
    while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &si, WEXITED) < 0 && errno == EINTR)
        ;
}

static int on_late_end(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)revents, (void)arg;
    reap(fd);
    (void)sd_event_source_set_floating(s, 0); // gives up the loop's reference, the only one
    return 0;
}

// The loop reaps this init when its time comes, even if the node is gone by then: the source belongs to the loop.
static void reap_later(struct node *n) {
    sd_event_source *s = NULL;
    if (sd_event_add_io(n->loop, &s, n->init_pidfd, EPOLLIN, on_late_end, NULL) < 0)
        return; // it stays a zombie until the lab ends
    (void)sd_event_source_set_io_fd_own(s, 1);
    (void)sd_event_source_set_floating(s, 1);
    sd_event_source_unref(s);
    n->init_pidfd = -1;
}

static int on_control(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    struct node *n = arg;
    (void)fd, (void)revents;
    if (node_read_answers(n) < 0 && n->on_control == s) // its end closed: on_end follows
        n->on_control = sd_event_source_disable_unref(n->on_control);
    return 0;
}

static int on_end(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    struct node *n = arg;
    (void)fd, (void)revents;
    (void)node_read_answers(n); // its last words
    if (n->on_end != s)
        return 0; // whoever heard them has powered the node off
    reap(n->init_pidfd);
    node_functions_kill(n);
    boot_forget(n);
    node_signals_abandon(n, -ECANCELED);
    emit_power(n, false);
    return 0;
}

// Our own again, where it was refused one (`user.max_time_namespaces`, a seccomp filter): nobody may enter that, nor need to.
static int open_time_ns(pid_t init) {
    char path[64];
    struct stat its, ours;
    (void)snprintf(path, sizeof path, "/proc/%d/ns/time", (int)init);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool own = fd >= 0 && fstat(fd, &its) == 0 && stat("/proc/self/ns/time", &ours) == 0 && its.st_ino != ours.st_ino;
    return own ? STEAL_FD(fd) : -1;
}

static int open_boot_ns(struct node *n, struct err *err) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)n->init);
    n->ns[NODE_NS_MNT] = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)n->init);
    n->ns[NODE_NS_PID] = open(path, O_RDONLY | O_CLOEXEC);
    n->ns[NODE_NS_TIME] = open_time_ns(n->init);
    if (n->ns[NODE_NS_MNT] < 0 || n->ns[NODE_NS_PID] < 0)
        return err_sys(err, errno, "open the namespaces of its boot");
    return 0;
}

static int watch(struct node *n, struct err *err) {
    int r = sd_event_add_io(n->loop, &n->on_control, n->control, EPOLLIN, on_control, n);
    if (r >= 0)
        r = sd_event_add_io(n->loop, &n->on_end, n->init_pidfd, EPOLLIN, on_end, n);
    // The end comes after the last words: same wake-up, lower priority.
    if (r >= 0)
        r = sd_event_source_set_priority(n->on_end, SD_EVENT_PRIORITY_NORMAL + 1);
    return r < 0 ? err_sys(err, -r, "watch its init") : 0;
}

static int clone_init(struct node *n, struct err *err) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_sys(err, errno, "make a control socket");
    cleanup_close int theirs = ends[1];
    n->control = ends[0];
    // As big as the largest request, so that one always fits (unix(7): SO_SNDBUF limits a single message).
    int size = 2 * REQUEST_MAX;
    (void)setsockopt(n->control, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    int disk[2] = {-1, -1};
    if (n->disk_layer && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, disk) < 0)
        return err_sys(err, errno, "make a socket for its disk agent");
    cleanup_close int their_disk = disk[1];
    n->disk = disk[0];
    struct boot b = {.control = theirs,
                     .disk = their_disk,
                     .disk_layer = n->disk_layer,
                     .net = n->ns[NODE_NS_NET],
                     .uts = n->ns[NODE_NS_UTS],
                     .ipc = n->ns[NODE_NS_IPC],
                     .mnt = n->base_mnt,
                     .name = n->name,
                     .watchdog = n->watchdog};
    pid_t pid = spawn_clone(CLONE_NEWPID, &n->init_pidfd);
    if (pid == 0)
        init_main(&b);
    if (pid < 0)
        return err_sys(err, -pid, "make its pid namespace");
    n->init = pid;
    return 0;
}

static int boot(struct node *n, struct err *err) {
    struct answer booted;
    int r = clone_init(n, err);
    if (r == 0)
        r = node_answer_wait(n, ANSWER_BOOTED, 0, &booted, err);
    if (r == 0 && booted.error)
        r = err_set(err, booted.error, "%s", booted.text);
    if (r == 0)
        r = open_boot_ns(n, err);
    if (r == 0)
        r = node_disk_boot(n, err);
    return r < 0 ? r : watch(n, err);
}

static void kill_init(struct node *n) {
    if (!n->init)
        return;
    (void)spawn_pidfd_kill(n->init_pidfd, SIGKILL);
    if (spawn_pidfd_gone(n->init_pidfd, REAP_TIMEOUT_MS))
        reap(n->init_pidfd);
}

int node_power_on(struct node *n, struct err *err) {
    if (n->init)
        return err_set(err, EALREADY, "node '%s' is on", n->name);
    int r = boot(n, err);
    if (r == 0 && n->cut_by_power) {
        r = switch_port_set(n->sw, n->name, true, err);
        n->cut_by_power = r < 0;
    }
    if (r < 0) {
        kill_init(n);
        boot_forget(n);
        return err_wrap(err, "power on node '%s'", n->name);
    }
    emit_power(n, true);
    return 0;
}

// Only a port that was up is ours to bring back: a link.down fault may hold it.
static int cut_link(struct node *n, struct err *err) {
    bool up;
    int r = switch_port_get(n->sw, n->name, &up, err);
    if (r < 0 || !up)
        return r;
    r = switch_port_set(n->sw, n->name, false, err);
    n->cut_by_power = r == 0;
    return r;
}

static bool lives_in(const char *pid, ino_t pid_ns) {
    char path[64];
    struct stat st;
    struct proc_stat p;
    (void)snprintf(path, sizeof path, "/proc/%s/ns/pid", pid);
    return stat(path, &st) == 0 && st.st_ino == pid_ns && proc_stat_read("/proc", strtol(pid, NULL, 10), &p) == 0 &&
           !strchr("ZX", p.state);
}

static bool anybody_lives(const struct node *n) {
    struct stat ns;
    cleanup_dir DIR *dir = opendir("/proc");
    if (!dir || fstat(n->ns[NODE_NS_PID], &ns) < 0)
        return true;
    for (const struct dirent *e; (e = readdir(dir));)
        if (isdigit((unsigned char)e->d_name[0]) && strtol(e->d_name, NULL, 10) != n->init &&
            lives_in(e->d_name, ns.st_ino))
            return true;
    return false;
}

// Init's end is seen when every process of its namespace is gone, those included that entered from outside (`bascule
// exec`): the kernel waits until their parents have reaped them (kernel/pid_namespace.c, zap_pid_ns_processes). A
// student's stopped command must not hold up a power cut: once only such dead ones are left, the rest is left to the
// kernel and to pid 1's reaper.
static void await_end(struct node *n) {
    bool gone = spawn_pidfd_gone(n->init_pidfd, REAP_STEP_MS);
    for (int waited = REAP_STEP_MS; !gone && waited < REAP_TIMEOUT_MS && anybody_lives(n); waited += REAP_STEP_MS)
        gone = spawn_pidfd_gone(n->init_pidfd, REAP_STEP_MS);
    // Its own source must go first: two sources can't watch one descriptor.
    n->on_end = sd_event_source_disable_unref(n->on_end);
    if (gone)
        reap(n->init_pidfd);
    else
        reap_later(n);
}

int node_power_off(struct node *n, usec_t *ret_effective, struct err *err) {
    if (!n->init)
        return err_set(err, EALREADY, "node '%s' is off", n->name);
    int r = cut_link(n, err);
    if (r < 0)
        return err_wrap(err, "power off node '%s'", n->name);
    usec_t effective = sink_now(&n->sink);
    (void)node_read_answers(n); // what ended before the cut
    if (!n->init)
        return 0; // whoever heard it was faster
    (void)spawn_pidfd_kill(n->init_pidfd, SIGKILL);
    node_functions_kill(n);
    await_end(n);
    // Without CONFIG_INET_DIAG_DESTROY the kernel's left-over FINs may be sent after the next power-on; peers then see
    // a late close instead of a reset. Nothing during the outage differs, so the power cut counts as done.
    (void)link_forget_tcp(n->ns[NODE_NS_NET], NULL);
    boot_forget(n);
    node_signals_abandon(n, -ECANCELED);
    emit_power(n, false);
    if (ret_effective)
        *ret_effective = effective;
    return 0;
}
