// SPDX-License-Identifier: PostgreSQL
// node.power_off and link.down, seen by sockets, process lists and the interface itself.
#include "tests/sandbox/fault_fixture.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

static int setup(void **state) {
    *state = fixture_new();
    return 0;
}
static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

// Processes in the lab whose network namespace is the node's, this test excluded.
static int processes_of(struct fixture *x, int node) {
    struct stat ns, st;
    int n = 0;
    assert_int_equal(0, fstat(node_ns(fixture_node(x, node), NODE_NS_NET), &ns));
    DIR *dir = opendir("/proc");
    for (const struct dirent *e; (e = readdir(dir));) {
        char path[300];
        (void)snprintf(path, sizeof path, "/proc/%s/ns/net", e->d_name);
        n += e->d_name[0] >= '1' && e->d_name[0] <= '9' && stat(path, &st) == 0 && st.st_ino == ns.st_ino;
    }
    (void)closedir(dir);
    return n;
}

static bool carrier(struct fixture *x, int node) {
    char text[8] = "";
    FILE *f = fopen(fixture_path(x, node, "/sys/class/net/eth0/carrier"), "re");
    if (!f) { // a node without its own /sys: operstate by way of a failing or passing datagram is tested elsewhere
        struct wire l;
        wire_open(x, node, node == N1 ? N2 : N1, &l);
        bool open = udp_passes(&l, true, 100);
        wire_close(&l);
        return open;
    }
    (void)!fgets(text, sizeof text, f);
    (void)fclose(f);
    return text[0] == '1';
}

static void a_powered_off_node_is_silent_and_gone_and_comes_back_with_its_services(void **state) {
    struct fixture *x = *state;
    struct wire l;
    fixture_services(x, N1);
    wire_open(x, N1, N2, &l);
    assert_true(processes_of(x, N1) >= 4); // init, two shells, a child
    assert_true(both_pass(&l));
    int before = x->starts;
    must_verify(x, "off", "node.power_off", "n1", NULL);
    assert_int_equal(0, processes_of(x, N1));
    assert_true(none_pass(&l));
    struct pollfd peer = {.fd = l.b, .events = POLLIN | POLLRDHUP};
    assert_int_equal(0, poll(&peer, 1, 300)); // the peer's connection has got neither FIN nor RST
    assert_int_equal(0, peer.revents);
    must_heal(x, "off");
    assert_int_equal(before + 1, x->starts);
    assert_true(both_pass(&l));
    FIXTURE_COMES(x, fixture_size(x, N1, "/tmp/count") > 0 && fixture_size(x, N1, "/tmp/etcd") > 0);
    wire_close(&l);
}

static void two_nodes_lose_their_power_at_one_instant(void **state) {
    struct fixture *x = *state;
    struct wire l;
    fixture_services(x, N1);
    fixture_services(x, N2);
    wire_open(x, N1, N2, &l);
    must_verify(x, "both", "node.power_off", "n1,n2", NULL);
    assert_int_equal(0, processes_of(x, N1) + processes_of(x, N2));
    must_heal(x, "both");
    assert_true(both_pass(&l)); // the cut that made it one instant is gone too
    wire_close(&l);
}

static void a_node_that_is_off_cannot_be_powered_off_again(void **state) {
    struct fixture *x = *state;
    must_verify(x, "off", "node.power_off", "n1", NULL);
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "again", "node.power_off", "n1,n2", NULL));
    const struct event *e = fixture_wait(x, "again", "failed", SEC);
    assert_non_null(e);
    assert_non_null(strstr(e->u.FAULT.detail, "n1 is powered off already"));
    assert_true(node_is_on(fixture_node(x, N2))); // and n2 has not been touched
    assert_null(fixture_event(x, "again", "heal_asked"));
    must_heal(x, "off");
}

static void a_node_that_was_booted_behind_our_back_is_unverified(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    assert_int_equal(0, fixture_inject(x, "off", "node.power_off", "n1", NULL));
    assert_int_equal(0, node_power_on(fixture_node(x, N1), &err)); // while the probes listen
    const struct event *e = fixture_wait(x, "off", "unverified", 2 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "off");
}

static void the_action_power_on_heals_the_fault(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    char nodes[1][NODE_NAME_MAX] = {"n1"};
    must_verify(x, "off", "node.power_off", "n1", NULL);
    assert_int_equal(0, injector_act(x->in, "boot", "node.power_on", nodes, 1, NULL, &err));
    const struct event *e = fixture_action(x, "boot", 20 * SEC);
    assert_non_null(e);
    assert_int_equal(ACTION_PHASE_DONE, e->u.ACTION.phase);
    assert_non_null(fixture_event(x, "off", "heal_verified"));
    assert_int_equal(0, injector_active(x->in));
    assert_true(node_is_on(fixture_node(x, N1)));
    assert_int_equal(-ENOENT, injector_act(x->in, "s", "cluster.switchover", nodes, 1, NULL, &err));
}

static void a_link_that_is_down_has_no_carrier_and_heals(void **state) {
    struct fixture *x = *state;
    struct wire l, other;
    fixture_services(x, N1);
    wire_open(x, N1, N2, &l);
    wire_open(x, N2, N3, &other);
    must_verify(x, "link", "link.down", "n1", NULL);
    assert_false(carrier(x, N1));
    assert_true(none_pass(&l));
    assert_true(both_pass(&other));
    assert_true(processes_of(x, N1) >= 4); // everything on it lives on
    must_heal(x, "link");
    assert_true(carrier(x, N1));
    assert_true(both_pass(&l));
    assert_true(tcp_passes(l.a, l.b, 3000));
    wire_close(&l);
    wire_close(&other);
}

static void a_link_put_up_behind_its_back_is_unverified(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    assert_int_equal(0, fixture_inject(x, "link", "link.down", "n1", NULL));
    assert_int_equal(0, switch_port_set(x->sw, "n1", true, &err));
    const struct event *e = fixture_wait(x, "link", "unverified", 2 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "link");
}

static void a_link_held_down_twice_comes_up_with_the_second_heal(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open(x, N1, N2, &l);
    must_verify(x, "a", "link.down", "n1", NULL);
    must_verify(x, "b", "link.down", "n1", NULL);
    must_heal(x, "a");
    assert_true(none_pass(&l));
    must_heal(x, "b");
    assert_true(both_pass(&l));
    wire_close(&l);
}

static void a_reboot_does_not_heal_a_link_and_a_dead_node_keeps_its_link_down(void **state) {
    struct fixture *x = *state;
    struct wire l;
    bool up;
    wire_open(x, N1, N2, &l);
    must_verify(x, "link", "link.down", "n1", NULL);
    must_verify(x, "off", "node.power_off", "n1", NULL);
    must_heal(x, "off");
    assert_true(node_is_on(fixture_node(x, N1)));
    assert_true(none_pass(&l));
    must_heal(x, "link");
    assert_true(both_pass(&l));
    // the other way round: the link fault is healed first, while the node is off
    must_verify(x, "link2", "link.down", "n1", NULL);
    must_verify(x, "off2", "node.power_off", "n1", NULL);
    must_heal(x, "link2");
    assert_int_equal(0, switch_port_get(x->sw, "n1", &up, NULL));
    assert_false(up);
    must_heal(x, "off2");
    assert_true(both_pass(&l));
    wire_close(&l);
}

static void a_partition_survives_the_reboot_of_its_node(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open(x, N1, N2, &l);
    must_verify(x, "cut", "net.drop", "n1", NULL);
    must_verify(x, "off", "node.power_off", "n1", NULL);
    must_heal(x, "off");
    assert_true(none_pass(&l));
    must_heal(x, "cut");
    assert_true(both_pass(&l));
    wire_close(&l);
}

static void everything_is_healed_newest_first(void **state) {
    struct fixture *x = *state;
    struct wire l;
    struct err err = {0};
    fixture_services(x, N1);
    wire_open(x, N1, N2, &l);
    must_verify(x, "cut", "net.drop", "n1", NULL);
    must_verify(x, "pause", "process.pause", "n1", "service=etcd");
    must_verify(x, "link", "link.down", "n2", NULL);
    must_verify(x, "off", "node.power_off", "n1", NULL);
    fixture_forget(x);
    assert_int_equal(0, injector_heal(x->in, NULL, &err));
    assert_non_null(fixture_wait(x, "cut", "heal_verified", 20 * SEC));
    assert_non_null(fixture_wait(x, "off", "heal_verified", 20 * SEC));
    assert_non_null(fixture_wait(x, "link", "heal_verified", 20 * SEC));
    assert_non_null(fixture_wait(x, "pause", "heal_verified", 20 * SEC));
    const struct event *order[] = {fixture_event(x, "pause", "heal_asked"), fixture_event(x, "off", "heal_asked"),
                                   fixture_event(x, "link", "heal_asked"), fixture_event(x, "cut", "heal_asked")};
    for (size_t i = 1; i < ARRAY_SIZE(order); i++)
        assert_true(order[i - 1] < order[i]); // thawed first, then from the newest to the oldest
    assert_true(both_pass(&l));
    assert_int_equal(0, injector_active(x->in));
    wire_close(&l);
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_powered_off_node_is_silent_and_gone_and_comes_back_with_its_services),
        T(two_nodes_lose_their_power_at_one_instant),
        T(a_node_that_is_off_cannot_be_powered_off_again),
        T(a_node_that_was_booted_behind_our_back_is_unverified),
        T(the_action_power_on_heals_the_fault),
        T(a_link_that_is_down_has_no_carrier_and_heals),
        T(a_link_put_up_behind_its_back_is_unverified),
        T(a_link_held_down_twice_comes_up_with_the_second_heal),
        T(a_reboot_does_not_heal_a_link_and_a_dead_node_keeps_its_link_down),
        T(a_partition_survives_the_reboot_of_its_node),
        T(everything_is_healed_newest_first),
    };
    return cmocka_run_group_tests_name("power and links", tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
