// SPDX-License-Identifier: PostgreSQL
// The stack starts patroni-3 for real, as an unprivileged user in the lab's namespaces, cold and warm, and leaves a cluster in
// which nothing tells that PostgreSQL ran before Patroni. `test_stack_start time cold|warm CACHE` prints the seconds of one start,
// for tests/bench/startup.sh.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/sandbox/sandbox.h"
#include "tests/sandbox/test_stack_lab.h"

static char root[256];

#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)printf("%s:%d: not true: %s: ", __FILE__, __LINE__, #condition);                                     \
            (void)printf(__VA_ARGS__);                                                                                 \
            (void)printf("\n");                                                                                        \
            return false;                                                                                              \
        }                                                                                                              \
    } while (0)

// A member that has just joined answers /version with "not_decided" until the new etcd leader has settled the cluster's version;
// Patroni's etcd3 driver logs that as an error and asks the next member in the same breath.
static bool log_is_clean(const char *text) {
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        cleanup_free char *one = xstrndup(line, strcspn(line, "\n"));
        if ((strstr(one, "ERROR") || strstr(one, "WARNING")) && !strstr(one, "not_decided"))
            return false;
    }
    return true;
}

static bool patroni_sees_nothing_to_do(struct test_lab *lab) {
    for (size_t i = 0; i < 3; i++) {
        cleanup_free char *status = test_lab_shell(lab, i, "curl -s http://127.0.0.1:8008/patroni");
        CHECK(strstr(status, "\"state\": \"running\""), "%s", status);
        CHECK(!strstr(status, "pending_restart"), "%s", status);
        CHECK(strstr(status, "\"timeline\": 1"), "%s", status);
        cleanup_free char *log = xasprintf("%s/n%zu/patroni/patroni.log", lab->log_dir, i + 1);
        cleanup_strbuf struct strbuf text = {0};
        CHECK(fs_read(log, 1 << 20, &text, NULL) == 0, "%s", log);
        CHECK(log_is_clean(text.data), "%s", text.data);
        CHECK(!strstr(text.data, "restart might be required"), "%s", text.data);
    }
    return true;
}

static bool the_servers_are_as_patroni_would_have_made_them(struct test_lab *lab) {
    for (size_t i = 0; i < 3; i++) {
        cleanup_free char *pending =
            test_lab_shell(lab, i, "psql -Atc \"select count(*) from pg_settings where pending_restart\"");
        CHECK(str_eq(pending, "0\n"), "%s", pending);
        cleanup_free char *parent =
            test_lab_shell(lab, i, "ps -o ppid= -p $(head -n 1 $PGDATA/postmaster.pid) | tr -d ' '");
        CHECK(str_eq(parent, "1\n"), "parent of the postmaster: %s", parent);
    }
    cleanup_free char *slots = test_lab_shell(
        lab, 0,
        "psql -Atc \"select string_agg(slot_name, ',' order by slot_name) from pg_replication_slots where active\"");
    CHECK(str_eq(slots, "n2,n3\n"), "%s", slots);
    cleanup_free char *max = test_lab_shell(lab, 1, "psql -Atc 'show max_connections'");
    CHECK(str_eq(max, "50\n"), "%s", max);
    return true;
}

static bool the_tools_of_a_student_work(struct test_lab *lab) {
    cleanup_free char *list = test_lab_shell(lab, 0, "patronictl list -f tsv");
    CHECK(strstr(list, "\tn1\t") && strstr(list, "\tLeader\trunning\t1\t"), "%s", list);
    CHECK(!strstr(list, "*") && !strstr(list, "restart"), "%s", list); // no pending restart column
    cleanup_free char *health = test_lab_shell(lab, 3, "etcdctl endpoint health 2>&1 | grep -c 'is healthy'");
    CHECK(str_eq(health, "3\n"), "%s", health);
    cleanup_free char *app = test_lab_shell(
        lab, 3,
        "psql -qAt -c 'create table t (i int)' -c 'insert into t values (7)' -c 'select i, current_user from t' 2>&1");
    CHECK(str_eq(app, "7|app\n"), "%s", app);
    cleanup_free char *refused =
        test_lab_shell(lab, 3, "unset PGSERVICE; PGPASSWORD=wrong psql -h 10.77.0.1 -U postgres -c 'select 1' 2>&1");
    CHECK(strstr(refused, "password authentication failed"), "%s", refused);
    return true;
}

static bool a_node_comes_back(struct test_lab *lab) {
    struct err err = {0};
    usec_t effective;
    CHECK(node_power_off(lab->nodes[1], &effective, &err) >= 0, "%s", err.msg);
    CHECK(stack_start_services(lab->stack, "n2", NULL, &err) == -EHOSTDOWN, "%s", err.msg);
    CHECK(node_power_on(lab->nodes[1], &err) >= 0, "%s", err.msg);
    CHECK(stack_start_services(lab->stack, "n2", NULL, &err) >= 0, "%s", err.msg);
    CHECK(stack_start_services(lab->stack, "n2", NULL, &err) >= 0, "a second time: %s", err.msg);
    CHECK(stack_start_services(lab->stack, "app", "etcd", &err) == -EINVAL, "%s", err.msg);
    // The primary sees its walsender's peer vanish late (a power cut is silent), so ask n2 itself.
    cleanup_free char *status = NULL;
    usec_t end = usec_now() + 40 * SEC;
    while (usec_now() < end) {
        free(status);
        status = test_lab_shell(lab, 1, "psql -Atc 'select status from pg_stat_wal_receiver' 2>&1; sleep 0.2");
        if (strstr(status, "streaming"))
            return true;
    }
    (void)printf("n2 does not stream again: %s\n", status);
    return false;
}

static bool start_and_examine(struct test_lab *lab, const char *cache, bool fresh, bool examine) {
    if (!test_lab_start(lab, cache, fresh) || !test_lab_wait_healthy(lab, 60 * SEC))
        return false;
    (void)printf("%s start: %.2f s\n", stack_was_warm(lab->stack) ? "warm" : "cold",
                 (double)sink_now(&lab->sink) / 1e6);
    if (!examine)
        return true;
    return patroni_sees_nothing_to_do(lab) && the_servers_are_as_patroni_would_have_made_them(lab) &&
           the_tools_of_a_student_work(lab);
}

enum mode { COLD, WARM, REBOOT, TIME_COLD, TIME_WARM };

static int in_the_lab(enum mode mode, const char *cache, usec_t began) {
    static struct test_lab lab;
    static const char *const names[] = {"cold", "warm", "reboot", "time-cold", "time-warm"};
    cleanup_free char *logs = xasprintf("%s/%s", root, names[mode]);
    lab.log_dir = logs;
    lab.sink.base = began;
    lab.verbose = mode >= TIME_COLD && getenv("BASCULE_DEBUG");
    test_topology(&lab.topology);
    sigset_t block;
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &block, NULL);
    bool cold = mode == COLD || mode == TIME_COLD;
    bool ok = start_and_examine(&lab, cache, cold, mode == COLD || mode == WARM);
    if (ok && cold == stack_was_warm(lab.stack)) {
        (void)printf("the template of the cold start was not used\n");
        ok = false;
    }
    if (ok && mode == REBOOT)
        ok = a_node_comes_back(&lab);
    // A cold start leaves its template to the next: give the worker the time to write it.
    usec_t end = usec_now() + 3 * SEC;
    while (cold && ok && usec_now() < end)
        (void)sd_event_run(lab.loop, 100 * MSEC);
    (void)fflush(stdout);
    return ok ? 0 : 1;
}

// The exit code of the lab's pid 1; everything in it dies with it.
static int run_lab(enum mode mode, const char *cache) {
    usec_t began = usec_now();
    pid_t pid;
    int pidfd;
    struct err err = {0};
    int r = sandbox_clone(true, &pid, &pidfd, &err);
    if (r < 0) {
        (void)printf("%s\n", err.msg);
        return 77;
    }
    if (r == 0)
        _exit(in_the_lab(mode, cache, began));
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    (void)close(pidfd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static char *cache_dir(void) {
    return xasprintf("%s/cache", root);
}

static void a_cold_start_ends_in_a_clean_cluster(void **state) {
    (void)state;
    cleanup_free char *cache = cache_dir();
    assert_int_equal(run_lab(COLD, cache), 0);
}

static void a_warm_start_ends_in_the_same(void **state) {
    (void)state;
    cleanup_free char *cache = cache_dir();
    assert_int_equal(run_lab(WARM, cache), 0);
}

static void a_node_that_lost_power_streams_again_after_its_services_are_started(void **state) {
    (void)state;
    cleanup_free char *cache = cache_dir();
    assert_int_equal(run_lab(REBOOT, cache), 0);
}

static int make_root(void) {
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(root, sizeof root, "%.200s/test-stack-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(root) ? 0 : -1;
}

static int group_teardown(void **state) {
    (void)state;
    return getenv("BASCULE_KEEP") ? 0 : fs_remove_tree(root, NULL);
}

int main(int argc, char **argv) {
    struct err err = {0};
    if (sandbox_drop_root(&err) < 0 || sandbox_probe_userns(&err) < 0 || sandbox_probe_network(&err) < 0) {
        (void)printf("skipped: %s\n", err.msg);
        return 77;
    }
    if (make_root() < 0)
        return 1;
    if (argc == 4 && str_eq(argv[1], "time")) {
        int r = run_lab(str_eq(argv[2], "warm") ? TIME_WARM : TIME_COLD, argv[3]);
        (void)group_teardown(NULL);
        return r;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cold_start_ends_in_a_clean_cluster),
        cmocka_unit_test(a_warm_start_ends_in_the_same),
        cmocka_unit_test(a_node_that_lost_power_streams_again_after_its_services_are_started),
    };
    return cmocka_run_group_tests_name("the start of a real cluster", tests, NULL, group_teardown);
}
