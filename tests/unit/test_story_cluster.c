// SPDX-License-Identifier: PostgreSQL
// The story of the cluster from events made by hand: the leader key, fencing, etcd. And from recorded logs: the list is
// in order of time, and no effect stands before its cause.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/measure/measure.h"
#include "lab/record/run.h"
#include "test_story_teller.h"

// ---- replication ---------------------------------------------------------------------------------------------------------

static void row(struct teller *x, double t, const char *standby) {
    struct event ev = teller_at(EVENT_REPLICATION, t);
    STR_COPY(ev.u.REPLICATION.node, "n1");
    STR_COPY(ev.u.REPLICATION.standby, standby);
    STR_COPY(ev.u.REPLICATION.state, "streaming");
    teller_put(x, &ev);
}

// Whoever reads "healthy again" must have read what was not.
static void a_standby_that_is_stuck_is_told_though_its_row_says_streaming(void **state) {
    struct teller *x = *state;
    teller_key(x, 1, "n1", 4);
    teller_position(x, 2, "n1", false, 1000);
    teller_position(x, 2, "n2", true, 1000);
    row(x, 2.5, "n2");
    teller_ready(x);
    for (int t = 3; t < 10; t++) {
        teller_position(x, t, "n1", false, 1000 + (lsn_t)t);
        teller_position(x, t + 0.5, "n2", true, 1000);
    }
    TOLD(x, "n2 has received nothing for 3 s: the leader n1 writes, and shows it as streaming\n");
    assert_int_equal(teller_find(x->s, "received nothing")->weight, TOLD_EVENT);
    strbuf_clear(&x->news);
    teller_position(x, 10.5, "n2", true, 1005);
    TOLD(x, "n2 receives again what n1 writes\n");
}

// ---- the leader key ------------------------------------------------------------------------------------------------------

static void the_first_holder_of_the_key_is_the_first_leader(void **state) {
    struct teller *x = *state;
    teller_key(x, 1, "n1", 4);
    teller_ready(x);
    teller_lease(x, 5, "n1", 4);
    teller_key(x, 34.1, "", 0);
    teller_key(x, 36.2, "n2", 9);
    TOLD(x, "the leader key of n1 has expired: its lease was last renewed 30.1 s before (ttl 30 s)\n"
            "n2 takes the leader key, which was free for 2.10 s\n");
    assert_string_equal(story_at(x->s, 0)->text, "n1 takes the leader key: the first leader");
    assert_string_equal(story_at(x->s, 0)->node, "n1");
}

static void a_key_that_goes_before_its_lease_was_given_up_or_deleted(void **state) {
    struct teller *x = *state;
    teller_key(x, 1, "n1", 4);
    teller_ready(x);
    teller_lease(x, 5, "n1", 4);
    teller_key(x, 14, "", 0);
    TOLD(x, "the leader key of n1 was given up or deleted: its lease would have lived 20.0 s longer (ttl 30 s)\n");
}

static void a_key_taken_without_having_been_free_is_a_theft(void **state) {
    struct teller *x = *state;
    teller_key(x, 1, "n1", 4);
    teller_ready(x);
    teller_key(x, 9, "n3", 4);
    TOLD(x, "n3 TOOK THE LEADER KEY FROM n1, without the key having been free: it was written over, not deleted and "
            "made anew\n");
    assert_int_equal(teller_find(x->s, "TOOK")->mood, MOOD_BAD);
    assert_int_equal(teller_find(x->s, "TOOK")->kind, MOMENT_KEY_STOLEN);
    strbuf_clear(&x->news);
    teller_key(x, 20, "n2", 8); // created anew: its deletion was missed, nobody stole it
    TOLD(x, "n2 holds the leader key instead of n3; when the key changed hands was not seen\n");
}

static void a_known_defect_and_the_divergence_it_makes_are_told_while_they_are_so(void **state) {
    struct teller *x = *state;
    struct event version = teller_at(EVENT_VERSION, 0);
    STR_COPY(version.u.VERSION.component, "Patroni");
    STR_COPY(version.u.VERSION.version, "3.0.2");
    teller_put(x, &version);
    teller_key(x, 1, "n1", 4);
    teller_ready(x);
    teller_key(x, 30, "", 0);
    teller_key(x, 32, "n3", 9);
    teller_position(x, 33, "n3", false, 5000);
    teller_position(x, 34, "n2", true, 5000);
    strbuf_clear(&x->news);
    teller_key(x, 35, "n1", 9);
    TOLD(x, "n1 TOOK THE LEADER KEY FROM n3, without the key having been free: it was written over, not deleted and "
            "made anew; known defect "
            "patroni-2693: a leader whose lease has expired gets a new one and puts the leader key back "
            "unconditionally, whoever holds it now "
            "(https://github.com/patroni/patroni/pull/2693)\n");
    teller_position(x, 36, "n1", false, 1000);
    teller_position(x, 36.5, "n2", true, 5000);
    strbuf_clear(&x->news);
    teller_position(x, 37.1, "n1", false, 1100);
    TOLD(x, "n2 FOLLOWS ANOTHER HISTORY than its leader n1: it had replayed to 0/1388 when n1, asked later, had "
            "written to 0/3E8: by the known "
            "defect patroni-2693\n");
    const struct moment *m = teller_find(x->s, "FOLLOWS");
    assert_true(m->mood == MOOD_BAD && m->weight == TOLD_MAIN && m->t == (usec_t)36e6);
    story_ahead(x->s, m->t, "n2", "n1", 6000, 1100); // the measures, when the run is over: no second moment
    assert_string_equal(teller_find(x->s, "FOLLOWS")->text,
                        "n2 FOLLOWS ANOTHER HISTORY than its leader n1: it had replayed to 0/1770 when n1, "
                        "asked later, had written to 0/44C");
    strbuf_clear(&x->news);
    teller_position(x, 40, "n2", true, 900);
    teller_position(x, 41, "n1", false, 1500);
    TOLD(x, "n2 follows the history of n1 again: it was rewound or rebuilt\n");
}

// ---- fencing ---------------------------------------------------------------------------------------------------------------

static void an_old_leader_fences_itself_before_its_key_expires(void **state) {
    struct teller *x = *state;
    teller_key(x, 1, "n1", 4);
    teller_sql(x, 1.1, 0, "n1", WRITES, 1);
    teller_ready(x);
    teller_lease(x, 8, "n1", 8);
    teller_sql(x, 25.60, 25.50, "n1", REFUSES, 1);
    teller_sql(x, 25.65, 25.60, "n1", SILENT, 0);
    teller_log_line(x, 25.70, "n1", "INFO: demoting self because DCS is not accessible and I was a leader");
    teller_log_line(x, 35.70, "n1", "INFO: demoting self because DCS is not accessible and I was a leader in progress");
    teller_sql(x, 26, 25.65, "n1", STANDBY, 1);
    teller_key(x, 38.1, "", 0);
    TOLD(x, "n1 accepts no writes any more: terminating connection\n"
            "Patroni on n1 demotes its PostgreSQL: \"demoting self because DCS is not accessible and I was a leader\"\n"
            "PostgreSQL on n1 runs as a standby, on timeline 1\n"
            "the leader key of n1 has expired: its lease was last renewed 30.1 s before (ttl 30 s); n1 had accepted no "
            "writes for 12.50 s\n");
    const struct moment *fall = teller_find(x->s, "accepts no writes"), *cause = teller_find(x->s, "demotes");
    assert_string_equal(fall->detail, "12.50 s before its leader key expired"); // known later, and told in its place
    assert_int_equal(fall->error, 100 * MSEC);
    assert_true(cause->t <= fall->t); // the line was read after what it caused was seen
}

static void a_demotion_that_is_logged_when_it_is_over_is_told_so(void **state) {
    struct teller *x = *state;
    teller_key(x, 1, "n1", 4);
    teller_sql(x, 1.1, 0, "n1", WRITES, 1);
    teller_ready(x);
    teller_sql(x, 5, 4.9, "n1", REFUSES, 1);
    struct event ev = teller_at(EVENT_LOG_LINE, 5.07);
    STR_COPY(ev.u.LOG_LINE.node, "n1");
    STR_COPY(ev.u.LOG_LINE.service, "patroni");
    STR_COPY(ev.u.LOG_LINE.text, "INFO: demoting self because I do not have the lock and I was a leader");
    ev.u.LOG_LINE.read = ev.t + 90 * MSEC; // it carries its time of writing
    teller_put(x, &ev);
    TOLD(x, "n1 accepts no writes any more: terminating connection\n"
            "Patroni on n1 has demoted its PostgreSQL: \"demoting self because I do not have the lock and I was a "
            "leader\"\n");
    assert_int_equal(teller_find(x->s, "has demoted")->t, 5070 * MSEC);
}

static void a_leader_that_writes_on_without_its_key_is_told_how_long(void **state) {
    struct teller *x = *state;
    teller_key(x, 1, "n1", 4);
    teller_sql(x, 1.1, 0, "n1", WRITES, 1);
    teller_ready(x);
    teller_key(x, 30, "", 0);
    teller_key(x, 32, "n2", 9);
    teller_sql(x, 32.5, 32.4, "n2", WRITES, 2);
    teller_sql(x, 33, 32.9, "n1", STANDBY, 1);
    assert_non_null(strstr(strbuf_str(&x->news), "n2 ACCEPTS WRITES BESIDE n1, on timeline 2\n"));
    assert_non_null(
        strstr(strbuf_str(&x->news),
               "n1 accepts no writes any more: it is a standby now: 3.00 s AFTER it had lost the leader key\n"));
    assert_int_equal(teller_find(x->s, "BESIDE")->mood, MOOD_BAD);
}

static void a_short_restart_of_a_standby_is_no_silence(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_sql(x, 2, 0, "n3", STANDBY, 1);
    teller_sql(x, 3, 2.9, "n3", SILENT, 0);
    teller_sql(x, 4, 3.9, "n3", STANDBY, 1);
    TOLD(x, "");
    teller_sql(x, 10, 9.9, "n3", SILENT, 0);
    teller_sql(x, 11, 10.9, "n3", SILENT, 0);
    teller_sql(x, 12, 11.9, "n3", SILENT, 0);
    TOLD(x, "PostgreSQL on n3 does not answer: no server (no socket)\n");
    assert_int_equal(teller_find(x->s, "does not answer")->t, 10 * SEC);
}

// ---- etcd ------------------------------------------------------------------------------------------------------------------

static void a_lost_quorum_is_told_and_its_return(void **state) {
    struct teller *x = *state;
    for (int i = 1; i <= 3; i++)
        teller_etcd(x, 1, i == 1 ? "n1" : i == 2 ? "n2" : "n3", true, "n2");
    teller_ready(x);
    teller_etcd(x, 6, "n2", false, "");
    teller_etcd(x, 6.001, "n3", false, "");
    teller_etcd(x, 7, "n1", true, "");
    teller_etcd(x, 37, "n2", true, "");
    teller_etcd(x, 38, "n2", true, "n2");
    teller_etcd(x, 38.5, "n1", true, "n2");
    TOLD(x, "etcd has lost its quorum: 1 of 3 members answers, so nobody can renew or take the leader key\n"
            "etcd has a quorum again after 32.50 s: n2 leads it\n");
}

static void another_leader_of_etcd_is_no_lost_quorum(void **state) {
    struct teller *x = *state;
    for (int i = 1; i <= 3; i++)
        teller_etcd(x, 1, i == 1 ? "n1" : i == 2 ? "n2" : "n3", true, "n2");
    teller_ready(x);
    teller_etcd(x, 6, "n2", false, "");
    teller_etcd(x, 6.5, "n1", true, "");
    teller_etcd(x, 7, "n3", true, "");
    teller_etcd(x, 7.6, "n1", true, "n1");
    teller_etcd(x, 7.7, "n3", true, "n1");
    TOLD(x, "etcd has lost its leader n2: 2 of 3 members answer and elect another\n"
            "n1 leads etcd now (before: n2)\n");
}

static void a_patroni_without_its_dcs_is_told_once_until_it_writes_its_key(void **state) {
    struct teller *x = *state;
    teller_ready(x);
    teller_log_line(x, 10, "n1", "ERROR: Error communicating with DCS");
    teller_log_line(x, 20, "n1", "ERROR: Error communicating with DCS");
    struct event ev = teller_at(EVENT_ENTRY, 30);
    STR_COPY(ev.u.ENTRY.key, "members/n1");
    STR_COPY(ev.u.ENTRY.value, "{}");
    teller_put(x, &ev);
    TOLD(x, "Patroni on n1 can't reach etcd\nPatroni on n1 reaches etcd again\n");
}

// ---- recorded runs -----------------------------------------------------------------------------------------------------------

struct folds {
    struct story *story;
    struct measure *measure;
};

static bool fold(void *arg, const struct event *ev) {
    struct folds *f = arg;
    story_event(f->story, ev);
    measure_event(f->measure, ev);
    return true;
}

static const struct moment *first(const struct story *s, enum moment_kind kind, const char *node, usec_t from) {
    for (size_t i = 0; i < story_count(s); i++) {
        const struct moment *m = story_at(s, i);
        if (m->kind == kind && m->t >= from && (!*node || str_eq(m->node, node)))
            return m;
    }
    return NULL;
}

static void before(const char *log, const struct moment *cause, const struct moment *effect) {
    if (cause && effect && cause->t - (cause->error < cause->t ? cause->error : cause->t) > effect->t)
        fail_msg("%s: '%s' at %.6f s stands after '%s' at %.6f s, which it causes", log, cause->text,
                 (double)cause->t / 1e6, effect->text, (double)effect->t / 1e6);
}

// What a moment of kind `cause` makes happen stands after it.
static void check_causes(const char *log, const struct story *s, enum moment_kind cause) {
    const struct moment *effect = first(s, cause, "", 0);
    assert_non_null(effect);
    before(log, first(s, MOMENT_FAULT_ASKED, "", 0), effect);
    before(log, effect, first(s, MOMENT_FAULT_VERIFIED, "", 0));
    before(log, effect, first(s, MOMENT_KEY_GONE, "", 0));
    before(log, effect, first(s, MOMENT_QUORUM_LOST, "", 0));
    before(log, effect, first(s, MOMENT_DEMOTED, "", 0));
    for (size_t i = 0; i < story_count(s); i++) { // whom a fault kills before it has killed all is a detail of it
        const struct moment *m = story_at(s, i);
        if (m->weight > TOLD_DETAIL && (m->kind == MOMENT_SERVICE || m->kind == MOMENT_POWER) && m->t + SEC > effect->t)
            before(log, effect, m);
    }
    before(log, first(s, MOMENT_KEY_GONE, "", 0), first(s, MOMENT_KEY_TAKEN, "", effect->t));
    before(log, first(s, MOMENT_QUORUM_LOST, "", 0), first(s, MOMENT_QUORUM_BACK, "", 0));
    const struct moment *taken = first(s, MOMENT_KEY_TAKEN, "", effect->t);
    if (taken) {
        before(log, taken, first(s, MOMENT_WRITABLE, taken->node, effect->t));
        before(log, first(s, MOMENT_WRITABLE, taken->node, effect->t), first(s, MOMENT_WRITES_BACK, "", taken->t));
    }
    for (size_t i = 0; i < story_count(s); i++) { // a demotion is said before its node stops accepting writes
        const struct moment *m = story_at(s, i);
        if (m->kind == MOMENT_MANAGER && strstr(m->text, "demotes"))
            before(log, m, first(s, MOMENT_DEMOTED, m->node, m->t > SEC ? m->t - SEC : 0));
    }
}

static void the_outage_is_the_measures_one(const char *log, const struct story *s, const struct measures *m) {
    bool stop = false, back = !m->outage.present || m->outage.open;
    for (size_t i = 0; i < story_count(s); i++) {
        const struct moment *x = story_at(s, i);
        stop |= x->kind == MOMENT_WRITES_STOP && x->t == m->outage.start;
        back |= x->kind == MOMENT_WRITES_BACK && x->t == m->outage.end;
    }
    if (!back || (m->outage.present && !stop))
        fail_msg("%s: the story does not know the outage from %.6f s to %.6f s", log, (double)m->outage.start / 1e6,
                 (double)m->outage.end / 1e6);
}

static void recorded_runs_are_told_in_order_and_causes_first(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum moment_kind cause;
    } logs[] = {{"cut-by-hand", MOMENT_FAULT},
                {"leader-crash", MOMENT_FAULT},
                {"partition-leader", MOMENT_FAULT},
                {"patroni-frozen-watchdog", MOMENT_FAULT},
                {"quorum-loss", MOMENT_FAULT},
                {"switchover", MOMENT_ACT},
                {"watchdog-required-missing", MOMENT_FAULT}};
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        struct folds f = {.story = story_new(), .measure = measure_new()};
        cleanup_free char *path = xasprintf("tests/screen/logs/%s.jsonl", logs[i].name);
        assert_int_equal(run_log_read(path, fold, &f, NULL, NULL), 0);
        story_finish(f.story);
        const struct measures *m = measure_finish(f.measure);
        for (size_t k = 1; k < story_count(f.story); k++)
            assert_true(story_at(f.story, k - 1)->t <= story_at(f.story, k)->t);
        assert_string_equal(first(f.story, MOMENT_KEY_TAKEN, "", 0)->node, "n1");
        check_causes(logs[i].name, f.story, logs[i].cause);
        the_outage_is_the_measures_one(logs[i].name, f.story, m);
        story_free(f.story);
        measure_free(f.measure);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TELLER_TEST(a_standby_that_is_stuck_is_told_though_its_row_says_streaming),
        TELLER_TEST(the_first_holder_of_the_key_is_the_first_leader),
        TELLER_TEST(a_key_that_goes_before_its_lease_was_given_up_or_deleted),
        TELLER_TEST(a_key_taken_without_having_been_free_is_a_theft),
        TELLER_TEST(a_known_defect_and_the_divergence_it_makes_are_told_while_they_are_so),
        TELLER_TEST(an_old_leader_fences_itself_before_its_key_expires),
        TELLER_TEST(a_demotion_that_is_logged_when_it_is_over_is_told_so),
        TELLER_TEST(a_leader_that_writes_on_without_its_key_is_told_how_long),
        TELLER_TEST(a_short_restart_of_a_standby_is_no_silence),
        TELLER_TEST(a_lost_quorum_is_told_and_its_return),
        TELLER_TEST(another_leader_of_etcd_is_no_lost_quorum),
        TELLER_TEST(a_patroni_without_its_dcs_is_told_once_until_it_writes_its_key),
        cmocka_unit_test(recorded_runs_are_told_in_order_and_causes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
