// SPDX-License-Identifier: PostgreSQL
// The worker that makes data directories, with the real initdb and postgres of this host. initdb refuses root, so a test run by
// root goes on as nobody.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/stack/ops.h"
#include "lab/stack/template.h"

static struct topology topology;
static struct stack_paths paths[NODES_MAX];
static const struct conf conf = {.ops = &patroni_ops, .topology = &topology, .paths = paths};
static char root[64];

static void add_node(const char *name, const char *address, unsigned services) {
    struct node_def *n = VEC_ADD(&topology.nodes);
    STR_COPY(n->name, name);
    STR_COPY(n->address, address);
    n->services = services;
}

static void make_topology(void) {
    static char stack[] = "patroni";
    topology = (struct topology){.stack = stack, .patroni = {.use_slots = true}};
    add_node("n1", "10.77.0.1", SERVICE_POSTGRES | SERVICE_ETCD);
    add_node("n2", "10.77.0.2", SERVICE_POSTGRES | SERVICE_ETCD);
    add_node("app", "10.77.0.100", SERVICE_APP);
    static char key[] = "max_connections", value[] = "42";
    struct setting s = {key, value};
    VEC_PUSH(&topology.postgresql, s);
}

// What the worker reported, in order: "warm", "node n1", ...
struct story {
    sd_event *loop;
    struct strbuf text;
    bool ended;
};

static void on_report(void *arg, enum template_step step, size_t node, const char *text) {
    static const char *const names[] = {"warm", "built", "node", "done", "note", "failed"};
    struct story *s = arg;
    if (step == TEMPLATE_ENDED) {
        s->ended = true;
        return;
    }
    strbuf_addf(&s->text, "%s%s%s", s->text.len ? "," : "", names[step],
                step == TEMPLATE_NODE ? topology.nodes.items[node].name : "");
    if (step == TEMPLATE_FAILED || step == TEMPLATE_NOTE)
        print_message("%s\n", text);
}

static char *dir_of(const char *name) {
    char *path = xasprintf("%s/%s", root, name);
    assert_int_equal(fs_mkdirs(path, 0700, NULL), 0);
    return path;
}

// Runs the worker until its pipe is closed.
static void tell(const char *cache, bool fresh, const char *nodes, struct story *s) {
    assert_true(sd_event_new(&s->loop) >= 0);
    cleanup_free char *n1 = xasprintf("%s/n1", nodes);
    cleanup_free char *n2 = xasprintf("%s/n2", nodes);
    assert_int_equal(fs_remove_tree(nodes, NULL), 0);
    assert_int_equal(fs_mkdirs(n1, 0700, NULL) + fs_mkdirs(n2, 0700, NULL), 0);
    cleanup_free char *work = dir_of("work");
    const char *dirs[] = {n1, n2, "/nonexistent"};
    struct template_options o = {.conf = conf,
                                 .cache_dir = cache,
                                 .world = {.dir = work, .inside = work, .mounts = -1},
                                 .postgresql_dirs = dirs,
                                 .fresh = fresh};
    struct template_worker *w = NULL;
    struct err err = {0};
    int r = template_start(s->loop, &o, on_report, s, &w, &err);
    assert_int_equal(r, 0);
    usec_t deadline = usec_now() + 60 * SEC;
    s->ended = false;
    while (!s->ended && usec_now() < deadline)
        assert_true(sd_event_run(s->loop, SEC) >= 0);
    assert_true(s->ended);
    template_free(w);
    s->loop = sd_event_unref(s->loop);
}

static bool exists(const char *dir, const char *file) {
    cleanup_free char *path = xasprintf("%s/%s", dir, file);
    return access(path, F_OK) == 0;
}

static char *control_data(const char *data) {
    cleanup_free char *out = xasprintf("%s/control.txt", root);
    cleanup_free char *program = xasprintf("%s/pg_controldata", paths[0].pg_bin);
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen(out, "w", stdout))
            _exit(1);
        (void)execl(program, program, data, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    struct strbuf text = {0};
    assert_int_equal(fs_read(out, 1 << 16, &text, NULL), 0);
    return text.data;
}

static void a_cold_start_builds_and_keeps_what_a_warm_start_copies(void **state) {
    (void)state;
    cleanup_free char *cache = xasprintf("%s/cache", root);
    cleanup_free char *nodes = xasprintf("%s/nodes", root);
    struct story s = {0};
    tell(cache, false, nodes, &s);
    assert_string_equal(strbuf_str(&s.text), "built,noden1,noden2,done");
    cleanup_free char *n1 = xasprintf("%s/n1/data", nodes);
    cleanup_free char *n2 = xasprintf("%s/n2/data", nodes);
    cleanup_free char *control = control_data(n2);
    assert_non_null(strstr(control, "Database cluster state:               shut down\n"));
    assert_non_null(strstr(control, "max_connections setting:              42\n"));
    assert_true(exists(n2, "standby.signal") && !exists(n1, "standby.signal"));
    assert_true(exists(n1, "pg_replslot/n2") && !exists(n2, "pg_replslot/n2") && exists(n2, "pg_replslot"));
    assert_true(exists(n1, "postgresql.base.conf") && exists(n1, "postgresql.conf"));
    strbuf_clear(&s.text);
    tell(cache, false, nodes, &s);
    assert_string_equal(strbuf_str(&s.text), "warm,noden1,noden2,done");
    cleanup_free char *again = control_data(n1);
    assert_non_null(strstr(again, "Database cluster state:               shut down\n"));
    strbuf_clear(&s.text);
    tell(cache, true, nodes, &s); // --fresh
    assert_string_equal(strbuf_str(&s.text), "built,noden1,noden2,done");
    strbuf_done(&s.text);
    cleanup_free char *folder = xasprintf("%s/templates", cache);
    cleanup_dir DIR *dir = opendir(folder);
    struct dirent *e;
    int templates = 0;
    while ((e = readdir(dir)))
        if (e->d_name[0] != '.')
            templates++;
        else
            assert_false(str_starts(e->d_name, ".new-")); // nothing half-made stays
    assert_int_equal(templates, 1);
}

static void a_cache_that_cannot_be_written_costs_a_note_and_no_more(void **state) {
    (void)state;
    cleanup_free char *nodes = xasprintf("%s/nodes", root);
    struct story s = {0};
    tell("/proc/no-such-cache", false, nodes, &s);
    assert_string_equal(strbuf_str(&s.text), "built,noden1,noden2,done,note");
    strbuf_clear(&s.text);
    tell(NULL, false, nodes, &s);
    assert_string_equal(strbuf_str(&s.text), "built,noden1,noden2,done");
    strbuf_done(&s.text);
}

static void a_failing_initdb_is_told_with_its_own_words(void **state) {
    (void)state;
    cleanup_free char *nodes = xasprintf("%s/nodes", root);
    struct stack_paths good = paths[0];
    STR_COPY(paths[0].pg_bin, "/nonexistent");
    struct story s = {0};
    tell(NULL, false, nodes, &s);
    assert_string_equal(strbuf_str(&s.text), "failed");
    strbuf_done(&s.text);
    paths[0] = good;
}

static void the_name_depends_on_what_is_inside_and_on_nothing_else(void **state) {
    (void)state;
    char a[40], b[40];
    template_name(&conf, a);
    topology.patroni.ttl = 77 * SEC;
    template_name(&conf, b);
    assert_string_equal(a, b);
    topology.postgresql.items[0].value[0] = '5';
    template_name(&conf, b);
    assert_string_not_equal(a, b);
    topology.postgresql.items[0].value[0] = '4';
    STR_COPY(topology.nodes.items[1].name, "n9"); // its slot is in the template
    template_name(&conf, b);
    assert_string_not_equal(a, b);
    STR_COPY(topology.nodes.items[1].name, "n2");
    STR_COPY(paths[0].found[0].version, "99");
    template_name(&conf, b);
    assert_string_not_equal(a, b);
}

static int setup(void **state) {
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/test_stack_template.%d", (int)getpid());
    return fs_mkdirs(root, 0700, NULL);
}
static int teardown(void **state) {
    (void)state;
    return fs_remove_tree(root, NULL);
}

int main(void) {
    if (getuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
        return 77;
    make_topology();
    struct err err = {0};
    struct topology only_pg = {.nodes = {.items = topology.nodes.items, .n = 1}};
    only_pg.stack = topology.stack;
    if (stack_find_programs(&only_pg, paths, &err) < 0) {
        print_message("skipped: %s\n", err.msg);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cold_start_builds_and_keeps_what_a_warm_start_copies),
        cmocka_unit_test(a_cache_that_cannot_be_written_costs_a_note_and_no_more),
        cmocka_unit_test(a_failing_initdb_is_told_with_its_own_words),
        cmocka_unit_test(the_name_depends_on_what_is_inside_and_on_nothing_else),
    };
    int failed = cmocka_run_group_tests_name("data directory templates", tests, setup, teardown);
    VEC_DONE(&topology.nodes);
    VEC_DONE(&topology.postgresql);
    return failed;
}
