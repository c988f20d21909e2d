// SPDX-License-Identifier: PostgreSQL
// A node from inside: its identity, its files, its processes, its services.
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lab/sandbox/mounts.h"
#include "tests/sandbox/fixture.h"

static void identity_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 2, true);
    struct node *n = lab->nodes[0];
    CHECK(NODE_SH(lab, n, "test \"$(hostname)\" = n1 -a \"$(cat /etc/hostname)\" = n1") == 0);
    CHECK(NODE_SH(lab, n, "test \"$(id -un):$(id -gn)\" = postgres:postgres -a \"$HOME\" = /var/lib/postgresql") == 0);
    CHECK(NODE_SH(lab, n, "getent hosts n2 | grep -q ^10.77.0.2") == 0);
    CHECK(NODE_SH(lab, n, "grep -q '^CapEff:.0*$' /proc/self/status && grep -q '^CapBnd:.0*$' /proc/self/status") == 0);
    CHECK(NODE_SH(lab, n, "test \"$(ls /sys/class/net | tr '\\n' ' ')\" = 'eth0 lo '") == 0);
    CHECK(NODE_SH(lab, n, "! touch /usr/x 2>/dev/null && ! mount -t tmpfs x /mnt 2>/dev/null") == 0);
}
static void a_node_knows_its_name_its_peers_and_no_privilege(void **state) {
    (void)state;
    in_lab(identity_body, NULL);
}

static void processes_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 2, true);
    struct service_spec spec = {.name = "other", .argv = (const char *const[]){"sleep", "1000", NULL}, .log = "x"};
    CHECK_OK(node_service_start(lab->nodes[1], &spec, err));
    CHECK(NODE_SH(lab, lab->nodes[0], "ps -ef; ! ps -eo args | grep -q '[s]leep 1000'") == 0);
    CHECK(NODE_SH(lab, lab->nodes[1], "ps -eo args | grep -q '[s]leep 1000'") == 0);
    CHECK(NODE_SH(lab, lab->nodes[0],
                  "test \"$(cat /proc/1/comm)\" = init && grep -aq ^bascule-init /proc/1/cmdline") == 0);
    CHECK(NODE_SH(lab, lab->nodes[0], "test \"$(ls -d /proc/[0-9]* | wc -l)\" -lt 8") == 0);
}
static void a_node_sees_only_its_own_processes(void **state) {
    (void)state;
    in_lab(processes_body, NULL);
}

static void etc_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 2, true);
    cleanup_free char *dir = xasprintf("%s/patroni", node_etc_dir(lab->nodes[0]));
    cleanup_free char *file = xasprintf("%s/config.yml", dir);
    CHECK(mkdir(dir, 0755) == 0);
    CHECK_OK(fs_write(file, "scope: demo\n", 12, 0644, err));
    CHECK(NODE_SH(lab, lab->nodes[0], "grep -q 'scope: demo' /etc/patroni/config.yml && test -e /etc/passwd") == 0);
    CHECK(NODE_SH(lab, lab->nodes[1], "test ! -e /etc/patroni/config.yml") == 0);
    CHECK(NODE_SH(lab, lab->nodes[0], "echo changed > /etc/patroni/config.yml") == 0);
    cleanup_strbuf struct strbuf text = {0};
    CHECK_OK(fs_read(file, 100, &text, err));
    CHECK(str_eq(strbuf_str(&text), "changed\n"));
}
static void what_is_written_in_the_etc_folder_is_what_the_node_sees(void **state) {
    (void)state;
    in_lab(etc_body, NULL);
}

// An /etc that is a twice stacked overlay already can't get a third layer (FILESYSTEM_MAX_STACK_DEPTH); other hosts
// refuse for other reasons. The node gets a copy of /etc then.
static void stack_overlay_on_etc(void) {
    CHECK_OK(mount_mkdir(SANDBOX_STATE "/layer", 0755, err));
    CHECK_OK(mount_tmpfs(SANDBOX_STATE "/layer", "", err));
    CHECK(mkdir(SANDBOX_STATE "/layer/up", 0755) == 0 && mkdir(SANDBOX_STATE "/layer/up.work", 0755) == 0);
    CHECK_OK(mount_overlay("/etc", SANDBOX_STATE "/layer", "up", err));
}

static void copy_body(struct lab *lab, void *arg) {
    (void)arg;
    stack_overlay_on_etc();
    stack_overlay_on_etc();
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    CHECK(NODE_SH(lab, n, "test $(grep -c 'overlay /etc ' /proc/mounts) = 2 && grep -q 'tmpfs /etc ' /proc/mounts") ==
          0);
    CHECK(NODE_SH(lab, n,
                  "test \"$(cat /etc/hostname)\" = n1 && grep -q 10.77.0.2 /etc/hosts && id -un | grep -q postgres") ==
          0);
    CHECK(NODE_SH(lab, n, "echo x > /etc/new") == 0);
    cleanup_free char *file = xasprintf("%s/new", node_etc_dir(n));
    CHECK(access(file, F_OK) == 0 && access("/etc/new", F_OK) < 0);
}
static void where_no_overlay_is_possible_the_node_gets_a_copy_of_etc(void **state) {
    (void)state;
    in_lab(copy_body, NULL);
}

// Somebody's strange /etc: the copy stays small, has what programs need, and says what it lacks.
static void strange_body(struct lab *lab, void *arg) {
    (void)arg;
    stack_overlay_on_etc();
    stack_overlay_on_etc();
    CHECK(mkdir("/etc/a-many", 0755) == 0 && mkdir("/etc/a-closed", 0) == 0 && mkfifo("/etc/a-pipe", 0644) == 0);
    for (int i = 0; i < 50000; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/etc/a-many/%d", i);
        CHECK(mknod(path, S_IFREG | 0644, 0) == 0);
    }
    CHECK_OK(fs_write("/etc/a-huge", "x", 1, 0644, err));
    CHECK(truncate("/etc/a-huge", (off_t)10 << 30) == 0);
    CHECK_OK(fs_write("/etc/a-secret", "x", 1, 0, err));
    cleanup_strbuf struct strbuf deep = {0};
    strbuf_add(&deep, "/etc");
    for (int i = 0; i < 20; i++) {
        strbuf_add(&deep, "/a-deep");
        CHECK(mkdir(strbuf_str(&deep), 0755) == 0);
    }
    CHECK(symlink("a-loop", "/etc/a-loop") == 0);
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    CHECK(NODE_SH(lab, n, "test \"$(find /etc | wc -l)\" -lt 12000 && test \"$(du -sm /etc | cut -f1)\" -lt 80") == 0);
    CHECK(NODE_SH(lab, n, "test ! -e /etc/a-huge && test ! -e /etc/a-pipe && test -L /etc/a-loop") == 0);
    CHECK(
        NODE_SH(lab, n,
                "id -un | grep -q postgres && test -e /etc/ssl/certs && test -e /etc/ld.so.cache && psql --version") ==
        0);
    CHECK(NODE_SH(lab, n,
                  "cat /etc/" NODE_ETC_LEFT_OUT "; head -n 1 /etc/" NODE_ETC_LEFT_OUT
                  " | grep -q '^3 left out of the copy of /etc$'") == 0);
    CHECK(NODE_SH(lab, n,
                  "cd /etc && grep -q 'a-huge: a file of 10240 MB' " NODE_ETC_LEFT_OUT
                  " && grep -q 'a-many: the rest of a folder' " NODE_ETC_LEFT_OUT
                  " && grep -q 'a-deep: more than 12 folders' " NODE_ETC_LEFT_OUT) == 0);
}
static void a_giant_and_strange_etc_gives_a_small_copy_that_says_what_it_lacks(void **state) {
    (void)state;
    in_lab(strange_body, NULL);
}

// A host without Debian's folders: mount points are made over a mirror of what is there.
static void farm_body(struct lab *lab, void *arg) {
    (void)lab, (void)arg;
    CHECK_OK(mount_farm("/usr/lib", (const char *const[]){"no-such-folder-before", NULL}, err));
    struct stat st;
    CHECK(stat("/usr/lib/no-such-folder-before", &st) == 0 && S_ISDIR(st.st_mode));
    CHECK(access("/usr/lib/os-release", R_OK) == 0 && access("/usr/lib/locale", X_OK) == 0);
    CHECK_OK(mount_tmpfs("/usr/lib/no-such-folder-before", "", err));
}
static void a_folder_is_mirrored_to_make_a_mount_point_in_it(void **state) {
    (void)state;
    in_lab(farm_body, NULL);
}

static void service_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    const char *const argv[] = {"/bin/sh", "-c", "echo out; echo err >&2; pwd; echo $VALUE; exit 7", NULL};
    struct service_spec spec = {.name = "s",
                                .argv = argv,
                                .env = (const char *const[]){"VALUE=given", "PATH=/usr/bin:/bin", NULL},
                                .cwd = "/tmp",
                                .log = "deep/down/s.log"};
    CHECK_OK(node_service_start(n, &spec, err));
    CHECK(node_service_pid(n, "s") > 1);
    CHECK(lab_count(lab, EVENT_SERVICE) == 0); // events come on the loop, never from inside the call
    const struct event *ev = lab_service_ended(lab, "s", 5 * SEC);
    CHECK(ev && ev->u.SERVICE.state == SERVICE_STATE_EXITED && ev->u.SERVICE.status == 7 && ev->u.SERVICE.pid > 1);
    CHECK(node_service_pid(n, "s") == 0);
    CHECK(lab->events.n == 3 && lab->events.items[1].u.SERVICE.state == SERVICE_STATE_STARTED);
    cleanup_strbuf struct strbuf text = {0};
    CHECK_OK(fs_read(SANDBOX_STATE "/log/n1/deep/down/s.log", 1000, &text, err));
    CHECK(str_eq(strbuf_str(&text), "out\nerr\n/tmp\ngiven\n"));
}
static void a_service_has_its_log_its_folder_and_its_environment(void **state) {
    (void)state;
    in_lab(service_body, NULL);
}

static void killed_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    struct service_spec spec = {.name = "s", .argv = (const char *const[]){"sleep", "100", NULL}, .log = "s.log"};
    CHECK_OK(node_service_start(n, &spec, err));
    for (int i = 0; i < 50; i++) {
        int64_t pid = node_service_pid(n, "s");
        CHECK_OK(node_service_ensure(n, &spec, err));
        CHECK(node_service_pid(n, "s") == pid);
        CHECK_OK(node_signal_pid(n, pid, SIGKILL, false, false, NULL, NULL, err));
        for (char s = 'S'; s && s != 'Z'; s = node_process_state(n, pid)) // the loop does not run meanwhile
            (void)usleep(200);
        CHECK_OK(node_service_ensure(n, &spec, err));
        CHECK(node_service_pid(n, "s") > 0 && node_service_pid(n, "s") != pid);
    }
}
static void a_service_just_killed_does_not_run_already(void **state) {
    (void)state;
    in_lab(killed_body, NULL);
}

static void failure_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    struct err why = {0};
    struct service_spec spec = {
        .name = "patroni", .argv = (const char *const[]){"/usr/bin/patronni", NULL}, .log = "x"};
    CHECK(node_service_start(n, &spec, &why) == -ENOENT);
    CHECK(strstr(why.msg, "patroni") && strstr(why.msg, "n1") && strstr(why.msg, "/usr/bin/patronni") &&
          strstr(why.msg, "No such file"));
    spec.argv = (const char *const[]){"/etc/passwd", NULL};
    CHECK(node_service_start(n, &spec, &why) == -EACCES);
    spec.argv = (const char *const[]){"sleep", "100", NULL};
    spec.cwd = "/nowhere";
    CHECK(node_service_start(n, &spec, &why) == -ENOENT && strstr(why.msg, "/nowhere"));
    CHECK(node_service_pid(n, "patroni") == 0);
    spec.cwd = NULL;
    CHECK_OK(node_service_start(n, &spec, err));
    CHECK(node_service_start(n, &spec, &why) == -EALREADY);
    lab_spin(lab, 50 * MSEC);
    CHECK(lab_count(lab, EVENT_SERVICE) == 1); // the one that started; failures are errors, not events
}
static void a_service_that_cannot_start_says_what_and_why(void **state) {
    (void)state;
    in_lab(failure_body, NULL);
}

static void stopped_init_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct err why = {0};
    struct service_spec spec = {.name = "s", .argv = (const char *const[]){"true", NULL}, .log = "x"};
    CHECK(kill(node_init_pid(lab->nodes[0]), SIGSTOP) == 0);
    usec_t before = usec_now();
    CHECK(node_service_start(lab->nodes[0], &spec, &why) == -ETIMEDOUT);
    CHECK(usec_now() - before < 4 * SEC);
    CHECK_OK(node_power_off(lab->nodes[0], NULL, err));
}
static void a_stopped_init_delays_the_supervisor_but_never_hangs_it(void **state) {
    (void)state;
    in_lab(stopped_init_body, NULL);
}

static void orphans_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    CHECK(NODE_SH(lab, lab->nodes[0], "for i in 1 2 3 4 5 6 7 8 9; do (setsid sleep 0.1 &) ; done; exit 0") == 0);
    lab_spin(lab, SEC);
    CHECK(NODE_SH(lab, lab->nodes[0], "! ps -eo stat,args | grep -q '^Z'") == 0);
    CHECK(lab_count(lab, EVENT_SERVICE) == 4); // two commands, start and end: orphans are nobody's news
}
static void orphans_are_reaped(void **state) {
    (void)state;
    in_lab(orphans_body, NULL);
}

static int look_main(void *arg, int fd) {
    (void)arg, (void)fd;
    return access("/var/lib/postgresql", W_OK) == 0 && access("/proc/1/comm", R_OK) == 0 ? 5 : 1;
}

static void function_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    CHECK(in_node(lab, lab->nodes[0], look_main, NULL) == 5);
}
static void a_function_runs_inside_the_node_and_returns_its_result(void **state) {
    (void)state;
    in_lab(function_body, NULL);
}

SANDBOX_TEST_MAIN(cmocka_unit_test(a_node_knows_its_name_its_peers_and_no_privilege),
                  cmocka_unit_test(a_node_sees_only_its_own_processes),
                  cmocka_unit_test(what_is_written_in_the_etc_folder_is_what_the_node_sees),
                  cmocka_unit_test(where_no_overlay_is_possible_the_node_gets_a_copy_of_etc),
                  cmocka_unit_test(a_giant_and_strange_etc_gives_a_small_copy_that_says_what_it_lacks),
                  cmocka_unit_test(a_folder_is_mirrored_to_make_a_mount_point_in_it),
                  cmocka_unit_test(a_service_has_its_log_its_folder_and_its_environment),
                  cmocka_unit_test(a_service_just_killed_does_not_run_already),
                  cmocka_unit_test(a_service_that_cannot_start_says_what_and_why),
                  cmocka_unit_test(a_stopped_init_delays_the_supervisor_but_never_hangs_it),
                  cmocka_unit_test(orphans_are_reaped),
                  cmocka_unit_test(a_function_runs_inside_the_node_and_returns_its_result))
