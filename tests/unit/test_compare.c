// SPDX-License-Identifier: PostgreSQL
// Runs beside each other: a difference is a result only where both records are.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/base/json.h"
#include "lab/report/compare.h"
#include "test_measure_world.h"

static const struct report_style plain = {.width = 80};

// Two crashes; the second one's writes come back two seconds later. The records are what the caller says.
struct pair {
    struct run a, b;
    compare_list runs;
};

static void open_pair(struct pair *p, const struct record_proof *a, const struct record_proof *b) {
    *p = (struct pair){0};
    run_crash(&p->a);
    run_crash(&p->b);
    p->b.w.writes_back += 2 * SEC;
    struct run *both[] = {&p->a, &p->b};
    const struct record_proof *records[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        struct measures *m;
        world_build(&both[i]->w);
        run_fold(both[i], true);
        m = (struct measures *)both[i]->o; // the world has no record of its own
        m->run.record = records[i];
        VEC_PUSH(&p->runs, ((struct compare_run){.name = i ? "second" : "first", .m = m}));
    }
}

static void close_pair(struct pair *p) {
    VEC_DONE(&p->runs);
    run_end(&p->a);
    run_end(&p->b);
}

static void has(const struct strbuf *text, const char *words) {
    if (!strstr(strbuf_str(text), words))
        fail_msg("no '%s' in:\n%s", words, strbuf_str(text));
}

static void lacks(const struct strbuf *text, const char *words) {
    if (strstr(strbuf_str(text), words))
        fail_msg("'%s' in:\n%s", words, strbuf_str(text));
}

static const struct record_proof whole = {.sealed = true, .complete = true, .text = "sealed, and whole"},
                                 unsealed = {.complete = true, .text = "no seal (the run was killed)"},
                                 live = {.live = true, .text = "being written: the lab is still running"};

static void two_whole_records_have_differences(void **state) {
    (void)state;
    struct pair p;
    cleanup_strbuf struct strbuf text = {0};
    open_pair(&p, &whole, &whole);
    compare_text(&p.runs, &plain, &text);
    has(&text, "+2.00 s");
    has(&text, "  detect                      26.30 s     26.30 s same (+-");
    lacks(&text, "the record");
    lacks(&text, "no result");
    lacks(&text, "A!");
    close_pair(&p);
}

static void a_record_without_a_seal_is_named_and_compared(void **state) {
    (void)state;
    struct pair p;
    cleanup_strbuf struct strbuf text = {0};
    open_pair(&p, &whole, &unsealed);
    compare_text(&p.runs, &plain, &text);
    has(&text, "B  second  ");
    has(&text, "? the record: no seal (the run was killed)");
    has(&text, "+2.00 s");
    close_pair(&p);
}

static void no_difference_to_a_damaged_record_is_a_result(void **state) {
    (void)state;
    struct record_lack lacking[] = {{"ledger.bin is missing"}, {"3 lines can't be read"}};
    const struct record_proof damaged = {.text = "DAMAGED, and without a seal",
                                         .missing = {.items = lacking, .n = 2, .cap = 2}};
    const struct {
        const struct record_proof *a, *b;
        const char *heads;
    } table[] = {{&damaged, &whole, "A!           B         B - A"},
                 {&whole, &damaged, "A          B!         B - A"},
                 {&damaged, &unsealed, "A!           B         B - A"},
                 {&live, &whole, "A!           B         B - A"}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct pair p;
        cleanup_strbuf struct strbuf text = {0}, json = {0};
        open_pair(&p, table[i].a, table[i].b);
        compare_text(&p.runs, &plain, &text);
        has(&text, table[i].heads);
        has(&text, "  write outage                28.91 s     30.91 s     no result");
        has(&text, "! The record of a run marked so is damaged, or not over");
        lacks(&text, "+2.00 s");
        lacks(&text, "same (");
        if (i < 3)
            has(&text, "! the record: DAMAGED, and without a seal: ledger.bin is missing; and 1 more");
        compare_json(&p.runs, &json);
        cleanup_json cJSON *root = cJSON_Parse(strbuf_str(&json));
        const cJSON *runs = cJSON_GetObjectItem(root, "runs");
        bool a_counts = table[i].a == &whole;
        assert_true(cJSON_IsFalse(cJSON_GetObjectItem(root, "result")));
        const cJSON *a = cJSON_GetArrayItem(runs, 0), *b = cJSON_GetArrayItem(runs, 1);
        assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(a, "result")), a_counts);
        assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(b, "result")), !a_counts);
        const cJSON *missing = cJSON_GetObjectItem(cJSON_GetObjectItem(a_counts ? b : a, "record"), "missing");
        assert_int_equal(cJSON_GetArraySize(missing), i < 3 ? 2 : 0);
        close_pair(&p);
    }
}

static void json_of_whole_records_says_so(void **state) {
    (void)state;
    struct pair p;
    cleanup_strbuf struct strbuf json = {0};
    open_pair(&p, &whole, NULL); // NULL: nobody asked
    compare_json(&p.runs, &json);
    cleanup_json cJSON *root = cJSON_Parse(strbuf_str(&json));
    const cJSON *runs = cJSON_GetObjectItem(root, "runs");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(root, "result")));
    assert_true(
        cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetArrayItem(runs, 0), "record"), "sealed")));
    assert_null(cJSON_GetObjectItem(cJSON_GetArrayItem(runs, 1), "record"));
    close_pair(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_whole_records_have_differences),
        cmocka_unit_test(a_record_without_a_seal_is_named_and_compared),
        cmocka_unit_test(no_difference_to_a_damaged_record_is_a_result),
        cmocka_unit_test(json_of_whole_records_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
