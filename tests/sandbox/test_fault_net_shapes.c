// SPDX-License-Identifier: PostgreSQL
// net.partition, net.size_blackhole, net.flap and link.down on several nodes, seen by sockets of the test's own.
#include <sys/socket.h>

#include "injector/net/partition.h"
#include "lab/node/places.h"
#include "tests/sandbox/fault_fixture.h"

static int setup(void **state) {
    *state = fixture_new();
    return 0;
}
static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

struct wires {
    struct wire n1n2, n1n3, n2n3, n1app, n2app, n3app;
};

static void open_all(struct fixture *x, struct wires *w) {
    wire_open(x, N1, N2, &w->n1n2);
    wire_open(x, N1, N3, &w->n1n3);
    wire_open(x, N2, N3, &w->n2n3);
    wire_open(x, N1, APP, &w->n1app);
    wire_open(x, N2, APP, &w->n2app);
    wire_open(x, N3, APP, &w->n3app);
}

static void close_all(struct wires *w) {
    struct wire *all[] = {&w->n1n2, &w->n1n3, &w->n2n3, &w->n1app, &w->n2app, &w->n3app};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        wire_close(all[i]);
}

// "1" open, "0" cut, in the order of struct wires.
static void must_be(struct wires *w, const char *picture) {
    struct wire *all[] = {&w->n1n2, &w->n1n3, &w->n2n3, &w->n1app, &w->n2app, &w->n3app};
    char seen[ARRAY_SIZE(all) + 1] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        seen[i] = both_pass(all[i]) ? '1' : none_pass(all[i]) ? '0' : '?';
    assert_string_equal(picture, seen);
}

static void each_shape_parts_who_it_says(void **state) {
    struct fixture *x = *state;
    static const struct {
        const char *nodes, *params, *picture;
    } shapes[] = {
        {"n1", "shape=isolate app=none", "001000"},
        {"n1", "shape=isolate app=target", "001100"},
        {"n1,n2", "shape=isolate app=both", "000111"},
        {"n1,n2", "shape=split app=target", "100110"},
        {"n1", "shape=split groups=n2/n1,n3 app=target", "010101"},
        {"n1", "shape=split groups=n1/n2/n3 app=others", "000011"},
        {"n1", "shape=split groups=n1,n2/n3 app=majority", "100110"},
        {"n1", "shape=majority app=target", "100110"}, // n1 and the first other
        {"n3", "shape=minority app=majority", "100110"},
        {"n1", "shape=bridge app=both", "110111"},
    };
    struct wires w;
    open_all(x, &w);
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        must_verify(x, "p", "net.partition", shapes[i].nodes, shapes[i].params);
        must_be(&w, shapes[i].picture);
        must_heal(x, "p");
        must_be(&w, "111111");
    }
    close_all(&w);
}

static void a_partition_of_one_path_leaves_the_rest(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open_on(x, N1, N2, STACK_ETCD_PEER_PORT, &l);
    must_verify(x, "p", "net.partition", "n1", "shape=isolate app=both path=etcd_peer");
    assert_false(tcp_passes(l.a, l.b, 60));
    assert_true(both_pass(&l));
    must_heal(x, "p");
    assert_true(tcp_passes(l.a, l.b, 3000));
    wire_close(&l);
}

static void overlapping_partitions_heal_each_on_its_own(void **state) {
    struct fixture *x = *state;
    struct wires w;
    open_all(x, &w);
    must_verify(x, "a", "net.partition", "n1", "shape=split app=others");
    must_verify(x, "b", "net.partition", "n3", "shape=split app=both");
    must_be(&w, "000011");
    must_heal(x, "a");
    must_be(&w, "100111");
    must_heal(x, "b");
    must_be(&w, "111111");
    close_all(&w);
}

static void must_fail(struct fixture *x, const char *nodes, const char *params, const char *words) {
    fixture_forget(x);
    (void)fixture_inject(x, "p", "net.partition", nodes, params);
    const struct event *e = fixture_event(x, "p", "failed");
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, words));
}

static void partitions_that_mean_nothing_fail(void **state) {
    struct fixture *x = *state;
    must_fail(x, "n1", "shape=ring app=both", "four members");
    must_fail(x, "n1,n2", "shape=minority app=both", "no minority");
    must_fail(x, "n1", "shape=split groups=n1/n9 app=both", "n9");
    must_fail(x, "n1", "shape=split groups=n1,n2/n2,n3 app=both", "two groups");
    must_fail(x, "n1", "shape=split groups=n1,app/n2 app=both", "client");
    must_fail(x, "n1", "shape=majority groups=n1/n2 app=both", "split");
    must_fail(x, "app", "shape=isolate app=both", "client");
    must_fail(x, "n1,n2,n3", "shape=split app=both", "one side");
    must_fail(x, "n1", "shape=split", "app");
    assert_int_equal(0, injector_active(x->in));
}

static void a_partition_that_is_undone_behind_its_back_is_unverified(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "p", "net.partition", "n1", "app=both"));
    assert_int_equal(0, switch_set_cuts(x->sw, NULL, 0, &err));
    assert_non_null(fixture_wait(x, "p", "unverified", 2 * SEC));
    must_heal(x, "p");
}

// Six members, as in patroni-3-etcd-3.
static void shapes_count_etcd_and_postgresql_apart(void **state) {
    (void)state;
    struct topology t = {0};
    struct err err = {0};
    static const char *const names[] = {"n1", "n2", "n3", "e1", "e2", "e3", "app"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct node_def *d = VEC_ADD(&t.nodes);
        STR_COPY(d->name, names[i]);
        d->services = i < 3 ? SERVICE_POSTGRES : i < 6 ? SERVICE_ETCD : SERVICE_APP;
    }
    static const struct {
        const char *shape, *text;
    } rows[] = {{"minority", "n2 e1 | n1 n3 e2 e3; clients: majority"},
                {"majority", "n1 n2 e1 e2 | n3 e3; clients: majority"},
                {"isolate", "n2 | n1 n3 e1 e2 e3; clients: majority"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct partition_request q = {.shape = rows[i].shape, .groups = "", .app = "majority", .targets = 2};
        struct partition p;
        cleanup_strbuf struct strbuf text = {0};
        assert_int_equal(0, partition_make(&t, &q, &p, &err));
        partition_text(&t, &q, &p, &text);
        assert_string_equal(rows[i].text, strbuf_str(&text));
    }
    struct partition_request q = {.shape = "ring", .groups = "", .app = "both", .targets = 1};
    struct partition p;
    assert_int_equal(0, partition_make(&t, &q, &p, &err));
    assert_false(pair_has(&p.cut, 0, 1) || pair_has(&p.cut, 0, 5)); // the neighbours of n1: n2 and e3
    assert_true(pair_has(&p.cut, 0, 2) && pair_has(&p.cut, 2, 0) && pair_has(&p.cut, 0, 3) && pair_has(&p.cut, 0, 4));
    VEC_DONE(&t.nodes);
}

// ---- net.size_blackhole

static bool block_passes(int from, int to, size_t len, int within_ms) {
    static const char block[2000];
    char buf[2000];
    size_t got = 0;
    if (send(from, block, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return false;
    for (usec_t until = usec_now() + (usec_t)within_ms * MSEC; got < len && usec_now() < until;) {
        ssize_t n = recv(to, buf, sizeof buf, MSG_DONTWAIT);
        got += n > 0 ? (size_t)n : 0;
    }
    return got == len;
}

static void large_packets_vanish_and_small_ones_pass(void **state) {
    struct fixture *x = *state;
    struct wire l, other;
    wire_open_on(x, N2, N1, STACK_PGPORT, &l);
    wire_open_on(x, N2, N1, STACK_ETCD_PORT, &other);
    must_verify(x, "s", "net.size_blackhole", "n1", "path=replication over=1000");
    assert_true(block_passes(l.b, l.a, 900, 200));
    assert_true(block_passes(l.a, l.b, 900, 200));
    assert_true(block_passes(other.a, other.b, 1400, 200));
    assert_false(block_passes(l.b, l.a, 1400, 200));
    must_heal(x, "s");
    char rest[2000];
    usec_t until = usec_now() + 3 * SEC; // what was lost is sent again
    ssize_t n = 0;
    while (n < 1400 && usec_now() < until) {
        ssize_t k = recv(l.a, rest, sizeof rest, MSG_DONTWAIT);
        n += k > 0 ? k : 0;
    }
    assert_int_equal(1400, n);
    wire_close(&l);
    wire_close(&other);
}

static void two_sizes_compose(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open(x, N1, N2, &l);
    must_verify(x, "a", "net.size_blackhole", "n1", "over=1000");
    must_verify(x, "b", "net.size_blackhole", "n1", "over=500");
    assert_false(block_passes(l.a, l.b, 700, 100));
    must_heal(x, "b");
    must_heal(x, "a");
    wire_close(&l);
    wire_open(x, N1, N2, &l);
    must_verify(x, "b", "net.size_blackhole", "n1", "over=500");
    must_verify(x, "a", "net.size_blackhole", "n1", "over=1000");
    must_heal(x, "b");
    assert_true(block_passes(l.a, l.b, 700, 200));
    assert_false(block_passes(l.a, l.b, 1400, 100));
    must_heal(x, "a");
    wire_close(&l);
}

static void a_size_that_can_not_be_is_refused(void **state) {
    struct fixture *x = *state;
    assert_true(fixture_inject(x, "a", "net.size_blackhole", "n1", "over=1500") < 0);
    assert_true(fixture_inject(x, "b", "net.size_blackhole", "n1", "over=50") < 0);
    assert_true(fixture_inject(x, "c", "net.size_blackhole", "n1", "over=big") < 0);
    assert_int_equal(0, injector_active(x->in));
}

// A cut of everything is no black hole for large packets alone: the control, small packets, is silent too.
static void a_size_blackhole_that_swallows_all_is_unverified(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "s", "net.size_blackhole", "n1", "with=n2"));
    const struct switch_cut both[] = {{.from = "n1", .to = "n2"}, {.from = "n2", .to = "n1"}};
    assert_int_equal(0, switch_set_cuts(x->sw, both, ARRAY_SIZE(both), &err));
    const struct event *e = fixture_wait(x, "s", "unverified", 2 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "s");
}

// ---- net.flap

static void a_flapping_link_is_cut_and_open_in_turn_and_ends_open(void **state) {
    struct fixture *x = *state;
    struct wire l;
    unsigned changes = 0;
    bool open = true;
    wire_open(x, N1, N2, &l);
    must_verify(x, "f", "net.flap", "n1", "with=n2 down=300ms up=300ms");
    for (usec_t until = usec_now() + 3 * SEC; usec_now() < until; fixture_run(x, 20 * MSEC)) {
        bool now = udp_passes(&l, true, 5);
        changes += now != open;
        open = now;
    }
    print_message("    %u changes in 3 s\n", changes);
    assert_true(changes >= 6 && changes <= 12);
    must_heal(x, "f");
    for (int i = 0; i < 10; i++, fixture_run(x, 100 * MSEC))
        assert_true(both_pass(&l));
    wire_close(&l);
}

static void a_flap_composes_with_a_cut(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open(x, N1, N2, &l);
    must_verify(x, "f", "net.flap", "n1", "with=n2 down=400ms up=300ms jitter=20%");
    must_verify(x, "cut", "net.drop", "n2", NULL);
    for (int i = 0; i < 20; i++, fixture_run(x, 50 * MSEC))
        assert_true(none_pass(&l));
    must_heal(x, "f");
    assert_true(none_pass(&l));
    must_heal(x, "cut");
    assert_true(both_pass(&l));
    wire_close(&l);
}

static void a_flap_of_nonsense_is_refused(void **state) {
    struct fixture *x = *state;
    assert_true(fixture_inject(x, "a", "net.flap", "n1", "down=10ms") < 0);
    assert_true(fixture_inject(x, "b", "net.flap", "n1", "up=fast") < 0);
    assert_true(fixture_inject(x, "c", "net.flap", "n1", "jitter=95%") < 0);
    assert_true(fixture_inject(x, "d", "net.flap", "n1", "down=300ms jitter=50%") < 0); // 150 ms are no measurement
    assert_int_equal(0, injector_active(x->in));
}

static void a_flap_that_never_cuts_is_unverified(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "f", "net.flap", "n1", NULL));
    assert_int_equal(0, switch_set_cuts(x->sw, NULL, 0, &err));
    const struct event *e = fixture_wait(x, "f", "unverified", 2 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    must_heal(x, "f");
}

// ---- link.down on several nodes

static void several_cables_are_pulled_close_together(void **state) {
    struct fixture *x = *state;
    struct wires w;
    open_all(x, &w);
    fixture_forget(x);
    must_verify(x, "l", "link.down", "n1,n2,n3", NULL);
    const struct event *e = fixture_event(x, "l", "effective");
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "between the first and the last"));
    must_be(&w, "000000");
    must_heal(x, "l");
    must_be(&w, "111111");
    close_all(&w);
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(each_shape_parts_who_it_says),
        T(a_partition_of_one_path_leaves_the_rest),
        T(overlapping_partitions_heal_each_on_its_own),
        T(partitions_that_mean_nothing_fail),
        T(a_partition_that_is_undone_behind_its_back_is_unverified),
        cmocka_unit_test(shapes_count_etcd_and_postgresql_apart),
        T(large_packets_vanish_and_small_ones_pass),
        T(two_sizes_compose),
        T(a_size_that_can_not_be_is_refused),
        T(a_size_blackhole_that_swallows_all_is_unverified),
        T(a_flapping_link_is_cut_and_open_in_turn_and_ends_open),
        T(a_flap_composes_with_a_cut),
        T(a_flap_of_nonsense_is_refused),
        T(a_flap_that_never_cuts_is_unverified),
        T(several_cables_are_pulled_close_together),
    };
    return cmocka_run_group_tests_name("net shapes", tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
