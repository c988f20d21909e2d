// SPDX-License-Identifier: PostgreSQL
#include "lab/sandbox/spawn.h"

#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lab/base/fs.h"

enum { REPORT_TIMEOUT_MS = 60000 }; // the first steps take some ms, seconds on a machine that swaps

// The raw call and not clone3: container runtimes answer clone3 with ENOSYS to be able to filter clone's flags. Without
// CLONE_VM the child runs on a copy of our stack, so no stack is given; the pidfd comes back through the parent_tid
// argument.
pid_t spawn_clone(unsigned long flags, int *ret_pidfd) {
    int pidfd = -1;
    long pid = syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);
    if (pid < 0)
        return -errno;
    if (pid > 0)
        *ret_pidfd = pidfd;
    return (pid_t)pid;
}

int spawn_pidfd_open(pid_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0); // always close-on-exec
    return fd < 0 ? -errno : (int)fd;
}

int spawn_pidfd_kill(int pidfd, int sig) {
    return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

static bool readable(int fd, int timeout_ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    usec_t end = usec_now() + (usec_t)timeout_ms * MSEC;
    for (;;) {
        usec_t now = usec_now();
        int n = poll(&p, 1, now < end ? (int)((end - now + MSEC - 1) / MSEC) : 0);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

bool spawn_pidfd_gone(int pidfd, int timeout_ms) {
    return readable(pidfd, timeout_ms);
}

int spawn_wait(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return status;
}

// A struct err is smaller than PIPE_BUF: it arrives whole or not at all (pipe(7)).
void spawn_report(int fd, const struct err *report) {
    while (write(fd, report, sizeof *report) < 0 && errno == EINTR)
        ;
}

int spawn_end(pid_t pid) {
    (void)kill(pid, SIGKILL); // not reaped yet: the number is still its own
    return spawn_wait(pid);
}

int spawn_report_wait(int fd, const char *what, struct err *err) {
    struct err report;
    if (!readable(fd, REPORT_TIMEOUT_MS))
        return err_set(err, ETIMEDOUT, "%s has said nothing for %d s", what, REPORT_TIMEOUT_MS / 1000);
    if (fs_read_some(fd, &report, sizeof report) != sizeof report)
        return err_set(err, ECHILD, "%s ended before it was ready", what);
    if (report.code == 0)
        return 0;
    return err_set(err, report.code, "%s", report.msg);
}

void spawn_reset_signals(void) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &plain, NULL); // SIGKILL, SIGSTOP and libc's own refuse: fine
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void spawn_close_from(int first) {
    (void)syscall(SYS_close_range, first, ~0U, 0);
}
