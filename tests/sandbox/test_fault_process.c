// SPDX-License-Identifier: PostgreSQL
// process.kill, process.stop and process.pause on services that count: a file that no longer grows is the measurement.
#include "tests/sandbox/fault_fixture.h"

#include <signal.h>

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

static bool grows(struct fixture *x, int node, const char *path) {
    int64_t before = fixture_size(x, node, path);
    fixture_run(x, 150 * MSEC);
    return fixture_size(x, node, path) > before;
}

static int64_t pid_of(struct fixture *x, int node, const char *service) {
    return node_service_pid(fixture_node(x, node), service);
}

static void a_killed_service_is_gone_and_is_started_again_by_the_heal(void **state) {
    struct fixture *x = *state;
    int64_t pid = pid_of(x, N1, "etcd");
    assert_true(grows(x, N1, "/tmp/etcd"));
    must_verify(x, "kill", "process.kill", "n1", "service=etcd");
    char state_now = node_process_state(fixture_node(x, N1), pid);
    assert_true(state_now == 0 || state_now == 'Z'); // it has ended; a busy init may still have to reap it
    assert_false(grows(x, N1, "/tmp/etcd"));
    assert_true(grows(x, N1, "/tmp/count")); // the other service lives
    assert_true(grows(x, N2, "/tmp/etcd"));  // and so does the same one elsewhere
    must_heal(x, "kill");
    assert_true(pid_of(x, N1, "etcd") > 0);
    assert_true(grows(x, N1, "/tmp/etcd"));
}

static void killing_on_two_nodes_tells_the_spread(void **state) {
    struct fixture *x = *state;
    must_verify(x, "kill", "process.kill", "n1,n2", "service=etcd signal=TERM");
    assert_non_null(strstr(fixture_event(x, "kill", "effective")->u.FAULT.detail, "between the first and the last"));
    assert_true(fixture_service_ends(x, N1, "etcd", 5 * SEC) && fixture_service_ends(x, N2, "etcd", 5 * SEC));
    must_heal(x, "kill");
    assert_true(grows(x, N1, "/tmp/etcd") && grows(x, N2, "/tmp/etcd"));
}

static void a_service_that_came_back_by_itself_is_not_started_twice(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    must_verify(x, "kill", "process.kill", "n1", "service=etcd");
    assert_int_equal(0, x->world.start_services(x->world.arg, "n1", "etcd", &err));
    int starts = x->starts;
    must_heal(x, "kill");
    assert_int_equal(starts, x->starts);
}

static void killing_what_does_not_run_fails_and_starts_nothing(void **state) {
    struct fixture *x = *state;
    must_verify(x, "kill", "process.kill", "n1", "service=etcd");
    int starts = x->starts;
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "again", "process.kill", "n1", "service=etcd"));
    const struct event *e = fixture_wait(x, "again", "failed", SEC);
    assert_non_null(e);
    assert_string_equal("etcd is not running on n1", e->u.FAULT.detail);
    struct err err = {0};
    assert_int_equal(0, injector_heal(x->in, "again", &err)); // heal after a failed inject
    fixture_run(x, 50 * MSEC);
    assert_int_equal(starts, x->starts);
    must_heal(x, "kill");
}

// A shell that ignores SIGTERM, in place of etcd.
static int start_stubborn(struct fixture *x, const char *node, const char *service, struct err *err) {
    const char *argv[] = {"/bin/sh", "-c",
                          "trap '' TERM; : >/tmp/trap; while :; do printf x >>/tmp/etcd; sleep 0.01; done", NULL};
    struct service_spec spec = {.name = service, .argv = argv, .log = "stubborn.log"};
    return node_service_start(fault_world_node(&x->world, node), &spec, err);
}

static void a_signal_that_is_survived_is_a_failed_injection(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    must_verify(x, "kill", "process.kill", "n1", "service=etcd");
    x->start = start_stubborn;
    must_heal(x, "kill");
    FIXTURE_COMES(x, fixture_size(x, N1, "/tmp/trap") == 0);
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "term", "process.kill", "n1", "service=etcd signal=TERM"));
    const struct event *e = fixture_wait(x, "term", "failed", 10 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_null(fixture_event(x, "term", "effective"));
    assert_non_null(fixture_wait(x, "term", "heal_verified", 10 * SEC));
    assert_true(grows(x, N1, "/tmp/etcd"));
    (void)err;
}

static void a_stop_is_graceful_and_heals(void **state) {
    struct fixture *x = *state;
    must_verify(x, "stop", "process.stop", "n1", "service=etcd");
    assert_false(grows(x, N1, "/tmp/etcd"));
    must_heal(x, "stop");
    assert_true(grows(x, N1, "/tmp/etcd"));
}

static void a_pause_of_the_tree_stops_parent_and_child_and_heals(void **state) {
    struct fixture *x = *state;
    assert_true(grows(x, N1, "/tmp/count") && grows(x, N1, "/tmp/child"));
    must_verify(x, "pause", "process.pause", "n1", "service=patroni");
    assert_false(grows(x, N1, "/tmp/count"));
    assert_false(grows(x, N1, "/tmp/child"));
    assert_int_equal('T', node_process_state(fixture_node(x, N1), pid_of(x, N1, "patroni")));
    assert_true(grows(x, N1, "/tmp/etcd"));
    must_heal(x, "pause");
    assert_true(grows(x, N1, "/tmp/count"));
    assert_true(grows(x, N1, "/tmp/child"));
}

static void a_pause_of_the_process_alone_leaves_its_child_running(void **state) {
    struct fixture *x = *state;
    must_verify(x, "pause", "process.pause", "n1", "service=patroni scope=process");
    assert_false(grows(x, N1, "/tmp/count"));
    assert_true(grows(x, N1, "/tmp/child"));
    must_heal(x, "pause");
    assert_true(grows(x, N1, "/tmp/count"));
}

static void signal_it(struct fixture *x, int64_t pid, int sig) {
    struct err err = {0};
    assert_int_equal(0, node_signal_pid(fixture_node(x, N1), pid, sig, true, false, NULL, NULL, &err));
}

static void a_pause_that_is_undone_behind_its_back_is_unverified(void **state) {
    struct fixture *x = *state;
    assert_int_equal(0, fixture_inject(x, "pause", "process.pause", "n1", "service=patroni"));
    assert_non_null(fixture_wait(x, "pause", "effective", 2 * SEC));
    signal_it(x, pid_of(x, N1, "patroni"), SIGCONT);
    const struct event *e = fixture_wait(x, "pause", "unverified", 2 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "pause");
}

static void two_pauses_of_one_process_need_two_heals(void **state) {
    struct fixture *x = *state;
    must_verify(x, "a", "process.pause", "n1", "service=patroni");
    must_verify(x, "b", "process.pause", "n1", "service=patroni");
    must_heal(x, "a");
    assert_false(grows(x, N1, "/tmp/count"));
    must_heal(x, "b");
    assert_true(grows(x, N1, "/tmp/count") && grows(x, N1, "/tmp/child"));
}

static void a_frozen_service_is_not_asked_to_stop(void **state) {
    struct fixture *x = *state;
    must_verify(x, "pause", "process.pause", "n1", "service=etcd");
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "stop", "process.stop", "n1", "service=etcd"));
    const struct event *e = fixture_wait(x, "stop", "failed", SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "pause");
    assert_true(grows(x, N1, "/tmp/etcd")); // no SIGTERM was left pending
}

static void killed_or_powered_off_while_frozen_leaves_nothing_to_thaw(void **state) {
    struct fixture *x = *state;
    must_verify(x, "pause", "process.pause", "n1", "service=patroni");
    must_verify(x, "pause2", "process.pause", "n2", "service=etcd");
    must_verify(x, "off", "node.power_off", "n1", NULL);
    must_verify(x, "kill", "process.kill", "n2", "service=etcd");
    struct err err = {0};
    fixture_forget(x);
    assert_int_equal(0, injector_heal(x->in, NULL, &err));
    static const char *const ids[] = {"pause", "pause2", "off", "kill"};
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        assert_non_null(fixture_wait(x, ids[i], "heal_verified", 20 * SEC));
    fixture_run(x, 100 * MSEC);
    assert_true(grows(x, N1, "/tmp/count") && grows(x, N2, "/tmp/etcd"));
    assert_int_equal(0, injector_active(x->in));
}

static void the_action_resume_heals_pauses_and_thaws_what_others_froze(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    char nodes[1][NODE_NAME_MAX] = {"n1"};
    must_verify(x, "pause", "process.pause", "n1", "service=etcd");
    assert_int_equal(0, injector_act(x->in, "go", "process.resume", nodes, 1, NULL, &err));
    const struct event *e = fixture_action(x, "go", 5 * SEC);
    assert_non_null(e);
    assert_int_equal(ACTION_PHASE_DONE, e->u.ACTION.phase);
    assert_true(grows(x, N1, "/tmp/etcd"));
    assert_int_equal(0, injector_active(x->in));
    signal_it(x, pid_of(x, N1, "patroni"), SIGSTOP); // a student's own kill -STOP
    FIXTURE_COMES(x, node_process_state(fixture_node(x, N1), pid_of(x, N1, "patroni")) == 'T');
    assert_false(grows(x, N1, "/tmp/count"));
    assert_int_equal(0, injector_act(x->in, "go2", "process.resume", nodes, 1, NULL, &err));
    assert_int_equal(ACTION_PHASE_DONE, fixture_action(x, "go2", 5 * SEC)->u.ACTION.phase);
    assert_true(grows(x, N1, "/tmp/count") && grows(x, N1, "/tmp/child"));
}

static void on_stopped(void *arg, const struct node_signal_result *r) {
    *(int *)arg = r->n;
}

static void resume_reaches_who_waits_for_a_vfork(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    char nodes[1][NODE_NAME_MAX] = {"n3"};
    fixture_vfork(x, N3, "etcd");
    int stopped = 0; // by a student's own kill -STOP -1: the child is, its parent will be
    assert_int_equal(0, node_signal_all(fixture_node(x, N3), SIGSTOP, on_stopped, &stopped, &err));
    FIXTURE_COMES(x, stopped == 2);
    assert_int_equal(0, injector_act(x->in, "go", "process.resume", nodes, 1, NULL, &err));
    assert_int_equal(ACTION_PHASE_DONE, fixture_action(x, "go", 5 * SEC)->u.ACTION.phase);
    fixture_vfork_goes_on(x, N3);
}

static void the_action_start_starts_a_service(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    char nodes[1][NODE_NAME_MAX] = {"n1"};
    setting_list params = {0};
    VEC_PUSH(&params, ((struct setting){.key = (char[]){"service"}, .value = (char[]){"etcd"}}));
    must_verify(x, "kill", "process.kill", "n1", "service=etcd");
    assert_int_equal(0, injector_act(x->in, "s", "service.start", nodes, 1, &params, &err));
    assert_int_equal(ACTION_PHASE_DONE, fixture_action(x, "s", 5 * SEC)->u.ACTION.phase);
    assert_true(grows(x, N1, "/tmp/etcd"));
    must_heal(x, "kill");
    VEC_DONE(&params);
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_killed_service_is_gone_and_is_started_again_by_the_heal),
        T(killing_on_two_nodes_tells_the_spread),
        T(a_service_that_came_back_by_itself_is_not_started_twice),
        T(killing_what_does_not_run_fails_and_starts_nothing),
        T(a_signal_that_is_survived_is_a_failed_injection),
        T(a_stop_is_graceful_and_heals),
        T(a_pause_of_the_tree_stops_parent_and_child_and_heals),
        T(a_pause_of_the_process_alone_leaves_its_child_running),
        T(a_pause_that_is_undone_behind_its_back_is_unverified),
        T(two_pauses_of_one_process_need_two_heals),
        T(a_frozen_service_is_not_asked_to_stop),
        T(killed_or_powered_off_while_frozen_leaves_nothing_to_thaw),
        T(the_action_resume_heals_pauses_and_thaws_what_others_froze),
        T(resume_reaches_who_waits_for_a_vfork),
        T(the_action_start_starts_a_service),
    };
    return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
