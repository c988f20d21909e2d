// SPDX-License-Identifier: PostgreSQL
// The numbers: outage, recovery, phases, availability. test_measure_bounds.c tests the bounds of the phases,
// test_measure_rows.c and test_measure_checks.c the checks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

static void a_leader_crash_gives_the_numbers_it_was_made_of(void **state) {
    (void)state;
    for (int ledger = 0; ledger < 2; ledger++) { // the ticks alone give the same times as the ledger
        struct run r = {0};
        world_leader_crash(&r.w);
        world_build(&r.w);
        run_fold(&r, ledger);
        const struct measures *o = r.o;
        assert_true(o->outage.present && !o->outage.open);
        assert_int_equal(o->outage.start, MS(9993));
        assert_int_equal(o->outage.end, MS(38903));
        assert_int_equal(o->outage.length, MS(28910));
        assert_int_equal(o->cause.recovery, MS(28903));
        assert_int_equal(o->outage.resolution, MS(13)); // 10 ms period + 3 ms latency
        assert_int_equal(o->outage.period, MS(10));
        assert_int_equal(o->phases.list[PHASE_DETECT].duration, MS(26300));
        assert_int_equal(o->phases.list[PHASE_ELECT].duration, MS(2050));
        assert_int_equal(o->phases.list[PHASE_PROMOTE].duration, MS(450));
        assert_int_equal(o->phases.list[PHASE_PROMOTE].error, MS(50));
        assert_int_equal(o->phases.list[PHASE_REROUTE].duration, MS(103));
        assert_int_equal(o->phases.list[PHASE_REJOIN].duration, MS(40200 - 38903));
        assert_int_equal(o->phases.rejoin, o->phases.list[PHASE_REJOIN].duration);
        assert_int_equal(phases_sum(o), o->cause.recovery);
        assert_string_equal(o->cause.old_leader, "n1");
        assert_string_equal(o->cause.new_leader, "n2");
        assert_true(o->cause.leader_changed);
        assert_int_equal(o->cluster.healthy_at, MS(2100));
        assert_int_equal(o->cluster.outage,
                         MS(38800 - 9970) + MS(1)); // last probe answered at 9.970 s was sent 1 ms before
        assert_int_equal(o->outage.first_write, MS(3003));
        assert_int_equal(o->verdict,
                         ledger ? VERDICT_PASS : VERDICT_INVALID); // without a ledger nothing is known of the rows
        run_end(&r);
    }
}

static void a_restart_in_place_has_only_return_and_reroute(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.mechanism = "process.kill", r.w.params = "service=postgres process=postmaster signal=KILL";
    r.w.gone = r.w.put = r.w.streaming = 0;
    r.w.new_leader = "n1", r.w.writable = MS(17500), r.w.writable_previous = MS(17450), r.w.writes_back = MS(17520);
    world_build(&r.w);
    for (usec_t t = MS(11002); t < MS(17000); t += SEC) // down, and its probe says so
        world_sql(&r.w, "n1", t, t - SEC, false, false);
    run_fold(&r, true);
    const struct phase *p = r.o->phases.list;
    assert_false(p[PHASE_DETECT].present || p[PHASE_ELECT].present || p[PHASE_PROMOTE].present);
    assert_int_equal(p[PHASE_RETURN].duration, MS(7500));
    assert_int_equal(p[PHASE_RETURN].bound_max, MS(15000));
    assert_int_equal(p[PHASE_REROUTE].duration, MS(23));
    assert_int_equal(phases_sum(r.o), r.o->cause.recovery);
    assert_false(r.o->cause.leader_changed);
    assert_string_equal(r.o->cause.new_leader, "n1");
    assert_int_equal(r.o->verdict, VERDICT_PASS);
    run_end(&r);
}

// etcd's followers die at 10 s, the leader gives up at 25 s, etcd is back at 35 s, its Patroni writes to it at 36 s and leads on.
static void lose_quorum(struct run *r) {
    world_leader_crash(&r->w);
    r->w.mechanism = "process.kill", r->w.target = "etcd_majority", r->w.nodes = "n2,n3", r->w.params = "service=etcd";
    r->w.gone = r->w.put = r->w.streaming = 0;
    r->w.new_leader = "n1", r->w.etcd_leader = NULL;
    r->w.writes_stop = MS(25000), r->w.writes_back = MS(37000);
    r->w.writable = MS(36500), r->w.writable_previous = MS(36400);
    world_build(&r->w);
}

static void etcd_says(struct run *r, usec_t t, const char *node, bool answered, const char *leader) {
    struct event ev = EVENT_NEW(ARBITER);
    ev.t = t;
    STR_COPY(ev.u.ARBITER.node, node);
    STR_COPY(ev.u.ARBITER.id, node);
    STR_COPY(ev.u.ARBITER.follows, leader);
    ev.u.ARBITER.answered = answered;
    ev.u.ARBITER.leads = answered && str_eq(node, leader);
    (void)world_add(&r->w, ev);
}

static void etcd_is_gone_and_back(struct run *r) {
    static const char *const nodes[] = {"n1", "n2", "n3"};
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        etcd_says(r, SEC, nodes[i], true, "n2");
        etcd_says(r, MS(10200), nodes[i], i == 0, "");
        etcd_says(r, MS(35000), nodes[i], true, "n2");
    }
    VEC_FOREACH (&r->w.events, ev) // the probes of a leader that writes until it gives up
        if (ev->kind == EVENT_SQL && str_eq(ev->u.SQL.node, "n1") && ev->t < MS(25000))
            ev->u.SQL.answered = ev->u.SQL.writable = true, ev->u.SQL.in_recovery = false;
    world_sql(&r->w, "n1", MS(24900), MS(24800), true, true);
    world_sql(&r->w, "n1", MS(25000), MS(24950), true, false);
    struct event ev = EVENT_NEW(ENTRY);
    ev.t = MS(36000);
    STR_COPY(ev.u.ENTRY.key, "members/n1");
    STR_COPY(ev.u.ENTRY.value, "{}");
    (void)world_add(&r->w, ev);
}

static void a_lost_quorum_has_phases_of_its_own(void **state) {
    (void)state;
    struct run r = {0};
    lose_quorum(&r);
    etcd_is_gone_and_back(&r);
    run_fold(&r, true);
    const struct phase *p = r.o->phases.list;
    assert_int_equal(p[PHASE_DEMOTE].duration, MS(15000));
    assert_int_equal(p[PHASE_DEMOTE].error, MS(50));
    assert_int_equal(p[PHASE_NO_QUORUM].duration, MS(10000));
    assert_int_equal(p[PHASE_QUORUM_BACK].duration, MS(1000));
    assert_int_equal(p[PHASE_PROMOTE].duration, MS(500));
    assert_true(p[PHASE_REROUTE].present);
    assert_false(p[PHASE_DETECT].present || p[PHASE_ELECT].present || p[PHASE_RETURN].present);
    assert_int_equal(phases_sum(r.o), r.o->cause.recovery);
    run_end(&r);
}

static void another_leader_after_a_lost_quorum_is_elected_as_ever(void **state) {
    (void)state;
    struct run r = {0};
    lose_quorum(&r);
    etcd_is_gone_and_back(&r);
    struct event ev = EVENT_NEW(AUTHORITY);
    ev.t = MS(35500);
    ev.u.AUTHORITY.gone = true;
    (void)world_add(&r.w, ev);
    ev.t = MS(36200);
    ev.u.AUTHORITY.gone = false;
    STR_COPY(ev.u.AUTHORITY.holder, "n1");
    (void)world_add(&r.w, ev);
    run_fold(&r, true);
    const struct phase *p = r.o->phases.list;
    assert_int_equal(p[PHASE_NO_QUORUM].duration, MS(10000));
    assert_int_equal(p[PHASE_DETECT].duration, MS(500));
    assert_false(p[PHASE_DETECT].bounded);
    assert_int_equal(p[PHASE_ELECT].duration, MS(700));
    assert_false(p[PHASE_QUORUM_BACK].present);
    assert_int_equal(phases_sum(r.o), r.o->cause.recovery);
    run_end(&r);
}

static void a_client_faster_than_the_probe_ends_promote_itself(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.writable = MS(39400), r.w.writable_previous = MS(38400);
    world_build(&r.w);
    run_fold(&r, true);
    assert_int_equal(r.o->phases.list[PHASE_PROMOTE].duration, MS(38903 - 38350));
    assert_int_equal(r.o->phases.list[PHASE_PROMOTE].error, MS(38903 - 38400));
    assert_int_equal(r.o->phases.list[PHASE_REROUTE].duration, 0);
    assert_int_equal(phases_sum(r.o), r.o->cause.recovery);
    run_end(&r);
}

static void a_repeated_election_is_one_phase(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    world_build(&r.w);
    struct event ev = *world_find(&r.w, EVENT_AUTHORITY, 2); // n2 takes it
    STR_COPY(ev.u.AUTHORITY.holder, "n3");
    ev.t = MS(36500);
    (void)world_add(&r.w, ev);
    ev.u.AUTHORITY.gone = true;
    ev.t = MS(36900);
    (void)world_add(&r.w, ev);
    run_fold(&r, true);
    assert_int_equal(r.o->phases.list[PHASE_DETECT].duration, MS(26300));
    assert_int_equal(r.o->phases.list[PHASE_ELECT].duration, MS(2050));
    assert_int_equal(phases_sum(r.o), r.o->cause.recovery);
    run_end(&r);
}

static void a_key_that_changed_hands_unseen_is_an_election_from_the_fault_on(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.gone = 0; // the watch hung on the dead node; the first read elsewhere shows the new holder
    world_build(&r.w);
    world_find(&r.w, EVENT_AUTHORITY, 1)->u.AUTHORITY.initial = true;
    run_fold(&r, true);
    assert_false(r.o->phases.list[PHASE_DETECT].present);
    assert_int_equal(r.o->phases.list[PHASE_ELECT].duration, MS(28350));
    assert_int_equal(r.o->phases.list[PHASE_ELECT].error, MS(28350)); // any time since the fault
    assert_int_equal(phases_sum(r.o), r.o->cause.recovery);
    run_end(&r);
}

static void without_an_outage_the_phases_come_from_the_events_alone(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.mechanism = "process.kill", r.w.params = "service=patroni";
    r.w.writes_back = r.w.writes_stop; // the old primary goes on serving
    world_build(&r.w);
    run_fold(&r, true);
    assert_false(r.o->outage.present);
    assert_int_equal(r.o->cause.recovery, 0);
    assert_true(r.o->phases.list[PHASE_DETECT].present && r.o->phases.list[PHASE_ELECT].present &&
                r.o->phases.list[PHASE_PROMOTE].present);
    assert_false(r.o->phases.list[PHASE_REROUTE].present);
    run_end(&r);
}

static void a_switchover_counts_from_its_order_and_has_no_bound_for_the_checkpoint(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.fault = 0;
    r.w.gone = MS(11200), r.w.put = MS(11300), r.w.writable_previous = MS(11600), r.w.writable = MS(11650);
    r.w.writes_stop = MS(10300), r.w.writes_back = MS(11700), r.w.streaming = MS(12500);
    world_build(&r.w);
    struct event ev = EVENT_NEW(ACTION);
    ev.t = MS(10000);
    STR_COPY(ev.u.ACTION.id, "switch");
    STR_COPY(ev.u.ACTION.action, "cluster.switchover");
    ev.u.ACTION.phase = ACTION_PHASE_ASKED;
    (void)world_add(&r.w, ev);
    ev.t = MS(12000);
    ev.u.ACTION.phase = ACTION_PHASE_DONE;
    (void)world_add(&r.w, ev);
    run_fold(&r, true);
    assert_int_equal(r.o->cause.fault, 0);
    assert_int_equal(r.o->outage.length, MS(1410));
    assert_int_equal(r.o->cause.recovery, MS(1703));
    assert_int_equal(phases_sum(r.o), r.o->cause.recovery);
    assert_false(r.o->phases.list[PHASE_DETECT].bounded);
    assert_true(r.o->phases.list[PHASE_ELECT].bounded && r.o->phases.list[PHASE_ELECT].inside);
    run_end(&r);
}

static void an_outage_belongs_to_the_fault_that_was_in_force_when_it_began(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    world_build(&r.w);
    struct event ev = *world_find(&r.w, EVENT_FAULT, 0);
    STR_COPY(ev.u.FAULT.id, "cut-replication");
    STR_COPY(ev.u.FAULT.mechanism, "net.drop");
    static const enum fault_phase phases[] = {FAULT_PHASE_ASKED, FAULT_PHASE_EFFECTIVE, FAULT_PHASE_VERIFIED};
    for (int i = 0; i < 3; i++) {
        ev.t = MS(9000 + i);
        ev.u.FAULT.phase = phases[i];
        (void)world_add(&r.w, ev);
    }
    run_fold(&r, true);
    assert_string_equal(r.o->faults.items[r.o->cause.fault].id, "crash");
    assert_int_equal(r.o->cause.recovery, MS(28903));
    run_end(&r);
}

// The order came in time; how late its effect was seen decides. The earlier fault is the alternative.
static void a_fault_that_was_seen_a_little_late_is_still_the_cause(void **state) {
    (void)state;
    static const struct {
        usec_t asked, effective;
        const char *cause;
    } table[] = {
        {MS(9990), MS(10060), "crash"},
        {MS(9990), MS(10300), "earlier"},  // the writes had stopped long before
        {MS(10050), MS(10060), "earlier"}, // ordered after they had stopped
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct run r = {0};
        world_leader_crash(&r.w);
        world_build(&r.w);
        VEC_FOREACH (&r.w.events, e) {
            if (e->kind == EVENT_FAULT && e->u.FAULT.phase == FAULT_PHASE_ASKED)
                e->t = table[i].asked;
            if (e->kind == EVENT_FAULT && e->u.FAULT.phase == FAULT_PHASE_EFFECTIVE)
                e->t = table[i].effective;
        }
        struct event ev = *world_find(&r.w, EVENT_FAULT, 0);
        STR_COPY(ev.u.FAULT.id, "earlier");
        static const enum fault_phase phases[] = {FAULT_PHASE_ASKED, FAULT_PHASE_EFFECTIVE, FAULT_PHASE_VERIFIED};
        for (int k = 0; k < 3; k++) {
            ev.t = MS(9000 + k);
            ev.u.FAULT.phase = phases[k];
            (void)world_add(&r.w, ev);
        }
        run_fold(&r, true);
        assert_string_equal(r.o->faults.items[r.o->cause.fault].id, table[i].cause);
        run_end(&r);
    }
}

static void an_outage_from_the_first_bucket_on_is_seen(void **state) {
    (void)state;
    for (int ledger = 0; ledger < 2; ledger++) {
        struct run r = {0};
        world_leader_crash(&r.w);
        r.w.fault = 0, r.w.gone = r.w.put = r.w.writable = r.w.streaming = 0;
        r.w.writes_stop = r.w.begin, r.w.writes_back = r.w.begin + MS(700);
        world_build(&r.w);
        run_fold(&r, ledger);
        assert_true(r.o->outage.present);
        assert_int_equal(r.o->outage.start, r.w.begin);
        assert_int_equal(r.o->outage.length, MS(703));
        assert_int_equal(r.o->cause.recovery, 0); // nothing to recover from
        run_end(&r);
    }
}

static void an_outage_that_never_ends_is_open_and_has_no_recovery(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.writes_back = r.w.end;
    r.w.gone = r.w.put = r.w.writable = r.w.streaming = 0;
    world_build(&r.w);
    world_expect(&r.w, "write_outage", -1, 60e6);
    run_fold(&r, true);
    assert_true(r.o->outage.present && r.o->outage.open);
    assert_int_equal(r.o->cause.recovery, 0);
    assert_true(r.o->outage.length > MS(33900) && r.o->outage.length <= MS(34000));
    assert_int_equal(r.o->verdict, VERDICT_FAIL); // not "34 s, which is below 60 s"
    assert_non_null(strstr(r.o->reason, "still failing"));
    run_end(&r);
}

static void a_quiet_run_has_no_outage(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.fault = 0, r.w.gone = r.w.put = r.w.writable = r.w.streaming = 0;
    r.w.writes_back = r.w.writes_stop;
    world_build(&r.w);
    run_fold(&r, true);
    assert_false(r.o->outage.present);
    assert_int_equal(r.o->outage.length, 0);
    assert_int_equal(r.o->cause.fault, -1);
    assert_int_equal(r.o->split_brain.max, 0);
    assert_true(r.o->availability.writes > 99.99 && r.o->availability.reads > 99.99);
    assert_int_equal(r.o->verdict, VERDICT_PASS);
    run_end(&r);
}

static void a_pause_at_the_limit_is_no_outage_and_one_beyond_it_is(void **state) {
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct run r = {0};
        world_leader_crash(&r.w);
        r.w.gone = r.w.put = r.w.writable = r.w.streaming = 0;
        r.w.writes_back = r.w.writes_stop + MS(extra ? 100 : 90); // acknowledgements 110 or 100 ms apart
        world_build(&r.w);
        run_fold(&r, true);
        assert_int_equal(r.o->outage.present, extra);
        run_end(&r);
    }
}

// Seen with a killed etcd leader: 114 ms without an acknowledgement, and not one write failed. That is slow, not down.
static void a_short_pause_in_which_nothing_failed_is_a_hiccup(void **state) {
    (void)state;
    for (int longer = 0; longer < 2; longer++) {
        struct run r = {0};
        world_leader_crash(&r.w);
        r.w.fault = r.w.gone = r.w.put = r.w.writable = r.w.streaming = 0;
        r.w.writes_back = r.w.writes_stop;
        world_build(&r.w);
        usec_t from = MS(20000), to = from + MS(longer ? 400 : 200);
        VEC_FOREACH (&r.w.ledger, l) // all of them come back together, late
            if (l->scheduled >= from && l->scheduled < to)
                l->returned = to + MS(3);
        VEC_FOREACH (&r.w.events, ev)
            if (ev->kind == EVENT_CLIENT_TICK && ev->u.CLIENT_TICK.from >= from && ev->u.CLIENT_TICK.from < to)
                ev->u.CLIENT_TICK.w_ok = 0;
        run_fold(&r, true);
        assert_int_equal(r.o->outage.present, longer);
        assert_int_equal(r.o->outage.hiccup, longer ? 0 : MS(210)); // 19.993 s to 20.203 s
        run_end(&r);
    }
}

static void nobody_rejoins_who_never_left(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    r.w.mechanism = "process.kill", r.w.nodes = "n3", r.w.detail = "etcd 99 on n3 is gone";
    r.w.gone = r.w.put = r.w.writable = r.w.streaming = 0;
    r.w.writes_back = r.w.writes_stop;
    world_build(&r.w);
    run_fold(&r, true);
    assert_false(r.o->phases.list[PHASE_REJOIN].present);
    assert_true(r.o->phases.rejoin_known && r.o->phases.rejoin == 0);
    run_end(&r);
}

// Writes come back for 0.5 s and fail again: they did not keep succeeding. A hiccup of 150 ms is no such thing.
static void flapping_lengthens_an_outage_and_a_hiccup_does_not(void **state) {
    (void)state;
    for (int flap = 0; flap < 2; flap++) {
        struct run r = {0};
        world_leader_crash(&r.w);
        world_build(&r.w);
        usec_t from = MS(39400), to = from + MS(flap ? 600 : 150);
        VEC_FOREACH (&r.w.ledger, l)
            if (l->scheduled >= from && l->scheduled < to)
                l->result = LEDGER_FAILED;
        for (size_t i = 0; i < r.w.events.n; i++) // the ledger speaks alone here
            if (r.w.events.items[i].kind == EVENT_CLIENT_TICK)
                r.w.events.items[i].u.CLIENT_TICK.w_ok = 0;
        run_fold(&r, true);
        assert_int_equal(r.o->outage.end, flap ? to + MS(3) : MS(38903));
        run_end(&r);
    }
}

static void availability_is_the_share_of_good_buckets(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    world_build(&r.w);
    run_fold(&r, true);
    // 410 buckets from 3.0 s to 44.0 s; none good from 10.0 s to 38.9 s = 289
    assert_true(r.o->availability.writes > 29.50 && r.o->availability.writes < 29.53);
    assert_true(r.o->availability.reads > 99.99);
    assert_int_equal(r.o->read_outage.length, 0);
    run_end(&r);
}

static void a_read_outage_is_known_to_a_bucket(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    world_build(&r.w);
    VEC_FOREACH (&r.w.events, ev)
        if (ev->kind == EVENT_CLIENT_TICK && ev->u.CLIENT_TICK.from >= MS(20000) && ev->u.CLIENT_TICK.from < MS(21500))
            ev->u.CLIENT_TICK.r_failed = ev->u.CLIENT_TICK.r_ok, ev->u.CLIENT_TICK.r_ok = 0;
    run_fold(&r, true);
    assert_int_equal(r.o->read_outage.length, MS(1500));
    assert_int_equal(r.o->read_outage.start, MS(20000));
    run_end(&r);
}

static void a_healed_node_is_waited_for_from_its_healing(void **state) {
    (void)state;
    struct run r = {0};
    world_leader_crash(&r.w);
    world_build(&r.w);
    struct event ev = *world_find(&r.w, EVENT_NODE_POWER, 0);
    ev.t = MS(41000);
    ev.u.NODE_POWER.on = true;
    (void)world_add(&r.w, ev);
    ev = *world_find(&r.w, EVENT_FAULT, 0);
    ev.t = MS(41010);
    ev.u.FAULT.phase = FAULT_PHASE_HEALED;
    (void)world_add(&r.w, ev);
    world_sql(&r.w, "n1", MS(42500), MS(42400), true, false);
    ev = *world_find(&r.w, EVENT_REPLICATION, 0);
    ev.t = MS(43500);
    STR_COPY(ev.u.REPLICATION.node, "n2");
    STR_COPY(ev.u.REPLICATION.standby, "n1");
    (void)world_add(&r.w, ev);
    run_fold(&r, true);
    assert_int_equal(r.o->phases.list[PHASE_REJOIN].start, MS(41010));
    assert_int_equal(r.o->phases.list[PHASE_REJOIN].duration, MS(43500 - 41010));
    assert_int_equal(r.o->phases.rejoin, MS(2490));
    run_end(&r);
}

static uint64_t next_random(uint64_t *s) {
    *s ^= *s << 13;
    *s ^= *s >> 7;
    return *s ^= *s << 17;
}

// Whatever was or was not seen: the links of the chain touch, and together they are the recovery time.
static void phases_of_random_failovers_always_add_up(void **state) {
    (void)state;
    uint64_t seed = 77;
    for (int i = 0; i < 400; i++) {
        struct run r = {0};
        uint64_t start = seed;
        world_leader_crash(&r.w);
        r.w.end = MS(16000);
        r.w.fault = MS(5000) + next_random(&seed) % MS(500);
        r.w.writes_stop = r.w.fault + next_random(&seed) % MS(300);
        r.w.writes_back = r.w.writes_stop + MS(200) + next_random(&seed) % MS(6000);
        r.w.gone = next_random(&seed) % 4 ? r.w.fault + 1 + next_random(&seed) % MS(6000) : 0;
        r.w.put = next_random(&seed) % 4 ? (r.w.gone ? r.w.gone : r.w.fault) + 1 + next_random(&seed) % MS(3000) : 0;
        r.w.writable = next_random(&seed) % 4 ? r.w.fault + MS(3) + next_random(&seed) % MS(8000) : 0;
        r.w.writable_previous = r.w.writable ? r.w.writable - next_random(&seed) % MS(1000) : 0;
        r.w.streaming = 0;
        r.w.final_read = false;
        world_build(&r.w);
        run_fold(&r, true);
        assert_true(r.o->outage.present);
        usec_t cursor = r.o->faults.items[r.o->cause.fault].effective;
        bool chained = true;
        for (int k = 0; k < PHASE_REJOIN; k++)
            if (r.o->phases.list[k].present) {
                chained = chained && r.o->phases.list[k].start == cursor;
                cursor += r.o->phases.list[k].duration;
            }
        bool complete = !r.o->phases.list[PHASE_REROUTE].present || phases_sum(r.o) == r.o->cause.recovery;
        if (!chained || !complete ||
            (r.o->cause.recovery && !r.o->phases.list[PHASE_REROUTE].present && r.o->outage.length >= SEC))
            fail_msg("seed %" PRIu64 ": chained %d, sum %" PRIu64 ", recovery %" PRIu64, start, chained,
                     phases_sum(r.o), r.o->cause.recovery);
        run_end(&r);
    }
}

static void an_empty_log_gives_an_error_and_no_numbers(void **state) {
    (void)state;
    struct measure *m = measure_new();
    const struct measures *o = measure_finish(m);
    assert_int_equal(o->verdict, VERDICT_ERROR);
    assert_false(o->outage.present || o->writes.checked);
    assert_int_equal(o->cause.recovery, 0);
    measure_free(m);
}

// A log cut anywhere (kill -9) never crashes the fold and is never a pass.
static void a_log_cut_anywhere_is_an_error_and_never_a_pass(void **state) {
    (void)state;
    struct world w;
    world_leader_crash(&w);
    world_build(&w);
    for (size_t n = 0; n < w.events.n; n += 1 + w.events.n / 300) {
        struct measure *m = measure_new();
        for (size_t i = 0; i < n; i++)
            measure_event(m, &w.events.items[i]);
        const struct measures *o = measure_finish(m);
        assert_int_equal(o->verdict, VERDICT_ERROR);
        assert_true(!o->cause.recovery || phases_sum(o) == o->cause.recovery);
        measure_free(m);
    }
    world_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leader_crash_gives_the_numbers_it_was_made_of),
        cmocka_unit_test(a_restart_in_place_has_only_return_and_reroute),
        cmocka_unit_test(a_lost_quorum_has_phases_of_its_own),
        cmocka_unit_test(another_leader_after_a_lost_quorum_is_elected_as_ever),
        cmocka_unit_test(a_client_faster_than_the_probe_ends_promote_itself),
        cmocka_unit_test(a_repeated_election_is_one_phase),
        cmocka_unit_test(a_key_that_changed_hands_unseen_is_an_election_from_the_fault_on),
        cmocka_unit_test(without_an_outage_the_phases_come_from_the_events_alone),
        cmocka_unit_test(a_switchover_counts_from_its_order_and_has_no_bound_for_the_checkpoint),
        cmocka_unit_test(an_outage_belongs_to_the_fault_that_was_in_force_when_it_began),
        cmocka_unit_test(a_fault_that_was_seen_a_little_late_is_still_the_cause),
        cmocka_unit_test(an_outage_from_the_first_bucket_on_is_seen),
        cmocka_unit_test(an_outage_that_never_ends_is_open_and_has_no_recovery),
        cmocka_unit_test(a_quiet_run_has_no_outage),
        cmocka_unit_test(a_pause_at_the_limit_is_no_outage_and_one_beyond_it_is),
        cmocka_unit_test(a_short_pause_in_which_nothing_failed_is_a_hiccup),
        cmocka_unit_test(nobody_rejoins_who_never_left),
        cmocka_unit_test(flapping_lengthens_an_outage_and_a_hiccup_does_not),
        cmocka_unit_test(availability_is_the_share_of_good_buckets),
        cmocka_unit_test(a_read_outage_is_known_to_a_bucket),
        cmocka_unit_test(a_healed_node_is_waited_for_from_its_healing),
        cmocka_unit_test(phases_of_random_failovers_always_add_up),
        cmocka_unit_test(an_empty_log_gives_an_error_and_no_numbers),
        cmocka_unit_test(a_log_cut_anywhere_is_an_error_and_never_a_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
