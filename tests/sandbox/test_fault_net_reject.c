// SPDX-License-Identifier: PostgreSQL
// net.reject and net.reset: faults that tell somebody. Seen by connections of the test's own.
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "injector/net/net_rejects.h"
#include "injector/net/reject_answer.h"
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

// The error that a connection has come to, running the loop meanwhile; 0 = none.
static int error_of(struct fixture *x, int fd, int within_ms) {
    int error = 0;
    socklen_t len = sizeof error;
    struct pollfd p = {.fd = fd};
    for (usec_t until = usec_now() + (usec_t)within_ms * MSEC; usec_now() < until && !(p.revents & POLLERR);) {
        (void)sd_event_run(x->loop, MSEC);
        (void)poll(&p, 1, 0);
    }
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

static void say(int fd) {
    (void)send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void a_rejected_path_is_refused_at_once_and_others_are_not(void **state) {
    struct fixture *x = *state;
    int etcd = listens(x, N2, STACK_ETCD_PORT), rest = listens(x, N2, STACK_PATRONI_PORT);
    assert_int_equal(0, connects(x, N1, N2, STACK_ETCD_PORT, 500));
    must_verify(x, "r", "net.reject", "n1", "path=etcd_client");
    usec_t began = usec_now();
    assert_int_equal(ECONNREFUSED, connects(x, N1, N2, STACK_ETCD_PORT, 500));
    print_message("    refused after %.1f ms\n", (double)(usec_now() - began) / 1000.0);
    assert_int_equal(0, connects(x, N1, N2, STACK_PATRONI_PORT, 500));
    must_heal(x, "r");
    assert_int_equal(0, connects(x, N1, N2, STACK_ETCD_PORT, 500));
    (void)close(etcd);
    (void)close(rest);
}

static void an_established_connection_is_reset_by_the_next_thing_it_says(void **state) {
    struct fixture *x = *state;
    struct wire l, other;
    wire_open_on(x, N1, N2, STACK_ETCD_PORT, &l);
    wire_open_on(x, N1, N2, STACK_PATRONI_PORT, &other);
    must_verify(x, "r", "net.reject", "n1", "path=etcd_client");
    assert_int_equal(0, error_of(x, l.a, 50)); // nothing said, nothing heard
    say(l.a);
    assert_int_equal(ECONNRESET, error_of(x, l.a, 500));
    say(l.b); // n2 answers n1: the same path
    assert_int_equal(ECONNRESET, error_of(x, l.b, 500));
    assert_true(tcp_passes(other.a, other.b, 200));
    must_heal(x, "r");
    wire_close(&l);
    wire_close(&other);
}

static void each_kind_of_answer_is_the_error_it_names(void **state) {
    struct fixture *x = *state;
    static const struct {
        const char *params;
        int error;
    } kinds[] = {{"with=n2 answer=reset", ECONNREFUSED},
                 {"with=n2 answer=port_unreachable", ECONNREFUSED},
                 {"with=n2 answer=host_unreachable", EHOSTUNREACH},
                 {"with=n2 answer=prohibited", EHOSTUNREACH}};
    int listener = listens(x, N2, 7777);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        must_verify(x, "r", "net.reject", "n1", kinds[i].params);
        assert_int_equal(kinds[i].error, connects(x, N1, N2, 7777, 500));
        must_heal(x, "r");
        assert_int_equal(0, connects(x, N1, N2, 7777, 500));
    }
    (void)close(listener);
}

static void one_direction_refuses_and_the_other_hangs(void **state) {
    struct fixture *x = *state;
    int on_n1 = listens(x, N1, STACK_ETCD_PORT), on_n2 = listens(x, N2, STACK_ETCD_PORT);
    must_verify(x, "out", "net.reject", "n1", "with=n2 path=etcd_client direction=out");
    assert_int_equal(ECONNREFUSED, connects(x, N1, N2, STACK_ETCD_PORT, 300));
    assert_int_equal(ETIMEDOUT, connects(x, N2, N1, STACK_ETCD_PORT, 200)); // n1's SYN-ACK is what is rejected
    must_heal(x, "out");
    assert_int_equal(0, connects(x, N2, N1, STACK_ETCD_PORT, 1500));
    (void)close(on_n1);
    (void)close(on_n2);
}

static void rejected_and_dropped_compose(void **state) {
    struct fixture *x = *state;
    int listener = listens(x, N2, STACK_ETCD_PORT);
    must_verify(x, "drop", "net.drop", "n1", "path=etcd_client");
    assert_int_equal(ETIMEDOUT, connects(x, N1, N2, STACK_ETCD_PORT, 100));
    must_verify(x, "reject", "net.reject", "n1", "path=etcd_client");
    assert_int_equal(ECONNREFUSED, connects(x, N1, N2, STACK_ETCD_PORT, 300)); // an answer goes before silence
    must_heal(x, "reject");
    assert_int_equal(ETIMEDOUT, connects(x, N1, N2, STACK_ETCD_PORT, 100)); // dropped still
    must_heal(x, "drop");
    assert_int_equal(0, connects(x, N1, N2, STACK_ETCD_PORT, 500));
    (void)close(listener);
}

// Seen in random mode: the verification waited for a refusal by the machine whose cable was out.
static void a_peer_without_a_link_is_not_waited_for(void **state) {
    struct fixture *x = *state;
    must_verify(x, "cable", "link.down", "n3", NULL);
    must_verify(x, "r", "net.reject", "n1", NULL);
    assert_int_equal(ECONNREFUSED, connects(x, N2, N1, STACK_ETCD_PORT, 500));
    must_heal(x, "cable");
    assert_int_equal(ECONNREFUSED, connects(x, N3, N1, STACK_ETCD_PORT, 500));
    must_heal(x, "r");
}

static void a_reject_whose_answers_are_missing_is_unverified(void **state) {
    struct fixture *x = *state;
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "r", "net.reject", "n1", "with=n2"));
    net_rejects_free(STEAL(x->world.cuts->rejects)); // nobody answers any more; the rules drop as before
    const struct event *e = fixture_wait(x, "r", "unverified", 3 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "hangs"));
    must_heal(x, "r");
}

static void a_reject_whose_rules_are_missing_is_unverified(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "r", "net.reject", "n1", "with=n2 path=rest"));
    assert_int_equal(0, switch_set_cuts(x->sw, NULL, 0, &err));
    const struct event *e = fixture_wait(x, "r", "unverified", 3 * SEC);
    assert_non_null(e);
    assert_non_null(strstr(e->u.FAULT.detail, "still arrive"));
    must_heal(x, "r");
}

static void what_must_not_be_answered_is_not(void **state) {
    (void)state;
    // Ethernet, IPv4 10.77.0.11 -> 10.77.0.12, TCP 40000 -> 5432, SYN
    unsigned char frame[54] = {2, 0,  10,   77,   0,    12,   2,  0, 10, 77, 0,  11, 8, 0,  0x45, 0,
                               0, 40, 0,    0,    0,    0,    64, 6, 0,  0,  10, 77, 0, 11, 10,   77,
                               0, 12, 0x9c, 0x40, 0x15, 0x38, 0,  0, 0,  1,  0,  0,  0, 0,  0x50, 0x02};
    unsigned char out[REJECT_ANSWER_MAX];
    struct reject_frame f;
    assert_true(reject_frame_read(frame, sizeof frame, &f));
    assert_int_equal(40000, f.from_port);
    assert_int_equal(5432, f.to_port);
    assert_int_equal(54, reject_answer_make(&f, NET_RESET, out));
    assert_int_equal(0x14, out[47]); // RST and ACK
    assert_int_equal(2, out[45]);    // of the sequence number after the SYN
    assert_memory_equal(frame, out + 6, 6);
    assert_int_equal(14 + 20 + 8 + 28, reject_answer_make(&f, NET_ICMP_HOST, out));
    assert_int_equal(0, reject_answer_make(&f, NET_SILENCE, out));
    frame[47] = 0x04; // a RST
    assert_false(reject_frame_read(frame, sizeof frame, &f));
    frame[47] = 0x02;
    frame[21] = 1; // a later fragment
    assert_false(reject_frame_read(frame, sizeof frame, &f));
    frame[21] = 0;
    frame[23] = 1; // ICMP, type 0x9c: no echo request
    assert_false(reject_frame_read(frame, sizeof frame, &f));
    for (size_t n = 0; n < 42; n++) // cut short anywhere
        assert_false(reject_frame_read(frame, n, &f));
}

// ---- net.reset

static void connections_of_a_path_are_reset_once_at_both_ends(void **state) {
    struct fixture *x = *state;
    struct wire sql, etcd, replication;
    int listener = listens(x, N2, 7777);
    wire_open_on(x, APP, N1, STACK_PGPORT, &sql);
    wire_open_on(x, N1, N2, STACK_ETCD_PORT, &etcd);
    wire_open_on(x, N2, N1, STACK_PGPORT + 1, &replication);
    int pg = listens(x, N1, STACK_PGPORT);
    must_verify(x, "r", "net.reset", "n1", "path=sql");
    assert_int_equal(ECONNRESET, error_of(x, sql.a, 500)); // the peer's RST
    assert_int_equal(ECONNABORTED, error_of(x, sql.b, 500));
    assert_true(tcp_passes(etcd.a, etcd.b, 200));
    assert_true(tcp_passes(replication.a, replication.b, 200));
    assert_int_equal(0, connects(x, APP, N1, STACK_PGPORT, 500));
    must_heal(x, "r");
    wire_close(&sql);
    wire_close(&etcd);
    wire_close(&replication);
    (void)close(listener);
    (void)close(pg);
}

static void nothing_to_reset_is_a_failure_and_not_a_success(void **state) {
    struct fixture *x = *state;
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "r", "net.reset", "n1", "path=etcd_client"));
    const struct event *e = fixture_event(x, "r", "failed");
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_int_equal(0, injector_active(x->in));
}

static void a_reset_after_which_nobody_answers_is_unverified(void **state) {
    struct fixture *x = *state;
    struct wire l;
    wire_open_on(x, N1, N2, STACK_ETCD_PORT, &l); // its listener is closed
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "r", "net.reset", "n1", "path=etcd_client"));
    const struct event *e = fixture_wait(x, "r", "unverified", 3 * SEC);
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "refused"));
    must_heal(x, "r");
    wire_close(&l);
}

static void a_reset_that_does_not_reach_the_peer_is_unverified(void **state) {
    struct fixture *x = *state;
    struct wire l;
    must_verify(x, "cut", "net.drop", "n1", "with=n2 path=tcp/9999"); // leaves 2379 alone
    wire_open_on(x, N1, N2, STACK_ETCD_PORT, &l);
    must_verify(x, "silence", "net.drop", "n1", "with=n2 path=etcd_client direction=out");
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "r", "net.reset", "n1", "path=etcd_client"));
    const struct event *e = fixture_wait(x, "r", "unverified", 4 * SEC); // n1's RST is dropped: n2 knows of nothing
    assert_non_null(e);
    print_message("    %s\n", e->u.FAULT.detail);
    assert_non_null(strstr(e->u.FAULT.detail, "still there"));
    wire_close(&l);
}

static int run(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_rejected_path_is_refused_at_once_and_others_are_not),
        T(an_established_connection_is_reset_by_the_next_thing_it_says),
        T(each_kind_of_answer_is_the_error_it_names),
        T(one_direction_refuses_and_the_other_hangs),
        T(rejected_and_dropped_compose),
        T(a_peer_without_a_link_is_not_waited_for),
        T(a_reject_whose_answers_are_missing_is_unverified),
        T(a_reject_whose_rules_are_missing_is_unverified),
        cmocka_unit_test(what_must_not_be_answered_is_not),
        T(connections_of_a_path_are_reset_once_at_both_ends),
        T(nothing_to_reset_is_a_failure_and_not_a_success),
        T(a_reset_after_which_nobody_answers_is_unverified),
        T(a_reset_that_does_not_reach_the_peer_is_unverified),
    };
    return cmocka_run_group_tests_name("net.reject, net.reset", tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
