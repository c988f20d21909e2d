// SPDX-License-Identifier: PostgreSQL
// Connections, memory, descriptors and clocks of a real PostgreSQL: they run out, and come back.
#include "tests/sandbox/fault_postgres.h"

#include <stdio.h>

#include "injector/resource/memory_use.h"
#include "lab/base/fs.h"
#include "lab/node/places.h"
#include "lab/stack/clock/clock.h"

// Can the application log in? Asked with psql, not with the injector's own means.
static bool app_gets_in(struct fixture *x) {
    static int serial;
    cleanup_free char *name = xasprintf("login%d", serial++);
    pg_script(x, APP, name, "! timeout 5 psql -h 10.77.0.11 -U app -d app -qc 'select 1' >/dev/null");
    assert_true(fixture_service_ends(x, APP, name, 10 * SEC));
    for (size_t i = x->events.n; i-- > 0;)
        if (x->events.items[i].kind == EVENT_SERVICE && str_eq(x->events.items[i].u.SERVICE.service, name) &&
            x->events.items[i].u.SERVICE.state != SERVICE_STATE_STARTED)
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
    int64_t before = pg_postmaster(x, N1);
    must_verify(x, "squeeze", "resource.memory", "n1", "limit=64MB");
    assert_true(app_gets_in(x));
    must_heal(x, "squeeze");
    assert_int_equal(before, pg_postmaster(x, N1));
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
    pg_script(x, N1, "lift", "prlimit --pid $(head -1 $D/postmaster.pid) --data=unlimited:");
    pg_wait_script(x, N1, "lift");
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
    pg_script(x, N1, name, script);
    pg_wait_script(x, N1, name);
}

static void an_oom_killer_takes_the_hungry_backend_and_postgresql_restarts_itself(void **state) {
    struct fixture *x = *state;
    int64_t before = pg_postmaster(x, N1);
    must_verify(x, "oom", "resource.oom", "n1", "limit=64MB");
    assert_non_null(strstr(fixture_event(x, "oom", "effective")->u.FAULT.detail, "SIGKILL to the hungry backend"));
    assert_non_null(strstr(fixture_event(x, "oom", "verified")->u.FAULT.detail, "crash restart"));
    assert_int_equal(before, pg_postmaster(x, N1));
    assert_true(log_has(x, "was terminated by signal 9: Killed"));
    assert_true(log_has(x, "Failed process was running: SET work_mem = '2GB'"));
    must_heal(x, "oom");
    assert_non_null(strstr(fixture_event(x, "oom", "healed")->u.FAULT.detail, "it killed 1"));
    assert_true(app_gets_in(x));
}

static void an_oom_killer_takes_a_postmaster_with_a_high_oom_score_adj(void **state) {
    struct fixture *x = *state;
    int64_t before = pg_postmaster(x, N1);
    must_verify(x, "oom", "resource.oom", "n1", "limit=64MB victim=postmaster");
    assert_non_null(strstr(fixture_event(x, "oom", "effective")->u.FAULT.detail, "SIGKILL to the postmaster"));
    assert_int_not_equal(before, pg_postmaster(x, N1));
    must_heal(x, "oom"); // the keeper starts another, with the oom_score_adj that it has itself
    assert_true(app_gets_in(x));
}

// Failed before anything was killed: who was marked is so no more, and nor are those who were born meanwhile.
static void an_oom_score_adj_is_given_back_to_all_who_have_it(void **state) {
    struct fixture *x = *state;
    struct node *n = fixture_node(x, N1);
    struct err err = {0};
    int64_t pm = pg_postmaster(x, N1);
    int before = oom_score_adj_read(n, pm);
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "oom", "resource.oom", "n1", "limit=512MB victim=postmaster"));
    for (usec_t end = usec_now() + 5 * SEC; oom_score_adj_read(n, pm) == before && usec_now() < end;)
        fixture_run(x, 5 * MSEC);
    assert_int_equal(OOM_SCORE_ADJ_MAX, oom_score_adj_read(n, pm));
    pg_script(x, N1, "late", "exec psql -h /tmp -U postgres -d postgres -c 'select pg_sleep(1000)'");
    assert_true(pg_comes(x, N1, PG_BACKEND, 3, 5 * SEC)); // the fixture's, the hungry one, this one
    pg_script(x, N1, "end",
              "psql -h /tmp -U postgres -d postgres -c \"select pg_terminate_backend(pid) from pg_stat_activity "
              "where application_name = 'bascule-fault'\"");
    assert_non_null(fixture_wait(x, "oom", "failed", 5 * SEC));
    print_message("    %s\n", fixture_event(x, "oom", "failed")->u.FAULT.detail);
    assert_non_null(fixture_wait(x, "oom", "heal_verified", 20 * SEC));
    assert_int_equal(pm, pg_postmaster(x, N1));
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
    int64_t before = pg_postmaster(x, N1);
    must_verify(x, "squeeze", "resource.memory", "n1", "limit=64MB");
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "oom", "resource.oom", "n1", "limit=128MB"));
    const struct event *e = fixture_wait(x, "oom", "failed", 20 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "53200"));
    must_heal(x, "squeeze");
    assert_int_equal(before, pg_postmaster(x, N1));
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
    pg_script(x, N1, "lift", "prlimit --pid $(head -1 $D/postmaster.pid) --nofile=1000:");
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
    pg_script(x, N2, "restart", restart);
    pg_wait_script(x, N2, "restart");
    pg_script(x, N2, "tell", tell);
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
    pg_script(x, N2, "look", script);
    pg_wait_script(x, N2, "look");
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
    pg_script(x, N2, "swap", "cd " STACK_CLOCKS "; cp postgres new; mv new postgres");
    pg_wait_script(x, N2, "swap");
    assert_int_equal(0, injector_heal(x->in, "skew", &err));
    const struct event *e = fixture_wait(x, "skew", "heal_unverified", 25 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, pg_setup, pg_teardown)
    const struct CMUnitTest tests[] = {
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
    return cmocka_run_group_tests_name("what a server runs out of", tests, NULL, NULL);
}

int main(void) {
    if (!pg_find()) {
        (void)fprintf(stderr, "SKIPPED: PostgreSQL is not installed; apt-get install postgresql\n");
        return 77;
    }
    return fixture_main(run);
}
