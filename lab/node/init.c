// SPDX-License-Identifier: PostgreSQL
// Pid 1 of a node. Boot: enter the node's namespaces, own copy of its mounts, fresh /proc and tmpfs, no capabilities,
// "booted". Then one poll loop: requests of the supervisor, SIGCHLD, ends that somebody waits for. It restarts nothing
// by itself: a lab that heals what it broke teaches nothing. It needs no supervisor watch: pid 1 of the lab dies, the
// kernel ends this one too.
#include "lab/node/init.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/node/disk/agent.h"
#include "lab/node/internal.h"
#include "lab/sandbox/caps.h"
#include "lab/sandbox/confine.h"
#include "lab/sandbox/spawn.h"

void init_answer(const struct init *in, const struct answer *a) {
    if (proto_send(in->control, a, sizeof *a, 0) < 0)
        _exit(1); // nobody to work for: the node goes down
}

static int enter(const struct boot *b, struct err *err) {
    const struct {
        int fd, type;
        const char *what;
    } ns[] = {{b->net, CLONE_NEWNET, "network"},
              {b->uts, CLONE_NEWUTS, "host name"},
              {b->ipc, CLONE_NEWIPC, "ipc"},
              {b->mnt, CLONE_NEWNS, "mount"}};
    for (size_t i = 0; i < ARRAY_SIZE(ns); i++)
        if (setns(ns[i].fd, ns[i].type) < 0)
            return err_sys(err, errno, "enter the %s namespace", ns[i].what);
    if (unshare(CLONE_NEWNS) < 0)
        return err_sys(err, errno, "make the boot's own mounts");
    return 0;
}

// A fresh pid namespace counts from 1 again, and a server that comes back would find its old postmaster.pid naming a
// living process. Real machines boot into varying pids; so does this one. Kernels without the file: stale pid files may
// then hit.
static void vary_pids(void) {
    uint32_t dice;
    if (getrandom(&dice, sizeof dice, 0) != sizeof dice)
        return;
    char text[16];
    int n = snprintf(text, sizeof text, "%u", 300 + dice % 20000);
    (void)fs_write("/proc/sys/kernel/ns_last_pid", text, (size_t)n, 0644, NULL);
}

// ps shows "bascule-init" and not the command line of the program we were cloned from.
static void rename_self(void) {
    static const char title[] = "bascule-init";
    (void)prctl(PR_SET_NAME, "init");
    char *at;
    size_t len = confine_wipe(CONFINE_ARGUMENTS, &at);
    if (len)
        memcpy(at, title, len - 1 < sizeof title ? len - 1 : sizeof title);
}

static int quiet_stdio(struct err *err) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return err_sys(err, errno, "open /dev/null");
    for (int fd = 0; fd < 3; fd++)
        if (dup2(null, fd) < 0)
            return err_sys(err, errno, "redirect to /dev/null");
    return 0;
}

static int watch_children(struct init *in, struct err *err) {
    sigset_t all;
    spawn_reset_signals();
    sigfillset(&all); // pid 1 ignores what it does not handle; blocked as well, nothing can interrupt a system call
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0 ||
        (in->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return err_sys(err, errno, "watch for children");
    return 0;
}

// Started before any service and without a filter of its own.
static int start_disk_agent(struct init *in, int control, struct err *err) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_sys(err, errno, "make a socket for the disk agent");
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(in->control);
        if (in->watchdog.fd >= 0)
            (void)close(in->watchdog.fd);
        disk_agent_main(in->disk_layer, control, ends[0], ends[1]);
    }
    if (pid < 0)
        return err_sys(err, errno, "start the disk agent");
    (void)close(control);
    (void)close(ends[0]);
    in->handoff = ends[1];
    in->disk_agent = pid;
    return 0;
}

// The machine is as old as this boot: `uptime`, and the start times of ps. CLOCK_MONOTONIC, by which everything is measured, stays the
// host's (time_namespaces(7)). Without (an older kernel, a host that refuses): the host's uptime.
static void begin_time(void) {
    struct timespec now;
    char text[64];
    if (clock_gettime(CLOCK_BOOTTIME, &now) < 0 || unshare(CLONE_NEWTIME) < 0)
        return;
    int n = snprintf(text, sizeof text, "boottime -%lld 0\n", (long long)now.tv_sec);
    int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t done = write(fd, text, (size_t)n);
        (void)done;
        (void)close(fd);
    }
    fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)setns(fd, CLONE_NEWTIME);
        (void)close(fd);
    }
}

static int boot(const struct boot *b, struct init *in, struct err *err) {
    begin_time(); // in the /proc of the lab, where this process is /proc/self
    // Nothing of the supervisor but the control socket: not its sockets (their peers would miss the end), not its
    // files.
    int r = enter(b, err);
    if (r == 0)
        r = root_boot(err);
    if (r < 0)
        return r;
    vary_pids();
    int disk = b->disk < 0 ? -1 : fcntl(b->disk, F_DUPFD_CLOEXEC, 10);
    if (b->watchdog)
        init_watchdog_fit(in);
    if (dup3(b->control, 3, O_CLOEXEC) < 0 && b->control != 3)
        return err_sys(err, errno, "keep the control socket");
    in->control = 3;
    if (in->watchdog.fd >= 0 && dup3(in->watchdog.fd, 4, O_CLOEXEC) < 0 && in->watchdog.fd != 4)
        return err_sys(err, errno, "keep the watchdog");
    in->watchdog.fd = in->watchdog.fd >= 0 ? 4 : -1;
    if (in->watchdog.fd < 0)
        (void)close(4);
    if (b->disk >= 0 && (disk < 0 || dup3(disk, 5, O_CLOEXEC) < 0))
        return err_sys(err, errno, "keep the disk agent's socket");
    spawn_close_from(b->disk < 0 ? 5 : 6);
    r = quiet_stdio(err);
    if (r == 0)
        r = caps_guard(err);
    rename_self();
    (void)umask(022);
    (void)setsid();
    in->handoff = -1;
    in->disk_layer = b->disk_layer;
    if (r == 0)
        r = watch_children(in, err);
    return r < 0 || b->disk < 0 ? r : start_disk_agent(in, 5, err);
}

static void handle_request(struct init *in) {
    static char data[REQUEST_MAX];
    struct request rq;
    ssize_t n = recv(in->control, data, sizeof data, 0);
    if (n == 0 || (n < 0 && errno != EINTR))
        _exit(0); // the supervisor let go of this node
    if (n < (ssize_t)sizeof rq)
        return;
    memcpy(&rq, data, sizeof rq);
    switch ((enum request_kind)rq.kind) {
    case REQUEST_START:
        init_start(in, &rq, data + sizeof rq, (size_t)n - sizeof rq);
        break;
    case REQUEST_SIGNAL:
        init_signal(in, &rq);
        break;
    case REQUEST_DUTY:
        init_duty_set(in, &rq);
        break;
    }
}

static int next_timeout_ms(const struct init *in) {
    usec_t next = USEC_NEVER, now = usec_now();
    for (size_t i = 0; i < ARRAY_SIZE(in->waits); i++)
        if (in->waits[i].pidfd >= 0 && in->waits[i].deadline < next)
            next = in->waits[i].deadline;
    if (init_watchdog_deadline(in) < next)
        next = init_watchdog_deadline(in);
    if (in->duty.next < next)
        next = in->duty.next;
    if (next == USEC_NEVER)
        return -1;
    return next <= now ? 0 : (int)((next - now + MSEC - 1) / MSEC);
}

static void serve(struct init *in) {
    struct pollfd p[3 + INIT_WAITS_MAX] = {{.fd = in->control, .events = POLLIN},
                                           {.fd = in->signals, .events = POLLIN},
                                           {.fd = in->watchdog.fd, .events = POLLIN}};
    for (size_t i = 0; i < ARRAY_SIZE(in->waits); i++) // a negative fd is left out by poll
        p[3 + i] = (struct pollfd){.fd = in->waits[i].pidfd, .events = POLLIN};
    if (poll(p, ARRAY_SIZE(p), next_timeout_ms(in)) < 0)
        return;
    init_waits_check(in, usec_now()); // first: the time of an end is what is measured
    init_duty_check(in, usec_now());
    if (p[2].revents)
        init_watchdog_read(in);
    init_watchdog_check(in, usec_now());
    if (p[1].revents) {
        struct signalfd_siginfo si;
        while (read(in->signals, &si, sizeof si) > 0)
            ;
        init_reap(in);
    }
    if (p[0].revents)
        handle_request(in);
}

void init_main(const struct boot *b) {
    static struct init in;
    for (size_t i = 0; i < ARRAY_SIZE(in.waits); i++)
        in.waits[i].pidfd = -1;
    in.control = b->control;
    in.watchdog.fd = -1;
    in.duty.next = USEC_NEVER;
    struct err err = {0};
    int r = boot(b, &in, &err);
    struct answer a = {.kind = ANSWER_BOOTED, .error = r < 0 ? -r : 0};
    STR_COPY(a.text, err.msg);
    init_answer(&in, &a);
    if (r < 0)
        _exit(1);
    for (;;)
        serve(&in);
}
