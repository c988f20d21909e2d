// SPDX-License-Identifier: PostgreSQL
// Signals to processes of a node: times, ends, whole trees, and a real stop.
#include <signal.h>

#include "tests/sandbox/fixture.h"

struct outcome {
    int calls;
    struct node_signal_result r;
};

static void done(void *arg, const struct node_signal_result *r) {
    struct outcome *o = arg;
    o->calls++;
    o->r = *r;
}

static struct outcome send_and_wait(struct lab *lab, int64_t pid, int sig, bool tree, bool await) {
    struct outcome o = {0};
    CHECK_OK(node_signal_pid(lab->nodes[0], pid, sig, tree, await, done, &o, err));
    CHECK(o.calls == 0); // on the loop, never from inside the call
    for (int i = 0; i < 1000 && o.calls == 0; i++)
        lab_spin(lab, 10 * MSEC);
    CHECK(o.calls == 1);
    return o;
}

static int64_t start(struct lab *lab, const char *name, const char *script) {
    const char *const argv[] = {"/bin/bash", "-c", script, NULL};
    struct service_spec spec = {.name = name, .argv = argv, .log = "x.log"};
    CHECK_OK(node_service_start(lab->nodes[0], &spec, err));
    return node_service_pid(lab->nodes[0], name);
}

static void kill_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    int64_t pid = start(lab, "victim", "exec sleep 1000");
    usec_t before = sink_now(&lab->sink);
    struct outcome o = send_and_wait(lab, pid, SIGKILL, false, true);
    CHECK(o.r.error == 0 && o.r.n == 1);
    CHECK(before <= o.r.sent && o.r.sent <= o.r.ended && o.r.ended <= sink_now(&lab->sink));
    CHECK(o.r.ended - o.r.sent < 1 * SEC);
    const struct event *ev = lab_service_ended(lab, "victim", SEC);
    CHECK(ev && ev->u.SERVICE.state == SERVICE_STATE_SIGNALLED && ev->u.SERVICE.signal == SIGKILL &&
          ev->u.SERVICE.pid == pid);
    o = send_and_wait(lab, pid, SIGKILL, false, true);
    CHECK(o.r.error == -ESRCH && o.r.n == 0);
}
static void a_kill_reports_when_it_was_sent_and_when_the_process_ended(void **state) {
    (void)state;
    in_lab(kill_body, NULL);
}

static size_t states(struct lab *lab, const char *in) {
    size_t n = 0;
    for (int64_t pid = 2; pid < 32768; pid++) {
        char s = node_process_state(lab->nodes[0], pid);
        n += s && strchr(in, s);
    }
    return n;
}

static void deaf_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    int64_t pid = start(lab, "deaf", "trap '' TERM; sleep 1000 & while :; do wait; done");
    LAB_COMES(lab, states(lab, "S") == 2); // the trap is set before the child is made
    usec_t before = usec_now();
    struct outcome o = send_and_wait(lab, pid, SIGTERM, false, true);
    CHECK(o.r.error == 0 && o.r.n == 1 && o.r.ended == 0 && o.r.sent > 0);
    CHECK(usec_now() - before >= 4900 * MSEC && usec_now() - before < 7 * SEC);
    CHECK(node_process_state(lab->nodes[0], pid) != 0);
}
static void an_end_that_does_not_come_is_answered_after_five_seconds(void **state) {
    (void)state;
    in_lab(deaf_body, NULL);
}

static void tree_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    // A tree that keeps forking, three generations deep, each child in a session of its own as PostgreSQL's are.
    int64_t pid =
        start(lab, "tree",
              "for i in 1 2 3; do setsid bash -c 'for j in 1 2; do setsid bash -c \"while :; do sleep 0.01; done\" & "
              "done; wait' & done; wait");
    int64_t bystander = start(lab, "bystander", "exec sleep 1000");
    LAB_COMES(lab, states(lab, "RSD") >= 1 + 3 + 6 + 1);
    struct outcome o = send_and_wait(lab, pid, SIGSTOP, true, false);
    CHECK(o.r.error == 0 && o.r.n >= 1 + 3 + 6);
    CHECK(node_process_state(lab->nodes[0], bystander) == 'S');
    for (int i = 0; i < 5; i++) { // nothing of it moves, nothing new appears
        CHECK(states(lab, "T") == (size_t)o.r.n && states(lab, "RSD") == 1);
        lab_spin(lab, 50 * MSEC);
    }
    o = send_and_wait(lab, pid, SIGCONT, true, false);
    CHECK(o.r.error == 0 && o.r.n >= 10);
    LAB_COMES(lab, states(lab, "T") == 0);
    o = send_and_wait(lab, pid, SIGKILL, true, true);
    CHECK(o.r.error == 0 && o.r.n >= 10 && o.r.ended > 0);
    LAB_COMES(lab, states(lab, "RSDTZ") == 1); // the bystander
}
static void a_tree_is_stopped_resumed_and_killed_as_a_whole(void **state) {
    (void)state;
    in_lab(tree_body, NULL);
}

static void refused_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    CHECK(send_and_wait(lab, 1, SIGKILL, false, false).r.error == -EPERM);
    CHECK(send_and_wait(lab, 0, SIGKILL, false, false).r.error == -EPERM);
    CHECK(send_and_wait(lab, -1, SIGKILL, true, false).r.error == -EPERM);
    CHECK(send_and_wait(lab, 4000000, SIGKILL, false, false).r.error == -ESRCH);
    CHECK(node_is_on(lab->nodes[0]) && NODE_SH(lab, lab->nodes[0], "true") == 0);
}
static void init_and_strangers_are_not_signalled(void **state) {
    (void)state;
    in_lab(refused_body, NULL);
}

static void power_body(struct lab *lab, void *arg) {
    (void)arg;
    struct err why = {0};
    struct outcome o = {0}, late = {0};
    lab_nodes(lab, 1, true);
    int64_t pid = start(lab, "deaf", "trap '' TERM; while :; do sleep 0.1; done");
    lab_spin(lab, 200 * MSEC);
    CHECK_OK(node_signal_pid(lab->nodes[0], pid, SIGTERM, false, true, done, &o, err));
    CHECK_OK(node_power_off(lab->nodes[0], NULL, err));
    lab_spin(lab, 50 * MSEC);
    CHECK(o.calls == 1 && o.r.error == -ECANCELED);
    CHECK(node_signal_pid(lab->nodes[0], pid, SIGTERM, false, true, done, &late, &why) == -EHOSTDOWN);
    lab_spin(lab, 50 * MSEC);
    CHECK(late.calls == 0); // refused at once: no completion follows
}
static void a_power_cut_completes_what_was_waited_for(void **state) {
    (void)state;
    in_lab(power_body, NULL);
}

SANDBOX_TEST_MAIN(cmocka_unit_test(a_kill_reports_when_it_was_sent_and_when_the_process_ended),
                  cmocka_unit_test(an_end_that_does_not_come_is_answered_after_five_seconds),
                  cmocka_unit_test(a_tree_is_stopped_resumed_and_killed_as_a_whole),
                  cmocka_unit_test(init_and_strangers_are_not_signalled),
                  cmocka_unit_test(a_power_cut_completes_what_was_waited_for))
