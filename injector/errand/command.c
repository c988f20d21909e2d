// SPDX-License-Identifier: PostgreSQL
// A program of the node, run from an errand's process.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "injector/errand/errand.h"

static _Noreturn void become(const char *const *argv, int out) {
    static const char *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                      "HOME=/var/lib/postgresql", "LANG=C.UTF-8", "ETCDCTL_API=3", NULL};
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        (void)dup2(null, 0);
    (void)dup2(out, 1);
    (void)dup2(out, 2);
    (void)execvpe(argv[0], (char *const *)argv, (char *const *)env);
    _exit(127);
}

int errand_command(const char *const *argv, usec_t deadline, struct strbuf *out) {
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    cleanup_close int ours = ends[0], theirs = ends[1];
    pid_t pid = fork();
    if (pid == 0)
        become(argv, theirs);
    if (pid < 0)
        return -1;
    (void)close(STEAL_FD(theirs));
    struct pollfd p = {.fd = ours, .events = POLLIN};
    char buf[4096];
    for (usec_t now, end = usec_now() + deadline; (now = usec_now()) < end;) {
        if (poll(&p, 1, (int)((end - now) / MSEC) + 1) <= 0)
            continue;
        ssize_t n = read(ours, buf, sizeof buf);
        if (n <= 0)
            return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        strbuf_addn(out, buf, (size_t)n);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    strbuf_add(out, " (no end within its deadline)");
    return -1;
}
