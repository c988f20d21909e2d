// SPDX-License-Identifier: PostgreSQL
// The process faults on a real PostgreSQL with a standby: its processes are found by postmaster.pid and title, inside
// the node only. "patroni" is a stand-in that starts the postmaster again when it is gone, as Patroni would, and is not
// its parent.
#include "tests/sandbox/fault_fixture.h"

#include <glob.h>
#include <stdio.h>

#include "injector/process/process.h"
#include "injector/resource/memory_use.h"
#include "lab/base/fs.h"
#include "lab/stack/clock/clock.h"
#include "lab/stack/names.h"

static char bin[128];

static void find_postgres(void) {
    glob_t g;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &g) == 0 && g.gl_pathc) {
        (void)snprintf(bin, sizeof bin, "%s", g.gl_pathv[g.gl_pathc - 1]);
        *strrchr(bin, '/') = '\0';
    }
    globfree(&g);
}

static void run_script(struct fixture *x, int node, const char *name, const char *script) {
    cleanup_free char *text = xasprintf("export PATH=%s:$PATH D=%s; set -e; %s", bin, STACK_PGDATA, script);
    const char *argv[] = {"/bin/sh", "-c", text, NULL};
    cleanup_free char *log = xasprintf("%s.log", name);
    struct service_spec spec = {.name = name, .argv = argv, .log = log};
    struct err err = {0};
    if (node_service_start(fixture_node(x, node), &spec, &err) < 0)
        fail_msg("%s", err.msg);
}

static void show_log(struct fixture *x, int node, const char *name) {
    cleanup_free char *file = xasprintf("/var/log/%s.log", name);
    cleanup_strbuf struct strbuf text = {0};
    (void)fs_read(fixture_path(x, node, file), 1 << 20, &text, NULL);
    print_message("%s\n", strbuf_str(&text));
}

static void wait_script(struct fixture *x, int node, const char *name) {
    for (usec_t end = usec_now() + 60 * SEC; node_service_pid(fixture_node(x, node), name) && usec_now() < end;)
        fixture_run(x, 20 * MSEC);
    for (size_t i = x->events.n; i-- > 0;) {
        const struct event *e = &x->events.items[i];
        if (e->kind != EVENT_SERVICE || !str_eq(e->u.SERVICE.service, name) || str_eq(e->u.SERVICE.state, "started"))
            continue;
        if (e->u.SERVICE.status || e->u.SERVICE.signal)
            show_log(x, node, name);
        assert_int_equal(0, e->u.SERVICE.status);
        return;
    }
    fail_msg("%s did not end", name);
}

static const char keeper[] =
    "while :; do pg_ctl -D $D status >/dev/null 2>&1 || pg_ctl -D $D start -w -l /var/log/pg.log; sleep 0.1; done";

static int start_keeper(struct fixture *x, const char *node, const char *service, struct err *err) {
    (void)service, (void)err;
    run_script(x, fault_world_index(&x->world, node), "patroni", keeper);
    return 0;
}

static int count(struct fixture *x, int node, enum pg_process what) {
    process_list all = {0};
    struct err err = {0};
    int n = 0;
    assert_int_equal(0, process_scan(fixture_node(x, node), &all, &err));
    for (size_t i = 0; i < all.n; i++) {
        char title[128];
        process_title(fixture_node(x, node), all.items[i].pid, title, sizeof title);
        n += pg_process_by_title(title) == what;
    }
    VEC_DONE(&all);
    return n;
}

static bool comes(struct fixture *x, int node, enum pg_process what, int wanted, usec_t within) {
    for (usec_t end = usec_now() + within; usec_now() < end; fixture_run(x, 50 * MSEC))
        if (count(x, node, what) == wanted)
            return true;
    return false;
}

static int64_t postmaster(struct fixture *x, int node) {
    return node_postmaster_pid(fixture_node(x, node), STACK_PGDATA);
}

static int setup(void **state) {
    struct fixture *x = fixture_new();
    *state = x;
    x->start = start_keeper;
    run_script(x, N1, "initdb",
               "initdb -D $D -A trust -N --no-locale >/dev/null; "
               "printf "
               "\"listen_addresses='*'\\nfsync=off\\nshared_buffers=16MB\\ncluster_name='demo'\\nmax_wal_senders="
               "4\\nmax_connections=20\\n"
               "wal_retrieve_retry_interval=200ms\\nunix_socket_directories='/tmp'\\n\" >>$D/postgresql.conf; "
               "echo 'host all,replication all 10.77.0.0/24 trust' >>$D/pg_hba.conf; pg_ctl -D $D start -w -l "
               "/var/log/pg.log; psql -h /tmp -U postgres -d postgres -qc 'create role app login' -c 'create database "
               "app owner "
               "app'");
    wait_script(x, N1, "initdb");
    run_script(x, N2, "basebackup",
               "pg_basebackup -h 10.77.0.11 -U postgres -D $D -R -c fast; pg_ctl -D $D start -w -l /var/log/pg.log");
    wait_script(x, N2, "basebackup");
    assert_true(comes(x, N2, PG_WALRECEIVER, 1, 10 * SEC));
    run_script(x, N1, "patroni", keeper);
    run_script(x, N1, "client", "exec psql -h /tmp -U postgres -d postgres -c 'select pg_sleep(1000)'");
    assert_true(comes(x, N1, PG_BACKEND, 1, 10 * SEC));
    fixture_run(x, 300 * MSEC);
    return 0;
}
static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static void a_killed_postmaster_takes_its_children_and_is_started_by_its_keeper(void **state) {
    struct fixture *x = *state;
    int64_t before = postmaster(x, N1);
    must_verify(x, "kill", "process.kill", "n1", "service=postgres");
    int starts = x->starts;
    must_heal(x, "kill");
    assert_int_equal(starts, x->starts); // nothing to start: the keeper does
    assert_true(postmaster(x, N1) > 0 && postmaster(x, N1) != before);
    assert_true(comes(x, N2, PG_WALRECEIVER, 1, 20 * SEC));
}

static void the_walreceiver_is_found_by_its_title_and_frozen(void **state) {
    struct fixture *x = *state;
    must_verify(x, "pause", "process.pause", "n2", "service=postgres process=walreceiver");
    assert_non_null(strstr(fixture_event(x, "pause", "effective")->u.FAULT.detail, "walreceiver"));
    must_heal(x, "pause");
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "none", "process.pause", "n1", "service=postgres process=walreceiver"));
    const struct event *e = fixture_wait(x, "none", "failed", SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "has no walreceiver"));
}

static void a_killed_walsender_and_a_killed_backend_are_the_right_ones(void **state) {
    struct fixture *x = *state;
    must_verify(x, "sender", "process.kill", "n1", "service=postgres process=walsender signal=TERM");
    assert_true(comes(x, N1, PG_WALSENDER, 1, 20 * SEC)); // the standby connects again
    must_heal(x, "sender");
    int64_t before = postmaster(x, N1);
    must_verify(x, "backend", "process.kill", "n1", "service=postgres process=backend");
    must_heal(x, "backend");
    assert_int_equal(before, postmaster(x, N1)); // crash restart below the same postmaster
}

static void a_frozen_postgres_is_frozen_whole(void **state) {
    struct fixture *x = *state;
    must_verify(x, "pause", "process.pause", "n1", "service=postgres");
    process_list all = {0};
    struct err err = {0};
    assert_int_equal(0, process_scan(fixture_node(x, N1), &all, &err));
    int64_t pm = postmaster(x, N1);
    int frozen = 0;
    for (size_t i = 0; i < all.n; i++)
        if (all.items[i].pid == pm || all.items[i].ppid == pm) {
            assert_int_equal('T', all.items[i].state);
            frozen++;
        }
    assert_true(frozen >= 6);
    VEC_DONE(&all);
    must_heal(x, "pause");
}

static void a_fast_stop_writes_a_shutdown_checkpoint(void **state) {
    struct fixture *x = *state;
    must_verify(x, "stop", "process.stop", "n2", "service=postgres");
    cleanup_strbuf struct strbuf log = {0};
    (void)fs_read(fixture_path(x, N2, "/var/log/pg.log"), 1 << 20, &log, NULL);
    assert_non_null(strstr(strbuf_str(&log), "received fast shutdown request"));
    assert_non_null(strstr(strbuf_str(&log), "database system is shut down"));
}

// ---- resources -----------------------------------------------------------------------------------------------------

// Can the application log in? Asked with psql, not with the injector's own means.
static bool app_gets_in(struct fixture *x) {
    static int serial;
    cleanup_free char *name = xasprintf("login%d", serial++);
    run_script(x, APP, name, "! timeout 5 psql -h 10.77.0.11 -U app -d app -qc 'select 1' >/dev/null");
    for (usec_t end = usec_now() + 10 * SEC; node_service_pid(fixture_node(x, APP), name) && usec_now() < end;)
        fixture_run(x, 20 * MSEC);
    fixture_run(x, 20 * MSEC);
    for (size_t i = x->events.n; i-- > 0;)
        if (x->events.items[i].kind == EVENT_SERVICE && str_eq(x->events.items[i].u.SERVICE.service, name) &&
            !str_eq(x->events.items[i].u.SERVICE.state, "started"))
            return x->events.items[i].u.SERVICE.status != 0; // the script succeeds when psql does not
    fail_msg("psql did not end");
    return false;
}

static void exhausted_connections_refuse_the_next_one_until_they_are_let_go(void **state) {
    struct fixture *x = *state;
    assert_true(app_gets_in(x));
    must_verify(x, "hoard", "resource.connections", "n1", "count=all");
    assert_false(app_gets_in(x));
    must_heal(x, "hoard");
    assert_true(app_gets_in(x));
    must_verify(x, "some", "resource.connections", "n1", "count=5");
    assert_true(app_gets_in(x));
    must_heal(x, "some");
}

static void exhaustion_of_a_server_that_does_not_run_never_takes_effect(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    must_verify(x, "keeper", "process.pause", "n1", "service=patroni"); // nobody starts it again
    must_verify(x, "kill", "process.kill", "n1", "service=postgres");
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "hoard", "resource.connections", "n1", "count=5"));
    assert_null(fixture_wait(x, "hoard", "effective", 2 * SEC));
    assert_int_equal(0, injector_heal(x->in, NULL, &err));
    fixture_run(x, 100 * MSEC);
}

static void a_memory_limit_gives_53200_and_nothing_else(void **state) {
    struct fixture *x = *state;
    int64_t before = postmaster(x, N1);
    must_verify(x, "squeeze", "resource.memory", "n1", "limit=64MB");
    assert_true(app_gets_in(x));
    must_heal(x, "squeeze");
    assert_int_equal(before, postmaster(x, N1));
}

static int answers;
static bool verdict;
static void on_verdict(struct fault *f, bool ok, usec_t effective, const char *text) {
    (void)f, (void)effective;
    verdict = ok;
    answers++;
    print_message("    %s\n", text);
}

// The verifier can fail: its statement meets a limit that somebody has lifted.
static void a_memory_limit_lifted_behind_its_back_is_seen(void **state) {
    struct fixture *x = *state;
    must_verify(x, "low", "resource.memory", "n1", "limit=64MB");
    run_script(x, N1, "lift", "prlimit --pid $(head -1 $D/postmaster.pid) --data=unlimited:");
    wait_script(x, N1, "lift");
    struct live *lv = x->in->lives.items[x->in->lives.n - 1];
    fixture_forget(x);
    answers = 0;
    lv->f.ops->verify(&lv->f, on_verdict);
    for (usec_t end = usec_now() + 10 * SEC; !answers && usec_now() < end;)
        (void)sd_event_run(x->loop, 50 * MSEC);
    assert_int_equal(1, answers);
    assert_false(verdict);
    must_heal(x, "low");
}

// ---- out of memory ---------------------------------------------------------------------------------------------------

static bool log_has(struct fixture *x, const char *words) {
    cleanup_strbuf struct strbuf log = {0};
    (void)fs_read(fixture_path(x, N1, "/var/log/pg.log"), 1 << 20, &log, NULL);
    return strstr(strbuf_str(&log), words) != NULL;
}

static void set_adj(struct fixture *x, const char *pattern, int adj) {
    static int serial;
    cleanup_free char *name = xasprintf("adj%d", serial++);
    cleanup_free char *script = xasprintf("echo %d >/proc/$(pgrep -o -f '%s')/oom_score_adj", adj, pattern);
    run_script(x, N1, name, script);
    wait_script(x, N1, name);
}

static void an_oom_killer_takes_the_hungry_backend_and_postgresql_restarts_itself(void **state) {
    struct fixture *x = *state;
    int64_t before = postmaster(x, N1);
    must_verify(x, "oom", "resource.oom", "n1", "limit=64MB");
    assert_non_null(strstr(fixture_event(x, "oom", "effective")->u.FAULT.detail, "SIGKILL to the hungry backend"));
    assert_non_null(strstr(fixture_event(x, "oom", "verified")->u.FAULT.detail, "crash restart"));
    assert_int_equal(before, postmaster(x, N1));
    assert_true(log_has(x, "was terminated by signal 9: Killed"));
    assert_true(log_has(x, "Failed process was running: SET work_mem = '2GB'"));
    must_heal(x, "oom");
    assert_non_null(strstr(fixture_event(x, "oom", "healed")->u.FAULT.detail, "it killed 1"));
    assert_true(app_gets_in(x));
}

static void an_oom_killer_takes_a_postmaster_with_a_high_oom_score_adj(void **state) {
    struct fixture *x = *state;
    int64_t before = postmaster(x, N1);
    must_verify(x, "oom", "resource.oom", "n1", "limit=64MB victim=postmaster");
    assert_non_null(strstr(fixture_event(x, "oom", "effective")->u.FAULT.detail, "SIGKILL to the postmaster"));
    assert_int_not_equal(before, postmaster(x, N1));
    must_heal(x, "oom"); // the keeper starts another, with the oom_score_adj that it has itself
    assert_true(app_gets_in(x));
}

// Failed before anything was killed: who was marked is so no more, and nor are those who were born meanwhile.
static void an_oom_score_adj_is_given_back_to_all_who_have_it(void **state) {
    struct fixture *x = *state;
    struct node *n = fixture_node(x, N1);
    struct err err = {0};
    int64_t pm = postmaster(x, N1);
    int before = oom_score_adj_read(n, pm);
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "oom", "resource.oom", "n1", "limit=512MB victim=postmaster"));
    for (usec_t end = usec_now() + 5 * SEC; oom_score_adj_read(n, pm) == before && usec_now() < end;)
        fixture_run(x, 5 * MSEC);
    assert_int_equal(OOM_SCORE_ADJ_MAX, oom_score_adj_read(n, pm));
    run_script(x, N1, "late", "exec psql -h /tmp -U postgres -d postgres -c 'select pg_sleep(1000)'");
    assert_true(comes(x, N1, PG_BACKEND, 3, 5 * SEC)); // the fixture's, the hungry one, this one
    run_script(x, N1, "end",
               "psql -h /tmp -U postgres -d postgres -c \"select pg_terminate_backend(pid) from pg_stat_activity "
               "where application_name = 'bascule-fault'\"");
    assert_non_null(fixture_wait(x, "oom", "failed", 5 * SEC));
    print_message("    %s\n", fixture_event(x, "oom", "failed")->u.FAULT.detail);
    assert_non_null(fixture_wait(x, "oom", "heal_verified", 20 * SEC));
    assert_int_equal(pm, postmaster(x, N1));
    process_list all = {0};
    assert_int_equal(0, process_scan(n, &all, &err));
    for (size_t i = 0; i < all.n; i++)
        assert_int_equal(before, oom_score_adj_read(n, all.items[i].pid));
    VEC_DONE(&all);
}

// The verifier can fail: somebody else is marked, and taken instead.
static void an_oom_killer_that_takes_the_wrong_one_is_unverified(void **state) {
    struct fixture *x = *state;
    set_adj(x, "postgres: .*checkpointer", OOM_SCORE_ADJ_MAX);
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "oom", "resource.oom", "n1", "limit=64MB"));
    assert_non_null(fixture_wait(x, "oom", "effective", 20 * SEC));
    const struct event *e = fixture_wait(x, "oom", "unverified", 10 * SEC);
    assert_non_null(e);
    print_message("    %s\n    %s\n", fixture_event(x, "oom", "effective")->u.FAULT.detail, e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "another process was killed"));
    must_heal(x, "oom");
}

// And nobody is killed where the sort may not have the memory.
static void a_query_that_gets_no_memory_is_a_failed_injection(void **state) {
    struct fixture *x = *state;
    int64_t before = postmaster(x, N1);
    must_verify(x, "squeeze", "resource.memory", "n1", "limit=64MB");
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "oom", "resource.oom", "n1", "limit=128MB"));
    const struct event *e = fixture_wait(x, "oom", "failed", 20 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "53200"));
    must_heal(x, "squeeze");
    assert_int_equal(before, postmaster(x, N1));
}

static void without_descriptors_nobody_new_is_answered(void **state) {
    struct fixture *x = *state;
    must_verify(x, "files", "resource.files", "n1", "service=postgres");
    assert_false(app_gets_in(x));
    must_heal(x, "files");
    assert_true(app_gets_in(x));
}

static void a_limit_lifted_behind_its_back_is_unverified(void **state) {
    struct fixture *x = *state;
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "files", "resource.files", "n1", "service=postgres"));
    assert_non_null(fixture_wait(x, "files", "effective", 2 * SEC));
    run_script(x, N1, "lift", "prlimit --pid $(head -1 $D/postmaster.pid) --nofile=1000:");
    const struct event *e = fixture_wait(x, "files", "unverified", 5 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "files");
}

// ---- clocks: n2's PostgreSQL, and a Python program that tells its time as Patroni does --------------------------------
#define PRELOAD "LD_PRELOAD=" STACK_CLOCKS "/clock.so BASCULE_CLOCK=" STACK_CLOCKS " "

static void start_clocks(struct fixture *x, bool preloaded) {
    struct err err = {0};
    const char *with = preloaded ? PRELOAD : "";
    x->topology.clock = CLOCK_ADJUSTABLE;
    assert_int_equal(0, clock_prepare(fixture_node(x, N2), &err));
    cleanup_free char *restart = xasprintf("%spg_ctl -D $D restart -w -l /var/log/pg.log", with);
    cleanup_free char *tell = xasprintf("cd /tmp; exec env %s/usr/bin/python3 -m http.server 8008", with);
    run_script(x, N2, "restart", restart);
    wait_script(x, N2, "restart");
    run_script(x, N2, "tell", tell);
    fixture_run(x, SEC);
    fixture_forget(x);
}

// Not through the injector: the shell, which keeps the right time, compares.
static void postgres_is_off_by(struct fixture *x, int seconds) {
    cleanup_free char *script =
        xasprintf("off=$(( $(psql -h /tmp -U postgres -Atc 'select extract(epoch from clock_timestamp())::bigint') - "
                  "$(date +%%s) ));"
                  " echo \"off by $off s\"; test $((off - (%d))) -ge -2; test $((off - (%d))) -le 2",
                  seconds, seconds);
    run_script(x, N2, "look", script);
    wait_script(x, N2, "look");
}

static void clocks_jump_add_up_and_are_put_right_one_by_one(void **state) {
    struct fixture *x = *state;
    start_clocks(x, true);
    postgres_is_off_by(x, 0);
    must_verify(x, "hour", "clock.skew", "n2", "offset=+1h");
    postgres_is_off_by(x, 3600);
    must_verify(x, "back", "clock.skew", "n2", "offset=-10m service=postgres");
    postgres_is_off_by(x, 3000);
    must_heal(x, "hour");
    postgres_is_off_by(x, -600);
    must_heal(x, "back");
    postgres_is_off_by(x, 0);
}

// The files are written, and nobody reads them.
static void a_clock_that_does_not_follow_is_unverified(void **state) {
    static const char *const params[] = {"offset=+1h service=postgres", "offset=+1h service=patroni"};
    struct fixture *x = *state;
    start_clocks(x, false);
    for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
        fixture_forget(x);
        assert_int_equal(0, fixture_inject(x, i ? "two" : "one", "clock.skew", "n2", params[i]));
        const struct event *e = fixture_wait(x, i ? "two" : "one", "unverified", 25 * SEC);
        assert_non_null(e);
        print_message("    %s\n", e->u.FAULT.detail);
        must_heal(x, i ? "two" : "one");
    }
}

// Its file was replaced: PostgreSQL still reads the old one.
static void a_clock_that_does_not_come_back_is_not_healed(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    start_clocks(x, true);
    must_verify(x, "skew", "clock.skew", "n2", "offset=+1h service=postgres");
    run_script(x, N2, "swap", "cd " STACK_CLOCKS "; cp postgres new; mv new postgres");
    wait_script(x, N2, "swap");
    assert_int_equal(0, injector_heal(x->in, "skew", &err));
    const struct event *e = fixture_wait(x, "skew", "heal_unverified", 25 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_killed_postmaster_takes_its_children_and_is_started_by_its_keeper),
        T(the_walreceiver_is_found_by_its_title_and_frozen),
        T(a_killed_walsender_and_a_killed_backend_are_the_right_ones),
        T(a_frozen_postgres_is_frozen_whole),
        T(a_fast_stop_writes_a_shutdown_checkpoint),
        T(exhausted_connections_refuse_the_next_one_until_they_are_let_go),
        T(exhaustion_of_a_server_that_does_not_run_never_takes_effect),
        T(a_memory_limit_gives_53200_and_nothing_else),
        T(a_memory_limit_lifted_behind_its_back_is_seen),
        T(an_oom_killer_takes_the_hungry_backend_and_postgresql_restarts_itself),
        T(an_oom_killer_takes_a_postmaster_with_a_high_oom_score_adj),
        T(an_oom_score_adj_is_given_back_to_all_who_have_it),
        T(an_oom_killer_that_takes_the_wrong_one_is_unverified),
        T(a_query_that_gets_no_memory_is_a_failed_injection),
        T(without_descriptors_nobody_new_is_answered),
        T(a_limit_lifted_behind_its_back_is_unverified),
        T(clocks_jump_add_up_and_are_put_right_one_by_one),
        T(a_clock_that_does_not_follow_is_unverified),
        T(a_clock_that_does_not_come_back_is_not_healed),
    };
    return cmocka_run_group_tests_name("PostgreSQL's processes", tests, NULL, NULL);
}

int main(void) {
    find_postgres();
    if (!*bin) {
        (void)fprintf(stderr, "SKIPPED: PostgreSQL is not installed; apt-get install postgresql\n");
        return 77;
    }
    return fixture_main(run);
}
