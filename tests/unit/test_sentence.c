// SPDX-License-Identifier: PostgreSQL
// The run in one sentence, for every kind of run; and the measures that only the sentence needs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "lab/report/report.h"
#include "test_measure_world.h"

// ---- measures as a run leaves them: a leader's crash with 28.91 s without writes
static void crash(struct measures *m) {
    *m = (struct measures){.outage.present = true,
                           .outage.count = 1,
                           .outage.start = 10 * SEC,
                           .outage.end = 38910 * MSEC,
                           .outage.length = 28910 * MSEC,
                           .outage.total = 28910 * MSEC,
                           .outage.threshold = 100 * MSEC,
                           .outage.resolution = 13 * MSEC,
                           .cause.leader_changed = true,
                           .writes = {.attempted = 4100, .acknowledged = 1210, .checked = true}};
    STR_COPY(m->cause.old_leader, "n1");
    STR_COPY(m->cause.new_leader, "n2");
    STR_COPY(m->phases.leader, "n2");
    m->run.end_reason = END_REASON_COMPLETED;
    struct fault_measure *f = VEC_ADD(&m->faults);
    f->ok = true;
    f->effective = 10 * SEC;
    STR_COPY(f->mechanism, "node.power_off");
    STR_COPY(f->nodes, "n1");
    static const struct {
        enum phase_kind kind;
        usec_t start, duration;
    } phases[] = {{PHASE_DETECT, 10 * SEC, 26300 * MSEC},
                  {PHASE_ELECT, 36300 * MSEC, 2050 * MSEC},
                  {PHASE_PROMOTE, 38350 * MSEC, 450 * MSEC},
                  {PHASE_REROUTE, 38800 * MSEC, 110 * MSEC}};
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
        m->phases.list[phases[i].kind] =
            (struct phase){.present = true, .start = phases[i].start, .duration = phases[i].duration};
}

static void no_outage(struct measures *m) {
    crash(m);
    m->outage.present = m->cause.leader_changed = false;
    m->outage.count = 0;
    m->outage.length = m->outage.total = 0;
    memset(m->phases.list, 0, sizeof m->phases.list);
}

static void says(struct measures *m, const char *wanted) {
    cleanup_strbuf struct strbuf out = {0};
    report_sentence(m, &(struct report_style){.utf8 = false}, &out);
    assert_string_equal(strbuf_str(&out), wanted);
    VEC_DONE(&m->faults);
}

static void one_outage_names_the_phase_that_took_most_of_it(void **state) {
    (void)state;
    struct measures m;
    crash(&m);
    says(&m, "28.91 s +- 13 ms without writes; 91 % of it waited for the lease of a dead leader");
    static const char *const leases[][3] = {
        {"net.drop", "", "the lease of a leader that was cut off"},
        {"node.freeze", "", "the lease of a frozen leader"},
        {"process.kill", "service=patroni", "the lease of a leader whose Patroni was dead"},
        {"process.pause", "service=patroni", "the lease of a leader whose Patroni was frozen"},
        {"process.kill", "service=postgres process=postmaster", "Patroni to give the dead PostgreSQL up"},
        {"disk.stall", "", "the leader key to become free"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(leases); i++) {
        cleanup_strbuf struct strbuf wanted = {0};
        crash(&m);
        STR_COPY(m.faults.items[0].mechanism, leases[i][0]);
        STR_COPY(m.faults.items[0].params, leases[i][1]);
        strbuf_addf(&wanted, "28.91 s +- 13 ms without writes; 91 %% of it waited for %s", leases[i][2]);
        says(&m, strbuf_str(&wanted));
    }
}

static void an_outage_that_no_phase_had_half_of_names_two(void **state) {
    (void)state;
    struct measures m;
    crash(&m);
    m.phases.list[PHASE_DETECT] = (struct phase){.present = true, .start = 10 * SEC, .duration = 10 * SEC};
    m.phases.list[PHASE_ELECT] = (struct phase){.present = true, .start = 20 * SEC, .duration = 13 * SEC};
    m.phases.list[PHASE_PROMOTE] = (struct phase){.present = true, .start = 33 * SEC, .duration = 5800 * MSEC};
    says(&m,
         "28.91 s +- 13 ms without writes; 45 % of it waited for the election of a new leader, 35 % for the lease of "
         "a dead leader");
}

static void only_what_lies_in_the_outage_counts(void **state) {
    (void)state;
    struct measures m;
    crash(&m); // writes go on until the leader has demoted itself
    memset(m.phases.list, 0, sizeof m.phases.list);
    m.cause.leader_changed = false;
    STR_COPY(m.cause.new_leader, "n1");
    STR_COPY(m.phases.leader, "n1");
    STR_COPY(m.faults.items[0].mechanism, "process.kill");
    m.outage.start = 22 * SEC;
    m.outage.end = 40 * SEC;
    m.outage.length = m.outage.total = 18 * SEC;
    m.phases.list[PHASE_DEMOTE] = (struct phase){.present = true, .start = 5 * SEC, .duration = 17010 * MSEC};
    m.phases.list[PHASE_NO_QUORUM] = (struct phase){.present = true, .start = 22010 * MSEC, .duration = 16200 * MSEC};
    m.phases.list[PHASE_QUORUM_BACK] = (struct phase){.present = true, .start = 38210 * MSEC, .duration = 1500 * MSEC};
    m.phases.list[PHASE_PROMOTE] = (struct phase){.present = true, .start = 39710 * MSEC, .duration = 290 * MSEC};
    says(&m, "18.00 s +- 13 ms without writes; 90 % of it waited for etcd to have a quorum again");
}

static void the_longest_of_several_outages_leads(void **state) {
    (void)state;
    struct measures m;
    crash(&m);
    m.outage.count = 3;
    m.outage.total = 41200 * MSEC;
    says(&m, "28.91 s +- 13 ms without writes, the longest of 3 outages (41.20 s together); 91 % of it waited for the "
             "lease of a dead leader");
}

static void an_outage_that_never_ended_is_told_as_at_least(void **state) {
    (void)state;
    struct measures m;
    crash(&m);
    m.outage.open = true;
    memset(m.phases.list, 0, sizeof m.phases.list);
    says(&m, "At least 28.91 s +- 13 ms without writes, to the end of the run");
}

static void without_an_outage_it_says_so_and_what_happened_instead(void **state) {
    (void)state;
    struct measures m;
    no_outage(&m);
    says(&m, "No write outage, no pause of writes above 100 ms");
    no_outage(&m);
    m.cause.leader_changed = true;
    m.outage.hiccup = 180 * MSEC;
    says(&m, "No write outage, the longest pause was 180 ms and no write failed in it, while n2 took over from n1");
    no_outage(&m);
    m.read_outage.length = 3200 * MSEC;
    says(&m, "No write outage, no pause of writes above 100 ms; reads failed for 3.20 s");
    no_outage(&m);
    VEC_DONE(&m.faults);
    m.cause.fault = -1;
    says(&m, "No write outage, no pause of writes above 100 ms, and nothing was injected");
}

static void a_lag_alone_is_named(void **state) {
    (void)state;
    struct measures m;
    no_outage(&m);
    m.lag.bytes = 1234567;
    STR_COPY(m.lag.node, "n3");
    says(&m, "No write outage, no pause of writes above 100 ms; n3 fell up to 1.2 MB behind its leader");
    no_outage(&m);
    m.lag.bytes = 4096; // the way of any standby under load
    STR_COPY(m.lag.node, "n3");
    says(&m, "No write outage, no pause of writes above 100 ms");
}

static void damage_comes_before_time(void **state) {
    (void)state;
    struct measures m;
    crash(&m);
    m.writes.lost = 37;
    says(&m,
         "37 acknowledged writes are lost; 28.91 s +- 13 ms without writes; 91 % of it waited for the lease of a dead "
         "leader");
    no_outage(&m);
    m.writes.lost = 1;
    m.split_brain.min = 7 * SEC;
    m.contents.diverged = 1;
    STR_COPY(m.contents.diverged_names, "n3");
    STR_COPY(m.split_brain.nodes, "n1, n2");
    says(&m, "Two leaders (n1, n2) took writes at the same time, for 7.00 s at least; 1 acknowledged write is lost; n3 "
             "follows another history; no write outage, no pause of writes above 100 ms");
}

static void a_record_that_proves_nothing_says_so_first(void **state) {
    (void)state;
    static const char rest[] = "no write outage, no pause of writes above 100 ms";
    struct {
        struct record_proof record;
        bool no_end;
        const char *first;
    } rows[] = {{{.live = true}, true, "The run is still going on, and what follows are its numbers so far; "},
                {{0}, false, "Its record is damaged, so nothing that follows is a result; "},
                {{.complete = true}, true, "The run was killed before its end; "}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct measures m;
        cleanup_free char *wanted = xasprintf("%s%s", rows[i].first, rest);
        no_outage(&m);
        m.run.record = &rows[i].record;
        m.run.no_end = rows[i].no_end;
        says(&m, wanted);
    }
}

static void what_the_application_did_not_see_is_not_claimed(void **state) {
    (void)state;
    struct measures m;
    no_outage(&m);
    STR_COPY(m.writes.cut_why, "the application's process ended before it had reported everything");
    says(&m, "No write outage, no pause of writes above 100 ms; whether writes were lost is not known");
    no_outage(&m);
    STR_COPY(m.writes.cut_why, "the application's process ended before it had reported everything");
    m.writes.lost = 2;
    says(&m, "2 acknowledged writes are lost; no write outage, no pause of writes above 100 ms");
    crash(&m);
    VEC_PUSH(&m.holes, ((struct watch_hole){
                           .source = WATCH_APPLICATION, .from = m.outage.start + SEC, .to = m.outage.start + 4 * SEC}));
    says(&m, "28.91 s +- 13 ms without writes; for 3.00 s of it the application itself stood still; 91 % of it waited "
             "for the lease of a dead leader");
    VEC_DONE(&m.holes);
}

static void what_makes_the_rest_doubtful_comes_first(void **state) {
    (void)state;
    struct measures m;
    crash(&m);
    m.faults.items[0].ok = false;
    says(
        &m,
        "The fault node.power_off on n1 was not verified, so what follows is not proven to be its doing; 28.91 s +- 13 "
        "ms without writes; 91 % of it waited for the lease of a dead leader");
    no_outage(&m);
    m.run.end_reason = END_REASON_INTERRUPTED;
    says(&m, "The run was interrupted before its end; no write outage, no pause of writes above 100 ms");
    no_outage(&m);
    m.run.no_end = true;
    m.run.end_reason = END_REASON_NONE;
    says(&m, "The run was killed before its end; no write outage, no pause of writes above 100 ms");
}

static void what_is_not_known_is_said(void **state) {
    (void)state;
    struct measures m;
    no_outage(&m);
    m.writes.checked = false;
    says(&m, "No write outage, no pause of writes above 100 ms; whether writes were lost is not known");
    no_outage(&m);
    m.writes = (struct write_counts){.checked = true};
    says(&m, "No application was running, so what it would have felt is not known");
    crash(&m);
    m.writes.acknowledged = 0;
    m.outage.open = true;
    memset(m.phases.list, 0, sizeof m.phases.list);
    says(&m, "No write was ever acknowledged; at least 28.91 s +- 13 ms without writes, to the end of the run");
    m = (struct measures){.cause.fault = -1};
    m.run.end_reason = END_REASON_SKIPPED;
    STR_COPY(m.reason, "this kernel has no user namespaces");
    says(&m, "Nothing was run: this kernel has no user namespaces");
    m = (struct measures){.cause.fault = -1};
    m.run.end_reason = END_REASON_BROKEN;
    STR_COPY(m.reason, "postgres exited with status 1");
    says(&m, "The lab broke: postgres exited with status 1");
}

static void an_act_is_named_with_what_it_cost(void **state) {
    (void)state;
    struct measures m;
    crash(&m);
    m.faults.items[0].action = true;
    STR_COPY(m.faults.items[0].mechanism, "cluster.switchover");
    says(&m,
         "Switchover from n1 to n2: 28.91 s +- 13 ms without writes; 91 % of it waited for the old leader to shut down "
         "and give its key back");
    no_outage(&m);
    m.cause.leader_changed = true;
    m.faults.items[0].action = true;
    STR_COPY(m.faults.items[0].mechanism, "cluster.switchover");
    says(&m, "Switchover from n1 to n2: no write outage, no pause of writes above 100 ms");
}

static void without_a_failover_the_healing_is_the_measure(void **state) {
    (void)state;
    static const struct {
        usec_t healed;
        const char *words;
    } ways[] = {{38510 * MSEC, "no failover, writes came back 400 ms after disk.stall was healed"},
                {44 * SEC, "no failover, writes came back while disk.stall was in force"},
                {0, "no failover, writes came back by themselves"}};
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct measures m;
        cleanup_strbuf struct strbuf wanted = {0};
        crash(&m);
        m.cause.leader_changed = false;
        STR_COPY(m.faults.items[0].mechanism, "disk.stall");
        m.faults.items[0].healed = ways[i].healed;
        memset(m.phases.list, 0, sizeof m.phases.list);
        m.phases.list[PHASE_REROUTE] = (struct phase){.present = true, .start = 10 * SEC, .duration = 28910 * MSEC};
        strbuf_addf(&wanted, "28.91 s +- 13 ms without writes; %s", ways[i].words);
        says(&m, strbuf_str(&wanted));
    }
}

// ---- folded from a log
static void outages_are_counted_and_summed_up(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    VEC_FOREACH (&r.w.events, ev) // a second one of 0.7 s, long after the first
        if (ev->kind == EVENT_CLIENT_TICK && ev->u.CLIENT_TICK.from >= 41 * SEC &&
            ev->u.CLIENT_TICK.from < 41700 * MSEC) {
            struct event tick = *ev;
            *ev = (struct event)EVENT_NEW(CLIENT_TICK);
            ev->t = tick.t;
            ev->u.CLIENT_TICK.from = tick.u.CLIENT_TICK.from;
            ev->u.CLIENT_TICK.w_tried = ev->u.CLIENT_TICK.w_failed = tick.u.CLIENT_TICK.w_tried;
        }
    run_fold(&r, false);
    assert_int_equal(r.o->outage.count, 2);
    assert_true(r.o->outage.total > r.o->outage.length + 700 * MSEC &&
                r.o->outage.total < r.o->outage.length + 730 * MSEC);
    run_end(&r);
    run_crash(&r);
    world_build(&r.w);
    run_fold(&r, true);
    assert_int_equal(r.o->outage.count, 1);
    assert_int_equal(r.o->outage.total, r.o->outage.length);
    run_end(&r);
}

static void the_greatest_lag_after_the_first_injection_is_kept(void **state) {
    (void)state;
    static const struct {
        usec_t t;
        const char *standby;
        int64_t bytes;
    } rows[] = {
        {5 * SEC, "n3", 9000000}, {12 * SEC, "n2", 500000}, {13 * SEC, "n3", 2000000}, {14 * SEC, "n2", 700000}};
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        world_row(&r.w, rows[i].t, "n1", rows[i].standby)->u.REPLICATION.lag_bytes = rows[i].bytes;
    run_fold(&r, true);
    assert_int_equal(r.o->lag.bytes, 2000000);
    assert_string_equal(r.o->lag.node, "n3");
    assert_int_equal(r.o->lag.at, 13 * SEC);
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_outage_names_the_phase_that_took_most_of_it),
        cmocka_unit_test(an_outage_that_no_phase_had_half_of_names_two),
        cmocka_unit_test(only_what_lies_in_the_outage_counts),
        cmocka_unit_test(the_longest_of_several_outages_leads),
        cmocka_unit_test(an_outage_that_never_ended_is_told_as_at_least),
        cmocka_unit_test(without_an_outage_it_says_so_and_what_happened_instead),
        cmocka_unit_test(a_lag_alone_is_named),
        cmocka_unit_test(damage_comes_before_time),
        cmocka_unit_test(a_record_that_proves_nothing_says_so_first),
        cmocka_unit_test(what_the_application_did_not_see_is_not_claimed),
        cmocka_unit_test(what_makes_the_rest_doubtful_comes_first),
        cmocka_unit_test(what_is_not_known_is_said),
        cmocka_unit_test(an_act_is_named_with_what_it_cost),
        cmocka_unit_test(without_a_failover_the_healing_is_the_measure),
        cmocka_unit_test(outages_are_counted_and_summed_up),
        cmocka_unit_test(the_greatest_lag_after_the_first_injection_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
