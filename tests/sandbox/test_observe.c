// SPDX-License-Identifier: PostgreSQL
// The observer against a real PostgreSQL and a real etcd, both frozen and killed under it: what it tells, when, and that it never
// holds up its loop. One "node" that is this machine (stand-ins for node_* in test_observe_pg.c).
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "lab/observe/observe.h"
#include "tests/sandbox/test_observe_pg.h"

static struct test_pg pg;
static struct test_etcd etcd;

struct world {
    sd_event *loop;
    struct event_sink sink;
    struct observer *o;
    struct topology topology;
    struct event sql, member, lease, watch, final, noise; // last of each kind
    int n_sql, n_keys, n_initial, n_lease, n_renewals, n_config;
    char keys[8192], rows[2048], logs[4096];
    usec_t first_writable, went_silent;
    int64_t late_max;
    bool read_done;
};

static void add(char *to, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void add(char *to, size_t size, const char *fmt, ...) {
    size_t n = strlen(to);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(to + n, size - n, fmt, ap);
    va_end(ap);
}

static void on_event(void *arg, const struct event *ev) {
    struct world *w = arg;
    switch ((int)ev->kind) {
    case EVENT_SQL:
        if (ev->u.SQL.writable && !w->first_writable)
            w->first_writable = ev->t;
        if (!ev->u.SQL.answered && w->sql.u.SQL.answered)
            w->went_silent = ev->t;
        w->sql = *ev;
        w->n_sql++;
        break;
    case EVENT_AUTHORITY:
        w->n_keys++;
        w->n_initial += ev->u.AUTHORITY.initial;
        break;
    case EVENT_ENTRY:
        w->n_keys++;
        w->n_initial += ev->u.ENTRY.initial;
        add(w->keys, sizeof w->keys, "%s%s=%s;", ev->u.ENTRY.key, ev->u.ENTRY.gone ? " gone" : "", ev->u.ENTRY.value);
        break;
    case EVENT_GRANT:
        w->lease = *ev;
        w->n_lease++;
        break;
    case EVENT_ARBITER:
        w->member = *ev;
        break;
    case EVENT_STORE_WATCH:
        w->watch = *ev;
        break;
    case EVENT_CONFIG:
        w->n_config++;
        break;
    case EVENT_FINAL_ROWS:
        add(w->rows, sizeof w->rows, "%s;", ev->u.FINAL_ROWS.ranges);
        break;
    case EVENT_FINAL_READ:
        w->final = *ev;
        break;
    case EVENT_LOG_LINE:
        add(w->logs, sizeof w->logs, "%s|%s|%s\n", ev->u.LOG_LINE.service, line_level_name(ev->u.LOG_LINE.level),
            ev->u.LOG_LINE.text);
        break;
    case EVENT_NOISE:
        if (ev->u.NOISE.late_max_us > w->late_max)
            w->late_max = ev->u.NOISE.late_max_us;
        break;
    default:
        break;
    }
}

// Every dispatch is timed: nothing in the loop may take long. A machine shared with others may still preempt us, hence CPU time.
static usec_t cpu_now(void) {
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (usec_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * SEC + (usec_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static usec_t longest_wall, longest_cpu;

static void run_until(struct world *w, usec_t within, bool (*met)(const struct world *w)) {
    for (usec_t end = usec_now() + within; usec_now() < end && !(met && met(w));) {
        int r = sd_event_prepare(w->loop);
        if (r == 0)
            r = sd_event_wait(w->loop, 20 * MSEC);
        if (r <= 0)
            continue;
        usec_t wall = usec_now(), cpu = cpu_now();
        (void)sd_event_dispatch(w->loop);
        wall = usec_now() - wall;
        cpu = cpu_now() - cpu;
        longest_wall = wall > longest_wall ? wall : longest_wall;
        longest_cpu = cpu > longest_cpu ? cpu : longest_cpu;
    }
}

static bool writable(const struct world *w) {
    return w->sql.u.SQL.writable;
}
static bool unanswered(const struct world *w) {
    return w->n_sql && !w->sql.u.SQL.answered;
}
static bool dcs_up(const struct world *w) {
    return w->n_initial > 0 && w->watch.u.STORE_WATCH.state == STORE_WATCH_CONNECTED;
}
static bool dcs_silent(const struct world *w) {
    return w->member.kind == EVENT_ARBITER && !w->member.u.ARBITER.answered;
}
static bool dcs_answers(const struct world *w) {
    return w->member.u.ARBITER.answered && w->member.u.ARBITER.leads;
}

static void on_read_done(void *arg) {
    ((struct world *)arg)->read_done = true;
}
static bool read_done(const struct world *w) {
    return w->read_done;
}

static void world_begin(struct world *w) {
    *w = (struct world){.sink = {.emit = on_event, .arg = w, .base = usec_now() - SEC}};
    assert_true(sd_event_new(&w->loop) >= 0);
    struct node_def *n = VEC_ADD(&w->topology.nodes);
    *n = (struct node_def){.name = "n1", .address = "127.0.0.1", .services = SERVICE_POSTGRES | SERVICE_ETCD};
    static struct node *nodes[1];
    static const char *logs[1];
    logs[0] = pg.dir;
    struct observer_options o = {
        .loop = w->loop, .topology = &w->topology, .nodes = nodes, .sink = &w->sink, .log_dirs = logs};
    struct err err = {0};
    if (observer_new(&o, &w->o, &err) < 0)
        fail_msg("%s", err.msg);
}

static void world_end(struct world *w) {
    observer_free(w->o);
    sd_event_unref(w->loop);
    VEC_DONE(&w->topology.nodes);
}

static void a_primary_is_seen_writable_by_an_acknowledged_write(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, writable);
    assert_true(w.sql.u.SQL.writable);
    assert_false(w.sql.u.SQL.in_recovery);
    assert_int_equal(1, w.sql.u.SQL.timeline);
    assert_true(w.sql.u.SQL.lsn > 0);
    assert_true(w.sql.u.SQL.asked <= w.sql.t && w.sql.u.SQL.previous <= w.sql.t);
    run_until(&w, 2 * SEC, NULL);
    assert_in_range(w.n_sql, 3, 8); // changes at the beginning, then once a second
    cleanup_strbuf struct strbuf n = {0};
    test_pg_query(&pg, "postgres", "SELECT n FROM bascule.probe", &n);
    assert_true(strtol(n.data, NULL, 10) >= 15); // ten writes a second
    world_end(&w);
}

static void a_killed_server_is_seen_at_once_and_its_return_too(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, writable);
    usec_t before = usec_now() - w.sink.base;
    test_pg_kill(&pg);
    run_until(&w, 3 * SEC, unanswered);
    assert_false(w.sql.u.SQL.answered);
    assert_true(w.went_silent - before < 300 * MSEC);
    assert_true(*w.sql.u.SQL.error != '\0');
    test_pg_start(&pg);
    run_until(&w, 5 * SEC, writable);
    assert_true(w.sql.u.SQL.writable);
    world_end(&w);
}

static void a_frozen_server_is_silent_after_two_seconds_and_never_blocks_us(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, writable);
    test_pg_signal_all(&pg, SIGSTOP);
    usec_t frozen = usec_now() - w.sink.base;
    longest_wall = longest_cpu = 0;
    run_until(&w, 4 * SEC, unanswered);
    print_message("silence told after %.2f s: %s; longest dispatch %lu us (%lu us of CPU)\n",
                  (double)(w.sql.t - frozen) / 1e6, w.sql.u.SQL.error, (unsigned long)longest_wall,
                  (unsigned long)longest_cpu);
    assert_string_equal("no answer for 2 s", w.sql.u.SQL.error);
    assert_in_range(w.sql.t - frozen, 1800 * MSEC, 2600 * MSEC);
    assert_true(longest_cpu < 5 * MSEC);
    test_pg_signal_all(&pg, SIGCONT);
    run_until(&w, 3 * SEC, writable);
    assert_true(w.sql.u.SQL.writable);
    world_end(&w);
}

static void the_final_read_tells_gaps_and_duplicates(void **state) {
    struct world w;
    (void)state;
    test_pg_query(
        &pg, "app",
        "DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app; CREATE TABLE app.ledger (id bigint);"
        "INSERT INTO app.ledger SELECT generate_series(1, 2345); INSERT INTO app.ledger VALUES (2350), (2350), (2352)",
        NULL);
    world_begin(&w);
    run_until(&w, 5 * SEC, writable);
    assert_int_equal(0, observer_final_read(w.o, 5 * SEC, on_read_done, &w, NULL));
    run_until(&w, 5 * SEC, read_done);
    assert_true(w.read_done);
    assert_string_equal("1-2345,2350,2352;", w.rows);
    assert_true(w.final.u.FINAL_READ.ok && w.final.u.FINAL_READ.leader);
    assert_int_equal(2348, w.final.u.FINAL_READ.rows);
    assert_int_equal(1, w.final.u.FINAL_READ.duplicates);
    assert_int_equal(1, w.final.u.FINAL_READ.chunks);
    world_end(&w);
}

static void the_final_read_of_a_silent_server_ends_at_its_deadline(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, writable);
    test_pg_signal_all(&pg, SIGSTOP);
    assert_int_equal(0, observer_final_read(w.o, SEC, on_read_done, &w, NULL));
    run_until(&w, 3 * SEC, read_done);
    test_pg_signal_all(&pg, SIGCONT);
    assert_true(w.read_done);
    assert_false(w.final.u.FINAL_READ.ok);
    assert_string_equal("no answer before the deadline", w.final.u.FINAL_READ.error);
    world_end(&w);
}

static void a_node_without_power_gives_one_observation_and_no_probe(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, writable);
    test_node.on = false;
    run_until(&w, 300 * MSEC, NULL);
    assert_string_equal("powered off", w.sql.u.SQL.error);
    int n = w.n_sql;
    run_until(&w, 2 * SEC, NULL);
    assert_int_equal(n, w.n_sql);
    test_node.on = true;
    run_until(&w, 5 * SEC, writable);
    assert_true(w.sql.u.SQL.writable);
    world_end(&w);
}

static void keys_come_first_as_they_are_and_then_as_they_change(void **state) {
    struct world w;
    (void)state;
    test_etcd_put(&etcd, "/service/demo/initialize", "4711", 0);
    test_etcd_put(&etcd, "/service/demo/config", "{\"ttl\":20,\"loop_wait\":5}", 0);
    world_begin(&w);
    run_until(&w, 5 * SEC, dcs_up);
    assert_int_equal(2, w.n_initial);
    assert_true(w.n_config >= 5);
    test_etcd_put(&etcd, "/service/demo/members/n1", "{\"role\":\"master\"}", 0);
    test_etcd_delete(&etcd, "/service/demo/initialize");
    run_until(&w, 500 * MSEC, NULL);
    assert_int_equal(4, w.n_keys);
    assert_non_null(strstr(w.keys, "members/n1={\"role\":\"master\"};initialize gone=;"));
    world_end(&w);
}

static void a_renewal_of_the_leaders_lease_is_known_within_its_own_error(void **state) {
    struct world w;
    (void)state;
    int64_t lease = test_etcd_lease(&etcd, 10);
    test_etcd_put(&etcd, "/service/demo/leader", "n1", lease);
    world_begin(&w);
    run_until(&w, 5 * SEC, dcs_up);
    run_until(&w, 2 * SEC + 300 * MSEC, NULL);
    usec_t from = usec_now() - w.sink.base;
    test_etcd_keepalive(&etcd, lease);
    usec_t to = usec_now() - w.sink.base;
    run_until(&w, 600 * MSEC, NULL);
    for (int i = 0; i < 2; i++) { // as first told, and as narrowed later
        usec_t hi = w.lease.u.GRANT.renewed, lo = hi - (usec_t)w.lease.u.GRANT.error_us;
        print_message("renewed in [%lu, %lu], told [%lu, %lu] us, error %ld ms\n", (unsigned long)from,
                      (unsigned long)to, (unsigned long)lo, (unsigned long)hi, (long)w.lease.u.GRANT.error_us / 1000);
        assert_true(lo <= to && hi >= from);
        assert_true(w.lease.u.GRANT.error_us < 500000);
        run_until(&w, 4 * SEC, NULL);
    }
    assert_true(w.lease.u.GRANT.error_us < 200000);
    assert_string_equal("n1", w.lease.u.GRANT.holder);
    test_etcd_delete(&etcd, "/service/demo/leader");
    run_until(&w, 500 * MSEC, NULL);
    assert_true(w.lease.u.GRANT.gone);
    world_end(&w);
}

static void a_frozen_etcd_is_silent_and_the_loop_goes_on(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, dcs_up);
    test_etcd_signal(&etcd, SIGSTOP);
    longest_wall = longest_cpu = 0;
    run_until(&w, 6 * SEC, dcs_silent);
    test_etcd_signal(&etcd, SIGCONT);
    print_message("etcd: %s; longest dispatch %lu us (%lu us of CPU)\n", w.member.u.ARBITER.error,
                  (unsigned long)longest_wall, (unsigned long)longest_cpu);
    assert_false(w.member.u.ARBITER.answered);
    assert_true(longest_cpu < 5 * MSEC);
    run_until(&w, 5 * SEC, dcs_answers);
    assert_true(dcs_answers(&w));
    world_end(&w);
}

static void changes_made_while_etcd_was_away_are_not_missed(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, dcs_up);
    test_etcd_kill(&etcd);
    run_until(&w, 3 * SEC, dcs_silent);
    assert_int_equal(STORE_WATCH_LOST, w.watch.u.STORE_WATCH.state);
    test_etcd_start(&etcd);
    test_etcd_put(&etcd, "/service/demo/sync", "meanwhile", 0);
    run_until(&w, 5 * SEC, dcs_answers);
    run_until(&w, 2 * SEC, NULL);
    assert_non_null(strstr(w.keys, "sync=meanwhile;"));
    world_end(&w);
}

static void a_compacted_history_leads_to_reading_everything_again(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, dcs_up);
    test_etcd_kill(&etcd);
    run_until(&w, 3 * SEC, dcs_silent);
    test_etcd_start(&etcd);
    test_node.on = false; // we look away while history is thrown away
    run_until(&w, 100 * MSEC, NULL);
    test_etcd_put(&etcd, "/service/demo/failover", "a", 0);
    test_etcd_put(&etcd, "/service/demo/failover", "b", 0);
    test_etcd_delete(&etcd, "/service/demo/sync");
    test_etcd_compact(&etcd);
    test_node.on = true;
    run_until(&w, 5 * SEC, dcs_answers);
    run_until(&w, 2 * SEC, NULL);
    assert_null(strstr(w.keys, "failover=a;"));
    assert_non_null(strstr(w.keys, "failover=b;"));
    assert_non_null(strstr(w.keys, "sync gone=;"));
    world_end(&w);
}

static void lines_that_matter_are_told(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, SEC, NULL);
    test_pg_append(&pg, "patroni/patroni.log",
                   "2024-01-01 10:00:00,123 INFO: no action. I am (n1), the leader with the lock\n"
                   "2024-01-01 10:00:01,123 INFO: promoted self to leader by acquiring session lock\nbegun");
    run_until(&w, 1500 * MSEC, NULL);
    assert_string_equal("patroni|info|INFO: promoted self to leader by acquiring session lock\n", w.logs);
    world_end(&w);
}

static void an_idle_lab_costs_little(void **state) {
    struct world w;
    (void)state;
    world_begin(&w);
    run_until(&w, 5 * SEC, writable);
    run_until(&w, SEC, NULL);
    usec_t cpu = cpu_now(), wall = usec_now();
    run_until(&w, 5 * SEC, NULL);
    double share = 100.0 * (double)(cpu_now() - cpu) / (double)(usec_now() - wall);
    print_message("one node: %.2f %% of a core; worst lateness %ld us\n", share, (long)w.late_max);
    assert_true(share < 5.0);
    world_end(&w);
}

static int setup(void **state) {
    (void)state;
    test_own_network();
    test_pg_init(&pg);
    pg.port = 5432; // the observer knows the stack's port and the node's own socket; no TCP
    pg.no_tcp = true;
    test_pg_start(&pg);
    test_pg_query(&pg, "postgres", "CREATE DATABASE app", NULL);
    test_pg_node_root(&pg);
    test_etcd_init(&etcd);
    test_etcd_start(&etcd);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    test_node_root_done();
    test_etcd_done(&etcd);
    test_pg_done(&pg);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_primary_is_seen_writable_by_an_acknowledged_write),
        cmocka_unit_test(a_killed_server_is_seen_at_once_and_its_return_too),
        cmocka_unit_test(a_frozen_server_is_silent_after_two_seconds_and_never_blocks_us),
        cmocka_unit_test(the_final_read_tells_gaps_and_duplicates),
        cmocka_unit_test(the_final_read_of_a_silent_server_ends_at_its_deadline),
        cmocka_unit_test(a_node_without_power_gives_one_observation_and_no_probe),
        cmocka_unit_test(keys_come_first_as_they_are_and_then_as_they_change),
        cmocka_unit_test(a_renewal_of_the_leaders_lease_is_known_within_its_own_error),
        cmocka_unit_test(a_frozen_etcd_is_silent_and_the_loop_goes_on),
        cmocka_unit_test(changes_made_while_etcd_was_away_are_not_missed),
        cmocka_unit_test(a_compacted_history_leads_to_reading_everything_again),
        cmocka_unit_test(lines_that_matter_are_told),
        cmocka_unit_test(an_idle_lab_costs_little),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
