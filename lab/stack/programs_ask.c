// SPDX-License-Identifier: PostgreSQL
// Versions, from the programs themselves. All are asked at once and given one deadline; the slowest would be Patroni (Python,
// 0.2 s of every start), so its version is read from the file next to its code where Debian puts it (version_file).
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/stack/programs.h"

#define VERSION_DEADLINE (5 * SEC) // a cold disk and a busy machine; normally 20 ms

static void ask(struct wanted *p) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return;
    p->pid = fork();
    if (p->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigset_t none;
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(fds[1], 1) < 0 || dup2(null, 2) < 0)
            _exit(126);
        (void)execl(p->path, p->path, p->program->option, (char *)NULL);
        _exit(127);
    }
    (void)close(fds[1]);
    p->fd = fds[0];
}

// false: nothing more will come.
static bool listen_once(struct wanted *p) {
    char chunk[512];
    ssize_t n = read(p->fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
        return true;
    if (n > 0 && p->said.len < 4096)
        strbuf_addn(&p->said, chunk, (size_t)n);
    if (n > 0)
        return true;
    (void)close(STEAL_FD(p->fd));
    return false;
}

static void collect_answers(struct wanted *programs, size_t n) {
    usec_t deadline = usec_now() + VERSION_DEADLINE;
    for (;;) {
        struct pollfd fds[8];
        struct wanted *who[8];
        nfds_t open_fds = 0;
        for (size_t i = 0; i < n && open_fds < ARRAY_SIZE(fds); i++)
            if (programs[i].fd >= 0) {
                who[open_fds] = &programs[i];
                fds[open_fds++] = (struct pollfd){.fd = programs[i].fd, .events = POLLIN};
            }
        usec_t now = usec_now();
        if (open_fds == 0 || now >= deadline)
            return;
        if (poll(fds, open_fds, (int)((deadline - now) / MSEC) + 1) <= 0)
            continue;
        for (nfds_t i = 0; i < open_fds; i++)
            if (fds[i].revents)
                (void)listen_once(who[i]);
    }
}

// "postgres (PostgreSQL) 15.18 (Debian ...)", "etcd Version: 3.4.23", "HAProxy version 2.6.12-1+deb12u1 ...": the first
// word that begins with a digit.
static void take_version(const char *said, char *ret) {
    for (const char *p = said; *p;) {
        size_t len = strcspn(p, " \n\t'\"");
        if (*p >= '0' && *p <= '9' && len > 0) {
            cleanup_free char *word = xstrndup(p, len);
            (void)str_copy(ret, 64, word);
            return;
        }
        p += len + strspn(p + len, " \n\t'\"");
    }
}

static void finish(struct wanted *p) {
    if (p->pid > 0) {
        if (p->fd >= 0)
            (void)kill(p->pid, SIGKILL); // silent until the deadline
        (void)waitpid(p->pid, NULL, 0);
    }
    if (p->fd >= 0)
        (void)close(p->fd);
    if (p->said.len)
        take_version(strbuf_str(&p->said), p->version);
    strbuf_done(&p->said);
}

// The file belongs to Debian's package: a program elsewhere has another.
static bool told_by_file(struct wanted *p) {
    return p->program->version_file && str_starts(p->path, "/usr/bin/") &&
           fs_read(p->program->version_file, 4096, &p->said, NULL) == 0;
}

void programs_ask(struct wanted *programs, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (*programs[i].path && programs[i].program->option && programs[i].needed && !told_by_file(&programs[i]))
            ask(&programs[i]);
    collect_answers(programs, n);
    for (size_t i = 0; i < n; i++)
        finish(&programs[i]);
}
