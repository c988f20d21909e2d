// SPDX-License-Identifier: PostgreSQL
// The table, its checks, and docs/faults.md. `test_fault_catalogue --write` makes the page again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "injector/catalogue.h"
#include "injector/injector.h"
#include "lab/base/fs.h"
#include "lab/record/old_names.h"

static struct topology topology;

static void add_node(const char *name, unsigned services) {
    struct node_def *d = VEC_ADD(&topology.nodes);
    STR_COPY(d->name, name);
    d->services = services;
}

static int setup(void **state) {
    (void)state;
    static char name[] = "patroni-3";
    topology.name = name;
    add_node("n1", SERVICE_POSTGRES | SERVICE_ETCD);
    add_node("n2", SERVICE_POSTGRES);
    add_node("app", SERVICE_APP);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    VEC_DONE(&topology.nodes);
    return 0;
}

static void every_row_is_complete(void **state) {
    (void)state;
    size_t n;
    const struct fault_ops *const *rows = fault_catalogue(&n);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        const struct fault_ops *f = rows[i];
        assert_non_null(f->about.name);
        assert_false(str_empty(f->about.summary) || str_empty(f->mechanism) || str_empty(f->still_works));
        assert_false(str_empty(f->exercises) || str_empty(f->needs));
        assert_true(f->inject && f->verify && f->heal && f->verify_healed && f->describe && f->done);
        assert_ptr_equal(f, fault_find(f->about.name));
        assert_int_equal(f->errand != NULL, f->inject == errand_inject);
        for (const struct mechanism_param *p = f->about.params; p && p->name; p++)
            assert_false(str_empty(p->kind) || str_empty(p->help));
    }
    assert_null(fault_find("crash-primary"));
}

static void the_vocabulary_holds_faults_and_actions(void **state) {
    (void)state;
    static const char *const actions[] = {"cluster.switchover",   "process.resume",   "node.power_on",
                                          "service.start",        "cluster.failover", "dcs.compact",
                                          "postgres.pause_replay"};
    const struct vocabulary *v = fault_vocabulary();
    size_t n_faults, n_actions;
    (void)fault_catalogue(&n_faults);
    (void)action_rows(&n_actions);
    assert_int_equal(n_faults + n_actions, v->n);
    for (size_t k = 0; k < ARRAY_SIZE(actions); k++) {
        size_t found = 0;
        for (size_t i = 0; i < v->n; i++)
            found += str_eq(v->mechanisms[i].name, actions[k]) && v->mechanisms[i].action;
        assert_int_equal(1, found);
    }
}

static void an_old_name_leads_to_the_row_of_today(void **state) {
    (void)state;
    static const char *const acts[] = {"switchover", "failover", "restart",     "reload",  "reinit",
                                       "pause",      "resume",   "edit_config", "set_tags"};
    const struct vocabulary *v = fault_vocabulary();
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
        cleanup_free char *then = xasprintf("patroni.%s", acts[i]), *now = xasprintf("cluster.%s", acts[i]);
        const struct mechanism *m = vocabulary_find(v, then);
        assert_non_null(m);
        assert_string_equal(m->name, now);
        assert_ptr_equal(m, vocabulary_find(v, now));
        assert_non_null(action_find(then));
        assert_ptr_equal(action_find(then), action_find(now));
        assert_string_equal(old_name_then(now), then);
    }
    for (size_t i = 0; i < v->n; i++) // and nobody writes one any more
        assert_string_equal(old_name_now(v->mechanisms[i].name), v->mechanisms[i].name);
    assert_string_equal(vocabulary_nearest(v, "cluster.swichover"), "cluster.switchover");
    assert_string_equal(vocabulary_nearest(v, "patroni.swichover"), "cluster.switchover");
    assert_string_equal(vocabulary_nearest(v, "net.drp"), "net.drop");
    assert_null(vocabulary_nearest(v, "earthquake"));
}

// "service=etcd process=postmaster"; NULL when it passes, else the message.
static const char *complaint(const char *mechanism, const char *params, const char *node) {
    static struct err err;
    setting_list list = {0};
    selector_list targets = {0};
    cleanup_free char *copy = xstrdup(params);
    char *save = NULL;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(w, '=');
        *eq = '\0';
        VEC_PUSH(&list, ((struct setting){.key = w, .value = eq + 1}));
    }
    if (node)
        STR_COPY(VEC_ADD(&targets)->node, node); // kind 0 is SELECTOR_NODE
    err = (struct err){0};
    int r = fault_check(mechanism, &topology, &targets, &list, &err);
    VEC_DONE(&list);
    VEC_DONE(&targets);
    assert_int_equal(r < 0, err.code != 0);
    return r < 0 ? err.msg : NULL;
}

static void good_faults_pass_the_check(void **state) {
    (void)state;
    assert_null(complaint("disk.full", "disk=etcd", "n1"));
    assert_null(complaint("process.kill", "service=postgres process=walreceiver", "n2"));
    assert_null(complaint("process.kill", "service=etcd signal=TERM", "n1"));
    assert_null(complaint("process.pause", "service=patroni scope=process", NULL));
    assert_null(complaint("node.power_off", "", "app"));
    assert_null(complaint("net.drop", "with=n2,app direction=out", "n1"));
    assert_null(complaint("net.drop", "", "n1"));
    assert_null(complaint("net.drop", "path=etcd_client,tcp/5433", "n1"));
    assert_null(complaint("net.partition", "app=target groups=n1/n2", "n1"));
    assert_null(complaint("net.flap", "down=500ms jitter=10%", "n1"));
    assert_null(complaint("cluster.switchover", "candidate=n2", NULL));
    assert_null(complaint("process.resume", "", "n1"));
    assert_null(complaint("dcs.delete_key", "", NULL));
    assert_null(complaint("postgres.long_transaction", "lock=share", "n1"));
    assert_null(complaint("cluster.edit_config", "key=ttl", NULL));
    assert_null(complaint("patroni.edit_config", "key=ttl", NULL)); // an old name
}

static void bad_ones_are_refused_with_the_way_out(void **state) {
    (void)state;
    assert_non_null(strstr(complaint("process.kill", "", NULL), "needs 'service'"));
    assert_non_null(strstr(complaint("disk.slow", "disk=etcd", NULL), "needs 'delay'"));
    assert_non_null(strstr(complaint("disk.slow", "disk=etcd delay=100ms", NULL), "--set disk_faults=yes"));
    assert_non_null(strstr(complaint("disk.full", "disk=etcd", "n2"), "n2 does not run etcd"));
    char name[] = "wal_sync_method", value[] = "open_datasync";
    VEC_PUSH(&topology.postgresql, ((struct setting){name, value}));
    topology.disk_faults = true;
    assert_non_null(strstr(complaint("disk.stall", "", "n1"), "open_datasync"));
    assert_non_null(strstr(complaint("disk.stall", "", "n1"), "files: data"));
    assert_non_null(strstr(complaint("disk.lose_unsynced", "", "n1"), "leave the setting out"));
    static const char *const others[] = {"disk=etcd", "files=data", "calls=read"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        const char *why = complaint(i == 2 ? "disk.error" : "disk.stall", others[i], "n1");
        assert_true(!why || !strstr(why, "open_datasync")); // a host without the filter has another reason
    }
    topology.disk_faults = false;
    VEC_DONE(&topology.postgresql);
    topology.storage = STORAGE_DISK;
    assert_non_null(strstr(complaint("disk.full", "", "n1"), "storage: memory"));
    topology.storage = STORAGE_MEMORY;
    assert_non_null(strstr(complaint("net.drop", "path=etcd", NULL), "etcd_client"));
    assert_non_null(strstr(complaint("net.reject", "path=replication,sqk", NULL), "'sqk' is not a service path"));
    assert_non_null(strstr(complaint("net.partition", "", NULL), "needs 'app'"));
    assert_non_null(strstr(complaint("net.partition", "app=both groups=n1/n7", NULL), "no node 'n7'"));
    assert_non_null(
        strstr(complaint("process.kill", "service=mysql", NULL), "it can be: patroni|postgres|etcd|haproxy"));
    assert_non_null(
        strstr(complaint("process.kill", "service=haproxy", NULL), "no node of topology patroni-3 runs haproxy"));
    assert_non_null(strstr(complaint("process.kill", "service=etcd", "n2"), "n2 does not run etcd; nodes that do: n1"));
    assert_non_null(
        strstr(complaint("process.kill", "service=etcd process=startup", NULL), "leave it out for service etcd"));
    assert_non_null(strstr(complaint("process.kill", "service=etcd signal=HUP", NULL), "'HUP' is not a signal"));
    assert_non_null(strstr(complaint("process.stop", "service=etcd signal=TERM", NULL), "has no parameter 'signal'"));
    assert_non_null(strstr(complaint("net.drop", "with=n9", NULL), "no node 'n9'"));
    assert_non_null(strstr(complaint("net.drop", "direction=up", NULL), "it can be: both|in|out"));
    assert_non_null(strstr(complaint("cluster.switchover", "candidate=app", NULL), "app does not run patroni"));
    assert_non_null(strstr(complaint("cluster.switchover", "candidate=n9", NULL), "no node 'n9'"));
    assert_non_null(strstr(complaint("dcs.remove_member", "", "n1"), "three etcd members"));
    assert_non_null(strstr(complaint("postgres.archive_failing", "", "n1"), "postgresql.archive_mode: on"));
    assert_non_null(strstr(complaint("postgres.long_transaction", "lock=much", "n1"), "'much' is not a lock"));
    assert_non_null(strstr(complaint("traffic.blocking_ddl", "", "app"), "does not run"));
    assert_non_null(strstr(complaint("crash-primary", "", NULL), "no fault or action"));
}

static void the_page_is_what_the_table_says(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf page = {0}, made = {0};
    struct err err = {0};
    if (fs_read("docs/faults.md", 1 << 20, &page, &err) < 0)
        fail_msg("%s", err.msg);
    fault_catalogue_markdown(&made);
    if (!str_eq(strbuf_str(&page), strbuf_str(&made)))
        fail_msg("docs/faults.md differs from the table; make it again: test_fault_catalogue --write, in the project's "
                 "folder");
}

static int write_page(void) {
    cleanup_strbuf struct strbuf made = {0};
    struct err err = {0};
    fault_catalogue_markdown(&made);
    if (fs_write("docs/faults.md", made.data, made.len, 0644, &err) >= 0)
        return 0;
    (void)fprintf(stderr, "%s\n", err.msg);
    return 1;
}

int main(int argc, char **argv) {
    if (argc > 1 && str_eq(argv[1], "--write"))
        return write_page();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),           cmocka_unit_test(the_vocabulary_holds_faults_and_actions),
        cmocka_unit_test(good_faults_pass_the_check),      cmocka_unit_test(bad_ones_are_refused_with_the_way_out),
        cmocka_unit_test(the_page_is_what_the_table_says), cmocka_unit_test(an_old_name_leads_to_the_row_of_today),
    };
    return cmocka_run_group_tests_name("fault catalogue", tests, setup, teardown);
}
