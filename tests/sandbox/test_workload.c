// SPDX-License-Identifier: PostgreSQL
// The application against a real PostgreSQL that is killed and frozen under it: every attempt must be accounted for, and what it
// was told must agree with what the table holds afterwards.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lab/record/ledger.h"
#include "lab/workload/workload.h"
#include "tests/sandbox/test_observe_pg.h"

static struct test_pg pg;

struct world {
    sd_event *loop;
    struct event_sink sink;
    struct workload *w;
    char ledger[128];
    int64_t tried, ok, failed, unknown, r_tried, r_ok, r_failed;
    usec_t last_ok;
    char server[EVENT_NAME_MAX], errors[4096];
    bool stopped;
};

static void on_event(void *arg, const struct event *ev) {
    struct world *w = arg;
    if (ev->kind == EVENT_CLIENT_TICK) {
        w->tried += ev->u.CLIENT_TICK.w_tried;
        w->ok += ev->u.CLIENT_TICK.w_ok;
        w->failed += ev->u.CLIENT_TICK.w_failed;
        w->unknown += ev->u.CLIENT_TICK.w_unknown;
        w->r_tried += ev->u.CLIENT_TICK.r_tried;
        w->r_ok += ev->u.CLIENT_TICK.r_ok;
        w->r_failed += ev->u.CLIENT_TICK.r_failed;
        if (ev->u.CLIENT_TICK.w_last_ok)
            w->last_ok = ev->u.CLIENT_TICK.w_last_ok;
    } else if (ev->kind == EVENT_CLIENT_SERVER) {
        STR_COPY(w->server, ev->u.CLIENT_SERVER.node);
    } else if (ev->kind == EVENT_CLIENT_ERROR) {
        size_t n = strlen(w->errors);
        (void)snprintf(w->errors + n, sizeof w->errors - n, "%s %s %s\n", client_phase_name(ev->u.CLIENT_ERROR.phase),
                       ev->u.CLIENT_ERROR.sqlstate, ev->u.CLIENT_ERROR.text);
    }
}

static void run_for(struct world *w, usec_t time) {
    for (usec_t end = usec_now() + time; usec_now() < end;)
        (void)sd_event_run(w->loop, end - usec_now());
}

static bool run_until_ok(struct world *w, int64_t ok, usec_t within) {
    for (usec_t end = usec_now() + within; w->ok < ok && usec_now() < end;)
        (void)sd_event_run(w->loop, 50 * MSEC);
    return w->ok >= ok;
}

static void on_stopped(void *arg) {
    ((struct world *)arg)->stopped = true;
}

static struct topology topology;

static void world_begin(struct world *w, double writes, double reads) {
    *w = (struct world){.sink = {.emit = on_event, .arg = w, .base = usec_now()}};
    assert_int_equal(0, sd_event_new(&w->loop) < 0);
    (void)snprintf(w->ledger, sizeof w->ledger, "%s/ledger-%d.bin", pg.dir, (int)(usec_now() % 1000000));
    static struct workload_def def;
    def = (struct workload_def){
        .writes_per_s = writes, .reads_per_s = reads, .deadline = 500 * MSEC, .connect_timeout = SEC};
    VEC_CLEAR(&topology.nodes);
    struct node_def *n = VEC_ADD(&topology.nodes);
    *n = (struct node_def){.name = "n1", .address = "127.0.0.1", .services = SERVICE_POSTGRES};
    char conninfo[128];
    (void)snprintf(conninfo, sizeof conninfo, "host=n1 port=%d user=postgres dbname=app", pg.port);
    struct workload_options o = {.loop = w->loop,
                                 .def = &def,
                                 .topology = &topology,
                                 .sink = &w->sink,
                                 .ledger_path = w->ledger,
                                 .conninfo = conninfo};
    struct err err = {0};
    if (workload_start(&o, &w->w, &err) < 0)
        fail_msg("%s", err.msg);
}

static void world_end(struct world *w) {
    assert_int_equal(0, workload_stop(w->w, on_stopped, w, NULL));
    for (usec_t end = usec_now() + 5 * SEC; !w->stopped && usec_now() < end;)
        (void)sd_event_run(w->loop, 50 * MSEC);
    assert_true(w->stopped);
    workload_free(w->w);
    sd_event_unref(w->loop);
}

// ---- the ledger against the table ------------------------------------------------------------------------------------
enum { IDS_MAX = 200000 };
struct audit {
    uint8_t result[IDS_MAX + 1]; // enum ledger_result, 0 = no record
    bool present[IDS_MAX + 1];
    int64_t n, ok, failed, unknown, reads, twice;
};

static bool on_record(void *arg, const struct ledger_record *r) {
    struct audit *a = arg;
    if (r->op == LEDGER_READ) {
        a->reads++;
        return true;
    }
    assert_in_range(r->id, 1, IDS_MAX);
    a->twice += a->result[r->id] != 0;
    a->result[r->id] = r->result;
    a->n++;
    a->ok += r->result == LEDGER_OK;
    a->failed += r->result == LEDGER_FAILED;
    a->unknown += r->result == LEDGER_UNKNOWN;
    assert_true(r->scheduled <= r->returned);
    if (r->result != LEDGER_FAILED)
        assert_true(r->invoked != 0);
    return true;
}

static void audit(const struct world *w) {
    static struct audit a;
    memset(&a, 0, sizeof a);
    assert_true(ledger_read(w->ledger, on_record, &a, NULL) > 0);
    cleanup_strbuf struct strbuf ids = {0};
    test_pg_query(&pg, "app", "SELECT id FROM app.ledger", &ids);
    for (char *p = ids.data, *end; p && *p; p = end + 1)
        a.present[strtoull(p, &end, 10)] = true;
    for (int64_t id = 1; id <= a.n; id++) {
        assert_int_not_equal(0, a.result[id]); // dense: every schedule has its record
        if (a.result[id] == LEDGER_OK)
            assert_true(a.present[id]);
        if (a.result[id] == LEDGER_FAILED)
            assert_false(a.present[id]);
    }
    assert_int_equal(0, a.twice);
    assert_int_equal(a.n, a.ok + a.failed + a.unknown);
    assert_int_equal(w->tried, a.n);
    assert_int_equal(w->ok, a.ok);
    assert_int_equal(w->failed, a.failed);
    assert_int_equal(w->unknown, a.unknown);
    assert_int_equal(w->r_tried, w->r_ok + w->r_failed);
    assert_int_equal(w->r_tried, a.reads);
    print_message("%ld writes: %ld ok, %ld failed, %ld unknown; %ld reads\n%s", (long)a.n, (long)a.ok, (long)a.failed,
                  (long)a.unknown, (long)a.reads, w->errors);
}

static void fresh_table(void **state) {
    (void)state;
    test_pg_query(&pg, "app", "DROP SCHEMA IF EXISTS app CASCADE", NULL);
}

static void writes_flow_and_every_one_is_in_the_table(void **state) {
    struct world w;
    fresh_table(state);
    world_begin(&w, 100, 10);
    assert_true(run_until_ok(&w, 100, 10 * SEC));
    world_end(&w);
    assert_string_equal("n1", w.server);
    assert_int_equal(0, w.failed + w.unknown);
    assert_true(w.r_ok > 3);
    audit(&w);
}

static void a_killed_server_costs_counted_failures_and_writes_resume(void **state) {
    struct world w;
    fresh_table(state);
    world_begin(&w, 200, 10);
    assert_true(run_until_ok(&w, 50, 10 * SEC));
    test_pg_kill(&pg);
    run_for(&w, SEC);
    int64_t before = w.ok;
    usec_t restarted = usec_now();
    test_pg_start(&pg);
    assert_true(run_until_ok(&w, before + 50, 10 * SEC));
    print_message("resumed %.3f s after the server began to start\n", (double)(usec_now() - restarted) / 1e6);
    world_end(&w);
    assert_true(w.failed > 50); // half a second after the kill the queue's deadline strikes
    audit(&w);
}

static void a_frozen_server_costs_timeouts_of_unknown_outcome(void **state) {
    struct world w;
    fresh_table(state);
    world_begin(&w, 200, 10);
    assert_true(run_until_ok(&w, 50, 10 * SEC));
    test_pg_signal_all(&pg, SIGSTOP);
    run_for(&w, 2 * SEC);
    test_pg_signal_all(&pg, SIGCONT);
    int64_t before = w.ok;
    assert_true(run_until_ok(&w, before + 50, 10 * SEC));
    world_end(&w);
    assert_true(w.unknown >= 4 && w.unknown <= 40); // the pool's connections hang, the rest waits in the queue
    assert_true(w.failed > 100);
    assert_non_null(strstr(w.errors, "timeout  no answer within 500 ms"));
    audit(&w);
}

static off_t size_of(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void after_a_kill_nothing_is_written_any_more(void **state) {
    struct world w;
    fresh_table(state);
    world_begin(&w, 1000, 10);
    assert_true(run_until_ok(&w, 100, 10 * SEC));
    workload_kill(w.w);
    off_t then = size_of(w.ledger);
    assert_true(then > 0);
    run_for(&w, 200 * MSEC); // also: its end is told, and a second kill of what is gone does nothing
    workload_kill(w.w);
    assert_int_equal(size_of(w.ledger), then);
    assert_non_null(strstr(w.errors, "killed by signal 9"));
    workload_kill(NULL);
    workload_free(w.w);
    sd_event_unref(w.loop);
}

static void an_idle_healthy_load_costs_little(void **state) {
    struct world w;
    fresh_table(state);
    world_begin(&w, 100, 30);
    assert_true(run_until_ok(&w, 20, 10 * SEC));
    run_for(&w, 5 * SEC);
    world_end(&w);
    struct rusage u;
    assert_int_equal(0, getrusage(RUSAGE_CHILDREN, &u)); // includes earlier children: measured by its own test process
    print_message("CPU of all children so far: user %ld.%03ld s, system %ld.%03ld s\n", u.ru_utime.tv_sec,
                  u.ru_utime.tv_usec / 1000, u.ru_stime.tv_sec, u.ru_stime.tv_usec / 1000);
    audit(&w);
}

static int setup(void **state) {
    (void)state;
    test_pg_init(&pg);
    test_pg_start(&pg);
    test_pg_query(&pg, "postgres", "CREATE DATABASE app", NULL);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    test_pg_done(&pg);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_flow_and_every_one_is_in_the_table),
        cmocka_unit_test(a_killed_server_costs_counted_failures_and_writes_resume),
        cmocka_unit_test(a_frozen_server_costs_timeouts_of_unknown_outcome),
        cmocka_unit_test(after_a_kill_nothing_is_written_any_more),
        cmocka_unit_test(an_idle_healthy_load_costs_little),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
