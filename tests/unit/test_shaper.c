// SPDX-License-Identifier: PostgreSQL
// The shaper's core in fake time: 1-byte datagrams numbered in their payload, one each millisecond.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "injector/shaper/core.h"
#include "lab/base/random.h"
#include "lab/base/str.h"
#include "tests/unit/frames.h"

#define MS UINT64_C(1000000)
enum { TRAIN_MAX = 20000 };

struct train {
    struct shape_core *c;
    uint64_t now;
    uint32_t next;
    size_t n;
    uint32_t number[2 * TRAIN_MAX]; // in order of arrival
    uint64_t at[2 * TRAIN_MAX];
};
static struct train t;

static void begin(void) {
    shape_core_free(t.c);
    memset(&t, 0, sizeof t);
    t.c = shape_core_new(64 << 20);
    t.now = 1000 * MS;
}

static struct shape_rule rule(enum shape_kind kind, uint32_t fault) {
    return (struct shape_rule){.kind = kind,
                               .fault = fault,
                               .seed = 7 * (uint64_t)fault,
                               .match = {.src = frame_address(1), .dst = frame_address(2)}};
}
static void add_delay(uint32_t fault, uint64_t mean, uint64_t jitter) {
    struct shape_rule r = rule(SHAPE_DELAY, fault);
    r.delay_ns = mean;
    r.jitter_ns = jitter;
    shape_core_add(t.c, &r);
}
static void add_share(enum shape_kind kind, uint32_t fault, double p) {
    struct shape_rule r = rule(kind, fault);
    r.p = p;
    r.delay_ns = 5 * MS;
    shape_core_add(t.c, &r);
}

static void receive(uint64_t until) {
    while (shape_core_deadline(t.c) <= until) {
        uint64_t due = shape_core_deadline(t.c);
        t.now = t.now < due ? due : t.now;
        struct shape_packet *p = shape_core_take(t.c, t.now);
        size_t len;
        memcpy(&t.number[t.n], shape_packet_frame(p, &len) + 42, 4);
        t.at[t.n++] = t.now;
        shape_core_left(t.c, p, t.now);
    }
    t.now = until;
}

static void send_one(void) {
    uint8_t f[64];
    struct virtio_net_hdr vnet = {0};
    size_t len = frame_udp(f, 1, 2, &t.next, 4);
    t.next++;
    shape_core_put(t.c, t.now, &vnet, f, len);
}
static void send_train(unsigned n, uint64_t gap) {
    for (unsigned i = 0; i < n; i++) {
        send_one();
        receive(t.now + gap);
    }
}
static bool in_order(void) {
    for (size_t i = 1; i < t.n; i++)
        if (t.number[i] < t.number[i - 1])
            return false;
    return true;
}

static void without_a_rule_everything_goes_straight_on(void **state) {
    (void)state;
    begin();
    send_train(100, MS);
    assert_int_equal(100, t.n);
    assert_true(in_order());
    assert_true(t.at[0] == 1000 * MS);
    assert_true(shape_core_deadline(t.c) == UINT64_MAX);
}

static void a_delay_is_the_delay(void **state) {
    (void)state;
    begin();
    add_delay(1, 50 * MS, 0);
    send_train(100, MS);
    receive(t.now + 100 * MS);
    assert_int_equal(100, t.n);
    for (size_t i = 0; i < t.n; i++)
        assert_true(t.at[i] == 1000 * MS + i * MS + 50 * MS);
    struct shape_stats s;
    assert_true(shape_core_stats(t.c, 1, &s));
    assert_int_equal(100, s.delayed);
    assert_int_equal(50, s.held_max);
    assert_int_equal(0, s.held);
    assert_int_equal(0, s.late_max_us);
}

static double mean_delay(uint64_t gap) {
    double sum = 0;
    for (size_t i = 0; i < t.n; i++)
        sum += (double)(t.at[i] - (1000 * MS + t.number[i] * gap)) / (double)MS;
    return sum / (double)t.n;
}

// The price of order: a packet behind a late one waits for it. docs/faults.md says so.
static void jitter_that_keeps_order_is_biased_upwards_and_free_jitter_is_not(void **state) {
    (void)state;
    begin();
    add_delay(1, 20 * MS, 10 * MS);
    send_train(5000, 2 * MS);
    receive(t.now + 100 * MS);
    assert_true(in_order());
    double ordered = mean_delay(2 * MS);
    assert_true(ordered > 23 && ordered < 29);
    begin();
    struct shape_rule r = rule(SHAPE_DELAY, 1);
    r.delay_ns = 20 * MS;
    r.jitter_ns = 10 * MS;
    r.free_order = true;
    shape_core_add(t.c, &r);
    send_train(5000, 2 * MS);
    receive(t.now + 100 * MS);
    assert_false(in_order());
    assert_true(fabs(mean_delay(2 * MS) - 20) < 0.5);
}

static void each_distribution_has_the_mean_and_spread_asked_for(void **state) {
    (void)state;
    for (int dist = SHAPE_UNIFORM; dist <= SHAPE_PARETO; dist++) {
        struct shape_rule r = rule(SHAPE_DELAY, 1);
        r.delay_ns = 100 * MS;
        r.jitter_ns = 10 * MS;
        r.dist = (enum shape_dist)dist;
        struct random random = {99};
        double sum = 0, squares = 0, least = 1e9;
        enum { N = 200000 };
        for (int i = 0; i < N; i++) {
            struct shape_draws d;
            for (int k = 0; k < SHAPE_DRAWS; k++)
                d.u[k] = random_next(&random);
            double x = (double)shape_delay(&r, &d) / (double)MS;
            sum += x;
            squares += x * x;
            least = fmin(least, x);
        }
        double mean = sum / N, deviation = sqrt(squares / N - mean * mean);
        assert_true(fabs(mean - 100) < 0.3);
        double wanted = dist == SHAPE_UNIFORM ? 10 / sqrt(3) : 10;
        assert_true(fabs(deviation - wanted) < 0.12 * wanted); // cut tails take a little
        assert_true(least >= 100 - 10 * shape_reach(r.dist) - 0.001);
    }
}

static uint64_t fate(void) { // a fingerprint of what arrived
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < t.n; i++)
        h = (h ^ t.number[i]) * 1099511628211u;
    return h;
}

static void the_same_seed_gives_the_same_fate_whatever_other_rules_do(void **state) {
    (void)state;
    uint64_t first = 0;
    for (int round = 0; round < 3; round++) {
        begin();
        if (round == 2)
            add_delay(9, 5 * MS, 5 * MS); // draws from its own numbers
        add_share(SHAPE_LOSS, 1, 0.3);
        send_train(20000, MS / 10);
        receive(t.now + 100 * MS);
        first = round ? first : fate();
        assert_true(fate() == first);
    }
    assert_in_range(t.n, 13740, 14260); // 14000 +- 4 deviations of 65
}

static void losses_come_in_bursts_of_the_length_asked_for(void **state) {
    (void)state;
    begin();
    struct shape_rule r = rule(SHAPE_LOSS, 1);
    r.p = 0.2;
    r.burst = 5;
    shape_core_add(t.c, &r);
    send_train(20000, MS / 10);
    receive(t.now + MS);
    size_t lost = 20000 - t.n, runs = 0;
    for (size_t i = 1; i < t.n; i++)
        runs += t.number[i] != t.number[i - 1] + 1;
    assert_in_range(lost, 3400, 4600);
    assert_true((double)lost / (double)runs > 4.3 && (double)lost / (double)runs < 5.7);
}

static void duplicates_and_late_ones_are_as_many_as_asked_for(void **state) {
    (void)state;
    begin();
    add_share(SHAPE_DUPLICATE, 1, 0.5);
    send_train(10000, MS / 10);
    receive(t.now + MS);
    assert_in_range(t.n, 14800, 15200);
    assert_true(in_order()); // the copy follows at once
    begin();
    add_share(SHAPE_REORDER, 1, 0.25);
    send_train(10000, MS);
    receive(t.now + 100 * MS);
    size_t late = 0;
    uint32_t top = 0;
    for (size_t i = 0; i < t.n; i++) {
        late += t.number[i] < top;
        top = t.number[i] > top ? t.number[i] : top;
    }
    assert_int_equal(10000, t.n);
    assert_in_range(late, 2300, 2700);
}

static void a_rate_is_the_rate_and_a_full_queue_drops(void **state) {
    (void)state;
    begin();
    struct shape_rule r = rule(SHAPE_RATE, 1);
    r.bits_per_s = 560000; // 46 byte frames and 24 of framing: 560 bit, one each millisecond
    r.queue_ns = 10 * MS;
    shape_core_add(t.c, &r);
    send_train(1000, MS / 4); // four times as many as fit
    receive(t.now + 100 * MS);
    assert_in_range(t.n, 255, 265);
    for (size_t i = 1; i < t.n; i++)
        assert_true(t.at[i] - t.at[i - 1] == MS);
    struct shape_stats s;
    assert_true(shape_core_stats(t.c, 1, &s));
    assert_int_equal(1000 - t.n, s.overflow);
}

static void a_jam_holds_everything_and_lets_it_go_in_order(void **state) {
    (void)state;
    begin();
    send_train(3, MS);
    shape_core_add(t.c, &(struct shape_rule){.kind = SHAPE_JAM,
                                             .fault = 4,
                                             .match = {.src = frame_address(1), .dst = frame_address(2)}});
    send_train(1000, MS);
    assert_int_equal(3, t.n);
    assert_true(shape_core_holds(t.c, 4));
    shape_core_end(t.c, 4, t.now, false);
    send_train(10, MS / 10);
    receive(t.now + MS);
    assert_int_equal(1013, t.n);
    assert_true(in_order());
    assert_false(shape_core_holds(t.c, 4));
    shape_core_forget(t.c, 4);
    struct shape_stats s;
    assert_false(shape_core_stats(t.c, 4, &s));
}

static void two_jams_compose_and_a_jam_behind_a_cut_is_thrown_away(void **state) {
    (void)state;
    begin();
    for (uint32_t fault = 1; fault <= 2; fault++)
        shape_core_add(t.c, &(struct shape_rule){.kind = SHAPE_JAM,
                                                 .fault = fault,
                                                 .match = {.src = frame_address(1), .dst = frame_address(2)}});
    send_train(10, MS);
    shape_core_end(t.c, 1, t.now, false);
    receive(t.now + MS);
    assert_int_equal(0, t.n);
    assert_true(shape_core_holds(t.c, 2));
    shape_core_end(t.c, 2, t.now, true);
    receive(t.now + MS);
    assert_int_equal(0, t.n);
    assert_false(shape_core_holds(t.c, 1) || shape_core_holds(t.c, 2));
}

static void a_heal_lets_what_is_held_go_in_order(void **state) {
    (void)state;
    begin();
    add_delay(1, 50 * MS, 20 * MS);
    send_train(200, MS);
    shape_core_end(t.c, 1, t.now, false);
    assert_true(shape_core_deadline(t.c) == t.now);
    send_train(50, MS / 10); // those that come now must not overtake
    receive(t.now + MS);
    assert_int_equal(250, t.n);
    assert_true(in_order());
}

static void delays_add_up_and_each_heals_on_its_own(void **state) {
    (void)state;
    begin();
    add_delay(1, 50 * MS, 10 * MS);
    add_delay(2, 30 * MS, 5 * MS);
    add_share(SHAPE_LOSS, 3, 0.1);
    send_train(300, MS);
    receive(t.now + 200 * MS);
    double both = mean_delay(MS);
    assert_true(both > 78 && both < 95);
    size_t n = t.n;
    assert_in_range(n, 240, 295);
    uint64_t restart = t.now;
    send_train(100, MS);
    shape_core_end(t.c, 1, t.now, false);
    receive(t.now + 200 * MS);
    assert_true(in_order());
    assert_true(t.at[n] >= restart + 25 * MS && t.at[t.n - 1] <= restart + 100 * MS + 36 * MS);
    shape_core_end(t.c, 1, t.now, false); // twice is harmless
    shape_core_end(t.c, 2, t.now, false);
    send_train(10, MS);
    assert_true(in_order());
}

static void a_port_is_told_from_another(void **state) {
    (void)state;
    begin();
    struct shape_rule r = rule(SHAPE_DELAY, 1);
    r.delay_ns = 50 * MS;
    r.match.side = 1;
    r.match.port = 5432;
    shape_core_add(t.c, &r);
    uint8_t f[64];
    struct virtio_net_hdr vnet = {0};
    uint64_t sent = t.now;
    static const uint16_t ports[][2] = {{40000, 5432}, {5432, 40000}, {40000, 2379}};
    for (int i = 0; i < 3; i++)
        shape_core_put(t.c, t.now, &vnet, f, frame_tcp(f, 1, 2, ports[i][0], ports[i][1], 1, 0x10, "abcd", 4));
    shape_core_put(t.c, t.now, &vnet, f, frame_tcp(f, 2, 1, 40000, 5432, 1, 0x10, "abcd", 4));
    for (int i = 0; i < 3; i++) {
        struct shape_packet *p = shape_core_take(t.c, t.now);
        assert_non_null(p);
        shape_core_left(t.c, p, t.now);
    }
    assert_null(shape_core_take(t.c, t.now));
    assert_true(shape_core_deadline(t.c) == sent + 50 * MS);
}

static void a_delay_leaves_super_packets_whole_and_a_loss_splits_them(void **state) {
    (void)state;
    static uint8_t f[70000], data[60000];
    struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                  .gso_size = 1448,
                                  .csum_start = 34,
                                  .csum_offset = 16};
    for (int lossy = 0; lossy <= 1; lossy++) {
        begin();
        add_delay(1, MS, 0);
        if (lossy)
            add_share(SHAPE_LOSS, 2, 0.0);
        shape_core_put(t.c, t.now, &vnet, f, frame_tcp(f, 1, 2, 1, 2, 3, 0x10, data, sizeof data));
        size_t n = 0;
        for (struct shape_packet *p; (p = shape_core_take(t.c, t.now + MS)); n++)
            shape_core_left(t.c, p, t.now);
        assert_int_equal(lossy ? 42 : 1, n);
    }
}

static void memory_is_bounded_and_the_overflow_is_told(void **state) {
    (void)state;
    begin();
    shape_core_free(t.c);
    t.c = shape_core_new(460); // ten of our frames
    shape_core_add(t.c, &(struct shape_rule){.kind = SHAPE_JAM,
                                             .fault = 4,
                                             .match = {.src = frame_address(1), .dst = frame_address(2)}});
    send_train(25, MS);
    struct shape_stats s;
    assert_true(shape_core_stats(t.c, 4, &s));
    assert_int_equal(10, s.held);
    assert_int_equal(15, s.overflow);
}

static int end(void **state) {
    (void)state;
    shape_core_free(t.c);
    t.c = NULL;
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_teardown(f, end)
    const struct CMUnitTest tests[] = {
        T(without_a_rule_everything_goes_straight_on),
        T(a_delay_is_the_delay),
        T(jitter_that_keeps_order_is_biased_upwards_and_free_jitter_is_not),
        T(each_distribution_has_the_mean_and_spread_asked_for),
        T(the_same_seed_gives_the_same_fate_whatever_other_rules_do),
        T(losses_come_in_bursts_of_the_length_asked_for),
        T(duplicates_and_late_ones_are_as_many_as_asked_for),
        T(a_rate_is_the_rate_and_a_full_queue_drops),
        T(a_jam_holds_everything_and_lets_it_go_in_order),
        T(two_jams_compose_and_a_jam_behind_a_cut_is_thrown_away),
        T(a_heal_lets_what_is_held_go_in_order),
        T(delays_add_up_and_each_heals_on_its_own),
        T(a_port_is_told_from_another),
        T(a_delay_leaves_super_packets_whole_and_a_loss_splits_them),
        T(memory_is_bounded_and_the_overflow_is_told),
    };
    return cmocka_run_group_tests_name("link shaper", tests, NULL, NULL);
}
