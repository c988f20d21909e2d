// SPDX-License-Identifier: PostgreSQL
// Where a lab listens: a socket in the lab's own /run, a tmpfs that nobody outside of the lab's mount namespace sees. From outside
// it is reached through /proc/PID/root of the lab's pid 1, which the kernel shows to the lab's owner and to root alone
// (ptrace_may_access, proc(5)). So no other user can connect, fill its queue, take a name first or pretend to be a lab;
// nothing lies on the host's disk, and it ends with the lab. docs/decisions/control-socket.md
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lab/base/fs.h"
#include "lab/record/run.h"
#include "lab/sandbox/sandbox.h"
#include "lab/sandbox/spawn.h"
#include "lab/supervisor/lab.h"

#define SOCKETS SANDBOX_STATE "/control"    // holds one socket, with the lab's name
#define RUN     SANDBOX_STATE "/run-folder" // a symbolic link to it

static const char NAME_CHARS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

bool lab_name_valid(const char *name) {
    size_t n = strspn(name, NAME_CHARS);
    return n > 0 && !name[n] && n < LAB_NAME_MAX && !str_eq(name, ".") && !str_eq(name, "..");
}

void lab_name_from(const char *text, char ret[static LAB_NAME_MAX]) {
    (void)str_copy(ret, LAB_NAME_MAX, str_empty(text) ? "lab" : text);
    for (char *c = ret; *c; c++)
        if (!strchr(NAME_CHARS, *c))
            *c = '-';
    if (!lab_name_valid(ret))
        (void)str_copy(ret, LAB_NAME_MAX, "lab"); // "." or ".."
}

static socklen_t make_address(struct sockaddr_un *a, const char *root, const char *name) {
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(a->sun_path, sizeof a->sun_path, "%s" SOCKETS "/%s", root, name);
    return (socklen_t)sizeof *a;
}

int lab_socket_listen(const char *name, const char *run_dir, struct err *err) {
    struct sockaddr_un a;
    if (mkdir(SOCKETS, 0700) < 0 || symlink(run_dir, RUN) < 0)
        return err_sys(err, errno, "make a place for the control socket");
    cleanup_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, make_address(&a, "", name)) < 0 || listen(fd, SOMAXCONN) < 0)
        return err_sys(err, errno, "control socket of lab '%s'", name);
    return STEAL_FD(fd);
}

int lab_socket_connect(const struct lab_ref *lab, struct err *err) {
    struct sockaddr_un a;
    char root[32];
    (void)snprintf(root, sizeof root, "/proc/%d/root", (int)lab->pid);
    cleanup_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, errno, "control socket");
    if (connect(fd, (struct sockaddr *)&a, make_address(&a, root, lab->name)) < 0) {
        // EACCES, ENOTDIR: its number belongs to another process by now, of somebody else or with other files.
        if (errno == ECONNREFUSED || errno == ENOENT || errno == ESRCH || errno == EACCES || errno == ENOTDIR)
            return err_set(err, ECONNREFUSED, "lab '%s' has just ended", lab->name);
        if (errno == EAGAIN) // thousands ask and it takes none of them
            return err_set(err, ETIMEDOUT,
                           "the supervisor of lab '%s' (pid %d) takes no questions any more; "
                           "`bascule down --force %s` ends the lab",
                           lab->name, (int)lab->pid, lab->name);
        return err_sys(err, errno, "lab '%s'", lab->name);
    }
    // Its number may have gone to another process since it was found: the one that listens must be that one, and ours.
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != getuid() || peer.pid != lab->pid)
        return err_set(err, ECONNREFUSED, "lab '%s' has just ended", lab->name);
    return STEAL_FD(fd);
}

// ---- which labs run ------------------------------------------------------------------------------------------------

// How many pid namespaces deep it is, and its number in the innermost; 0 when it has another name or can't be read.
static int pid_depth(const char *pid, const char *comm, long *ret_innermost) {
    cleanup_free char *path = xasprintf("/proc/%s/status", pid);
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read(path, 16384, &text, NULL) < 0)
        return 0;
    cleanup_free char *first = xasprintf("Name:\t%s\n", comm ? comm : "");
    const char *at = strstr(strbuf_str(&text), "\nNSpid:");
    if (!at || (comm && !str_starts(strbuf_str(&text), first)))
        return 0;
    int depth = 0;
    char *end = NULL;
    for (at += strlen("\nNSpid:"); *at != '\n' && *at; at = end) {
        long n = strtol(at, &end, 10);
        if (end == at)
            break;
        *ret_innermost = n;
        depth++;
    }
    return depth;
}

// The name in its folder of sockets; what a lab would not be called is none.
static bool read_name(const char *pid, char *name, size_t size) {
    cleanup_free char *path = xasprintf("/proc/%s/root" SOCKETS, pid);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_type == DT_SOCK && lab_name_valid(e->d_name)) {
            (void)str_copy(name, size, e->d_name);
            return true;
        }
    return false;
}

// A lab's pid 1: a process of ours by that name, first in a pid namespace right inside of this one. (A student's process in a node
// is deeper.)
static bool take_lab(const char *pid, int own_depth, struct lab_ref *ret) {
    cleanup_free char *dir = xasprintf("/proc/%s", pid);
    struct stat st;
    long number = 0;
    if (stat(dir, &st) < 0 || st.st_uid != getuid() || pid_depth(pid, LAB_COMM, &number) != own_depth + 1 ||
        number != 1)
        return false;
    *ret = (struct lab_ref){.pid = (pid_t)strtol(pid, NULL, 10)};
    if (!read_name(pid, ret->name, sizeof ret->name))
        return false;
    cleanup_free char *link = xasprintf("/proc/%s/root" RUN, pid);
    if (readlink(link, ret->run_dir, sizeof ret->run_dir - 1) < 0) // terminated: the struct was zero
        ret->run_dir[0] = '\0';
    return true;
}

static int by_name(const void *a, const void *b) {
    const struct lab_ref *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->pid > y->pid) - (x->pid < y->pid);
}

int lab_list_running(lab_list *ret, struct err *err) {
    long own = 0;
    int depth = pid_depth("self", NULL, &own);
    cleanup_dir DIR *dir = opendir("/proc");
    if (!dir || depth == 0)
        return err_sys(err, errno, "look for labs in /proc");
    struct lab_ref found;
    for (const struct dirent *e; (e = readdir(dir));)
        if (isdigit((unsigned char)e->d_name[0]) && take_lab(e->d_name, depth, &found))
            VEC_PUSH(ret, found);
    VEC_SORT(ret, by_name);
    return 0;
}

int lab_find(const char *name, struct lab_ref *ret, struct err *err) {
    lab_list labs = {0};
    int r = lab_list_running(&labs, err);
    if (r == 0)
        r = err_set(err, ECONNREFUSED, "no lab named '%s' is running (see `bascule list`)", name);
    VEC_FOREACH (&labs, l)
        if (r == -ECONNREFUSED && str_eq(l->name, name)) {
            *ret = *l;
            r = 0;
        }
    VEC_DONE(&labs);
    return r;
}

bool lab_runs(const struct lab_ref *lab) {
    char pid[16];
    long own = 0;
    struct lab_ref now;
    (void)snprintf(pid, sizeof pid, "%d", (int)lab->pid);
    return take_lab(pid, pid_depth("self", NULL, &own), &now) && str_eq(now.name, lab->name);
}

int lab_pidfd(const struct lab_ref *lab, struct err *err) {
    cleanup_close int fd = spawn_pidfd_open(lab->pid);
    if (fd < 0 && fd != -ESRCH)
        return err_sys(err, -fd, "watch the supervisor of lab '%s'", lab->name);
    if (fd < 0 || !lab_runs(lab)) // the process that we hold now
        return err_set(err, ECONNREFUSED, "lab '%s' has just ended", lab->name);
    return STEAL_FD(fd);
}

// ---- two that start at once ----------------------------------------------------------------------------------------

static int open_own(const char *path) {
    struct stat st;
    cleanup_close int fd = str_empty(path) ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == getuid() ? STEAL_FD(fd) : -1;
}

static bool lock(int fd) {
    static const usec_t PATIENCE = 5 * SEC; // a start holds it for as long as its name spaces take
    for (usec_t end = usec_now() + PATIENCE; flock(fd, LOCK_EX | LOCK_NB) < 0;) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || usec_now() >= end)
            return false;
        (void)poll(NULL, 0, 20);
    }
    return true;
}

// The home first: it is the same in every session of a user, a login's, cron's and that of `su`, of which only the first has XDG_RUNTIME_DIR.
int lab_names_lock(void) {
    cleanup_strbuf struct strbuf runs = {0};
    int fd = open_own(getenv("HOME"));
    if (fd < 0)
        fd = open_own(getenv("XDG_RUNTIME_DIR"));
    if (fd < 0 && run_default_dir(&runs, NULL) == 0)
        fd = open_own(strbuf_str(&runs));
    if (fd >= 0 && !lock(fd))
        (void)close(STEAL_FD(fd));
    return fd;
}
