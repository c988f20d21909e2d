// SPDX-License-Identifier: PostgreSQL
// net.drop, seen by sockets of the test's own.
#include "tests/sandbox/fault_fixture.h"

static int setup(void **state) {
    *state = fixture_new();
    return 0;
}
static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static void an_isolated_node_hears_and_says_nothing_and_heals(void **state) {
    struct fixture *x = *state;
    struct wire l[3], control;
    wire_open(x, N1, N2, &l[0]);
    wire_open(x, N1, N3, &l[1]);
    wire_open(x, N1, APP, &l[2]);
    wire_open(x, N2, N3, &control);
    for (int i = 0; i < 3; i++)
        assert_true(both_pass(&l[i]));
    must_verify(x, "cut", "net.drop", "n1", NULL);
    for (int i = 0; i < 3; i++)
        assert_true(none_pass(&l[i]));
    assert_true(both_pass(&control));
    must_heal(x, "cut");
    for (int i = 0; i < 3; i++) {
        assert_true(both_pass(&l[i]));
        wire_close(&l[i]);
    }
    wire_close(&control);
}

static void an_established_connection_hangs_and_goes_on_after_the_heal(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open(x, N1, N2, &l);
    assert_true(tcp_passes(l.a, l.b, 200));
    assert_true(tcp_passes(l.b, l.a, 200));
    must_verify(x, "cut", "net.drop", "n1", NULL);
    assert_false(tcp_passes(l.a, l.b, 300));
    assert_false(tcp_passes(l.b, l.a, 300));
    must_heal(x, "cut");
    assert_true(tcp_passes(l.a, l.b, 3000)); // what was sent meanwhile is retransmitted: nothing was reset
    assert_true(tcp_passes(l.b, l.a, 3000));
    wire_close(&l);
}

static void a_one_way_cut_leaves_the_way_back_open(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open(x, N1, N2, &l);
    must_verify(x, "out", "net.drop", "n1", "with=n2 direction=out");
    assert_false(udp_passes(&l, true, 50));
    assert_true(udp_passes(&l, false, 100));
    must_heal(x, "out");
    must_verify(x, "in", "net.drop", "n1", "with=n2 direction=in");
    assert_true(udp_passes(&l, true, 100));
    assert_false(udp_passes(&l, false, 50));
    must_heal(x, "in");
    assert_true(both_pass(&l));
    wire_close(&l);
}

static void a_group_stays_connected_inside_and_peers_leave_the_application_alone(void **state) {
    struct fixture *x = *state;
    struct wire inside, across, app;
    wire_open(x, N1, N2, &inside);
    wire_open(x, N1, N3, &across);
    wire_open(x, N1, APP, &app);
    must_verify(x, "split", "net.drop", "n1,n2", "with=peers");
    assert_true(both_pass(&inside));
    assert_true(none_pass(&across));
    assert_true(both_pass(&app));
    must_heal(x, "split");
    must_verify(x, "all", "net.drop", "n1,n2", "with=all");
    assert_true(none_pass(&inside));
    assert_true(none_pass(&across));
    assert_true(none_pass(&app));
    must_heal(x, "all");
    assert_true(both_pass(&inside) && both_pass(&across) && both_pass(&app));
    wire_close(&inside);
    wire_close(&across);
    wire_close(&app);
}

static void overlapping_cuts_compose_and_heal_each_on_its_own(void **state) {
    struct fixture *x = *state;
    struct wire l12, l13, l23;
    wire_open(x, N1, N2, &l12);
    wire_open(x, N1, N3, &l13);
    wire_open(x, N2, N3, &l23);
    must_verify(x, "a", "net.drop", "n1", NULL);
    must_verify(x, "b", "net.drop", "n2", NULL); // n1-n2 is cut twice now
    assert_true(none_pass(&l12) && none_pass(&l13) && none_pass(&l23));
    assert_int_equal(2, injector_active(x->in));
    must_heal(x, "a");
    assert_true(none_pass(&l12)); // b still holds it
    assert_true(both_pass(&l13));
    assert_true(none_pass(&l23));
    must_heal(x, "b");
    assert_true(both_pass(&l12) && both_pass(&l13) && both_pass(&l23));
    assert_int_equal(0, injector_active(x->in));
    wire_close(&l12);
    wire_close(&l13);
    wire_close(&l23);
}

// Opens the switch without telling the injector, as a student who flushes the rules would.
static void flush_behind_its_back(struct fixture *x) {
    struct err err = {0};
    if (switch_set_cuts(x->sw, NULL, 0, &err) < 0)
        fail_msg("%s", err.msg);
}

static void a_cut_that_is_undone_behind_its_back_is_unverified(void **state) {
    struct fixture *x = *state;
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "cut", "net.drop", "n1", NULL));
    assert_non_null(fixture_event(x, "cut", "effective"));
    flush_behind_its_back(x);
    const struct event *e = fixture_wait(x, "cut", "unverified", 2 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "still arrive"));
    assert_null(fixture_event(x, "cut", "verified"));
    must_heal(x, "cut");
}

static void a_heal_that_is_undone_behind_its_back_is_unverified_and_may_be_tried_again(void **state) {
    struct fixture *x = *state;
    struct wire l;
    struct err err = {0};
    wire_open(x, N1, N2, &l);
    must_verify(x, "cut", "net.drop", "n1", "with=n2");
    fixture_forget(x);
    assert_int_equal(0, injector_heal(x->in, "cut", &err));
    struct switch_cut again = {.from = "n1", .to = "n2"};
    assert_int_equal(0, switch_set_cuts(x->sw, &again, 1, &err));
    const struct event *e = fixture_wait(x, "cut", "heal_unverified", 5 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_false(udp_passes(&l, true, 50));
    must_heal(x, "cut");
    assert_true(both_pass(&l));
    wire_close(&l);
}

static void a_probe_that_hears_nothing_at_all_proves_nothing(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    assert_int_equal(0, fixture_inject(x, "cut", "net.drop", "n1", "with=n2"));
    struct switch_cut everything[12] = {0};
    size_t n = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            if (i != j) {
                STR_COPY(everything[n].from, x->topology.nodes.items[i].name);
                STR_COPY(everything[n++].to, x->topology.nodes.items[j].name);
            }
    assert_int_equal(0, switch_set_cuts(x->sw, everything, n, &err)); // the controls are dead too
    const struct event *e = fixture_wait(x, "cut", "unverified", 2 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "proves nothing"));
    must_heal(x, "cut");
}

static void healing_twice_is_harmless_and_answered(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    must_verify(x, "cut", "net.drop", "n1", NULL);
    must_heal(x, "cut");
    fixture_forget(x);
    assert_int_equal(0, injector_heal(x->in, "cut", &err));
    assert_non_null(fixture_wait(x, "cut", "heal_verified", SEC));
    assert_null(fixture_event(x, "cut", "heal_asked"));
    assert_int_equal(-ENOENT, injector_heal(x->in, "nobody", &err));
}

static void a_heal_in_the_middle_of_the_measurement_is_done_at_once(void **state) {
    struct fixture *x = *state;
    struct wire l;
    struct err err = {0};
    wire_open(x, N1, N2, &l);
    assert_int_equal(0, fixture_inject(x, "cut", "net.drop", "n1", NULL));
    fixture_run(x, 30 * MSEC);
    assert_true(none_pass(&l));
    usec_t asked = usec_now();
    assert_int_equal(0, injector_heal(x->in, "cut", &err));
    print_message("    heal took %.2f ms\n", (double)(usec_now() - asked) / 1000.0);
    assert_non_null(fixture_event(x, "cut", "unverified"));
    assert_true(both_pass(&l));
    assert_non_null(fixture_wait(x, "cut", "heal_verified", 5 * SEC));
    wire_close(&l);
}

static void a_fault_on_an_unknown_node_fails_and_changes_nothing(void **state) {
    struct fixture *x = *state;
    assert_true(fixture_inject(x, "cut", "net.drop", "n9", NULL) < 0);
    assert_non_null(fixture_event(x, "cut", "failed"));
    assert_true(fixture_inject(x, "odd", "net.drop", "n1", "with=n9") < 0);
    assert_true(fixture_inject(x, "self", "net.drop", "n1", "with=n1") == 0);
    assert_non_null(fixture_event(x, "self", "failed"));
    assert_null(fixture_event(x, "self", "heal_asked"));
    assert_int_equal(0, injector_active(x->in));
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_isolated_node_hears_and_says_nothing_and_heals),
        T(an_established_connection_hangs_and_goes_on_after_the_heal),
        T(a_one_way_cut_leaves_the_way_back_open),
        T(a_group_stays_connected_inside_and_peers_leave_the_application_alone),
        T(overlapping_cuts_compose_and_heal_each_on_its_own),
        T(a_cut_that_is_undone_behind_its_back_is_unverified),
        T(a_heal_that_is_undone_behind_its_back_is_unverified_and_may_be_tried_again),
        T(a_probe_that_hears_nothing_at_all_proves_nothing),
        T(healing_twice_is_harmless_and_answered),
        T(a_heal_in_the_middle_of_the_measurement_is_done_at_once),
        T(a_fault_on_an_unknown_node_fails_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("net.drop", tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
