// SPDX-License-Identifier: PostgreSQL
// Each expectation of each kind, met and not met, as a tired trainee reads it: what there is, never the denial of a denial.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/measure/fold.h"
#include "lab/plan/plan.h"
#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

static void every_kind_of_expectation_has_words(void **state) {
    (void)state;
    for (unsigned i = EXPECT_NONE + 1; i < EXPECT_UNKNOWN; i++)
        if (!words_known((enum expect_kind)i))
            fail_msg("%s has no words: lab/measure/words.c", expect_kind_name((enum expect_kind)i));
}

// One reading of one kind, told. limit: as the author wrote it, NULL = none at all, as for what is expected of every run.
struct telling {
    const char *kind, *limit;
    double value;
    const char *text;
    bool unknown, sentence;
    const char *told;
};

static void what_was_found_is_a_sentence_of_its_own(void **state) {
    (void)state;
    static const struct telling table[] = {
        {"write_outage", "<= 34s", 41e6, "41.00 s",
         .told = "the application could not write for 41.00 s (expected: write_outage <= 34s)"},
        {"write_outage", "<= 34s", 0, "0 ms",
         .told = "the application could write all the time (expected: write_outage <= 34s)"},
        {"read_outage", "<= 1s", 2e6, "2.00 s",
         .told = "the application could not read for 2.00 s (expected: read_outage <= 1s)"},
        {"recovery", "at most 20s", 28e6, "28.00 s",
         .told = "the application could write again 28.00 s after the fault (expected: recovery at most 20s)"},
        {"lost_writes", "0", 3599, "3599", .told = "3599 acknowledged writes are lost (expected: lost_writes 0)"},
        {"lost_writes", NULL, 3599, "3599", .told = "3599 acknowledged writes are lost"},
        {"lost_writes", NULL, 1, "1", .told = "1 acknowledged write is lost"},
        {"lost_writes", ">= 1", 0, "0", .told = "no acknowledged write is lost (expected: lost_writes >= 1)"},
        {"local_only_writes", NULL, 2, "2", .told = "2 writes were acknowledged without their synchronous standby"},
        {"local_only_lost", NULL, 2, "2",
         .told = "2 writes that were acknowledged without their synchronous standby are lost"},
        {"unexpected_writes", NULL, 2, "2", .told = "2 writes that failed are in the table all the same"},
        {"duplicated_writes", NULL, 1, "1", .told = "1 write is in the table more than once"},
        {"foreign_rows", NULL, 7198, "7198", .told = "the standbys have 7198 rows that their leader lacks"},
        {"diverged_nodes", "0", 2, "2", .told = "2 nodes follow another history (expected: diverged_nodes 0)"},
        {"split_brain", NULL, 26e3, "26 ms", .told = "two nodes accepted writes at the same time for 26 ms"},
        {"rejoin", "<= 45s", 60e6, "60.00 s",
         .told = "the cluster was healthy again 60.00 s after writes were back or the fault was healed (expected: "
                 "rejoin <= 45s)"},
        {"write_availability", ">= 90%", 70.5, "70.50 %",
         .told = "writes succeeded for 70.50 % of the time (expected: write_availability >= 90%)"},
        {"read_availability", ">= 90%", 0, "0.00 %",
         .told = "reads succeeded at no time (expected: read_availability >= 90%)"},
        {"new_leader", "no", 1, "n2 became the leader after n1", .sentence = true,
         .told = "n2 became the leader after n1 (expected: new_leader no)"},
        {"lost_writes", "0", 0, "there is no ledger of the writes", .unknown = true,
         .told = "whether acknowledged writes are lost is not known: there is no ledger of the writes (expected: "
                 "lost_writes 0)"},
        {"split_brain", NULL, 0, "no direct probe of any PostgreSQL", .unknown = true,
         .told = "whether two nodes accepted writes at the same time is not known: no direct probe of any PostgreSQL"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const struct telling *t = &table[i];
        struct measures o = {0};
        struct expectation x = {.has_max = true};
        struct reading r = {.known = !t->unknown, .sentence = t->sentence, .value = t->value};
        char told[EVENT_TEXT_MAX];
        x.kind = expect_kind_from(t->kind);
        STR_COPY(x.text, t->limit ? t->limit : "");
        STR_COPY(r.text, t->text);
        words_outcome(&o, &x, &r, told, sizeof told);
        assert_string_equal(told, t->told);
    }
}

// n3 holds rows that n2, the leader, lacks; acknowledged ones among them.
static void a_loss_is_told_with_what_it_comes_from(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    world_expect(&r.w, "lost_writes", -1, 0);
    run_rows(&r, "n2", "1-690,3591-4100");
    run_rows(&r, "n3", "1-702,3591-4100");
    run_fold(&r, true);
    assert_string_equal(run_expected(&r, "lost_writes")->text,
                        "10 acknowledged writes are lost; n3 follows another history");
    assert_string_equal(
        run_expected(&r, "foreign_rows")->text,
        "n3 follows another history: it has 12 rows that n2, the leader, has not; 10 acknowledged writes are lost");
    assert_string_equal(r.o->reason, "10 acknowledged writes are lost; n3 follows another history");
    run_end(&r);
}

// The same where the scenario limits no loss: what is expected of every run fails, and the headline is the loss all the same.
static void the_headline_is_the_loss(void **state) {
    (void)state;
    struct run r;
    run_crash(&r);
    world_build(&r.w);
    run_rows(&r, "n2", "1-690,3591-4100");
    run_rows(&r, "n3", "1-702,3591-4100");
    run_fold(&r, true);
    assert_int_equal(r.o->verdict, VERDICT_FAIL);
    assert_string_equal(r.o->reason, "10 acknowledged writes are lost; n3 follows another history");
    run_end(&r);
}

static void nothing_lost_tells_nothing(void **state) {
    (void)state;
    struct run r;
    cleanup_strbuf struct strbuf text = {0};
    run_crash(&r);
    world_build(&r.w);
    run_fold(&r, true);
    assert_false(measure_loss_text(r.o, &text));
    assert_int_equal(text.len, 0);
    run_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_expectation_has_words),
        cmocka_unit_test(what_was_found_is_a_sentence_of_its_own),
        cmocka_unit_test(a_loss_is_told_with_what_it_comes_from),
        cmocka_unit_test(the_headline_is_the_loss),
        cmocka_unit_test(nothing_lost_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
