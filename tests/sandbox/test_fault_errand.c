// SPDX-License-Identifier: PostgreSQL
// Faults that talk to etcd, against an etcd that lies: it says yes to everything and changes nothing. Each verification must notice.
// And against one that says nothing: the phase ends, and the loop goes on meanwhile.
#include "tests/sandbox/fault_fixture.h"

#include "lab/base/fs.h"

#define LIAR                                                                                                           \
    "import http.server, json, sys, time\n"                                                                            \
    "silent = len(sys.argv) > 1\n"                                                                                     \
    "says = {'/v3/kv/range': {'kvs': [{'key': 'eA==', 'value': 'bjE=', 'lease': '5', 'mod_revision': '1'}]},\n"        \
    " '/v3/kv/deleterange': {'deleted': '1'}, '/v3/lease/timetolive': {'TTL': '9', 'grantedTTL': '20'},\n"             \
    " '/v3/maintenance/status': {'leader': '1'}}\n"                                                                    \
    "class Liar(http.server.BaseHTTPRequestHandler):\n"                                                                \
    " def do_POST(self):\n"                                                                                            \
    "  self.rfile.read(int(self.headers.get('Content-Length', 0)))\n"                                                  \
    "  if silent: time.sleep(60)\n"                                                                                    \
    "  body = json.dumps(dict(says.get(self.path, {}), header={'member_id': '1', 'revision': '7'})).encode()\n"        \
    "  self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()\n"              \
    "  self.wfile.write(body)\n"                                                                                       \
    "http.server.ThreadingHTTPServer(('127.0.0.1', 2379), Liar).serve_forever()\n"

static bool listens_inside(struct fixture *x, int node, const char *address) {
    cleanup_free char *path = xasprintf("/proc/%d/net/tcp", (int)node_init_pid(fixture_node(x, node)));
    cleanup_strbuf struct strbuf text = {0};
    return fs_read(path, 1 << 20, &text, NULL) >= 0 && strstr(strbuf_str(&text), address);
}

static void start_etcd(struct fixture *x, int node, bool silent) {
    const char *argv[] = {"/usr/bin/python3", "-c", LIAR, silent ? "silent" : NULL, NULL};
    struct service_spec spec = {.name = "etcd", .argv = argv, .log = "liar.log"};
    struct err err = {0};
    if (node_service_start(fixture_node(x, node), &spec, &err) < 0)
        fail_msg("%s", err.msg);
    FIXTURE_COMES(x, listens_inside(x, node, " 0100007F:094B ")); // 127.0.0.1:2379, as the kernel writes it
}

static int setup(void **state) {
    *state = fixture_new();
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static void a_lie_is_noticed(struct fixture *x, const char *mechanism, const char *params) {
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, mechanism, mechanism, "", params));
    const struct event *e = fixture_wait(x, mechanism, "unverified", 20 * SEC);
    assert_non_null(fixture_event(x, mechanism, "effective")); // it believed the answer so far
    assert_null(fixture_event(x, mechanism, "verified"));
    assert_non_null(e);
    print_message("    %s: %s\n", mechanism, e->u.FAULT.detail);
}

static void an_etcd_that_lies_verifies_nothing(void **state) {
    struct fixture *x = *state;
    start_etcd(x, N1, false);
    a_lie_is_noticed(x, "dcs.delete_key", "");
    a_lie_is_noticed(x, "dcs.revoke_lease", "");
    a_lie_is_noticed(x, "dcs.put_key", "value=7");
    a_lie_is_noticed(x, "dcs.nospace", "");
}

static void an_etcd_that_is_silent_ends_the_phase_and_not_the_loop(void **state) {
    struct fixture *x = *state;
    start_etcd(x, N1, true);
    fixture_forget(x);
    usec_t begun = usec_now(), longest = 0;
    assert_int_equal(0, fixture_inject(x, "f", "dcs.delete_key", "", ""));
    while (!fixture_event(x, "f", "failed") && usec_now() - begun < 20 * SEC) {
        usec_t t = usec_now();
        (void)sd_event_run(x->loop, 0);
        longest = usec_now() - t > longest ? usec_now() - t : longest;
        (void)usleep(200);
    }
    const struct event *e = fixture_event(x, "f", "failed");
    assert_non_null(e);
    print_message("    after %.1f s: %s; longest turn of the loop %.1f ms\n", (double)(usec_now() - begun) / 1e6,
                  e->u.FAULT.detail, (double)longest / 1000);
    assert_non_null(strstr(e->u.FAULT.detail, "no answer"));
    assert_true(usec_now() - begun < 8 * SEC);
    assert_true(longest < 100 * MSEC); // a fork on a busy machine; a blocking call would be seconds
}

static void a_node_that_loses_power_takes_its_errand_along(void **state) {
    struct fixture *x = *state;
    struct err err = {0};
    start_etcd(x, N1, true);
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "f", "dcs.delete_key", "", ""));
    fixture_run(x, 300 * MSEC);
    assert_int_equal(0, node_power_off(fixture_node(x, N1), NULL, &err));
    const struct event *e = fixture_wait(x, "f", "failed", 5 * SEC);
    assert_non_null(e);
    assert_non_null(strstr(e->u.FAULT.detail, "lose power"));
    assert_non_null(fixture_wait(x, "f", "heal_unverified", 40 * SEC)); // nobody is left to ask
}

static void nobody_to_ask_is_a_failure_with_its_reason(void **state) {
    struct fixture *x = *state;
    fixture_forget(x);
    assert_int_equal(0, fixture_inject(x, "f", "dcs.delete_key", "", ""));
    const struct event *e = fixture_wait(x, "f", "failed", 5 * SEC);
    assert_non_null(e);
    assert_non_null(strstr(e->u.FAULT.detail, "no node runs"));
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_etcd_that_lies_verifies_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_etcd_that_is_silent_ends_the_phase_and_not_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_that_loses_power_takes_its_errand_along, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_to_ask_is_a_failure_with_its_reason, setup, teardown),
    };
    return cmocka_run_group_tests_name("faults that talk", tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
