// SPDX-License-Identifier: PostgreSQL
// Three parts that follow each other in time: the scratch folder that mmdebstrap works in, the guardian process that starts it there
// and clears up after it, and what the caller of the guardian does (start, go, wait, stop). worker.h says who may die when.
#include "lab/image/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/base/usec.h"
#include "lab/image/program.h"
#include "lab/image/tree.h"

enum { TERM_MS = 5000 }; // mmdebstrap removes its folder when told to end; that takes a second or two

// ---- the scratch folder ------------------------------------------------------------------------------------------------

// A plain user's mmdebstrap works as one of its subordinate users, who must be able to walk to the folder.
static bool others_can_enter(const char *path) {
    cleanup_free char *p = xstrdup(path);
    for (;;) {
        struct stat st;
        if (stat(p, &st) < 0 || !(st.st_mode & S_IXOTH))
            return false;
        char *slash = strrchr(p, '/');
        if (!slash || slash == p)
            return true;
        *slash = '\0';
    }
}

static void scratch_parent(char *ret, size_t size) {
    const char *own = getenv("TMPDIR");
    bool usable = !str_empty(own) && own[0] == '/' && access(own, W_OK) == 0 && others_can_enter(own);
    (void)str_copy(ret, size, usable ? own : "/var/tmp"); // not /tmp: that is memory on many hosts
}

// What mmdebstrap leaves behind belongs to subordinate users. It brings the helper that becomes their root; the empty folder that
// remains is removed by the owner of its parent.
static void scratch_remove(const char *path) {
    if (geteuid() != 0 && fs_remove_tree(path, NULL) < 0) {
        cleanup_dir DIR *d = opendir(path);
        for (const struct dirent *e; d && (e = readdir(d));) {
            cleanup_free char *below = xasprintf("%s/%s", path, e->d_name);
            const char *argv[] = {"mmdebstrap", "--unshare-helper", "rm", "-rf", "--one-file-system", below, NULL};
            pid_t pid = e->d_name[0] == '.' ? -1 : program_start(argv, -1, -1, -1, NULL);
            if (pid > 0)
                (void)waitpid(pid, NULL, 0);
        }
    }
    (void)fs_remove_tree(path, NULL);
}

// Folders whose guardian is gone: nobody holds their lock.
static void scratch_collect(const char *parent, const char *prefix) {
    cleanup_dir DIR *d = opendir(parent);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (!str_starts(e->d_name, prefix))
            continue;
        cleanup_free char *path = xasprintf("%s/%s", parent, e->d_name);
        cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
            scratch_remove(path);
    }
}

// The path and a descriptor that holds its lock.
static int scratch_make(char ret[static PATH_MAX]) {
    char parent[PATH_MAX], prefix[64];
    scratch_parent(parent, sizeof parent);
    (void)snprintf(prefix, sizeof prefix, "bascule-image-%u-", (unsigned)geteuid());
    scratch_collect(parent, prefix);
    (void)snprintf(ret, PATH_MAX, "%s/%sXXXXXX", parent, prefix);
    if (!mkdtemp(ret) || chmod(ret, 0755) < 0)
        return -errno;
    int fd = open(ret, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        (void)close(fd);
        return -EBUSY; // another collector took it in this very moment
    }
    return fd < 0 ? -errno : fd;
}

// ---- the guardian --------------------------------------------------------------------------------------------------------

static void say(int messages, const char *text) {
    (void)fs_write_all(messages, text, strlen(text));
}

// Ends the program. TERM first: then it clears up itself.
static void end_program(pid_t pid, int pidfd) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    (void)kill(pid, SIGTERM);
    if (poll(&p, 1, TERM_MS) <= 0)
        (void)kill(-pid, SIGKILL); // its own child, not reaped: the number can't be another's
}

// Who ends without having been told to (kill -9) leaves what it has started at work in the scratch folder, which could not be removed then.
// They are of its group, or in a pid namespace whose first process is; we are their reaper, so gone is gone.
static void end_group(pid_t pid) {
    siginfo_t ignored;
    while (waitid(P_PID, (id_t)pid, &ignored, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    (void)kill(-pid, SIGKILL); // not reaped yet: the number can't be another's
}

static void reap_orphans(void) {
    usec_t end = usec_now() + TERM_MS * MSEC; // whoever left the group is not waited for without end
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0 || (pid == 0 && usec_now() < end))
        if (pid == 0)
            (void)usleep(10000);
}

static int supervise(pid_t pid, int control) {
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
    struct pollfd p[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = control, .events = POLLIN}};
    while (pidfd >= 0 && poll(p, 2, -1) < 0 && errno == EINTR)
        ;
    if (pidfd < 0 || !(p[0].revents & POLLIN))
        end_program(pid, pidfd);
    end_group(pid);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    reap_orphans();
    return status;
}

static _Noreturn void guardian(const char *const *argv, int control, int out, int messages, int life) {
    char go = 0, scratch[PATH_MAX];
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)setsid(); // Ctrl-C is for our caller, who closes the control socket then
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)umask(022);
    if (read(control, &go, 1) != 1)
        _exit(0);
    int lock = scratch_make(scratch), status = 127 << 8;
    if (lock < 0)
        say(messages, "E: the folder to build in could not be made; set TMPDIR to one that can be written\n");
    pid_t pid = lock < 0 ? -1 : fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        (void)setenv("TMPDIR", scratch, 1);
        if (chdir("/") < 0)
            _exit(127);
        program_exec(argv, -1, out, messages);
    }
    (void)close(out);
    (void)close(messages);
    if (pid > 0) {
        (void)dprintf(life, "%d\n", (int)pid);
        status = supervise(pid, control);
    }
    if (lock >= 0)
        scratch_remove(scratch);
    (void)!write(control, &status, sizeof status);
    _exit(0);
}

// ---- its caller ------------------------------------------------------------------------------------------------------------

int worker_start(const char *const *argv, struct worker *ret, struct err *err) {
    int control[2] = {-1, -1}, out[2] = {-1, -1}, messages[2] = {-1, -1}, life[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
        pipe2(messages, O_CLOEXEC) < 0 || pipe2(life, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make pipes"); // out of descriptors: the process ends, and they with it
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(control[0]);
        (void)close(out[0]);
        (void)close(messages[0]);
        (void)close(life[0]);
        guardian(argv, control[1], out[1], messages[1], life[1]);
    }
    int code = errno;
    (void)close(control[1]);
    (void)close(out[1]);
    (void)close(messages[1]);
    (void)close(life[1]);
    *ret = (struct worker){
        .pid = pid > 0 ? pid : 0, .control = control[0], .out = out[0], .messages = messages[0], .life = life[0]};
    return pid < 0 ? err_sys(err, code, "make a process") : 0;
}

void worker_read_life(void *arg, const char *line) {
    struct worker *w = arg;
    w->program = (pid_t)strtol(line, NULL, 10);
}

static int lost(struct err *err) {
    return err_set(err, ECHILD, "the build's guardian was killed");
}

int worker_life_ended(void *arg, struct err *err) {
    struct worker *w = arg;
    int status;
    bool told = recv(w->control, &status, sizeof status, MSG_PEEK | MSG_DONTWAIT) > 0;
    if (told || w->program <= 1 || kill(-w->program, SIGKILL) == 0 || errno == ESRCH)
        return 0;
    return lost(err);
}

int worker_go(struct worker *w, struct err *err) {
    return write(w->control, "g", 1) == 1 ? 0 : err_sys(err, errno, "start the build");
}

static void reap(struct worker *w) {
    while (w->pid > 0 && waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
}

int worker_wait(struct worker *w, struct err *err) {
    int status = 0;
    ssize_t n = fs_read_some(w->control, &status, sizeof status);
    reap(w);
    return n == (ssize_t)sizeof status ? status : lost(err);
}

void worker_stop(struct worker *w) {
    int *fds[] = {&w->control, &w->out, &w->messages, &w->life};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        if (*fds[i] > 0) // 0: never started
            (void)close(*fds[i]);
        *fds[i] = -1;
    }
    reap(w); // at most TERM_MS and the time to remove the scratch folder
}
