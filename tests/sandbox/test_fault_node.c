// SPDX-License-Identifier: PostgreSQL
// node.freeze, node.reboot, node.slow, process.cycle and the watchdog, on services that count.
#include "tests/sandbox/fault_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

static int setup(void **state) {
    struct fixture *x = fixture_new();
    *state = x;
    fixture_services(x, N1);
    fixture_services(x, N2);
    return 0;
}
static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static int64_t growth(struct fixture *x, int node, const char *path, usec_t time) {
    int64_t before = fixture_size(x, node, path);
    fixture_run(x, time);
    return fixture_size(x, node, path) - before;
}

static bool grows(struct fixture *x, int node, const char *path) {
    return growth(x, node, path, 200 * MSEC) > 0;
}

// ---- node.freeze ---------------------------------------------------------------------------------------------------

static void a_frozen_node_is_silent_and_still_and_ends_no_connection(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open(x, N1, N2, &l);
    must_verify(x, "hang", "node.freeze", "n1", NULL);
    assert_false(grows(x, N1, "/tmp/count") || grows(x, N1, "/tmp/child") || grows(x, N1, "/tmp/etcd"));
    assert_true(none_pass(&l));
    assert_true(grows(x, N2, "/tmp/count"));
    must_heal(x, "hang");
    assert_true(grows(x, N1, "/tmp/count") && grows(x, N1, "/tmp/child") && grows(x, N1, "/tmp/etcd"));
    assert_true(both_pass(&l));
    assert_true(tcp_passes(l.a, l.b, 3000)); // the connection of before
    wire_close(&l);
}

static void two_nodes_freeze_together_and_the_spread_is_told(void **state) {
    struct fixture *x = *state;
    must_verify(x, "hang", "node.freeze", "n1,n2", NULL);
    assert_non_null(strstr(fixture_event(x, "hang", "effective")->u.FAULT.detail, "between the first and the last"));
    assert_false(grows(x, N1, "/tmp/count") || grows(x, N2, "/tmp/count"));
    must_heal(x, "hang");
    assert_true(grows(x, N1, "/tmp/count") && grows(x, N2, "/tmp/count"));
}

static void a_freeze_and_a_pause_need_two_heals(void **state) {
    struct fixture *x = *state;
    must_verify(x, "pause", "process.pause", "n1", "service=patroni");
    must_verify(x, "hang", "node.freeze", "n1", NULL);
    must_heal(x, "hang");
    assert_false(grows(x, N1, "/tmp/count"));
    assert_true(grows(x, N1, "/tmp/etcd"));
    must_heal(x, "pause");
    assert_true(grows(x, N1, "/tmp/count"));
    must_verify(x, "hang", "node.freeze", "n1", NULL);
    must_verify(x, "pause", "process.pause", "n1", "service=patroni");
    must_heal(x, "pause");
    assert_false(grows(x, N1, "/tmp/count"));
    must_heal(x, "hang");
    assert_true(grows(x, N1, "/tmp/count"));
}

// SIGSTOP reaches the parent only when it wakes up, after the thaw.
static void who_waits_for_a_vfork_goes_on_after_the_thaw(void **state) {
    struct fixture *x = *state;
    fixture_vfork(x, N3, "spawner");
    must_verify(x, "hang", "node.freeze", "n3", NULL);
    must_heal(x, "hang");
    fixture_vfork_goes_on(x, N3);
}

static void a_freeze_undone_behind_its_back_is_unverified(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "hang", "node.freeze", "n1", NULL));
    assert_non_null(fixture_wait(x, "hang", "effective", 5 * SEC));
    assert_int_equal(0, node_signal_all(fixture_node(x, N1), SIGCONT, NULL, NULL, &err));
    const struct event *e = fixture_wait(x, "hang", "unverified", 5 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "hang");
}

static void a_frozen_node_that_loses_its_power_is_healed_by_booting(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    struct wire l;
    wire_open(x, N1, N2, &l);
    must_verify(x, "hang", "node.freeze", "n1", NULL);
    must_verify(x, "off", "node.power_off", "n1", NULL);
    fixture_forget(x);
    assert_int_equal(0, injector_heal(x->in, NULL, &err));
    assert_non_null(fixture_wait(x, "hang", "heal_verified", 20 * SEC));
    assert_non_null(fixture_wait(x, "off", "heal_verified", 20 * SEC));
    assert_true(grows(x, N1, "/tmp/count"));
    assert_true(both_pass(&l));
    wire_close(&l);
}

// ---- node.reboot ---------------------------------------------------------------------------------------------------

static void a_reboot_stops_services_first_and_comes_back_by_itself(void **state) {
    struct fixture *x = *state;
    int starts = x->starts;
    must_verify(x, "reboot", "node.reboot", "n1", "off=1s");
    assert_false(node_is_on(fixture_node(x, N1)));
    bool patroni_first = false, etcd = false;
    VEC_FOREACH (&x->events, e) {
        if (e->kind != EVENT_SERVICE || !str_eq(e->u.SERVICE.node, "n1") || e->u.SERVICE.state == SERVICE_STATE_STARTED)
            continue;
        assert_int_equal(SIGTERM, e->u.SERVICE.signal); // asked to end, not killed with the power
        patroni_first = patroni_first || (str_eq(e->u.SERVICE.service, "patroni") && !etcd);
        etcd = etcd || str_eq(e->u.SERVICE.service, "etcd");
    }
    assert_true(patroni_first && etcd);
    fixture_run(x, 1500 * MSEC);
    assert_true(node_is_on(fixture_node(x, N1)));
    assert_int_equal(starts + 1, x->starts);
    assert_true(grows(x, N1, "/tmp/count"));
    must_heal(x, "reboot");
    assert_int_equal(starts + 1, x->starts);
}

static void a_reboot_healed_early_boots_at_once(void **state) {
    struct fixture *x = *state;
    must_verify(x, "reboot", "node.reboot", "n1", "off=60s");
    must_heal(x, "reboot");
    assert_true(grows(x, N1, "/tmp/count"));
}

// ---- node.slow -----------------------------------------------------------------------------------------------------

static void a_slow_node_runs_for_its_share_and_heals(void **state) {
    struct fixture *x = *state;
    int64_t before = growth(x, N1, "/tmp/count", SEC);
    must_verify(x, "slow", "node.slow", "n1", "share=10%");
    int64_t slow = growth(x, N1, "/tmp/count", SEC);
    print_message("    counted %lld a second before, %lld now\n", (long long)before, (long long)slow);
    assert_true(slow > 0 && slow * 2 < before);
    must_heal(x, "slow");
    assert_true(growth(x, N1, "/tmp/count", SEC) * 2 > before);
}

static void a_slow_node_that_was_made_fast_is_unverified(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "slow", "node.slow", "n1", "share=10%"));
    assert_non_null(fixture_wait(x, "slow", "effective", 5 * SEC));
    assert_int_equal(0, node_duty_set(fixture_node(x, N1), 0, 0, NULL, NULL, &err));
    const struct event *e = fixture_wait(x, "slow", "unverified", 10 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "slow");
}

static void slowness_continues_nobody_who_is_paused(void **state) {
    struct fixture *x = *state;
    must_verify(x, "slow", "node.slow", "n1", "share=50%");
    must_verify(x, "pause", "process.pause", "n1", "service=patroni");
    assert_int_equal(0, growth(x, N1, "/tmp/count", SEC));
    must_heal(x, "slow");
    assert_int_equal(0, growth(x, N1, "/tmp/count", 300 * MSEC));
    must_heal(x, "pause");
    assert_true(grows(x, N1, "/tmp/count"));
}

static void busy_loops_burn_and_go(void **state) {
    struct fixture *x = *state;
    must_verify(x, "burn", "resource.cpu", "n1", "burners=2 nice=10");
    must_heal(x, "burn");
}

// ---- process.cycle -------------------------------------------------------------------------------------------------

static void a_cycle_stops_and_goes_until_it_is_healed(void **state) {
    struct fixture *x = *state;
    must_verify(x, "cycle", "process.cycle", "n1",
                "service=patroni pause_min=100ms pause_max=200ms run_min=100ms run_max=200ms");
    int stops = 0, goes = 0;
    for (int i = 0; i < 60; i++) {
        bool grew = growth(x, N1, "/tmp/count", 50 * MSEC) > 0;
        goes += grew;
        stops += !grew;
    }
    print_message("    %d of 60 looks saw it stopped\n", stops);
    assert_true(stops > 10 && goes > 10);
    must_heal(x, "cycle");
    for (int i = 0; i < 10; i++)
        assert_true(grows(x, N1, "/tmp/count"));
}

static void a_cycle_goes_over_a_killed_service(void **state) {
    struct fixture *x = *state;
    must_verify(x, "cycle", "process.cycle", "n1",
                "service=etcd pause_min=50ms pause_max=100ms run_min=50ms run_max=100ms");
    must_verify(x, "kill", "process.kill", "n1", "service=etcd");
    fixture_run(x, 500 * MSEC);
    must_heal(x, "kill");
    fixture_run(x, 500 * MSEC);
    must_heal(x, "cycle");
    assert_true(grows(x, N1, "/tmp/etcd"));
}

// ---- the watchdog --------------------------------------------------------------------------------------------------

static void write_to_it(struct fixture *x, const char *script) {
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct service_spec spec = {.name = "writer", .argv = argv, .log = "writer.log"};
    struct err err = {0};
    if (node_service_start(fixture_node(x, N1), &spec, &err) < 0)
        fail_msg("%s", err.msg);
}

static const struct event *watchdog(struct fixture *x, enum watchdog_state state, usec_t within) {
    for (usec_t end = usec_now() + within; usec_now() < end; (void)sd_event_run(x->loop, 20 * MSEC))
        for (size_t i = x->events.n; i-- > 0;)
            if (x->events.items[i].kind == EVENT_WATCHDOG && x->events.items[i].u.WATCHDOG.state == state)
                return &x->events.items[i];
    return NULL;
}

#define KEEPS "exec 9>/run/watchdog; printf 'Ctimeout=1\\n' >&9; "

static void a_watchdog_that_is_written_to_keeps_the_power_and_one_that_is_not_takes_it(void **state) {
    struct fixture *x = *state;
    write_to_it(x, KEEPS "while :; do printf 1 >&9; sleep 0.3; done");
    const struct event *armed = watchdog(x, WATCHDOG_STATE_ARMED, 2 * SEC);
    assert_non_null(armed);
    assert_int_equal(SEC, armed->u.WATCHDOG.timeout);
    fixture_run(x, 3 * SEC);
    assert_true(node_is_on(fixture_node(x, N1)));
    assert_null(watchdog(x, WATCHDOG_STATE_EXPIRED, MSEC));
    assert_non_null(watchdog(x, WATCHDOG_STATE_KEPT, MSEC));
    struct err err = {0};
    assert_int_equal(0, node_signal_pid(fixture_node(x, N1), node_service_pid(fixture_node(x, N1), "writer"), SIGKILL,
                                        true, false, NULL, NULL, &err)); // no magic close: it stays armed
    const struct event *e = watchdog(x, WATCHDOG_STATE_EXPIRED, 3 * SEC);
    assert_non_null(e);
    print_message("    expired %.1f ms after the last write\n", (double)(e->t - e->u.WATCHDOG.last) / 1000.0);
    assert_true(e->t - e->u.WATCHDOG.last >= SEC && e->t - e->u.WATCHDOG.last < 1300 * MSEC);
    FIXTURE_COMES(x, !node_is_on(fixture_node(x, N1)));
}

static void the_magic_close_disarms_it(void **state) {
    struct fixture *x = *state;
    write_to_it(x, KEEPS "sleep 0.2; printf V >&9");
    assert_non_null(watchdog(x, WATCHDOG_STATE_DISARMED, 2 * SEC));
    fixture_run(x, 2 * SEC);
    assert_true(node_is_on(fixture_node(x, N1)));
}

static void it_fires_on_a_frozen_machine(void **state) {
    struct fixture *x = *state;
    write_to_it(x, KEEPS "while :; do printf 1 >&9; sleep 0.1; done");
    assert_non_null(watchdog(x, WATCHDOG_STATE_ARMED, 2 * SEC));
    must_verify(x, "hang", "node.freeze", "n1", NULL);
    assert_non_null(watchdog(x, WATCHDOG_STATE_EXPIRED, 3 * SEC));
    FIXTURE_COMES(x, !node_is_on(fixture_node(x, N1)));
    must_heal(x, "hang");
}

static void a_removed_watchdog_cannot_be_opened_until_it_is_back(void **state) {
    struct fixture *x = *state;
    struct stat st;
    must_verify(x, "gone", "watchdog.remove", "n1,n2", NULL);
    assert_int_equal(-1, stat(fixture_path(x, N1, "/run/watchdog"), &st));
    must_heal(x, "gone");
    write_to_it(x, KEEPS "sleep 100");
    assert_non_null(watchdog(x, WATCHDOG_STATE_ARMED, 2 * SEC)); // the same device as before
    fixture_forget(x);
    assert_true(fixture_inject(x, "none", "watchdog.remove", "n3", NULL) < 0); // a node without one
    assert_non_null(strstr(fixture_event(x, "none", "failed")->u.FAULT.detail, "has no watchdog"));
}

// ---- from the decision to the effect -------------------------------------------------------------------------------

static int by_size(const void *a, const void *b) {
    const usec_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void kills_take_effect_within_milliseconds(void **state) {
    struct fixture *x = *state;
    enum { N = 50 };
    usec_t took[N];
    for (int i = 0; i < N; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "k%d", i);
        fixture_forget(x);
        assert_int_equal(0, fixture_inject(x, id, "process.kill", "n1", "service=etcd"));
        const struct event *e = fixture_wait(x, id, "effective", 5 * SEC);
        assert_non_null(e);
        took[i] = e->t - fixture_event(x, id, "asked")->t;
        assert_non_null(fixture_wait(x, id, "verified", 5 * SEC));
        struct err err = {0};
        assert_int_equal(0, injector_heal(x->in, id, &err));
        assert_non_null(fixture_wait(x, id, "heal_verified", 10 * SEC));
    }
    qsort(took, N, sizeof *took, by_size);
    print_message("    asked -> effective of %d kills: p50 %.2f ms, p90 %.2f ms, max %.2f ms\n", N,
                  (double)took[N / 2] / 1000, (double)took[N * 9 / 10] / 1000, (double)took[N - 1] / 1000);
    assert_true(took[N / 2] <= 50 * MSEC); // the goal is 5 ms on an idle host; what a busy one adds is told above
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_frozen_node_is_silent_and_still_and_ends_no_connection),
        T(two_nodes_freeze_together_and_the_spread_is_told),
        T(a_freeze_and_a_pause_need_two_heals),
        T(who_waits_for_a_vfork_goes_on_after_the_thaw),
        T(a_freeze_undone_behind_its_back_is_unverified),
        T(a_frozen_node_that_loses_its_power_is_healed_by_booting),
        T(a_reboot_stops_services_first_and_comes_back_by_itself),
        T(a_reboot_healed_early_boots_at_once),
        T(a_slow_node_runs_for_its_share_and_heals),
        T(a_slow_node_that_was_made_fast_is_unverified),
        T(slowness_continues_nobody_who_is_paused),
        T(busy_loops_burn_and_go),
        T(a_cycle_stops_and_goes_until_it_is_healed),
        T(a_cycle_goes_over_a_killed_service),
        T(a_watchdog_that_is_written_to_keeps_the_power_and_one_that_is_not_takes_it),
        T(the_magic_close_disarms_it),
        T(it_fires_on_a_frozen_machine),
        T(a_removed_watchdog_cannot_be_opened_until_it_is_back),
        T(kills_take_effect_within_milliseconds),
    };
    return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
