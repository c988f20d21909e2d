// SPDX-License-Identifier: PostgreSQL
// The small parts: /proc lines, titles of PostgreSQL's processes, trees, counted cuts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "injector/net/flow_params.h"
#include "injector/net/net_cuts.h"
#include "injector/process/process.h"
#include "lab/reach/pairs.h"

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

static struct net_flow flow(int from, int to, enum switch_side side, uint16_t port, uint16_t over) {
    return (struct net_flow){.from = from, .to = to, .side = side, .port = port, .over = over, .path = NET_PATH_ALL};
}

static void cuts_are_counted_per_flow(void **state) {
    (void)state;
    struct net_cuts *c = xcalloc(1, sizeof *c);
    flow_list a = {0}, b = {0};
    const struct net_flow there = flow(0, 1, SWITCH_ANY_PORT, 0, 0), back = flow(1, 0, SWITCH_ANY_PORT, 0, 0);
    const struct net_flow request = flow(0, 1, SWITCH_TO_PORT, 2379, 0);
    flows_add(&a, &there);
    flows_add(&a, &back);
    flows_add(&a, &back); // once only
    assert_int_equal(2, a.n);
    flows_add(&b, &there);
    net_cuts_add(c, &a, NET_SILENCE);
    net_cuts_add(c, &b, NET_SILENCE);
    net_cuts_remove(c, &a, NET_SILENCE);
    assert_true(net_cuts_has(c, &there));
    assert_true(net_cuts_has(c, &request)); // a part of it
    assert_false(net_cuts_has(c, &back));
    net_cuts_remove(c, &b, NET_SILENCE);
    net_cuts_remove(c, &b, NET_SILENCE); // once too often
    assert_false(net_cuts_has(c, &there));
    net_cuts_add(c, &b, NET_SILENCE);
    assert_true(net_cuts_has(c, &there));
    net_cuts_free(c);
    VEC_DONE(&a);
    VEC_DONE(&b);
}

static void a_cut_of_one_port_cuts_nothing_else(void **state) {
    (void)state;
    const struct net_flow all = flow(0, 1, SWITCH_ANY_PORT, 0, 0), large = flow(0, 1, SWITCH_ANY_PORT, 0, 1000);
    const struct net_flow request = flow(0, 1, SWITCH_TO_PORT, 2379, 0), answer = flow(0, 1, SWITCH_FROM_PORT, 2379, 0);
    const struct net_flow larger = flow(0, 1, SWITCH_TO_PORT, 2379, 1200), back = flow(1, 0, SWITCH_TO_PORT, 2379, 0);
    assert_true(flow_covers(&all, &request));
    assert_true(flow_covers(&all, &large));
    assert_false(flow_covers(&request, &all));
    assert_false(flow_covers(&request, &answer));
    assert_false(flow_covers(&request, &back));
    assert_true(flow_covers(&large, &larger));
    assert_true(flow_covers(&request, &larger));
    assert_false(flow_covers(&larger, &large));
    assert_false(flow_covers(&large, &all));
}

// n1, n2: PostgreSQL and etcd; e1: etcd; app.
static void topology_of_four(struct topology *t) {
    static const struct {
        const char *name;
        unsigned services;
    } nodes[] = {{"n1", SERVICE_POSTGRES | SERVICE_ETCD},
                 {"n2", SERVICE_POSTGRES | SERVICE_ETCD},
                 {"e1", SERVICE_ETCD},
                 {"app", SERVICE_APP}};
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        struct node_def *d = VEC_ADD(&t->nodes);
        STR_COPY(d->name, nodes[i].name);
        (void)snprintf(d->address, sizeof d->address, "10.77.0.%zu", i + 1);
        d->services = nodes[i].services;
    }
}

static void a_path_is_who_connects_to_which_port(void **state) {
    (void)state;
    struct topology t = {0};
    struct err err = {0};
    flow_list l = {0};
    cleanup_strbuf struct strbuf text = {0};
    topology_of_four(&t);
    assert_int_equal(0, flows_add_paths(&t, 0, 1, "replication", &l, &err)); // n1 -> n2: requests and answers
    assert_int_equal(2, l.n);
    assert_int_equal(SWITCH_TO_PORT, l.items[0].side);
    assert_int_equal(SWITCH_FROM_PORT, l.items[1].side);
    assert_int_equal(5432, l.items[1].port);
    VEC_CLEAR(&l);
    assert_int_equal(0, flows_add_paths(&t, 3, 0, "sql", &l, &err)); // the application asks, n1 answers
    assert_int_equal(1, l.n);
    assert_int_equal(SWITCH_TO_PORT, l.items[0].side);
    assert_int_equal(0, flows_add_paths(&t, 0, 1, "sql", &l, &err)); // no PostgreSQL node is a client of sql
    assert_int_equal(1, l.n);
    assert_int_equal(0, flows_add_paths(&t, 2, 0, "etcd_client", &l, &err)); // e1 answers n1
    assert_int_equal(2, l.n);
    assert_int_equal(SWITCH_FROM_PORT, l.items[1].side);
    assert_int_equal(0, flows_add_paths(&t, 0, 2, "tcp/5433, 7000", &l, &err)); // ports: any node, both roles
    assert_int_equal(6, l.n);
    flows_text(&t, &l, &text);
    assert_string_equal("sql: app->n1; etcd_client: e1->n1; tcp/5433: n1->e1; tcp/7000: n1->e1", strbuf_str(&text));
    assert_true(flows_add_paths(&t, 0, 1, "etcd", &l, &err) < 0);
    assert_non_null(strstr(err.msg, "etcd_client"));
    assert_true(flows_add_paths(&t, 0, 1, "tcp/70000", &l, &err) < 0);
    VEC_DONE(&l);
    VEC_DONE(&t.nodes);
}

static void a_cut_is_described_by_what_one_types(void **state) {
    (void)state;
    struct topology t = {0};
    flow_list l = {0};
    cleanup_strbuf struct strbuf text = {0};
    topology_of_four(&t);
    const struct net_flow all = flow(0, 1, SWITCH_ANY_PORT, 0, 0), answer = flow(2, 0, SWITCH_FROM_PORT, 2379, 0);
    const struct net_flow large = flow(0, 1, SWITCH_TO_PORT, 5432, 1000);
    flows_add(&l, &all);
    flows_add(&l, &answer);
    flows_add(&l, &large);
    flows_describe(&t, &l, &text);
    assert_non_null(strstr(strbuf_str(&text), "cuts '{ 10.77.0.1 . 10.77.0.2 }'\n"));
    assert_non_null(strstr(strbuf_str(&text), "cuts_from_port '{ 10.77.0.3 . 10.77.0.1 . 2379 }'\n"));
    assert_non_null(strstr(strbuf_str(&text), "cuts_over_to_port '{ 10.77.0.1 . 10.77.0.2 . 5432 . 1001-65535 }'\n"));
    VEC_DONE(&l);
    VEC_DONE(&t.nodes);
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
        cmocka_unit_test(cuts_are_counted_per_flow),
        cmocka_unit_test(a_cut_of_one_port_cuts_nothing_else),
        cmocka_unit_test(a_path_is_who_connects_to_which_port),
        cmocka_unit_test(a_cut_is_described_by_what_one_types),
        cmocka_unit_test(pairs_are_told_briefly),
    };
    return cmocka_run_group_tests_name("parts of faults", tests, NULL, NULL);
}
