// SPDX-License-Identifier: PostgreSQL
// The rules for a record without a seal: what is no damage of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/proof/proof.h"

static void put(struct proof *p, struct event ev, usec_t t) {
    ev.t = t;
    proof_event(p, &ev);
}

static void noise(struct proof *p, usec_t t, usec_t late) {
    struct event ev = EVENT_NEW(NOISE);
    ev.u.NOISE.late_max_us = (int64_t)late;
    put(p, ev, t);
}

static void probe(struct proof *p, usec_t t) {
    struct event ev = EVENT_NEW(SQL);
    STR_COPY(ev.u.SQL.node, "n1");
    ev.u.SQL.answered = true;
    put(p, ev, t);
}

static void state(struct proof *p, usec_t t, const char *name) {
    struct event ev = EVENT_NEW(LAB_STATE);
    ev.u.LAB_STATE.state = lab_state_from(name);
    put(p, ev, t);
}

// A run of a minute, in which nothing is said from 10 s to 40 s; `told`: because the observer stood still.
static struct proof *silent_for_half_a_minute(bool told) {
    struct proof *p = proof_new();
    struct event begin = EVENT_NEW(RUN_BEGIN), node = EVENT_NEW(NODE_INFO), power = EVENT_NEW(NODE_POWER),
                 end = EVENT_NEW(RUN_END);
    STR_COPY(begin.u.RUN_BEGIN.scenario, "quiet");
    STR_COPY(node.u.NODE_INFO.node, "n1");
    STR_COPY(node.u.NODE_INFO.services, "postgres,patroni");
    STR_COPY(power.u.NODE_POWER.node, "n1");
    power.u.NODE_POWER.on = true;
    end.u.RUN_END.reason = END_REASON_COMPLETED;
    put(p, begin, 0), put(p, node, 1), put(p, power, 2);
    state(p, SEC, "ready");
    for (usec_t t = SEC; t <= 60 * SEC; t += SEC) {
        if (t > 10 * SEC && t < 40 * SEC)
            continue;
        noise(p, t, told && t == 40 * SEC ? 30 * SEC : 0);
        probe(p, t + 1);
    }
    state(p, 60 * SEC, "collecting");
    put(p, end, 61 * SEC);
    return p;
}

static bool lacks(struct proof *p, const char *plan, const char *words) {
    struct proof_folder folder = {.plan = plan};
    const struct record_proof *r = proof_finish(p, &folder);
    bool found = false;
    VEC_FOREACH (&r->missing, l)
        found |= strstr(l->text, words) != NULL;
    proof_free(p);
    return found;
}

static void a_standstill_that_is_told_is_no_hole_of_the_record(void **state) {
    (void)state;
    assert_true(lacks(silent_for_half_a_minute(false), NULL, "nothing is said of PostgreSQL on n1"));
    assert_false(lacks(silent_for_half_a_minute(true), NULL, "nothing is said of PostgreSQL on n1"));
    assert_false(lacks(silent_for_half_a_minute(true), NULL, "seconds of the host's noise"));
}

static void an_application_that_has_nothing_to_do_says_nothing(void **state) {
    (void)state;
    const char *words = "the log has no word of the application";
    assert_false(lacks(silent_for_half_a_minute(true), "{\"workload\":{\"writes_per_s\":0,\"reads_per_s\":0}}", words));
    assert_true(lacks(silent_for_half_a_minute(true), "{\"workload\":{\"writes_per_s\":0,\"reads_per_s\":5}}", words));
    assert_true(lacks(silent_for_half_a_minute(true), "{}", words));
    assert_true(lacks(silent_for_half_a_minute(true), NULL, words));
}

// The plan of a run with one expectation, and the log's word of it.
static bool is_another(const char *planned, bool inside) {
    struct proof *p = silent_for_half_a_minute(true);
    struct event ev = EVENT_NEW(EXPECT);
    ev.u.EXPECT.kind = EXPECT_WRITE_OUTAGE;
    ev.u.EXPECT.inside = inside;
    put(p, ev, 3);
    return lacks(p, planned, "the expectation 'write_outage ' is another one in the log");
}

static void a_law_that_was_expected_is_in_plan_and_log(void **state) {
    (void)state;
    const char *with = "{\"expect\":[{\"kind\":\"write_outage\",\"text\":\"\",\"inside\":true}]}",
               *without = "{\"expect\":[{\"kind\":\"write_outage\",\"text\":\"\"}]}"; // older plans don't say it
    assert_false(is_another(with, true));
    assert_true(is_another(with, false));
    assert_false(is_another(without, false));
    assert_true(is_another(without, true));
}

// Lines with a word that its set lacks, and of a kind that nobody knows: of a record that is as it was written, of one without a seal, and of one
// that is still being written.
static const struct record_proof *with_unknown(struct proof *p, enum run_seal seal, bool live) {
    struct proof_folder folder = {.live = live, .alone = true};
    folder.log =
        (struct run_read_stats){.seal = seal, .unknown = 2, .first_unknown = 7, .skipped = 1, .first_skipped = 9};
    folder.log.word = (struct event_unknown){.kind = EVENT_SERVICE, .field = "state"};
    STR_COPY(folder.log.word.word, "strated");
    folder.log.at = EVENT_NEW(RECORD_SEAL);
    return proof_finish(p, &folder);
}

static void what_is_not_understood_is_said_and_no_record_without_a_seal_is_whole_with_it(void **state) {
    (void)state;
    static const char words[] =
        "2 lines of events.jsonl hold a word that this program does not know (the first is line 7: 'strated' as "
        "state of service)",
                      kinds[] =
                          "1 line of events.jsonl is of a kind that this program does not know (the first is line 9)";
    struct proof *p = proof_new();
    const struct record_proof *r = with_unknown(p, RUN_SEAL_NONE, false);
    cleanup_strbuf struct strbuf said = {0};
    assert_int_equal(record_state(r), RECORD_DAMAGED);
    assert_non_null(strstr(r->missing.items[0].text, kinds));
    assert_non_null(strstr(r->missing.items[1].text, words));
    proof_free(p);

    p = proof_new();
    r = with_unknown(p, RUN_SEAL_TRUE, false);
    assert_int_equal(record_state(r), RECORD_WHOLE);
    assert_non_null(strstr(r->text, words));
    assert_non_null(strstr(r->text, kinds));
    record_words(r, &said); // for whoever shows no more than that
    assert_non_null(strstr(said.data, words));
    proof_free(p);

    p = proof_new();
    r = with_unknown(p, RUN_SEAL_NONE, true);
    assert_int_equal(record_state(r), RECORD_LIVE);
    assert_non_null(strstr(r->text, words));
    proof_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_standstill_that_is_told_is_no_hole_of_the_record),
        cmocka_unit_test(an_application_that_has_nothing_to_do_says_nothing),
        cmocka_unit_test(a_law_that_was_expected_is_in_plan_and_log),
        cmocka_unit_test(what_is_not_understood_is_said_and_no_record_without_a_seal_is_whole_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
