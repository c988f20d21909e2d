// SPDX-License-Identifier: PostgreSQL
// The small parts: /proc lines, titles of PostgreSQL's processes, trees, counted cuts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "injector/net_cuts.h"
#include "injector/process/process.h"

static void a_stat_line_is_read_whatever_the_name_holds(void **state) {
    (void)state;
    struct process p = {0};
    assert_true(process_parse_stat("42 (a) b (c) S 7 1 1 0 -1 4194560 1 2 3 4 10 5 0 0 20 0 1 0 991 0 0", &p));
    assert_int_equal(42, p.pid);
    assert_int_equal(7, p.ppid);
    assert_int_equal('S', p.state);
    assert_int_equal(15, p.cpu);
    assert_int_equal(991, p.start);
    assert_false(process_parse_stat("42 (cat", &p));
    assert_false(process_parse_stat("", &p));
    assert_false(process_parse_stat("42 (cat) S 7 1", &p));
}

static void postgresql_processes_are_known_by_their_title(void **state) {
    (void)state;
    static const struct {
        const char *title;
        enum pg_process process;
    } rows[] = {
        {"postgres: demo: walreceiver streaming 0/3000148", PG_WALRECEIVER},
        {"postgres: walreceiver ", PG_WALRECEIVER},
        {"postgres: demo: walsender replicator 10.77.0.12(40000) streaming 0/3000148", PG_WALSENDER},
        {"postgres: demo: startup recovering 000000010000000000000003", PG_STARTUP},
        {"postgres: checkpointer ", PG_CHECKPOINTER},
        {"postgres: demo: app app 10.77.0.20(51234) idle", PG_BACKEND},
        {"postgres: postgres postgres [local] idle", PG_BACKEND},
        {"postgres: demo: walwriter ", PG_OTHER},
        {"postgres: demo: logical replication launcher ", PG_OTHER},
        {"postgres: demo: autovacuum launcher ", PG_OTHER},
        {"postgres: demo: background writer ", PG_OTHER},
        {"/usr/lib/postgresql/15/bin/postgres", PG_OTHER},
        {"python3 walreceiver", PG_OTHER},
        {"", PG_OTHER},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (pg_process_by_title(rows[i].title) != rows[i].process)
            fail_msg("'%s' is taken for %d", rows[i].title, pg_process_by_title(rows[i].title));
}

static void a_tree_is_found_in_any_order(void **state) {
    (void)state;
    process_list all = {0}, tree = {0};
    static const int64_t pairs[][2] = {{9, 5}, {5, 3}, {3, 1}, {4, 1}, {7, 3}, {8, 4}};
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        VEC_PUSH(&all, ((struct process){.pid = pairs[i][0], .ppid = pairs[i][1]}));
    process_tree(&all, 3, &tree);
    assert_int_equal(4, tree.n); // 3, 5, 7, 9
    assert_int_equal(3, tree.items[0].pid);
    VEC_DONE(&all);
    VEC_DONE(&tree);
}

static void cuts_are_counted_per_direction(void **state) {
    (void)state;
    struct net_cuts c = {0};
    struct pair_set a = {0}, b = {0};
    pair_add(&a, 0, 1);
    pair_add(&a, 1, 0);
    pair_add(&b, 0, 1);
    net_cuts_add(&c, &a);
    net_cuts_add(&c, &b);
    net_cuts_remove(&c, &a);
    assert_true(net_cuts_has(&c, 0, 1));
    assert_false(net_cuts_has(&c, 1, 0));
    net_cuts_remove(&c, &b);
    net_cuts_remove(&c, &b); // once too often
    assert_false(net_cuts_has(&c, 0, 1));
    net_cuts_add(&c, &b);
    assert_true(net_cuts_has(&c, 0, 1));
    assert_int_equal(2, pair_count(&a));
}

static void pairs_are_told_briefly(void **state) {
    (void)state;
    struct topology t = {0};
    struct pair_set s = {0};
    cleanup_strbuf struct strbuf text = {0};
    for (int i = 0; i < 6; i++)
        (void)snprintf(VEC_ADD(&t.nodes)->name, NODE_NAME_MAX, "n%d", i + 1);
    pair_add(&s, 0, 1);
    pair_add(&s, 1, 0);
    pair_add(&s, 2, 0);
    pair_text(&t, &s, &text);
    assert_string_equal("n1<->n2, n3->n1", strbuf_str(&text));
    strbuf_clear(&text);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            if (i != j)
                pair_add(&s, i, j);
    pair_text(&t, &s, &text);
    assert_non_null(strstr(strbuf_str(&text), "and 7 more")); // 15 pairs, 8 shown
    VEC_DONE(&t.nodes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stat_line_is_read_whatever_the_name_holds),
        cmocka_unit_test(postgresql_processes_are_known_by_their_title),
        cmocka_unit_test(a_tree_is_found_in_any_order),
        cmocka_unit_test(cuts_are_counted_per_direction),
        cmocka_unit_test(pairs_are_told_briefly),
    };
    return cmocka_run_group_tests_name("parts of faults", tests, NULL, NULL);
}
