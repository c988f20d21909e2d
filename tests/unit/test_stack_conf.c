// SPDX-License-Identifier: PostgreSQL
// Generated configuration, compared with the files in test_stack_golden/: a change of them is read by people in the diff.
// To accept what the code writes now: BASCULE_UPDATE_GOLDEN=1 build/tests/unit/test_stack_conf
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/base/fs.h"
#include "lab/stack/conf.h"
#include "lab/stack/patroni/patroni.h"

static struct topology topology;
static const struct stack_paths paths[NODES_MAX] = {[0 ... NODES_MAX - 1] = {.pg_bin = "/usr/lib/postgresql/15/bin"}};
static const struct conf conf = {.ops = &patroni_ops, .topology = &topology, .paths = paths};

static struct node_def *add_node(const char *name, const char *address, unsigned services) {
    struct node_def *n = VEC_ADD(&topology.nodes);
    STR_COPY(n->name, name);
    STR_COPY(n->address, address);
    n->services = services;
    return n;
}

static void set(setting_list *list, const char *key, const char *value) {
    struct setting s = {xstrdup(key), xstrdup(value)};
    VEC_PUSH(list, s);
}

static void drop(setting_list *list) {
    VEC_FOREACH (list, s) {
        free(s->key);
        free(s->value);
    }
    VEC_DONE(list);
}

static int setup(void **state) {
    (void)state;
    static char stack[] = "patroni";
    topology = (struct topology){.stack = stack,
                                 .patroni = {.ttl = 30 * SEC,
                                             .loop_wait = 10 * SEC,
                                             .retry_timeout = 10 * SEC,
                                             .maximum_lag_on_failover = 1048576,
                                             .primary_start_timeout = 300 * SEC,
                                             .use_pg_rewind = true,
                                             .use_slots = true},
                                 .etcd_heartbeat = 100 * MSEC,
                                 .etcd_election = SEC};
    for (int i = 1; i <= 3; i++) {
        cleanup_free char *name = xasprintf("n%d", i);
        cleanup_free char *address = xasprintf("10.77.0.%d", i);
        add_node(name, address, SERVICE_POSTGRES | SERVICE_ETCD);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    VEC_DONE(&topology.nodes);
    drop(&topology.postgresql);
    drop(&topology.etcd);
    drop(&topology.haproxy);
    return 0;
}

static void assert_golden(const char *name, struct strbuf *text) {
    cleanup_free char *path = xasprintf("tests/unit/test_stack_golden/%s", name);
    if (getenv("BASCULE_UPDATE_GOLDEN"))
        assert_int_equal(fs_write(path, strbuf_str(text), text->len, 0644, NULL), 0);
    cleanup_strbuf struct strbuf expected = {0};
    assert_int_equal(fs_read(path, 1 << 20, &expected, NULL), 0);
    assert_string_equal(strbuf_str(text), strbuf_str(&expected));
    strbuf_clear(text);
}

static void a_member_with_defaults_gets_the_configuration_an_administrator_would_write(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf text = {0};
    conf_patroni(&conf, &topology.nodes.items[0], &text);
    assert_golden("patroni-n1.yml", &text);
    conf_etcd(&conf, &topology.nodes.items[1], &text);
    assert_golden("etcd-n2.yml", &text);
    conf_postgresql(&conf, &topology.nodes.items[0], &text);
    assert_golden("postgresql-leader.conf", &text);
    conf_postgresql(&conf, &topology.nodes.items[2], &text);
    assert_golden("postgresql-standby.conf", &text);
}

static void settings_of_the_topology_appear_where_they_belong(void **state) {
    (void)state;
    topology.patroni.ttl = 20 * SEC;
    topology.patroni.synchronous_mode = topology.patroni.synchronous_mode_strict = true;
    topology.patroni.failsafe_mode = topology.patroni.check_timeline = true;
    topology.nodes.items[2].nofailover = topology.nodes.items[2].nosync = true;
    set(&topology.postgresql, "max_connections", "50");
    set(&topology.postgresql, "log_line_prefix", "it's %m ");
    set(&topology.etcd, "quota-backend-bytes", "16777216");
    cleanup_strbuf struct strbuf text = {0};
    conf_patroni(&conf, &topology.nodes.items[2], &text);
    assert_golden("patroni-settings.yml", &text);
    conf_etcd(&conf, &topology.nodes.items[0], &text);
    assert_golden("etcd-settings.yml", &text);
}

static void a_topology_with_haproxy_gets_two_ports_and_its_checks_tuned(void **state) {
    (void)state;
    const struct node_def *app = add_node("app", "10.77.0.100", SERVICE_APP | SERVICE_HAPROXY);
    cleanup_strbuf struct strbuf text = {0};
    conf_haproxy(&conf, app, &text);
    assert_golden("haproxy.cfg", &text);
    set(&topology.haproxy, "inter", "1s");
    set(&topology.haproxy, "fastinter", "200ms");
    set(&topology.haproxy, "fall", "1");
    set(&topology.haproxy, "timeout check", "1s");
    conf_haproxy(&conf, app, &text);
    assert_golden("haproxy-tuned.cfg", &text);
}

static void the_files_for_people_point_at_the_whole_cluster(void **state) {
    (void)state;
    const struct node_def *app = add_node("app", "10.77.0.100", SERVICE_APP | SERVICE_HAPROXY);
    cleanup_strbuf struct strbuf text = {0};
    conf_profile(&conf, &topology.nodes.items[0], &text);
    conf_environment(&conf, &topology.nodes.items[0], &text);
    conf_profile(&conf, app, &text);
    conf_environment(&conf, app, &text);
    conf_pg_service(&conf, &text);
    conf_pgpass(&text);
    conf_patronictl(&conf, &topology.nodes.items[0], &text);
    assert_golden("people.txt", &text);
}

static void the_application_connects_to_every_server_or_to_the_proxy(void **state) {
    (void)state;
    add_node("app", "10.77.0.100", SERVICE_APP | SERVICE_HAPROXY);
    cleanup_strbuf struct strbuf text = {0};
    stack_app_conninfo(&topology, SERVICE_POSTGRES, &text);
    assert_string_equal(text.data,
                        "host=10.77.0.1,10.77.0.2,10.77.0.3 port=5432 dbname=app user=app password=bascule-app "
                        "application_name=bascule-app target_session_attrs=read-write connect_timeout=2 "
                        "tcp_user_timeout=3000 keepalives_idle=2 keepalives_interval=1 keepalives_count=3");
    strbuf_clear(&text);
    stack_app_conninfo(&topology, SERVICE_HAPROXY, &text);
    assert_non_null(strstr(text.data, "host=10.77.0.100 port=5000 "));
    assert_null(strstr(text.data, "target_session_attrs"));
}

static void the_first_leader_is_the_first_node_that_may_lead(void **state) {
    (void)state;
    assert_ptr_equal(conf_first_leader(&topology), &topology.nodes.items[0]);
    topology.nodes.items[0].nofailover = true;
    assert_ptr_equal(conf_first_leader(&topology), &topology.nodes.items[1]);
    topology.nodes.items[1].nofailover = topology.nodes.items[2].nofailover = true;
    assert_null(conf_first_leader(&topology));
}

static void the_command_line_is_patronis_and_survives_a_shell(void **state) {
    (void)state;
    set(&topology.postgresql, "max_connections", "50");
    set(&topology.postgresql, "listen_addresses", "a b'c");
    cleanup_strbuf struct strbuf text = {0};
    conf_postmaster_options(&conf, &text);
    assert_string_equal(
        text.data, "--config-file=/var/lib/postgresql/data/postgresql.conf --listen_addresses='a b'\\''c' --port=5432 "
                   "--cluster_name=demo --wal_level=replica --hot_standby=on --max_connections=50 --max_wal_senders=10 "
                   "--max_prepared_transactions=0 --max_locks_per_transaction=64 --track_commit_timestamp=off "
                   "--max_replication_slots=10 --max_worker_processes=8 --wal_log_hints=on");
}

static void the_settings_in_etcd_are_those_of_the_file(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf json = {0}, endpoints = {0};
    topology.patroni.synchronous_mode = true;
    set(&topology.postgresql, "max_connections", "100");
    set(&topology.postgresql, "log_line_prefix", "%m \"x\" ");
    conf_dcs_json(&conf, &json);
    assert_string_equal(strbuf_str(&json),
                        "{\"ttl\":30,\"loop_wait\":10,\"retry_timeout\":10,\"maximum_lag_on_failover\":1048576,"
                        "\"primary_start_timeout\":300,\"synchronous_mode\":true,\"synchronous_node_count\":1,"
                        "\"postgresql\":{\"use_pg_rewind\":true,\"use_slots\":true,\"parameters\":{"
                        "\"max_connections\":100,\"log_line_prefix\":\"%m \\\"x\\\" \"}}}");
    conf_etcd_endpoints(&conf, &endpoints);
    assert_string_equal(strbuf_str(&endpoints), "http://10.77.0.1:2379,http://10.77.0.2:2379,http://10.77.0.3:2379");
}

static void a_slot_is_named_as_patroni_names_it(void **state) {
    (void)state;
    char buf[64];
    struct node_def n = {.name = "PG-node.1_b"};
    assert_string_equal(conf_slot_name(&n, &buf), "pg_node_1_b");
    STR_COPY(n.name, "a+b"); // '+' is 43: Patroni writes u0043
    assert_string_equal(conf_slot_name(&n, &buf), "au0043b");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_member_with_defaults_gets_the_configuration_an_administrator_would_write,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(settings_of_the_topology_appear_where_they_belong, setup, teardown),
        cmocka_unit_test_setup_teardown(a_topology_with_haproxy_gets_two_ports_and_its_checks_tuned, setup, teardown),
        cmocka_unit_test_setup_teardown(the_files_for_people_point_at_the_whole_cluster, setup, teardown),
        cmocka_unit_test_setup_teardown(the_application_connects_to_every_server_or_to_the_proxy, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_leader_is_the_first_node_that_may_lead, setup, teardown),
        cmocka_unit_test_setup_teardown(the_command_line_is_patronis_and_survives_a_shell, setup, teardown),
        cmocka_unit_test_setup_teardown(the_settings_in_etcd_are_those_of_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slot_is_named_as_patroni_names_it, setup, teardown),
    };
    return cmocka_run_group_tests_name("stack configuration", tests, NULL, NULL);
}
