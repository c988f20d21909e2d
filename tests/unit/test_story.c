// SPDX-License-Identifier: PostgreSQL
// The story from events made by hand: each kind of moment, what is told once only, what gets its place in time later. And from recorded logs: the
// list is in order of time, and no effect stands before its cause.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/measure/measure.h"
#include "lab/record/run.h"
#include "lab/story/story.h"

struct teller {
    struct story *s;
    struct strbuf news; // what was told, in the order of telling
};

static void put(struct teller *x, const struct event *ev) {
    story_event(x->s, ev);
    for (size_t i = 0; i < story_news_count(x->s); i++) {
        const struct moment *m = story_news(x->s, i);
        strbuf_addf(&x->news, "%s%s%s%s\n", m->weight == TOLD_DETAIL ? "  " : "", m->text, *m->detail ? ": " : "",
                    m->detail);
    }
}

static struct event at(enum event_kind kind, double s) {
    struct event ev;
    memset(&ev, 0, sizeof ev);
    ev.kind = kind;
    ev.t = (usec_t)(s * 1e6);
    return ev;
}

static void node_info(struct teller *x, const char *node) {
    struct event ev = at(EVENT_NODE_INFO, 0);
    STR_COPY(ev.u.NODE_INFO.node, node);
    ev.u.NODE_INFO.postgres = ev.u.NODE_INFO.etcd = true;
    put(x, &ev);
    ev = at(EVENT_NODE_POWER, 0.1);
    STR_COPY(ev.u.NODE_POWER.node, node);
    ev.u.NODE_POWER.on = true;
    put(x, &ev);
}

static void key(struct teller *x, double t, const char *holder, int64_t created) {
    struct event ev = at(EVENT_DCS_KEY, t);
    STR_COPY(ev.u.DCS_KEY.key, "leader");
    STR_COPY(ev.u.DCS_KEY.value, holder);
    ev.u.DCS_KEY.gone = !*holder;
    ev.u.DCS_KEY.created = created;
    put(x, &ev);
}

static void lease(struct teller *x, double t, const char *holder, double renewed) {
    struct event ev = at(EVENT_DCS_LEASE, t);
    STR_COPY(ev.u.DCS_LEASE.holder, holder);
    ev.u.DCS_LEASE.renewed = (usec_t)(renewed * 1e6);
    ev.u.DCS_LEASE.ttl_s = 30;
    put(x, &ev);
}

enum probe { WRITES, STANDBY, REFUSES, SILENT };
static void sql(struct teller *x, double t, double previous, const char *node, enum probe p, int64_t timeline) {
    struct event ev = at(EVENT_SQL, t);
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = p != SILENT;
    ev.u.SQL.writable = p == WRITES;
    ev.u.SQL.in_recovery = p == STANDBY;
    ev.u.SQL.timeline = timeline;
    ev.u.SQL.previous = (usec_t)(previous * 1e6);
    STR_COPY(ev.u.SQL.error, p == SILENT ? "no server (no socket)" : p == REFUSES ? "terminating connection" : "");
    put(x, &ev);
}

static void etcd(struct teller *x, double t, const char *node, bool answered, const char *leader) {
    struct event ev = at(EVENT_DCS_MEMBER, t);
    STR_COPY(ev.u.DCS_MEMBER.node, node);
    ev.u.DCS_MEMBER.answered = answered;
    ev.u.DCS_MEMBER.leader = answered && str_eq(node, leader);
    STR_COPY(ev.u.DCS_MEMBER.id, node);
    STR_COPY(ev.u.DCS_MEMBER.leader_id, answered ? leader : "");
    put(x, &ev);
}

static void tick(struct teller *x, double from, int64_t ok, int64_t failed, double first_ok, double last_ok) {
    struct event ev = at(EVENT_CLIENT_TICK, from + 0.1);
    ev.u.CLIENT_TICK.from = (usec_t)(from * 1e6);
    ev.u.CLIENT_TICK.w_tried = 10;
    ev.u.CLIENT_TICK.w_ok = ok;
    ev.u.CLIENT_TICK.w_failed = failed;
    ev.u.CLIENT_TICK.w_first_ok = ok ? (usec_t)(first_ok * 1e6) : 0;
    ev.u.CLIENT_TICK.w_last_ok = ok ? (usec_t)(last_ok * 1e6) : 0;
    ev.u.CLIENT_TICK.w_first_ok_scheduled = ok ? (usec_t)(first_ok * 1e6) - 2000 : 0;
    ev.u.CLIENT_TICK.w_last_ok_scheduled = ok ? (usec_t)(last_ok * 1e6) - 2000 : 0;
    ev.u.CLIENT_TICK.r_tried = ev.u.CLIENT_TICK.r_ok = 1;
    put(x, &ev);
}

static void good_ticks(struct teller *x, double from, double to) {
    for (int i = 0; from + i * 0.1 < to - 0.05; i++)
        tick(x, from + i * 0.1, 10, 0, from + i * 0.1 + 0.005, from + i * 0.1 + 0.095);
}

static void bad_ticks(struct teller *x, double from, double to) {
    for (int i = 0; from + i * 0.1 < to - 0.05; i++)
        tick(x, from + i * 0.1, 0, 10, 0, 0);
}

static void service(struct teller *x, double t, const char *node, const char *name, const char *state) {
    struct event ev = at(EVENT_SERVICE, t);
    STR_COPY(ev.u.SERVICE.node, node);
    STR_COPY(ev.u.SERVICE.service, name);
    STR_COPY(ev.u.SERVICE.state, state);
    ev.u.SERVICE.signal = str_eq(state, "signalled") ? 9 : 0;
    put(x, &ev);
}

static void fault(struct teller *x, double t, const char *id, const char *phase, const char *nodes) {
    struct event ev = at(EVENT_FAULT, t);
    STR_COPY(ev.u.FAULT.id, id);
    STR_COPY(ev.u.FAULT.mechanism, "process.kill");
    STR_COPY(ev.u.FAULT.phase, phase);
    STR_COPY(ev.u.FAULT.target, "leader");
    STR_COPY(ev.u.FAULT.nodes, nodes);
    put(x, &ev);
}

static void command(struct teller *x, double t, const char *verb, const char *args) {
    struct event ev = at(EVENT_COMMAND, t);
    STR_COPY(ev.u.COMMAND.verb, verb);
    STR_COPY(ev.u.COMMAND.args, args);
    put(x, &ev);
}

static void step(struct teller *x, double t, const char *state, const char *detail) {
    struct event ev = at(EVENT_STEP, t);
    ev.u.STEP.index = 1;
    STR_COPY(ev.u.STEP.name, "elected");
    STR_COPY(ev.u.STEP.state, state);
    STR_COPY(ev.u.STEP.detail, detail);
    put(x, &ev);
}

static void log_line(struct teller *x, double t, const char *node, const char *text) {
    struct event ev = at(EVENT_LOG_LINE, t);
    STR_COPY(ev.u.LOG_LINE.node, node);
    STR_COPY(ev.u.LOG_LINE.service, "patroni");
    STR_COPY(ev.u.LOG_LINE.text, text);
    put(x, &ev);
}

static int open_lab(void **state) {
    struct teller *x = xcalloc(1, sizeof *x);
    x->s = story_new();
    struct event ev = at(EVENT_RUN_BEGIN, 0);
    ev.u.RUN_BEGIN.period_us = 10000;
    put(x, &ev);
    for (int i = 1; i <= 3; i++)
        node_info(x, i == 1 ? "n1" : i == 2 ? "n2" : "n3");
    *state = x;
    return 0;
}

static void ready(struct teller *x) {
    struct event ev = at(EVENT_LAB_STATE, 1.5);
    STR_COPY(ev.u.LAB_STATE.state, "ready");
    put(x, &ev);
    strbuf_clear(&x->news);
}

static int close_lab(void **state) {
    struct teller *x = *state;
    story_free(x->s);
    strbuf_done(&x->news);
    free(x);
    return 0;
}

#define TOLD(x, text) assert_string_equal(strbuf_str(&(x)->news), text)

static const struct moment *find(const struct story *s, const char *words) {
    for (size_t i = 0; i < story_count(s); i++)
        if (strstr(story_at(s, i)->text, words))
            return story_at(s, i);
    fail_msg("no moment says '%s'", words);
    return NULL;
}

// ---- the leader key ------------------------------------------------------------------------------------------------------

static void the_first_holder_of_the_key_is_the_first_leader(void **state) {
    struct teller *x = *state;
    key(x, 1, "n1", 4);
    ready(x);
    lease(x, 5, "n1", 4);
    key(x, 34.1, "", 0);
    key(x, 36.2, "n2", 9);
    TOLD(x, "the leader key of n1 has expired: its lease was last renewed 30.1 s before (ttl 30 s)\n"
            "n2 takes the leader key, which was free for 2.10 s\n");
    assert_string_equal(story_at(x->s, 0)->text, "n1 takes the leader key: the first leader");
    assert_string_equal(story_at(x->s, 0)->node, "n1");
}

static void a_key_that_goes_before_its_lease_was_given_up_or_deleted(void **state) {
    struct teller *x = *state;
    key(x, 1, "n1", 4);
    ready(x);
    lease(x, 5, "n1", 4);
    key(x, 14, "", 0);
    TOLD(x, "the leader key of n1 was given up or deleted: its lease would have lived 20.0 s longer (ttl 30 s)\n");
}

static void a_key_taken_without_having_been_free_is_a_theft(void **state) {
    struct teller *x = *state;
    key(x, 1, "n1", 4);
    ready(x);
    key(x, 9, "n3", 4);
    TOLD(x, "n3 TOOK THE LEADER KEY FROM n1, without the key having been free: it was written over, not deleted and "
            "made anew\n");
    assert_int_equal(find(x->s, "TOOK")->mood, MOOD_BAD);
    assert_int_equal(find(x->s, "TOOK")->kind, MOMENT_KEY_STOLEN);
    strbuf_clear(&x->news);
    key(x, 20, "n2", 8); // created anew: its deletion was missed, nobody stole it
    TOLD(x, "n2 holds the leader key instead of n3; when the key changed hands was not seen\n");
}

static void position(struct teller *x, double asked, const char *node, bool standby, lsn_t lsn) {
    struct event ev = at(EVENT_SQL, asked + 0.001);
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = true;
    ev.u.SQL.in_recovery = standby;
    ev.u.SQL.writable = !standby;
    ev.u.SQL.timeline = 2;
    ev.u.SQL.lsn = lsn;
    ev.u.SQL.replayed = standby ? lsn : 0;
    ev.u.SQL.lsn_asked = ev.u.SQL.asked = (usec_t)(asked * 1e6);
    put(x, &ev);
}

static void a_known_defect_and_the_divergence_it_makes_are_told_while_they_are_so(void **state) {
    struct teller *x = *state;
    struct event version = at(EVENT_VERSION, 0);
    STR_COPY(version.u.VERSION.component, "Patroni");
    STR_COPY(version.u.VERSION.version, "3.0.2");
    put(x, &version);
    key(x, 1, "n1", 4);
    ready(x);
    key(x, 30, "", 0);
    key(x, 32, "n3", 9);
    position(x, 33, "n3", false, 5000);
    position(x, 34, "n2", true, 5000);
    strbuf_clear(&x->news);
    key(x, 35, "n1", 9);
    TOLD(x, "n1 TOOK THE LEADER KEY FROM n3, without the key having been free: it was written over, not deleted and "
            "made anew; known defect "
            "patroni-2693: a leader whose lease has expired gets a new one and puts the leader key back "
            "unconditionally, whoever holds it now "
            "(https://github.com/patroni/patroni/pull/2693)\n");
    position(x, 36, "n1", false, 1000);
    position(x, 36.5, "n2", true, 5000);
    strbuf_clear(&x->news);
    position(x, 37.1, "n1", false, 1100);
    TOLD(x, "n2 FOLLOWS ANOTHER HISTORY than its leader n1: it had replayed to 0/1388 when n1, asked later, had "
            "written to 0/3E8: by the known "
            "defect patroni-2693\n");
    const struct moment *m = find(x->s, "FOLLOWS");
    assert_true(m->mood == MOOD_BAD && m->weight == TOLD_MAIN && m->t == (usec_t)36e6);
    story_ahead(x->s, m->t, "n2", "n1", 6000, 1100); // the measures, when the run is over: no second moment
    assert_string_equal(find(x->s, "FOLLOWS")->text,
                        "n2 FOLLOWS ANOTHER HISTORY than its leader n1: it had replayed to 0/1770 when n1, "
                        "asked later, had written to 0/44C");
    strbuf_clear(&x->news);
    position(x, 40, "n2", true, 900);
    position(x, 41, "n1", false, 1500);
    TOLD(x, "n2 follows the history of n1 again: it was rewound or rebuilt\n");
}

// ---- fencing ---------------------------------------------------------------------------------------------------------------

static void an_old_leader_fences_itself_before_its_key_expires(void **state) {
    struct teller *x = *state;
    key(x, 1, "n1", 4);
    sql(x, 1.1, 0, "n1", WRITES, 1);
    ready(x);
    lease(x, 8, "n1", 8);
    sql(x, 25.60, 25.50, "n1", REFUSES, 1);
    sql(x, 25.65, 25.60, "n1", SILENT, 0);
    log_line(x, 25.70, "n1", "INFO: demoting self because DCS is not accessible and I was a leader");
    log_line(x, 35.70, "n1", "INFO: demoting self because DCS is not accessible and I was a leader in progress");
    sql(x, 26, 25.65, "n1", STANDBY, 1);
    key(x, 38.1, "", 0);
    TOLD(x, "n1 accepts no writes any more: terminating connection\n"
            "Patroni on n1 demotes its PostgreSQL: \"demoting self because DCS is not accessible and I was a leader\"\n"
            "PostgreSQL on n1 runs as a standby, on timeline 1\n"
            "the leader key of n1 has expired: its lease was last renewed 30.1 s before (ttl 30 s); n1 had accepted no "
            "writes for 12.50 s\n");
    const struct moment *fall = find(x->s, "accepts no writes"), *cause = find(x->s, "demotes");
    assert_string_equal(fall->detail, "12.50 s before its leader key expired"); // known later, and told in its place
    assert_int_equal(fall->error, 100 * MSEC);
    assert_true(cause->t <= fall->t); // the line was read after what it caused was seen
}

static void a_demotion_that_is_logged_when_it_is_over_is_told_so(void **state) {
    struct teller *x = *state;
    key(x, 1, "n1", 4);
    sql(x, 1.1, 0, "n1", WRITES, 1);
    ready(x);
    sql(x, 5, 4.9, "n1", REFUSES, 1);
    struct event ev = at(EVENT_LOG_LINE, 5.07);
    STR_COPY(ev.u.LOG_LINE.node, "n1");
    STR_COPY(ev.u.LOG_LINE.service, "patroni");
    STR_COPY(ev.u.LOG_LINE.text, "INFO: demoting self because I do not have the lock and I was a leader");
    ev.u.LOG_LINE.read = ev.t + 90 * MSEC; // it carries its time of writing
    put(x, &ev);
    TOLD(x, "n1 accepts no writes any more: terminating connection\n"
            "Patroni on n1 has demoted its PostgreSQL: \"demoting self because I do not have the lock and I was a "
            "leader\"\n");
    assert_int_equal(find(x->s, "has demoted")->t, 5070 * MSEC);
}

static void a_leader_that_writes_on_without_its_key_is_told_how_long(void **state) {
    struct teller *x = *state;
    key(x, 1, "n1", 4);
    sql(x, 1.1, 0, "n1", WRITES, 1);
    ready(x);
    key(x, 30, "", 0);
    key(x, 32, "n2", 9);
    sql(x, 32.5, 32.4, "n2", WRITES, 2);
    sql(x, 33, 32.9, "n1", STANDBY, 1);
    assert_non_null(strstr(strbuf_str(&x->news), "n2 ACCEPTS WRITES BESIDE n1, on timeline 2\n"));
    assert_non_null(
        strstr(strbuf_str(&x->news),
               "n1 accepts no writes any more: it is a standby now: 3.00 s AFTER it had lost the leader key\n"));
    assert_int_equal(find(x->s, "BESIDE")->mood, MOOD_BAD);
}

static void a_short_restart_of_a_standby_is_no_silence(void **state) {
    struct teller *x = *state;
    ready(x);
    sql(x, 2, 0, "n3", STANDBY, 1);
    sql(x, 3, 2.9, "n3", SILENT, 0);
    sql(x, 4, 3.9, "n3", STANDBY, 1);
    TOLD(x, "");
    sql(x, 10, 9.9, "n3", SILENT, 0);
    sql(x, 11, 10.9, "n3", SILENT, 0);
    sql(x, 12, 11.9, "n3", SILENT, 0);
    TOLD(x, "PostgreSQL on n3 does not answer: no server (no socket)\n");
    assert_int_equal(find(x->s, "does not answer")->t, 10 * SEC);
}

// ---- etcd ------------------------------------------------------------------------------------------------------------------

static void a_lost_quorum_is_told_and_its_return(void **state) {
    struct teller *x = *state;
    for (int i = 1; i <= 3; i++)
        etcd(x, 1, i == 1 ? "n1" : i == 2 ? "n2" : "n3", true, "n2");
    ready(x);
    etcd(x, 6, "n2", false, "");
    etcd(x, 6.001, "n3", false, "");
    etcd(x, 7, "n1", true, "");
    etcd(x, 37, "n2", true, "");
    etcd(x, 38, "n2", true, "n2");
    etcd(x, 38.5, "n1", true, "n2");
    TOLD(x, "etcd has lost its quorum: 1 of 3 members answers, so nobody can renew or take the leader key\n"
            "etcd has a quorum again after 32.50 s: n2 leads it\n");
}

static void another_leader_of_etcd_is_no_lost_quorum(void **state) {
    struct teller *x = *state;
    for (int i = 1; i <= 3; i++)
        etcd(x, 1, i == 1 ? "n1" : i == 2 ? "n2" : "n3", true, "n2");
    ready(x);
    etcd(x, 6, "n2", false, "");
    etcd(x, 6.5, "n1", true, "");
    etcd(x, 7, "n3", true, "");
    etcd(x, 7.6, "n1", true, "n1");
    etcd(x, 7.7, "n3", true, "n1");
    TOLD(x, "etcd has lost its leader n2: 2 of 3 members answer and elect another\n"
            "n1 leads etcd now (before: n2)\n");
}

static void a_patroni_without_its_dcs_is_told_once_until_it_writes_its_key(void **state) {
    struct teller *x = *state;
    ready(x);
    log_line(x, 10, "n1", "ERROR: Error communicating with DCS");
    log_line(x, 20, "n1", "ERROR: Error communicating with DCS");
    struct event ev = at(EVENT_DCS_KEY, 30);
    STR_COPY(ev.u.DCS_KEY.key, "members/n1");
    STR_COPY(ev.u.DCS_KEY.value, "{}");
    put(x, &ev);
    TOLD(x, "Patroni on n1 can't reach etcd\nPatroni on n1 reaches etcd again\n");
}

// ---- the application --------------------------------------------------------------------------------------------------------

static size_t count(const struct story *s, enum moment_kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < story_count(s); i++)
        n += story_at(s, i)->kind == kind;
    return n;
}

static void every_outage_is_told_with_its_length_and_resolution(void **state) {
    struct teller *x = *state;
    ready(x);
    good_ticks(x, 2, 4);
    bad_ticks(x, 4, 5);
    good_ticks(x, 5, 8);
    bad_ticks(x, 8, 11);
    good_ticks(x, 11, 13);
    story_finish(x->s);
    assert_int_equal(count(x->s, MOMENT_WRITES_STOP), 2);
    assert_int_equal(count(x->s, MOMENT_WRITES_BACK), 2);
    const struct moment *a = find(x->s, "writes are back after 1.01 s"),
                        *b = find(x->s, "writes are back after 3.01 s");
    assert_int_equal(a->error, 12 * MSEC); // one period and the way of a write
    assert_int_equal(b->error, 12 * MSEC);
    assert_true(a->t == 5005 * MSEC && b->t == 11005 * MSEC);
}

static void writes_that_come_back_for_a_moment_do_not_end_an_outage(void **state) {
    struct teller *x = *state;
    ready(x);
    good_ticks(x, 2, 4);
    bad_ticks(x, 4, 5);
    good_ticks(x, 5, 5.5);
    bad_ticks(x, 5.5, 7);
    good_ticks(x, 7, 9);
    assert_int_equal(count(x->s, MOMENT_WRITES_STOP), 1);
    assert_non_null(find(x->s, "writes are back after 3.01 s"));
    assert_int_equal(find(x->s, "but only for")->weight, TOLD_DETAIL);
}

static void a_hiccup_is_no_outage_unless_a_write_of_it_failed(void **state) {
    struct teller *x = *state;
    ready(x);
    good_ticks(x, 2, 4);
    tick(x, 4, 0, 0, 0, 0);
    tick(x, 4.1, 10, 0, 4.12, 4.19);
    good_ticks(x, 4.2, 8);
    assert_int_equal(count(x->s, MOMENT_WRITES_STOP), 0);
    tick(x, 8, 0, 0, 0, 0);
    tick(x, 8.1, 10, 0, 8.12, 8.19);
    good_ticks(x, 8.2, 9);
    tick(x, 9, 9, 1, 9.01, 9.09); // given up at its deadline
    assert_int_equal(count(x->s, MOMENT_WRITES_STOP), 1);
    assert_int_equal(find(x->s, "after it WRITES STOP")->t, 7995 * MSEC);
}

static void an_outage_to_the_end_is_told_at_the_end(void **state) {
    struct teller *x = *state;
    ready(x);
    good_ticks(x, 2, 4);
    bad_ticks(x, 4, 7);
    story_finish(x->s);
    assert_string_equal(story_at(x->s, story_count(x->s) - 1)->text,
                        "writes still failed when the application stopped, after 2.90 s");
}

static void reads_that_stop_are_told(void **state) {
    struct teller *x = *state;
    ready(x);
    good_ticks(x, 2, 3);
    for (int i = 0; i < 10; i++) {
        struct event ev = at(EVENT_CLIENT_TICK, 3.1 + i * 0.1);
        ev.u.CLIENT_TICK.from = ev.t - 100 * MSEC;
        ev.u.CLIENT_TICK.r_tried = 5;
        put(x, &ev);
    }
    good_ticks(x, 4, 4.3);
    assert_int_equal(find(x->s, "READS STOP")->t, 3 * SEC);
    assert_non_null(find(x->s, "reads are back after 1.00 s"));
}

// ---- people and daemons ----------------------------------------------------------------------------------------------------

static void a_daemon_that_no_fault_killed_is_blamed_on_nobody_of_ours(void **state) {
    struct teller *x = *state;
    service(x, 1, "n2", "patroni", "started");
    service(x, 1, "n1", "patroni", "started");
    ready(x);
    command(x, 10, "exec", "n2 pkill -9 patroni");
    service(x, 10.1, "n2", "patroni", "signalled");
    TOLD(x, "somebody enters n2 (bascule exec): pkill -9 patroni\n"
            "patroni on n2 has ended: killed by signal 9: no fault and no act of this run explains it; somebody was "
            "inside the machine\n");
    assert_int_equal(find(x->s, "has ended")->mood, MOOD_BAD);
    strbuf_clear(&x->news);
    fault(x, 20, "kill", "asked", "n1");
    fault(x, 20.01, "kill", "effective", "n1");
    service(x, 20.011, "n1", "patroni", "signalled");
    service(x, 30, "n1", "patroni", "started");
    TOLD(x, "  injecting process.kill on leader, which is n1\n"
            "fault: process.kill on leader, which is n1\n"
            "  patroni on n1 has ended: killed by signal 9\n"
            "patroni on n1 runs again\n");
}

static void what_dies_with_the_lab_is_no_story(void **state) {
    struct teller *x = *state;
    service(x, 1, "n2", "patroni", "started");
    ready(x);
    struct event ev = at(EVENT_LAB_STATE, 9);
    STR_COPY(ev.u.LAB_STATE.state, "stopping");
    put(x, &ev);
    service(x, 9.1, "n2", "patroni", "signalled");
    TOLD(x, "");
}

static void holds_and_waits_are_told(void **state) {
    struct teller *x = *state;
    ready(x);
    command(x, 3, "hold", "");
    command(x, 5, "go", "");
    step(x, 6, "waiting", "for 'leader changed': the leader key is still held by n1");
    step(x, 16, "started", "");
    TOLD(x,
         "somebody holds the scenario: no step begins until `bascule next` or `bascule go`\n"
         "somebody lets the scenario go on by itself\n"
         "  step elected is waiting: for 'leader changed': the leader key is still held by n1\n"
         "step elected has waited 10.00 s for 'leader changed': when it began: the leader key is still held by n1\n");
}

static void a_setting_that_changes_while_the_lab_runs_is_told(void **state) {
    struct teller *x = *state;
    struct event ev = at(EVENT_CONFIG, 1);
    STR_COPY(ev.u.CONFIG.key, "patroni.ttl");
    STR_COPY(ev.u.CONFIG.value, "30");
    put(x, &ev);
    ready(x);
    ev.t = 5 * SEC;
    put(x, &ev);
    STR_COPY(ev.u.CONFIG.value, "20");
    put(x, &ev);
    TOLD(x, "setting patroni.ttl is 20 now (before: 30)\n");
}

static void proxy(struct teller *x, double t, const char *server, const char *state) {
    struct event ev = at(EVENT_PROXY, t);
    STR_COPY(ev.u.PROXY.node, "app");
    STR_COPY(ev.u.PROXY.backend, "primary");
    STR_COPY(ev.u.PROXY.server, server);
    STR_COPY(ev.u.PROXY.state, state);
    put(x, &ev);
}

static void where_a_proxy_sends_to_is_told(void **state) {
    struct teller *x = *state;
    proxy(x, 1, "n1", "UP");
    proxy(x, 1, "n2", "DOWN");
    ready(x);
    proxy(x, 5, "n1", "UP 1/2");
    proxy(x, 6, "n1", "DOWN");
    proxy(x, 7, "n1", "DOWN");
    proxy(x, 9, "n2", "UP");
    TOLD(x, "HAProxy on app no longer sends to n1 for primary\nHAProxy on app sends to n2 for primary\n");
}

static void sync_key(struct teller *x, double t, const char *value) {
    struct event ev = at(EVENT_DCS_KEY, t);
    STR_COPY(ev.u.DCS_KEY.key, "sync");
    STR_COPY(ev.u.DCS_KEY.value, value);
    put(x, &ev);
}

static void another_synchronous_standby_is_told(void **state) {
    struct teller *x = *state;
    sync_key(x, 1, "{\"leader\":\"n1\",\"sync_standby\":\"n2\"}");
    ready(x);
    sync_key(x, 2, "{\"leader\":\"n1\",\"sync_standby\":\"n2\"}");
    sync_key(x, 5, "{\"leader\":\"n1\",\"sync_standby\":\"n3\"}");
    sync_key(x, 9, "{\"leader\":\"n1\",\"sync_standby\":null}");
    TOLD(x, "synchronous standby by the DCS: n3 (before: n2)\nthe DCS names no synchronous standby any more (before: "
            "n3)\n");
}

static void an_effect_is_never_told_before_its_fault(void **state) {
    struct teller *x = *state;
    sql(x, 1.1, 0, "n1", WRITES, 1);
    ready(x);
    fault(x, 4.00, "kill", "asked", "n1");
    sql(x, 4.01, 4.0, "n1", SILENT, 0); // seen before the injector saw the exit
    fault(x, 4.03, "kill", "effective", "n1");
    service(x, 4.005, "n1", "postgres", "signalled"); // told later, with its own time
    const struct moment *bite = find(x->s, "fault: process.kill"), *fall = find(x->s, "accepts no writes");
    assert_true(bite->t <= fall->t && bite->t == 4005 * MSEC && bite->error == 5 * MSEC);
    bool bitten = false;
    for (size_t i = 0; i < story_count(x->s); i++) {
        const struct moment *m = story_at(x->s, i);
        bitten |= m == bite;
        assert_true(bitten || (m->kind != MOMENT_DEMOTED && m->kind != MOMENT_SERVICE));
        assert_true(i == 0 || story_at(x->s, i - 1)->t <= m->t);
    }
}

static void faults_by_hand_and_failed_ones_say_so(void **state) {
    struct teller *x = *state;
    ready(x);
    fault(x, 2, "hand-1", "asked", "n1");
    fault(x, 2.1, "hand-1", "effective", "n1");
    fault(x, 2.2, "hand-1", "unverified", "n1");
    fault(x, 3, "hand-1", "heal_asked", "n1");
    fault(x, 3.1, "hand-1", "healed", "n1");
    fault(x, 4, "two", "asked", "n1");
    fault(x, 4.1, "two", "failed", "n1");
    TOLD(x, "  injecting process.kill on leader, which is n1, by hand\n"
            "fault by hand: process.kill on leader, which is n1\n"
            "NOT VERIFIED: process.kill on n1\n"
            "  healing process.kill on n1\n"
            "healed: process.kill on n1\n"
            "  injecting process.kill on leader, which is n1\n"
            "injection FAILED: process.kill on leader, which is n1\n");
}

static void a_long_story_forgets_details_first(void **state) {
    struct teller *x = *state;
    ready(x);
    command(x, 2, "hold", "");
    for (int i = 0; i < 3 * STORY_MOST; i++) {
        struct event ev = at(EVENT_PROGRESS, 3 + i * 0.001);
        (void)snprintf(ev.u.PROGRESS.text, sizeof ev.u.PROGRESS.text, "line %d", i);
        story_event(x->s, &ev);
    }
    assert_true(story_count(x->s) <= STORY_MOST);
    assert_non_null(find(x->s, "somebody holds"));
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

static void check_causes(const char *log, const struct story *s) {
    const struct moment *effect = first(s, MOMENT_FAULT, "", 0);
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
        if (m->kind == MOMENT_PATRONI && strstr(m->text, "demotes"))
            before(log, m, first(s, MOMENT_DEMOTED, m->node, m->t > SEC ? m->t - SEC : 0));
    }
}

static void the_outage_is_the_measures_one(const char *log, const struct story *s, const struct measures *m) {
    bool stop = false, back = !m->outage || m->outage_open;
    for (size_t i = 0; i < story_count(s); i++) {
        const struct moment *x = story_at(s, i);
        stop |= x->kind == MOMENT_WRITES_STOP && x->t == m->outage_start;
        back |= x->kind == MOMENT_WRITES_BACK && x->t == m->outage_end;
    }
    if (!back || (m->outage && !stop))
        fail_msg("%s: the story does not know the outage from %.6f s to %.6f s", log, (double)m->outage_start / 1e6,
                 (double)m->outage_end / 1e6);
}

static void recorded_runs_are_told_in_order_and_causes_first(void **state) {
    (void)state;
    static const char *const logs[] = {"cut-by-hand",      "leader-crash",
                                       "partition-leader", "patroni-frozen-watchdog",
                                       "quorum-loss",      "watchdog-required-missing"};
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        struct folds f = {.story = story_new(), .measure = measure_new()};
        cleanup_free char *path = xasprintf("tests/screen/logs/%s.jsonl", logs[i]);
        assert_int_equal(run_log_read(path, fold, &f, NULL, NULL), 0);
        story_finish(f.story);
        const struct measures *m = measure_finish(f.measure);
        for (size_t k = 1; k < story_count(f.story); k++)
            assert_true(story_at(f.story, k - 1)->t <= story_at(f.story, k)->t);
        assert_string_equal(first(f.story, MOMENT_KEY_TAKEN, "", 0)->node, "n1");
        check_causes(logs[i], f.story);
        the_outage_is_the_measures_one(logs[i], f.story, m);
        story_free(f.story);
        measure_free(f.measure);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_lab, close_lab)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_holder_of_the_key_is_the_first_leader),
        TEST(a_key_that_goes_before_its_lease_was_given_up_or_deleted),
        TEST(a_key_taken_without_having_been_free_is_a_theft),
        TEST(a_known_defect_and_the_divergence_it_makes_are_told_while_they_are_so),
        TEST(an_old_leader_fences_itself_before_its_key_expires),
        TEST(a_demotion_that_is_logged_when_it_is_over_is_told_so),
        TEST(a_leader_that_writes_on_without_its_key_is_told_how_long),
        TEST(a_short_restart_of_a_standby_is_no_silence),
        TEST(a_lost_quorum_is_told_and_its_return),
        TEST(another_leader_of_etcd_is_no_lost_quorum),
        TEST(a_patroni_without_its_dcs_is_told_once_until_it_writes_its_key),
        TEST(every_outage_is_told_with_its_length_and_resolution),
        TEST(writes_that_come_back_for_a_moment_do_not_end_an_outage),
        TEST(a_hiccup_is_no_outage_unless_a_write_of_it_failed),
        TEST(an_outage_to_the_end_is_told_at_the_end),
        TEST(reads_that_stop_are_told),
        TEST(a_daemon_that_no_fault_killed_is_blamed_on_nobody_of_ours),
        TEST(what_dies_with_the_lab_is_no_story),
        TEST(holds_and_waits_are_told),
        TEST(a_setting_that_changes_while_the_lab_runs_is_told),
        TEST(where_a_proxy_sends_to_is_told),
        TEST(another_synchronous_standby_is_told),
        TEST(an_effect_is_never_told_before_its_fault),
        TEST(faults_by_hand_and_failed_ones_say_so),
        TEST(a_long_story_forgets_details_first),
        cmocka_unit_test(recorded_runs_are_told_in_order_and_causes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
