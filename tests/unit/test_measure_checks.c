// SPDX-License-Identifier: PostgreSQL
// Tests of the checker itself: split brain, expectations and the verdict of a run that is spoilt in one way. What became of its rows:
// test_measure_rows.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

// n1 goes on accepting the probe's writes after n2 was promoted at 38.8 s.
static void spliced_seconds_of_a_second_primary_are_a_proven_split_brain(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.mechanism = "process.kill", r.w.params = "service=patroni";
    world_build(&r.w);
    for (usec_t t = MS(36500); t <= MS(43800); t += MS(100))
        world_sql(&r.w, "n1", t, t - MS(100), true, t <= MS(43500));
    run_caught(&r, "split_brain");
    // proven: n2's first answer 38.800 s to the sending of n1's last accepted probe, 43.499 s
    assert_int_equal(r.o->split_brain.min, MS(43499 - 38800));
    assert_true(r.o->split_brain.max > r.o->split_brain.min && r.o->split_brain.max < r.o->split_brain.min + MS(300));
    assert_string_equal(r.o->split_brain.nodes, "n1, n2");
    run_end(&r);
}

static void overlapping_acknowledgements_alone_prove_a_split_brain(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    VEC_FOREACH (&r.w.ledger, l) // from 41 s to 43 s every second write is taken by n1
        if (l->scheduled >= MS(41000) && l->scheduled < MS(43000) && l->id % 2)
            l->node = 1;
    run_caught(&r, "split_brain");
    assert_true(r.o->split_brain.min > MS(1950) && r.o->split_brain.min < MS(2000));
    run_end(&r);
}

static void two_swapped_acknowledgements_are_noticed(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_record(&r.w, 500)->node = 2;  // 8 s: n1 leads
    world_record(&r.w, 4000)->node = 1; // 43 s: n2 leads
    run_caught(&r, "split_brain");
    assert_int_equal(r.o->split_brain.min, MS(6));
    run_end(&r);
}

// Writes that hung on a frozen node and came back after another had taken over say nothing of the time between.
static void a_frozen_node_that_answers_late_proves_no_split_brain(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    for (uint64_t id = 690; id <= 700; id++) // sent before the freeze, answered at 41 s
        world_record(&r.w, id)->returned = MS(41000) + id;
    run_caught(&r, "");
    assert_int_equal(r.o->split_brain.min, 0);
    assert_true(r.o->split_brain.max > MS(2000)); // nor can it be excluded
    run_end(&r);
}

static void a_clean_switchover_proves_nothing(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.writable = MS(10400), r.w.writable_previous = MS(9400), r.w.gone = MS(10100), r.w.put = MS(10200);
    r.w.writes_back = MS(10450), r.w.streaming = MS(11000);
    world_build(&r.w);
    run_caught(&r, "");
    assert_int_equal(r.o->split_brain.min, 0);
    assert_true(r.o->split_brain.max > 0); // the probe before n2's first success was too early to exclude it
    run_end(&r);
}

static void what_dies_while_the_lab_stops_is_no_finding(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    struct event ev = EVENT_NEW(AUTHORITY);
    ev.t = MS(48500);
    ev.u.AUTHORITY.gone = true;
    (void)world_add(&r.w, ev);
    world_sql(&r.w, "n2", MS(48600), MS(48500), false, false);
    run_caught(&r, "");
    assert_true(r.o->phases.list[PHASE_REJOIN].present);
    assert_string_equal(r.o->cause.new_leader, "n2");
    run_end(&r);
}

static void an_unverified_fault_makes_the_run_invalid(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.verified = false, r.w.detail = "n1 still answers";
    world_build(&r.w);
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_INVALID);
    assert_string_equal(r.o->reason, "node.power_off on n1 was not verified: n1 still answers");
    run_end(&r);
}

static void a_proven_violation_fails_even_an_unverified_run(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.verified = false;
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    (void)snprintf(world_ranges(&r.w, 0), EVENT_TEXT_MAX, "1-600,3591-4100");
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    run_end(&r);
}

static void the_reason_of_the_end_decides_first(void **state) {
    (void)state;
    static const struct {
        const char *reason;
        enum verdict v;
    } table[] = {{"completed", VERDICT_PASS},     {"expectation", VERDICT_FAIL},  {"interrupted", VERDICT_INVALID},
                 {"unverified", VERDICT_INVALID}, {"unwatched", VERDICT_INVALID}, {"broken", VERDICT_ERROR},
                 {"skipped", VERDICT_SKIPPED},    {NULL, VERDICT_ERROR}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        run_crash(&r);
        r.w.end_reason = table[i].reason;
        world_build(&r.w);
        run_fold(&r, true);
        assert_int_equal(r.o->verdict, table[i].v);
        assert_true(*r.o->reason != '\0');
        run_end(&r);
    }
}

static void make_noise(struct world *w) {
    for (usec_t t = MS(1000); t < w->end; t += SEC) {
        struct event ev = EVENT_NEW(NOISE);
        bool loud = t >= MS(12000) && t < MS(17000);
        ev.t = t;
        ev.u.NOISE.late_p99_us = loud ? 150000 : 300, ev.u.NOISE.late_max_us = loud ? 400000 : 900;
        (void)world_add(w, ev);
    }
}

static void what_a_damaged_record_says_is_neither_pass_nor_failure(void **state) {
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct run r;
        run_crash(&r);
        world_build(&r.w);
        world_expect(&r.w, "lost_writes", -1, 0);
        if (lost)
            STR_COPY(world_find(&r.w, EVENT_FINAL_ROWS, 0)->u.FINAL_ROWS.ranges, "1-99,101-702,3591-4100");
        struct record_proof proof = {.sealed = true};
        STR_COPY(VEC_ADD(&proof.missing)->text, "a line is gone");
        struct measure *m = measure_new();
        measure_record(m, &proof);
        VEC_DONE(&proof.missing);
        VEC_FOREACH (&r.w.events, ev)
            measure_event(m, ev);
        VEC_FOREACH (&r.w.ledger, l)
            measure_ledger(m, l);
        const struct measures *o = measure_finish(m);
        assert_int_equal(o->verdict, VERDICT_INVALID);
        assert_string_equal(o->reason, "the record is damaged: a line is gone");
        assert_true(o->split_brain.unknown && o->split_brain.max == 0);
        assert_int_equal(o->writes.lost, lost); // shown, not judged
        measure_free(m);
        world_done(&r.w);
    }
}

static void writes_are_known_by_the_number_of_their_node_not_by_its_place_in_the_log(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    int nth = 0;
    for (struct event *ev; (ev = world_find(&r.w, EVENT_NODE_INFO, nth)); nth++)
        ev->u.NODE_INFO.number = nth + 1;
    // The line of n1 is lost: its writes are nobody's, and those of n2 stay those of n2.
    world_find(&r.w, EVENT_NODE_INFO, 0)->kind = EVENT_TICK;
    run_fold(&r, true);
    assert_int_equal(r.o->split_brain.min, 0);
    run_end(&r);
}

static void noise_excuses_a_time_and_nothing_else(void **state) {
    (void)state;
    static const struct {
        const char *kind;
        double max;
        enum verdict v;
    } table[] = {{"write_outage", 20e6, VERDICT_INVALID}, // failed, but the machine may be why
                 {"write_outage", 34e6, VERDICT_PASS},    // noise can't have made it shorter
                 {"lost_writes", 0, VERDICT_FAIL}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        run_crash(&r);
        world_build(&r.w);
        make_noise(&r.w);
        world_expect(&r.w, table[i].kind, -1, table[i].max);
        if (i == 2)
            (void)snprintf(world_ranges(&r.w, 0), EVENT_TEXT_MAX, "1-600,3591-4100");
        run_fold(&r, true);
        assert_true(r.o->noise.noisy);
        assert_int_equal(r.o->noise.late_max, MS(400));
        assert_int_equal(r.o->verdict, table[i].v);
        run_end(&r);
    }
}

// A wait that was over in vain is a time. What the run found besides is not excused by it.
static void noise_excuses_a_wait_that_was_over(void **state) {
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct run r;
        run_crash(&r);
        r.w.end_reason = "expectation";
        world_build(&r.w);
        make_noise(&r.w);
        if (lost) {
            world_expect(&r.w, "lost_writes", -1, 0);
            (void)snprintf(world_ranges(&r.w, 0), EVENT_TEXT_MAX, "1-600,3591-4100");
        }
        run_fold(&r, true);
        assert_int_equal(r.o->verdict, lost ? VERDICT_FAIL : VERDICT_INVALID);
        assert_true(lost || strstr(r.o->reason, "too noisy to judge"));
        run_end(&r);
    }
}

static void expectations_are_judged_by_their_numbers(void **state) {
    (void)state;
    static const struct {
        const char *kind;
        double min, max;
        bool ok;
    } table[] = {
        {"write_outage", -1, 28910000, true}, {"write_outage", -1, 28909999, false},
        {"write_outage", 28910000, -1, true}, {"write_outage", 28910001, -1, false},
        {"recovery", 28e6, 29e6, true},       {"recovery", -1, 28e6, false},
        {"rejoin", -1, 1.3e6, true},          {"rejoin", -1, 1.2e6, false},
        {"read_outage", -1, 0, true},         {"read_outage", 1, -1, false},
        {"lost_writes", -1, 0, true},         {"lost_writes", 1, -1, false},
        {"split_brain", -1, 0, true},         {"split_brain", 1e6, -1, false},
        {"write_availability", 29, -1, true}, {"write_availability", 30, -1, false},
        {"read_availability", 99, -1, true},  {"phases", -1, -1, true},
        {"unexpected_writes", -1, -1, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        run_crash(&r);
        world_build(&r.w);
        world_expect(&r.w, table[i].kind, table[i].min, table[i].max);
        run_fold(&r, true);
        if (!r.o->expects.items[0].known || r.o->expects.items[0].ok != table[i].ok)
            fail_msg("row %zu: %s", i, r.o->expects.items[0].text);
        run_end(&r);
    }
}

static void a_new_leader_is_judged_by_the_key(void **state) {
    (void)state;
    static const struct {
        bool wanted;
        const char *node;
        bool ok;
    } table[] = {{true, "", true}, {false, "", false}, {true, "n2", true}, {true, "n3", false}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r;
        run_crash(&r);
        world_build(&r.w);
        world_expect(&r.w, "new_leader", -1, -1);
        struct event *ev = world_find(&r.w, EVENT_EXPECT, 0);
        ev->u.EXPECT.wanted = table[i].wanted;
        STR_COPY(ev->u.EXPECT.node, table[i].node);
        run_fold(&r, true);
        assert_int_equal(r.o->expects.items[0].ok, table[i].ok);
        run_end(&r);
    }
}

static void an_expectation_nobody_knows_is_not_passed_over(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "quantum_leap", -1, 1);
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_INVALID);
    run_end(&r);
}

static void a_phase_outside_its_bound_fails_the_phases_expectation(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    r.w.gone = MS(37600); // 27.6 s after the fault; at most 27 s
    world_build(&r.w);
    world_expect(&r.w, "phases", -1, -1);
    run_fold(&r, true);
    assert_string_equal(run_failed(&r), "phases");
    assert_non_null(strstr(r.o->reason, "the phase detect took 27.60 s; the settings allow 25.80 s to 27.00 s"));
    run_end(&r);
}

static void a_client_that_stood_still_makes_times_doubtful(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "write_outage", -1, 20e6);
    VEC_FOREACH (&r.w.events, ev)
        if (ev->kind == EVENT_CLIENT_TICK && ev->u.CLIENT_TICK.from >= MS(12000) && ev->u.CLIENT_TICK.from < MS(35000))
            ev->u.CLIENT_TICK.w_tried = 0;
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_INVALID);
    assert_non_null(strstr(r.o->reason, "stood still"));
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spliced_seconds_of_a_second_primary_are_a_proven_split_brain),
        cmocka_unit_test(overlapping_acknowledgements_alone_prove_a_split_brain),
        cmocka_unit_test(two_swapped_acknowledgements_are_noticed),
        cmocka_unit_test(a_frozen_node_that_answers_late_proves_no_split_brain),
        cmocka_unit_test(a_clean_switchover_proves_nothing),
        cmocka_unit_test(what_dies_while_the_lab_stops_is_no_finding),
        cmocka_unit_test(an_unverified_fault_makes_the_run_invalid),
        cmocka_unit_test(a_proven_violation_fails_even_an_unverified_run),
        cmocka_unit_test(the_reason_of_the_end_decides_first),
        cmocka_unit_test(noise_excuses_a_wait_that_was_over),
        cmocka_unit_test(what_a_damaged_record_says_is_neither_pass_nor_failure),
        cmocka_unit_test(writes_are_known_by_the_number_of_their_node_not_by_its_place_in_the_log),
        cmocka_unit_test(noise_excuses_a_time_and_nothing_else),
        cmocka_unit_test(expectations_are_judged_by_their_numbers),
        cmocka_unit_test(a_new_leader_is_judged_by_the_key),
        cmocka_unit_test(an_expectation_nobody_knows_is_not_passed_over),
        cmocka_unit_test(a_phase_outside_its_bound_fails_the_phases_expectation),
        cmocka_unit_test(a_client_that_stood_still_makes_times_doubtful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
