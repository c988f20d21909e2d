// SPDX-License-Identifier: PostgreSQL
// The order of the start against a fake node room: what is started when, and what a failing daemon does. The data directories are
// real (initdb), the daemons are entries in a list.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <grp.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/stack/stack.h"

struct node {
    char name[NODE_NAME_MAX], etc[128], postgresql[128], etcd[128];
    bool on;
};

static struct node fake[4];
static struct node *nodes[4];
static struct strbuf started; // "etcd@n1 etcd@n2 ..."
static const char *refuse;    // a service that can't be started
static struct event last_state;
static char root[64];
static struct topology topology;
static struct stack_paths paths[NODES_MAX];
static usec_t etcd_times[3];
static size_t n_etcd;

// ---- the fake room ---------------------------------------------------------------------------------------------------

const char *node_name(const struct node *n) {
    return n->name;
}
const char *node_etc_dir(const struct node *n) {
    return n->etc;
}
const char *node_postgresql_dir(const struct node *n) {
    return n->postgresql;
}
const char *node_etcd_dir(const struct node *n) {
    return n->etcd;
}
int node_files_ns(const struct node *n) {
    (void)n;
    return -1;
}
bool node_is_on(const struct node *n) {
    return n->on;
}
int node_power_on(struct node *n, struct err *err) {
    (void)err;
    n->on = true;
    return 0;
}
pid_t node_init_pid(const struct node *n) {
    (void)n;
    return getpid(); // /proc/PID/root/run/... is then the host's: see setup
}
int64_t node_service_pid(const struct node *n, const char *service) {
    cleanup_free char *entry = xasprintf(" %s@%s ", service, n->name);
    cleanup_free char *all = xasprintf(" %s", strbuf_str(&started));
    return strstr(all, entry) ? 7 : 0;
}
int64_t node_postmaster_pid(const struct node *n, const char *pgdata) {
    (void)n, (void)pgdata;
    return 0;
}
int node_service_ensure(struct node *n, const struct service_spec *spec, struct err *err) {
    if (refuse && str_eq(refuse, spec->name))
        return err_set(err, ENOENT, "no %s here", spec->name);
    if (node_service_pid(n, spec->name))
        return 0;
    strbuf_addf(&started, "%s@%s ", spec->name, n->name);
    if (str_eq(spec->name, "etcd") && n_etcd < ARRAY_SIZE(etcd_times))
        etcd_times[n_etcd++] = usec_now();
    return 0;
}

// ---- the test's world ------------------------------------------------------------------------------------------------

static void on_emit(void *arg, const struct event *ev) {
    (void)arg;
    if (ev->kind == EVENT_LAB_STATE)
        last_state = *ev;
}
static const struct event_sink sink = {.emit = on_emit};

static void make_topology(void) {
    static char stack[] = "patroni";
    topology = (struct topology){.stack = stack, .patroni = {.use_slots = true}, .etcd_heartbeat = 30 * MSEC};
    for (int i = 0; i < 4; i++) {
        struct node_def *n = VEC_ADD(&topology.nodes);
        (void)snprintf(n->name, sizeof n->name, i == 3 ? "proxy" : "n%d", i + 1);
        (void)snprintf(n->address, sizeof n->address, "10.77.0.%d", i + 1);
        n->services = i == 3 ? SERVICE_HAPROXY : SERVICE_POSTGRES | SERVICE_ETCD;
    }
    topology.nodes.items[0].nofailover = true; // so n2 leads first
}

static int setup(void **state) {
    (void)state;
    static int
        tests; // each its own folder: an initdb whose worker was killed by the test before empties its own when it ends
    (void)snprintf(root, sizeof root, "/tmp/test_stack_order.%d.%d", (int)getpid(), tests++);
    for (int i = 0; i < 4; i++) {
        struct node *n = nodes[i] = &fake[i];
        *n = (struct node){0};
        STR_COPY(n->name, topology.nodes.items[i].name);
        (void)snprintf(n->etc, sizeof n->etc, "%s/%s/etc", root, n->name);
        (void)snprintf(n->postgresql, sizeof n->postgresql, "%s/%s/postgresql", root, n->name);
        (void)snprintf(n->etcd, sizeof n->etcd, "%s/%s/etcd", root, n->name);
        if (fs_mkdirs(n->etc, 0700, NULL) < 0 || fs_mkdirs(n->postgresql, 0700, NULL) < 0 ||
            fs_mkdirs(n->etcd, 0700, NULL) < 0)
            return -1;
    }
    refuse = NULL;
    n_etcd = 0;
    last_state = (struct event){0};
    strbuf_clear(&started);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    strbuf_done(&started);
    // An initdb that was killed with its worker may make a last file meanwhile.
    usec_t deadline = usec_now() + 5 * SEC;
    while (fs_remove_tree(root, NULL) < 0)
        if (usec_now() > deadline)
            return -1;
    return 0;
}

static sd_event *loop;

static struct stack *start(void) {
    struct stack *s = NULL;
    struct err err = {0};
    assert_true(sd_event_new(&loop) >= 0);
    struct stack_options o = {
        .loop = loop, .topology = &topology, .paths = paths, .nodes = nodes, .sink = &sink, .work_dir = root};
    assert_int_equal(stack_new(&o, &s, &err), 0);
    int r = stack_start(s, &err);
    if (r < 0)
        print_message("%s\n", err.msg);
    assert_int_equal(r, 0);
    return s;
}

static void end(struct stack *s) {
    stack_free(s);
    loop = sd_event_unref(loop);
}

static bool has(const char *what) {
    return strstr(strbuf_str(&started), what);
}

// Runs the loop until the list of what was started holds `what`.
static void run_until(const char *what) {
    usec_t deadline = usec_now() + 60 * SEC;
    while (!has(what) && usec_now() < deadline)
        assert_true(sd_event_run(loop, 50 * MSEC) >= 0);
    if (!has(what))
        print_message("started only: %s(%s %s)\n", strbuf_str(&started), lab_state_name(last_state.u.LAB_STATE.state),
                      last_state.u.LAB_STATE.detail);
    assert_true(has(what));
}

static void run_for(usec_t t) {
    usec_t deadline = usec_now() + t;
    while (usec_now() < deadline)
        assert_true(sd_event_run(loop, 10 * MSEC) >= 0);
}

// What a postmaster writes into its pid file when it accepts connections.
static void postmaster_says(const char *status) {
    cleanup_free char *path = xasprintf("%s/data/postmaster.pid", fake[1].postgresql);
    cleanup_free char *text = xasprintf("12\n/data\n1\n5432\n/run/postgresql\n0.0.0.0\n  1 2\n%s\n", status);
    assert_int_equal(fs_write(path, text, strlen(text), 0600, NULL), 0);
}

static void the_leader_comes_first_then_the_standbys_then_with_the_lock_the_other_patronis(void **state) {
    (void)state;
    struct stack *s = start();
    assert_true(has("haproxy@proxy "));
    run_until("pg_ctl@n2 ");
    postmaster_says("starting");
    run_for(600 * MSEC);
    assert_false(has("pg_ctl@n1 ") || has("pg_ctl@n3 ") || has("patroni@")); // refused standbys would sleep 5 s
    postmaster_says("ready   ");
    run_until("patroni@n2 ");
    run_until("pg_ctl@n1 ");
    run_until("pg_ctl@n3 ");
    run_for(300 * MSEC);
    assert_false(has("patroni@n1 ") || has("patroni@n3 ")); // they could win the lock, or give up
    struct event entry = EVENT_NEW(ENTRY), key = EVENT_NEW(AUTHORITY);
    STR_COPY(entry.u.ENTRY.key, "initialize");
    stack_on_event(s, &entry, NULL);
    assert_false(has("patroni@n1 "));
    STR_COPY(key.u.AUTHORITY.holder, "n2");
    stack_on_event(s, &key, NULL);
    assert_true(has("patroni@n1 ") && has("patroni@n3 "));
    size_t so_far = started.len;
    stack_on_event(s, &key, NULL); // a later change of the key starts nothing
    assert_int_equal(started.len, so_far);
    assert_int_equal(last_state.kind, 0);
    end(s);
}

static void etcd_members_start_a_third_of_a_heartbeat_apart(void **state) {
    (void)state;
    struct stack *s = start();
    run_until("etcd@n3 ");
    assert_true(etcd_times[1] - etcd_times[0] >= 10 * MSEC && etcd_times[2] - etcd_times[1] >= 10 * MSEC);
    end(s);
}

static void a_daemon_that_ends_during_the_start_breaks_the_lab(void **state) {
    (void)state;
    struct stack *s = start();
    struct event ev = EVENT_NEW(SERVICE);
    STR_COPY(ev.u.SERVICE.node, "n3");
    STR_COPY(ev.u.SERVICE.service, "etcd");
    ev.u.SERVICE.state = SERVICE_STATE_EXITED;
    ev.u.SERVICE.status = 2;
    stack_on_event(s, &ev, NULL);
    assert_int_equal(last_state.u.LAB_STATE.state, LAB_STATE_BROKEN);
    assert_non_null(strstr(last_state.u.LAB_STATE.detail, "etcd on n3 ended during the start (exit 2)"));
    run_for(200 * MSEC);
    assert_false(has("pg_ctl@")); // nothing more is started
    end(s);
}

static void pg_ctl_ending_well_is_no_failure_and_badly_is_one(void **state) {
    (void)state;
    struct stack *s = start();
    struct event ev = EVENT_NEW(SERVICE);
    STR_COPY(ev.u.SERVICE.node, "n2");
    STR_COPY(ev.u.SERVICE.service, "pg_ctl");
    ev.u.SERVICE.state = SERVICE_STATE_EXITED;
    stack_on_event(s, &ev, NULL);
    assert_int_equal(last_state.kind, 0);
    ev.u.SERVICE.status = 1;
    stack_on_event(s, &ev, NULL);
    assert_int_equal(last_state.u.LAB_STATE.state, LAB_STATE_BROKEN);
    end(s);
}

static void a_service_that_cannot_be_started_breaks_the_lab_with_its_reason(void **state) {
    (void)state;
    refuse = "patroni";
    struct stack *s = start();
    run_until("pg_ctl@n2 ");
    postmaster_says("ready   ");
    run_for(500 * MSEC);
    assert_int_equal(last_state.u.LAB_STATE.state, LAB_STATE_BROKEN);
    assert_non_null(strstr(last_state.u.LAB_STATE.detail, "no patroni here"));
    end(s);
}

static void a_stale_pid_file_goes_before_patroni_starts_and_a_running_service_is_left_alone(void **state) {
    (void)state;
    struct stack *s = start();
    run_until("pg_ctl@n2 ");
    postmaster_says("ready   ");
    run_until("patroni@n2 ");
    strbuf_clear(&started); // the power is cut: nothing runs, the file stays
    struct err err = {0};
    cleanup_free char *pidfile = xasprintf("%s/data/postmaster.pid", fake[1].postgresql);
    assert_int_equal(access(pidfile, F_OK), 0);
    assert_int_equal(stack_start_services(s, "n2", NULL, &err), 0);
    assert_string_equal(strbuf_str(&started), "etcd@n2 patroni@n2 ");
    assert_int_equal(access(pidfile, F_OK), -1);
    assert_int_equal(stack_start_services(s, "n2", "patroni", &err), 0);
    assert_string_equal(strbuf_str(&started), "etcd@n2 patroni@n2 ");
    assert_int_equal(stack_start_services(s, "proxy", "etcd", &err), -EINVAL);
    assert_int_equal(stack_start_services(s, "n9", NULL, &err), -ENOENT);
    fake[0].on = false;
    assert_int_equal(stack_start_services(s, "n1", NULL, &err), -EHOSTDOWN);
    end(s);
}

static void a_topology_that_can_have_no_leader_is_refused(void **state) {
    (void)state;
    struct stack *s = NULL;
    struct err err = {0};
    struct topology t = topology;
    struct stack_options o = {.topology = &t, .paths = paths, .nodes = nodes, .sink = &sink};
    for (int i = 0; i < 3; i++)
        t.nodes.items[i].nofailover = true;
    assert_int_equal(stack_new(&o, &s, &err), -EINVAL);
    assert_non_null(strstr(err.msg, "nofailover"));
    t.nodes.items[1].nofailover = t.nodes.items[2].nofailover = false;
}

int main(void) {
    if (getuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
        return 77;
    make_topology();
    struct err err = {0};
    struct topology one = {.nodes = {.items = topology.nodes.items, .n = 1}};
    if (stack_find_programs(&one, paths, &err) < 0) {
        print_message("skipped: %s\n", err.msg);
        return 77;
    }
    for (size_t i = 1; i < topology.nodes.n; i++)
        paths[i] = paths[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_leader_comes_first_then_the_standbys_then_with_the_lock_the_other_patronis,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(etcd_members_start_a_third_of_a_heartbeat_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_daemon_that_ends_during_the_start_breaks_the_lab, setup, teardown),
        cmocka_unit_test_setup_teardown(pg_ctl_ending_well_is_no_failure_and_badly_is_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_service_that_cannot_be_started_breaks_the_lab_with_its_reason, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_stale_pid_file_goes_before_patroni_starts_and_a_running_service_is_left_alone,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_topology_that_can_have_no_leader_is_refused, setup, teardown),
    };
    int failed = cmocka_run_group_tests_name("the order of the start", tests, NULL, NULL);
    VEC_DONE(&topology.nodes);
    return failed;
}
