// SPDX-License-Identifier: PostgreSQL
// The lab's box. Parent: clone, wait for the child's one report. Child (pid 1 of the lab): identity, mounts, lo,
// report, return. A step that fails is reported and the child exits; with it goes everything it had made. When the
// parent dies meanwhile, the parent-death signal ends the child, or it sees the hang-up of the pipe that the parent
// held when it set that signal too late.
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "lab/base/fs.h"
#include "lab/sandbox/confine.h"
#include "lab/sandbox/explain.h"
#include "lab/sandbox/link.h"
#include "lab/sandbox/mounts.h"
#include "lab/sandbox/sandbox.h"
#include "lab/sandbox/spawn.h"

struct box { // what the child needs to know
    bool die_with_parent;
    int parent_alive; // read end: hang-up = the parent is gone
    uid_t outer_uid, inner_uid;
    gid_t outer_gid, inner_gid;
};

static char home[PATH_MAX]; // of the outer user: inside, the uid is postgres'

const char *sandbox_home(void) {
    return home;
}

static int write_map(const char *path, const char *text, struct err *err) {
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : fs_write_all(fd, text, strlen(text));
    return r < 0 ? explain_refusal(err, -r, path) : 0;
}

// "One line, naming our own outer id, setgroups denied" is what a plain user may write (user_namespaces(7)).
static int become_postgres(const struct box *b, struct err *err) {
    char uid_map[64], gid_map[64];
    (void)snprintf(uid_map, sizeof uid_map, "%u %u 1\n", (unsigned)b->inner_uid, (unsigned)b->outer_uid);
    (void)snprintf(gid_map, sizeof gid_map, "%u %u 1\n", (unsigned)b->inner_gid, (unsigned)b->outer_gid);
    int r = write_map("/proc/self/setgroups", "deny", err);
    if (r == 0)
        r = write_map("/proc/self/gid_map", gid_map, err);
    if (r == 0)
        r = write_map("/proc/self/uid_map", uid_map, err);
    return r < 0 ? err_wrap(err, "set the lab's identity") : 0;
}

static int follow_parent(const struct box *b, struct err *err) {
    if (!b->die_with_parent)
        return 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return err_sys(err, errno, "ask to end with the parent");
    struct pollfd p = {.fd = b->parent_alive, .events = POLLIN};
    if (poll(&p, 1, 0) != 0)
        _exit(1); // it died before we asked
    return 0;
}

// /run is ours from here on: SANDBOX_STATE need not exist on the host. /run/user stays visible, the user's sockets live
// there.
static int private_run(struct err *err) {
    cleanup_close int user = access("/run/user", F_OK) == 0 ? mount_pick("/run/user", err) : -1;
    int r = mount_tmpfs("/run", "mode=755,size=16m", err);
    if (r == 0 && user >= 0)
        r = mount_mkdir("/run/user", 0755, err);
    if (r == 0 && user >= 0)
        r = mount_place(user, "/run/user", err);
    if (r == 0)
        r = mount_mkdir(SANDBOX_STATE, 0755, err);
    return r < 0 ? r : mount_tmpfs(SANDBOX_STATE, "mode=755", err);
}

static int private_mounts(struct err *err) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return explain_refusal(err, errno, "make the lab's mounts private");
    int r = mount_proc(err);
    // Each PostgreSQL leaves a segment in /dev/shm when it is killed; those of the lab (the initdb of a template runs outside
    // any node) must not pile up on the host.
    if (r == 0)
        r = mount_tmpfs("/dev/shm", "mode=1777", err);
    return r < 0 ? r : private_run(err);
}

static int build(const struct box *b, struct err *err) {
    // Not dumpable (after a change of uid) means that /proc/self is root's; then not even our own map can be written.
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    int r = become_postgres(b, err);
    if (r == 0)
        r = confine_rights(err);
    if (r == 0)
        r = private_mounts(err);
    if (r == 0)
        r = link_lo_up(err);
    return r < 0 ? r : follow_parent(b, err); // last: a change of credentials resets the parent-death signal
}

static void child(const struct box *b, int report) {
    struct err err = {0};
    (void)prctl(PR_SET_NAME, "bascule-lab");
    int r = follow_parent(b, &err); // early as well: the build takes a few ms
    if (r == 0)
        r = build(b, &err);
    spawn_report(report, &err);
    if (r < 0)
        _exit(1);
}

static int parent(pid_t pid, int report, struct err *err) {
    int r = spawn_report_wait(report, "the lab's first process", err);
    if (r < 0)
        (void)spawn_end(pid);
    return r < 0 ? err_wrap(err, "make the lab's namespaces") : 1;
}

int sandbox_clone(bool die_with_parent, pid_t *ret_pid, int *ret_pidfd, struct err *err) {
    struct box b = {.die_with_parent = die_with_parent, .outer_uid = geteuid(), .outer_gid = getegid()};
    int r = sandbox_identity(&b.inner_uid, &b.inner_gid, err);
    if (r < 0)
        return r;
    const struct passwd *pw = getpwuid(b.outer_uid);
    STR_COPY(home, pw ? pw->pw_dir : "");
    int alive[2], report[2];
    if (pipe2(alive, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make a pipe");
    cleanup_close int alive_r = alive[0], alive_w = alive[1];
    if (pipe2(report, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make a pipe");
    cleanup_close int report_r = report[0], report_w = report[1];
    b.parent_alive = alive_r;
    int pidfd = -1;
    pid_t pid =
        spawn_clone(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, &pidfd);
    if (pid < 0)
        return explain_refusal(err, -pid, "make the lab's namespaces");
    if (pid == 0) {
        (void)close(STEAL_FD(alive_w));
        (void)close(STEAL_FD(report_r));
        child(&b, report_w);
        return 0;
    }
    (void)close(STEAL_FD(report_w));
    r = parent(pid, report_r, err);
    if (r < 0) {
        (void)close(pidfd);
        return r;
    }
    *ret_pid = pid;
    *ret_pidfd = pidfd;
    return r;
}
