// SPDX-License-Identifier: PostgreSQL
// Power: what a boot gives, what a power cut takes, and that nothing leaves a node that loses power.
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/sandbox/peer.h"

static void silence_body(struct lab *lab, void *arg) {
    (void)arg;
    struct peer_pair p;
    lab_nodes(lab, 2, true);
    peer_connect(lab->nodes[0], lab->nodes[1], &p);
    usec_t before = sink_now(&lab->sink), effective = 0;
    CHECK_OK(node_power_off(lab->nodes[0], &effective, err));
    CHECK(effective >= before && effective <= sink_now(&lab->sink));
    CHECK(peer_seen(&p, 1500) == PEER_SILENT);
    CHECK(!node_is_on(lab->nodes[0]) && node_init_pid(lab->nodes[0]) == 0);
    CHECK(node_ns(lab->nodes[0], NODE_NS_MNT) < 0 && node_ns(lab->nodes[0], NODE_NS_PID) < 0);
    // Back with power the machine knows nothing of the connection: the peer's next segment is answered by a reset.
    CHECK_OK(node_power_on(lab->nodes[0], err));
    CHECK(peer_seen(&p, 5000) == PEER_RESET);
}
static void a_power_cut_is_silence_and_the_next_boot_resets(void **state) {
    (void)state;
    in_lab(silence_body, NULL);
}

static void kill_body(struct lab *lab, void *arg) {
    (void)arg;
    struct peer_pair p;
    lab_nodes(lab, 2, true);
    peer_connect(lab->nodes[0], lab->nodes[1], &p);
    CHECK(peer_seen(&p, 100) == PEER_SILENT); // alive and saying nothing
    CHECK(kill(p.server, SIGKILL) == 0);
    CHECK(peer_seen(&p, 1000) != PEER_SILENT);
}
static void a_killed_process_is_not_silent(void **state) {
    (void)state;
    in_lab(kill_body, NULL);
}

static void folders_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    CHECK(NODE_SH(lab, n, "test -z \"$(ls -A /tmp /dev/shm | grep -v :)\"") == 0);
    CHECK(NODE_SH(lab, n, "test -d /run/postgresql -a -w /run/postgresql -a -d /run/haproxy -a -d /run/lock") == 0);
    CHECK(NODE_SH(lab, n, "touch /tmp/a /run/a /dev/shm/a /var/lib/postgresql/a /var/lib/etcd/a /var/log/a /etc/a") ==
          0);
    CHECK_OK(node_power_off(n, NULL, err));
    CHECK_OK(node_power_on(n, err));
    CHECK(NODE_SH(lab, n, "test ! -e /tmp/a -a ! -e /run/a -a ! -e /dev/shm/a") == 0);
    CHECK(NODE_SH(lab, n, "test -e /var/lib/postgresql/a -a -e /var/lib/etcd/a -a -e /var/log/a -a -e /etc/a") == 0);
    CHECK(access(SANDBOX_STATE "/disk/n1/postgresql/a", F_OK) == 0 && access("/dev/shm/a", F_OK) < 0);
}
static void the_disk_outlives_a_power_cut_and_memory_does_not(void **state) {
    (void)state;
    in_lab(folders_body, NULL);
}

static size_t processes(void) { // of the lab: its /proc shows those of the nodes too
    size_t n = 0;
    cleanup_dir DIR *dir = opendir("/proc");
    for (const struct dirent *e; dir && (e = readdir(dir));)
        n += e->d_name[0] >= '0' && e->d_name[0] <= '9';
    return n;
}

static void reap_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    const char *const argv[] = {"/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8; do setsid sleep 1000 & done; kill -STOP $$",
                                NULL};
    struct service_spec spec = {.name = "many", .argv = argv, .log = "many.log"};
    CHECK_OK(node_service_start(n, &spec, err));
    LAB_COMES(lab, processes() == 1 + 1 + 1 + 8); // us, init, the frozen shell, the sleepers
    CHECK_OK(node_power_off(n, NULL, err));
    CHECK(processes() == 1);
    CHECK(node_service_pid(n, "many") == 0);
}
static void power_off_ends_every_process_frozen_ones_too(void **state) {
    (void)state;
    in_lab(reap_body, NULL);
}

static void init_killed_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 2, true);
    struct peer_pair p;
    peer_connect(lab->nodes[0], lab->nodes[1], &p);
    CHECK(kill(node_init_pid(lab->nodes[0]), SIGKILL) == 0);
    const struct event *ev = lab_power_event(lab, false, 2 * SEC);
    CHECK(ev && str_eq(ev->u.NODE_POWER.node, "n1") && !node_is_on(lab->nodes[0]) && node_is_on(lab->nodes[1]));
    CHECK(peer_seen(&p, 1000) != PEER_SILENT); // nobody cut the link
    CHECK_OK(node_power_on(lab->nodes[0], err));
    CHECK(NODE_SH(lab, lab->nodes[0], "true") == 0);
}
static void a_killed_init_is_told_as_power_off(void **state) {
    (void)state;
    in_lab(init_killed_body, NULL);
}

static void twice_body(struct lab *lab, void *arg) {
    (void)arg;
    struct err why = {0};
    bool up = true;
    lab_nodes(lab, 2, true);
    CHECK(node_power_on(lab->nodes[0], &why) == -EALREADY && strstr(why.msg, "n1"));
    CHECK_OK(switch_port_set(lab->sw, "n1", false, err)); // a link fault was there before the power cut
    CHECK_OK(node_power_off(lab->nodes[0], NULL, err));
    CHECK(node_power_off(lab->nodes[0], NULL, &why) == -EALREADY);
    CHECK_OK(node_power_on(lab->nodes[0], err));
    CHECK_OK(switch_port_get(lab->sw, "n1", &up, err));
    CHECK(!up); // and is there after it
    struct service_spec spec = {.name = "x", .argv = (const char *const[]){"true", NULL}, .log = "x"};
    CHECK_OK(node_power_off(lab->nodes[1], NULL, err));
    CHECK(node_service_start(lab->nodes[1], &spec, &why) == -EHOSTDOWN && strstr(why.msg, "off"));
    CHECK(lab_count(lab, EVENT_NODE_POWER) == 5);
}
static void power_keeps_a_link_fault_and_refuses_to_do_it_twice(void **state) {
    (void)state;
    in_lab(twice_body, NULL);
}

static void pids_body(struct lab *lab, void *arg) {
    (void)arg;
    int64_t seen[4];
    lab_nodes(lab, 1, false);
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
        CHECK_OK(node_power_on(lab->nodes[0], err));
        struct service_spec spec = {.name = "x", .argv = (const char *const[]){"sleep", "100", NULL}, .log = "x"};
        CHECK_OK(node_service_start(lab->nodes[0], &spec, err));
        seen[i] = node_service_pid(lab->nodes[0], "x");
        CHECK(seen[i] > 1 && node_process_state(lab->nodes[0], seen[i]) != 0);
        CHECK_OK(node_power_off(lab->nodes[0], NULL, err));
    }
    // 20,000 places for 4 pids: all alike by chance once in 10^12 runs
    CHECK(seen[0] != seen[1] || seen[1] != seen[2] || seen[2] != seen[3]);
}
static void each_boot_starts_at_another_pid(void **state) {
    (void)state;
    in_lab(pids_body, NULL);
}

SANDBOX_TEST_MAIN(cmocka_unit_test(a_power_cut_is_silence_and_the_next_boot_resets),
                  cmocka_unit_test(a_killed_process_is_not_silent),
                  cmocka_unit_test(the_disk_outlives_a_power_cut_and_memory_does_not),
                  cmocka_unit_test(power_off_ends_every_process_frozen_ones_too),
                  cmocka_unit_test(a_killed_init_is_told_as_power_off),
                  cmocka_unit_test(power_keeps_a_link_fault_and_refuses_to_do_it_twice),
                  cmocka_unit_test(each_boot_starts_at_another_pid))
