// SPDX-License-Identifier: PostgreSQL
// A function of ours as a process of a node. It is the supervisor's child in the lab's pid namespace (so its pid can be
// waited for) with the node's network, mounts, name and ipc; a power-off kills it with the rest.
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lab/node/internal.h"
#include "lab/sandbox/caps.h"
#include "lab/sandbox/spawn.h"

// Of the supervisor's descriptors only plain files and folders stay (a ledger opened before): a copy of a connection
// would keep it open after the supervisor has closed it, and its peer would not see the end.
static void close_inherited(int keep) {
    cleanup_dir DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return;
    int own = dirfd(dir);
    for (const struct dirent *e; (e = readdir(dir));) {
        int fd = (int)strtol(e->d_name, NULL, 10);
        struct stat st;
        if (fd > 2 && fd != keep && fd != own && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            (void)close(fd);
    }
}

static int enter(const struct node *n) {
    static const struct {
        enum node_ns which;
        int type;
    } order[] = {{NODE_NS_NET, CLONE_NEWNET},
                 {NODE_NS_UTS, CLONE_NEWUTS},
                 {NODE_NS_IPC, CLONE_NEWIPC},
                 {NODE_NS_MNT, CLONE_NEWNS}};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (setns(n->ns[order[i].which], order[i].type) < 0)
            return -errno;
    return 0;
}

static _Noreturn void become_function(const struct node *n, int (*main_fn)(void *arg, int fd), void *arg, int fd) {
    struct err err = {0};
    close_inherited(fd); // before entering: it looks in the /proc of the lab
    int r = enter(n);
    if (r == 0)
        r = caps_drop(&err);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    spawn_reset_signals();
    if (r < 0)
        _exit(126);
    _exit(main_fn(arg, fd));
}

void node_functions_kill(struct node *n) {
    VEC_FOREACH (&n->functions, pidfd) {
        (void)spawn_pidfd_kill(*pidfd, SIGKILL); // ended and reaped already: fine
        (void)close(*pidfd);
    }
    VEC_CLEAR(&n->functions);
}

int node_run_function(struct node *n, int (*main_fn)(void *arg, int fd), void *arg, pid_t *ret_pid, int *ret_fd,
                      struct err *err) {
    if (!n->init)
        return err_set(err, EHOSTDOWN, "node '%s' is off", n->name);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_sys(err, errno, "make a socket for a process of node '%s'", n->name);
    cleanup_close int ours = ends[0], theirs = ends[1];
    pid_t pid = fork(); // libc's: the function uses libraries that know about forks
    if (pid == 0)
        become_function(n, main_fn, arg, theirs);
    if (pid < 0)
        return err_sys(err, errno, "make a process of node '%s'", n->name);
    int pidfd = spawn_pidfd_open(pid); // ours to wait for, so the pid can't be another's
    if (pidfd >= 0)
        VEC_PUSH(&n->functions, pidfd);
    *ret_pid = pid;
    *ret_fd = STEAL_FD(ours);
    return 0;
}
