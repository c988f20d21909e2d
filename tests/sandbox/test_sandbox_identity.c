// SPDX-License-Identifier: PostgreSQL
// Who we become, and what we say when the host does not let us.
#include <pwd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/sandbox/caps.h"
#include "tests/sandbox/fixture.h"

// Dropping is for good, so each try has a process of its own.
static void in_child(void (*body)(void)) {
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void check_plain_user(uid_t expected) {
    uid_t r, e, s;
    CHECK(getresuid(&r, &e, &s) == 0 && r == expected && e == expected && s == expected && expected != 0);
    CHECK(setuid(0) < 0 && setgid(0) < 0 && !caps_any());
    CHECK(prctl(PR_GET_DUMPABLE) == 1);
    CHECK(getenv("HOME") && access(getenv("HOME"), W_OK) == 0 && str_eq(getenv("USER"), getpwuid(expected)->pw_name));
    CHECK(!getenv("XDG_CACHE_HOME"));
    CHECK_OK(sandbox_probe_userns(err)); // and a lab can be made
}

static void sudo_body(void) {
    const struct passwd *pw = getpwnam("postgres");
    char uid[16], gid[16];
    (void)snprintf(uid, sizeof uid, "%u", (unsigned)pw->pw_uid);
    (void)snprintf(gid, sizeof gid, "%u", (unsigned)pw->pw_gid);
    CHECK(setenv("SUDO_UID", uid, 1) == 0 && setenv("SUDO_GID", gid, 1) == 0 &&
          setenv("XDG_CACHE_HOME", "/root/x", 1) == 0);
    uid_t expected = pw->pw_uid;
    CHECK_OK(sandbox_drop_root(err));
    check_plain_user(expected);
}
static void root_becomes_whoever_typed_sudo(void **state) {
    (void)state;
    if (getuid() != 0)
        SKIP("needs root: the story as-root runs it");
    in_child(sudo_body);
}

static void nobody_body(void) {
    (void)unsetenv("SUDO_UID");
    const struct passwd *pw = getpwnam("bascule");
    if (!pw)
        pw = getpwnam("nobody");
    uid_t expected = pw->pw_uid;
    CHECK_OK(sandbox_drop_root(err));
    check_plain_user(expected);
}
static void root_without_sudo_becomes_a_system_user_with_a_home(void **state) {
    (void)state;
    if (getuid() != 0)
        SKIP("needs root: the story as-root runs it");
    in_child(nobody_body);
}

static void fake_sudo_body(void) { // SUDO_UID=0, or not a number, is no way to stay root
    static const char *const fakes[] = {"0", "-1", "", "12x", "4294967295", "99999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(fakes) && getuid() == 0; i++) {
        CHECK(setenv("SUDO_UID", fakes[i], 1) == 0 && setenv("SUDO_GID", fakes[i], 1) == 0);
        CHECK_OK(sandbox_drop_root(err));
        CHECK(getuid() != 0);
    }
}
static void a_forged_sudo_uid_does_not_keep_root(void **state) {
    (void)state;
    if (getuid() != 0)
        SKIP("needs root: the story as-root runs it");
    in_child(fake_sudo_body);
}

static void plain_body(void) {
    struct err why = {0};
    if (getuid() == 0)
        CHECK(sandbox_drop_root(&why) == 0);
    uid_t before = getuid();
    CHECK_OK(sandbox_drop_root(err)); // nothing to do
    CHECK(getuid() == before);
    pid_t pid;
    int pidfd;
    int r = sandbox_clone(true, &pid, &pidfd, &why);
    if (r == 0) {
        uid_t uid;
        gid_t gid;
        CHECK_OK(sandbox_identity(&uid, &gid, err));
        CHECK(getpid() == 1 && getuid() == uid && getgid() == gid && caps_any());
        CHECK(access(SANDBOX_STATE, W_OK) == 0 && rmdir("/run/postgresql") < 0 && errno == ENOENT);
        _exit(0);
    }
    int status;
    CHECK(r == 1 && waitpid(pid, &status, 0) == pid && status == 0);
}
static void a_plain_user_stays_and_is_postgres_and_pid_1_inside(void **state) {
    (void)state;
    in_child(plain_body);
}

// The host's limits are imitated inside a lab, where the same knobs exist for what is made below it.
static void no_more_namespaces_body(struct lab *lab, void *arg) {
    (void)lab, (void)arg;
    struct err why = {0};
    CHECK_OK(sandbox_probe_userns(err)); // a lab in a lab works ...
    CHECK_OK(fs_write("/proc/sys/user/max_user_namespaces", "0", 1, 0644, err));
    CHECK(sandbox_probe_userns(&why) == -ENOSPC); // ... until this
    CHECK(strstr(why.msg, "sysctl -w user.max_user_namespaces"));
}

static void masked_proc_body(struct lab *lab, void *arg) {
    (void)lab, (void)arg;
    struct err why = {0};
    CHECK(mount("tmpfs", "/proc/scsi", "tmpfs", MS_RDONLY, NULL) == 0 ||
          mount("tmpfs", "/proc/bus", "tmpfs", MS_RDONLY, NULL) == 0);
    CHECK(sandbox_probe_userns(&why) == -EPERM);
    CHECK(strstr(why.msg, "mount a fresh /proc"));
}

static void as_plain_user(void (*body)(struct lab *lab, void *arg)) {
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_OK(sandbox_drop_root(err));
        int pidfd, status;
        pid_t lab = lab_begin(body, NULL, &pidfd);
        CHECK(waitpid(lab, &status, 0) == lab);
        _exit(status ? 1 : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_host_without_user_namespaces_is_told_with_the_knob(void **state) {
    (void)state;
    as_plain_user(no_more_namespaces_body);
}

static void a_masked_proc_is_told_with_the_step(void **state) {
    (void)state;
    as_plain_user(masked_proc_body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_becomes_whoever_typed_sudo),
        cmocka_unit_test(root_without_sudo_becomes_a_system_user_with_a_home),
        cmocka_unit_test(a_forged_sudo_uid_does_not_keep_root),
        cmocka_unit_test(a_plain_user_stays_and_is_postgres_and_pid_1_inside),
        cmocka_unit_test(a_host_without_user_namespaces_is_told_with_the_knob),
        cmocka_unit_test(a_masked_proc_is_told_with_the_step),
    };
    sandbox_test_check(); // but stay root: that is what is tested
    return cmocka_run_group_tests(tests, NULL, NULL);
}
