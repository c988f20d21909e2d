// SPDX-License-Identifier: PostgreSQL
// What a command in a node can do to the host, to the lab's user and to the node's own init: nothing. Each attack is tried from
// inside, with the uid that everything in the lab has.
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "lab/sandbox/caps.h"
#include "lab/sandbox/confine.h"
#include "tests/sandbox/fixture.h"

// Folders of the user of this lab, in places that no rule names: a file system of ours on /opt, as a disk of his would be.
static void make_users_files(void) {
    CHECK(mount("tmpfs", "/opt", "tmpfs", 0, "mode=755") == 0);
    CHECK_OK(fs_mkdirs("/opt/alice/.ssh", 0700, err));
    CHECK_OK(fs_mkdirs("/opt/project/deep", 0755, err));
    CHECK_OK(fs_write("/opt/alice/.ssh/id", "key", 3, 0600, err));
    CHECK_OK(fs_write("/opt/project/deep/file", "work", 4, 0644, err));
    CHECK(setenv("HOME", "/opt/alice", 1) == 0);
}

static void files_body(struct lab *lab, void *arg) {
    (void)arg;
    make_users_files();
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    CHECK(NODE_SH(lab, n, "test \"$(cat /opt/project/deep/file)\" = work") ==
          0); // seen: the rest is not for want of a path
    CHECK(NODE_SH(lab, n, "! touch /opt/project/new && ! rm -rf /opt/project/deep && ! chmod 777 /opt/project") == 0);
    CHECK(NODE_SH(lab, n, "! sh -c 'echo >/opt/project/deep/file'") == 0);
    CHECK(NODE_SH(lab, n,
                  "rm -rf /opt /home /root /srv /mnt /var/tmp /usr 2>/dev/null; test -e /opt/project/deep/file") == 0);
    CHECK(NODE_SH(lab, n, "test ! -e /opt/alice/.ssh -a -d /opt/alice && ! touch /opt/alice/x") == 0);
    CHECK(NODE_SH(lab, n,
                  "for d in /home /root /mnt /media /srv /var/spool /var/mail /var/tmp /opt/alice; do"
                  "  test ! -e $d || test -z \"$(ls -A $d)\" || exit 1; done") == 0);
    CHECK(NODE_SH(lab, n, "touch ~/a /tmp/a /var/tmp/a /run/a /etc/a /var/log/a /var/lib/etcd/a") == 0);
    // A user namespace of its own has all rights in itself; the mounts it gets are locked.
    CHECK(NODE_SH(
              lab, n,
              "unshare -Urm sh -c '! umount /opt/alice && ! mount -o remount,bind,rw /opt && ! touch /opt/project/new "
              "&& ! umount -l /home'") == 0);
    CHECK(access("/opt/project/deep/file", F_OK) == 0 && access("/opt/alice/.ssh/id", F_OK) == 0);
    CHECK(node_hides("/opt/alice/bin") && node_hides("/home/bob/.local/bin") && node_hides("/var/tmp"));
    CHECK(!node_hides("/opt/project") && !node_hides("/usr/bin") && !node_hides("/homework"));
}
static void the_hosts_files_are_safe_and_peoples_folders_empty(void **state) {
    (void)state;
    in_lab(files_body, NULL);
}

static void odd_home_body(struct lab *lab, void *arg) {
    CHECK(setenv("HOME", arg, 1) == 0);
    lab_nodes(lab, 1, true);
    CHECK(NODE_SH(lab, lab->nodes[0], "test -x /usr/bin/env && touch ~/a /var/log/a") == 0);
}
static void a_home_that_a_node_lives_from_is_not_covered(void **state) {
    (void)state;
    static const char *const homes[] = {"/", "/usr", "/var", "/var/lib/postgresql", "/nonexistent", "relative", ""};
    for (size_t i = 0; i < ARRAY_SIZE(homes); i++)
        in_lab(odd_home_body, (void *)homes[i]);
}

static void devices_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    CHECK(NODE_SH(lab, n,
                  "test \"$(echo $(ls /dev))\" = "
                  "'fd full null ptmx pts random shm stderr stdin stdout tty urandom zero'") == 0);
    CHECK(NODE_SH(lab, n, "test \"$(ls /dev/pts)\" = ptmx && ! touch /dev/x && ! rm -f /dev/null") == 0);
    CHECK(NODE_SH(lab, n, "echo x >/dev/null && head -c 9 /dev/urandom >/dev/shm/r && ! echo >/dev/full") == 0);
    CHECK(NODE_SH(lab, n, "echo a >/dev/stdout; cat </dev/stdin; test -e /dev/fd/0") == 0);
    CHECK(NODE_SH(lab, n, "grep -q '^NoNewPrivs:.1' /proc/self/status && ! grep -q HOME=/opt /proc/self/environ") == 0);
}
static void a_nodes_dev_has_what_programs_need_and_no_terminal_of_the_user(void **state) {
    (void)state;
    in_lab(devices_body, NULL);
}

// ---- init -------------------------------------------------------------------------------------------------------------

// A process of ours with the pid namespace, the mounts and the rights of any command in the node.
static int visit(struct node *n, int (*fn)(void)) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        if (setns(node_ns(n, NODE_NS_PID), CLONE_NEWPID) < 0 || setns(node_ns(n, NODE_NS_MNT), CLONE_NEWNS) < 0)
            _exit(90);
        pid_t inside = fork();
        if (inside == 0)
            _exit(caps_drop(&err) < 0 ? 91 : fn());
        _exit(waitpid(inside, &status, 0) == inside && WIFEXITED(status) ? WEXITSTATUS(status) : 92);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 93;
}

static int steal(pid_t pid, int fd) {
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    return pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static bool can_open(pid_t pid, const char *what) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0;
}

static bool can_read(pid_t pid, void *at) {
    char here;
    struct iovec to = {.iov_base = &here, .iov_len = 1}, from = {.iov_base = at, .iov_len = 1};
    return process_vm_readv(pid, &to, 1, &from, 1, 0) == 1;
}

static const char *const inner[] = {"environ", "mem", "fd/0", "ns/mnt", "maps", "auxv", "cwd"};

// The number of the first attack that went through, 0 = none. init is a copy of us: what lies at an address here lies there too.
static int attack_init(void) {
    static char here = 'x';
    for (size_t i = 0; i < ARRAY_SIZE(inner); i++)
        if (can_open(1, inner[i]))
            return (int)i + 1;
    for (int fd = 0; fd < 10; fd++)
        if (steal(1, fd) >= 0)
            return 20 + fd;
    if (can_read(1, &here))
        return 40;
    if (ptrace(PTRACE_SEIZE, 1, 0, 0) == 0 || ptrace(PTRACE_ATTACH, 1, 0, 0) == 0)
        return 41;
    return kill(1, SIGKILL) < 0 && kill(1, SIGSTOP) < 0 ? 42 : 0; // sent, and of no effect: pid_namespaces(7)
}

// The same on a child: where even that is refused, attack_init shows nothing.
static int attack_child(void) {
    static char here = 'x';
    pid_t child = fork();
    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    int failed = 0;
    for (size_t i = 0; i < ARRAY_SIZE(inner) && !failed; i++)
        failed = can_open(child, inner[i]) ? 0 : (int)i + 1;
    if (!failed && steal(child, 0) < 0)
        failed = 20;
    if (!failed && !can_read(child, &here))
        failed = 40;
    if (!failed && ptrace(PTRACE_SEIZE, child, 0, 0) < 0)
        failed = 41;
    (void)kill(child, SIGKILL);
    return failed;
}

static void init_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    CHECK(visit(n, attack_child) == 0);
    int through = visit(n, attack_init);
    if (through)
        fprintf(stderr, "attack %d went through\n", through);
    CHECK(through == 0);
    lab_spin(lab, 50 * MSEC);
    CHECK(node_is_on(n) && NODE_SH(lab, n, "true") == 0);
    CHECK(NODE_SH(lab, n, "! cat /proc/1/environ && ! readlink /proc/1/fd/3 && ! ls /proc/1/cwd/") == 0);
    CHECK(NODE_SH(lab, n, "unshare -Ur sh -c '! cat /proc/1/environ && ! readlink /proc/1/fd/3'") == 0);
    // What the observers need of it, from outside.
    cleanup_free char *socket = xasprintf("/proc/%d/root/run/postgresql", (int)node_init_pid(n));
    CHECK(fs_exists(socket));
}
static void nobody_in_a_node_can_look_into_its_init_or_speak_for_it(void **state) {
    (void)state;
    in_lab(init_body, NULL);
}

// ---- the environment ----------------------------------------------------------------------------------------------------

static void a_confined_process_shows_nothing_of_its_environment(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf before = {0};
    assert_int_equal(fs_read("/proc/self/environ", 1 << 20, &before, NULL), 0);
    assert_true(before.len > 0);
    pid_t pid = fork();
    if (pid == 0) {
        cleanup_strbuf struct strbuf after = {0};
        cleanup_free char *path = xstrdup(getenv("PATH"));
        confine_environment((const char *const[]){"PATH", "NO_SUCH_NAME", NULL});
        bool wiped = fs_read("/proc/self/environ", 1 << 20, &after, NULL) == 0;
        for (size_t i = 0; i < after.len; i++)
            wiped = wiped && after.data[i] == '\0';
        _exit(wiped && str_eq(getenv("PATH"), path) && !getenv("HOME") && environ[1] == NULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

SANDBOX_TEST_MAIN(cmocka_unit_test(the_hosts_files_are_safe_and_peoples_folders_empty),
                  cmocka_unit_test(a_home_that_a_node_lives_from_is_not_covered),
                  cmocka_unit_test(a_nodes_dev_has_what_programs_need_and_no_terminal_of_the_user),
                  cmocka_unit_test(nobody_in_a_node_can_look_into_its_init_or_speak_for_it),
                  cmocka_unit_test(a_confined_process_shows_nothing_of_its_environment))
