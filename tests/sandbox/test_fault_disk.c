// SPDX-License-Identifier: PostgreSQL
// The storage faults on services that write and fsync in a loop and note what they met: "etcd" on /var/lib/etcd, and
// "patroni" on /var/lib/postgresql. What they noted is the measurement, not the injector's own probe.
#include "tests/sandbox/fault_fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lab/node/disk/agent.h"

// Each round: write 4 kB at the same place, fdatasync, and a line "ERRNO MICROSECONDS" into /tmp/NAME.
static const char loop_py[] = "import os,time,sys\n"
                              "d,log=sys.argv[1],open(sys.argv[2],'w',buffering=1)\n"
                              "f=os.open(d+'/file',os.O_RDWR|os.O_CREAT)\n"
                              "n=0\n"
                              "while True:\n"
                              "  t,e=time.monotonic(),0\n"
                              "  try:\n"
                              "    os.pwrite(f,b'x'*4096,4096*(n%64 if len(sys.argv)<4 else n)); os.fdatasync(f)\n"
                              "  except OSError as x: e=x.errno\n"
                              "  n+=1\n"
                              "  log.write('%d %d\\n'%(e,(time.monotonic()-t)*1e6)); time.sleep(0.005)\n";

static int start_loop(struct fixture *x, const char *node, const char *service, struct err *err) {
    struct node *n = fault_world_node(&x->world, node);
    for (int etcd = 0; etcd < 2; etcd++) {
        const char *name = etcd ? "etcd" : "patroni";
        if (service && !str_eq(service, name))
            continue;
        const char *argv[] = {"/usr/bin/python3",
                              "-c",
                              loop_py,
                              etcd ? "/var/lib/etcd" : "/var/lib/postgresql",
                              etcd ? "/tmp/etcd" : "/tmp/patroni",
                              etcd ? NULL : "grow",
                              NULL};
        struct service_spec spec = {.name = name, .argv = argv, .log = "loop.log"};
        if (node_service_start(n, &spec, err) < 0)
            return -1;
    }
    return 0;
}

static int setup(void **state) {
    struct err err = {0};
    struct fixture *x = fixture_new_disks(DISK_LAYER_ALL);
    *state = x;
    x->start = start_loop;
    assert_int_equal(0, start_loop(x, "n1", NULL, &err));
    assert_int_equal(0, start_loop(x, "n2", NULL, &err));
    fixture_run(x, 300 * MSEC);
    return 0;
}
static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

struct seen {
    int rounds, error; // rounds in the time; the last error among them
    int later;         // and of all but the first, which may have begun before
    int64_t slowest;   // µs
};
static struct seen watch(struct fixture *x, int node, const char *log, usec_t time) {
    struct seen s = {0};
    FILE *f = fopen(fixture_path(x, node, log), "re");
    assert_non_null(f);
    (void)fseek(f, 0, SEEK_END);
    fixture_run(x, time);
    int e;
    long took;
    while (fscanf(f, "%d %ld", &e, &took) == 2) {
        s.later = s.rounds && e ? e : s.later;
        s.rounds++;
        s.error = e ? e : s.error;
        s.slowest = took > s.slowest ? took : s.slowest;
    }
    (void)fclose(f);
    return s;
}

static void untouched(struct fixture *x, int node, const char *log) {
    struct seen s = watch(x, node, log, 400 * MSEC);
    assert_true(s.rounds > 3);
    assert_int_equal(0, s.later);
}

static void slow_fsync_is_slow_on_that_disk_of_that_node_only(void **state) {
    struct fixture *x = *state;
    must_verify(x, "slow", "disk.slow", "n1", "disk=etcd delay=200ms");
    struct seen s = watch(x, N1, "/tmp/etcd", 1500 * MSEC);
    print_message("    %d rounds, slowest %.1f ms\n", s.rounds, (double)s.slowest / 1000);
    assert_in_range(s.rounds, 2, 8); // 1.5 s / 200 ms, and one that began before
    assert_true(s.slowest >= 200000);
    assert_true(watch(x, N1, "/tmp/patroni", 500 * MSEC).rounds > 10);
    assert_true(watch(x, N2, "/tmp/etcd", 500 * MSEC).rounds > 10);
    must_heal(x, "slow");
    assert_true(watch(x, N1, "/tmp/etcd", 500 * MSEC).rounds > 10);
}

static void a_stall_holds_and_then_everything_goes_on(void **state) {
    struct fixture *x = *state;
    must_verify(x, "stall", "disk.stall", "n1", "disk=etcd");
    assert_int_equal(0, watch(x, N1, "/tmp/etcd", 500 * MSEC).rounds);
    untouched(x, N1, "/tmp/patroni");
    must_heal(x, "stall");
    untouched(x, N1, "/tmp/etcd");
}

static void a_held_process_can_be_killed(void **state) {
    struct fixture *x = *state;
    must_verify(x, "stall", "disk.stall", "n1", "disk=etcd");
    must_verify(x, "kill", "process.kill", "n1", "service=etcd");
    assert_true(fixture_service_ends(x, N1, "etcd", 5 * SEC));
    must_heal(x, "stall");
    must_heal(x, "kill");
    fixture_run(x, 300 * MSEC);
    untouched(x, N1, "/tmp/etcd");
}

static void errors_reach_the_calls_they_name(void **state) {
    struct fixture *x = *state;
    static const char *const calls[] = {"sync", "write"};
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        char params[64];
        (void)snprintf(params, sizeof params, "disk=etcd calls=%s", calls[i]);
        must_verify(x, "error", "disk.error", "n1", params);
        assert_int_equal(EIO, watch(x, N1, "/tmp/etcd", 400 * MSEC).error);
        untouched(x, N1, "/tmp/patroni");
        must_heal(x, "error");
        untouched(x, N1, "/tmp/etcd");
    }
    must_verify(x, "read", "disk.error", "n1", "disk=postgresql calls=read");
    untouched(x, N1, "/tmp/patroni"); // it does not read
    must_heal(x, "read");
}

static void readonly_answers_erofs_to_open_files_too(void **state) {
    struct fixture *x = *state;
    must_verify(x, "ro", "disk.readonly", "n1", "disk=postgresql");
    assert_int_equal(EROFS, watch(x, N1, "/tmp/patroni", 400 * MSEC).error);
    untouched(x, N1, "/tmp/etcd");
    must_heal(x, "ro");
    untouched(x, N1, "/tmp/patroni");
}

static void a_full_disk_is_full_for_new_pages_only(void **state) {
    struct fixture *x = *state;
    must_verify(x, "full", "disk.full", "n1", "disk=postgresql");
    assert_int_equal(ENOSPC, watch(x, N1, "/tmp/patroni", 400 * MSEC).error); // it grows
    untouched(x, N1, "/tmp/etcd");
    untouched(x, N2, "/tmp/patroni");
    must_verify(x, "full2", "disk.full", "n1", "disk=postgresql free=1MB");
    must_heal(x, "full");
    must_heal(x, "full2");
    untouched(x, N1, "/tmp/patroni");
    must_verify(x, "etcd", "disk.full", "n1", "disk=etcd");
    untouched(x, N1, "/tmp/etcd"); // it overwrites what it has
    must_heal(x, "etcd");
}

static void overlapping_faults_heal_one_by_one(void **state) {
    struct fixture *x = *state;
    must_verify(x, "slow", "disk.slow", "n1", "disk=etcd delay=150ms");
    must_verify(x, "stall", "disk.stall", "n1", "disk=etcd");
    assert_int_equal(0, watch(x, N1, "/tmp/etcd", 500 * MSEC).rounds);
    must_heal(x, "stall");
    struct seen s = watch(x, N1, "/tmp/etcd", 1000 * MSEC);
    assert_true(s.rounds > 0 && s.slowest >= 150000);
    must_heal(x, "slow");
    assert_true(watch(x, N1, "/tmp/etcd", 500 * MSEC).rounds > 10);
}

static void a_rule_outlives_a_power_cut(void **state) {
    struct fixture *x = *state;
    must_verify(x, "stall", "disk.stall", "n1", "disk=etcd");
    must_verify(x, "power", "node.power_off", "n1", "");
    must_heal(x, "power");
    fixture_run(x, 300 * MSEC);
    assert_int_equal(0, watch(x, N1, "/tmp/etcd", 500 * MSEC).rounds);
    untouched(x, N1, "/tmp/patroni");
    must_heal(x, "stall");
    untouched(x, N1, "/tmp/etcd");
}

// ---- negative control: the same fault, whose rule is gone again before it is measured ------------------------------

static void nobody(void *arg, const struct disk_answer *a) {
    (void)arg, (void)a;
}
static fault_phase_done real_done;
static void undo_and_go_on(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct err err = {0};
    struct disk_ask q = {.kind = DISK_ASK_ADD}; // a rule for no calls, to learn how far the ids are
    (void)node_disk_ask(f->world->nodes[N1], &q, nobody, NULL, &err);
    uint32_t last = q.rule.id;
    q.kind = DISK_ASK_DROP;
    for (q.rule.id = last > 8 ? last - 8 : 1; q.rule.id <= last; q.rule.id++)
        (void)node_disk_ask(f->world->nodes[N1], &q, nobody, NULL, &err);
    (void)node_disk_limit(f->world->nodes[N1], DISK_ETCD, f, 0, &err);
    real_done(f, ok, effective, text);
}
static const struct fault_ops *real_ops;
static void undone_inject(struct fault *f, fault_phase_done done) {
    real_done = done;
    real_ops->inject(f, undo_and_go_on);
}

static void a_fault_that_is_not_in_force_is_unverified(void **state) {
    struct fixture *x = *state;
    static const char *const names[] = {"disk.slow", "disk.stall", "disk.error", "disk.readonly", "disk.full"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct err err = {0};
        char delay[] = "delay", ms[] = "100ms", disk[] = "disk", etcd[] = "etcd";
        struct setting both[] = {{disk, etcd}, {delay, ms}};
        setting_list params = {0};
        VEC_PUSH(&params, both[0]);
        if (i == 0)
            VEC_PUSH(&params, both[1]);
        char nodes[1][NODE_NAME_MAX] = {"n1"};
        real_ops = fault_find(names[i]);
        struct fault_ops broken = *real_ops;
        broken.inject = undone_inject;
        fixture_forget(x);
        assert_int_equal(0, injector_inject_ops(x->in, names[i], &broken, "n1", nodes, 1, &params, &err));
        const struct event *e = fixture_wait(x, names[i], "unverified", 10 * SEC);
        assert_non_null(e);
        print_message("    %s: %s\n", names[i], e->u.FAULT.detail);
        assert_null(fixture_event(x, names[i], "verified"));
        VEC_DONE(&params);
        (void)injector_heal(x->in, names[i], &err);
        assert_non_null(fixture_wait(x, names[i], "heal_verified", 10 * SEC));
        static struct fault_ops kept[ARRAY_SIZE(names)]; // the live fault keeps pointing there
        kept[i] = broken;
        for (size_t k = 0; k < x->in->lives.n; k++)
            if (x->in->lives.items[k]->f.ops == &broken)
                x->in->lives.items[k]->f.ops = &kept[i];
    }
}

// ---- a power cut that forgets --------------------------------------------------------------------------------------

static void do_in(struct fixture *x, const char *name, const char *script) {
    const char *argv[] = {"/usr/bin/python3", "-c", script, NULL};
    struct err err = {0};
    struct service_spec spec = {.name = name, .argv = argv, .log = "script.log"};
    assert_int_equal(0, node_service_start(fixture_node(x, N3), &spec, &err));
    assert_true(fixture_service_ends(x, N3, name, 10 * SEC));
}

static int no_start(struct fixture *x, const char *node, const char *service, struct err *err) {
    (void)x, (void)node, (void)service, (void)err;
    return 0;
}

static void content_is(struct fixture *x, const char *path, const char *want) {
    char text[256] = "";
    FILE *f = fopen(fixture_path(x, N3, path), "re");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    assert_string_equal(want, text);
}

static void a_power_cut_forgets_what_was_not_synced(void **state) {
    struct fixture *x = *state;
    x->start = no_start;
    do_in(x, "script",
          "import os\n"
          "d='/var/lib/etcd/'\n"
          "def put(name,text,sync,off=0,how=os.O_CREAT|os.O_RDWR):\n"
          "  f=os.open(d+name,how); os.pwrite(f,text,off)\n"
          "  if sync: os.fsync(f)\n"
          "  os.close(f)\n"
          "put('synced',b'old',True)\n"
          "put('changed',b'old',True); put('changed',b'NEW',False)\n"
          "put('grown',b'old',True); put('grown',b'more',False,3)\n"
          "put('new',b'never',False)\n"
          "put('a',b'renamed',True); os.rename(d+'a',d+'b')\n"
          "put('cut',b'0123456789',True); os.truncate(d+'cut',10); f=os.open(d+'cut',os.O_RDWR); os.ftruncate(f,2)\n"
          "put('again',b'one',False); put('again',b'two',True); put('again',b'six',False)\n"
          "f=os.open(d+'stream',os.O_CREAT|os.O_WRONLY); os.write(f,b'kept '); os.fsync(f); os.write(f,b'lost')\n");
    must_verify(x, "cut", "disk.lose_unsynced", "n3", "");
    must_heal(x, "cut");
    content_is(x, "/var/lib/etcd/synced", "old");
    content_is(x, "/var/lib/etcd/changed", "old");
    content_is(x, "/var/lib/etcd/grown", "old");
    content_is(x, "/var/lib/etcd/new", "");
    content_is(x, "/var/lib/etcd/b", "renamed");
    content_is(x, "/var/lib/etcd/cut", "0123456789");
    content_is(x, "/var/lib/etcd/again", "two");
    content_is(x, "/var/lib/etcd/stream", "kept ");
}

static void a_plain_power_cut_forgets_nothing(void **state) {
    struct fixture *x = *state;
    x->start = no_start;
    do_in(x, "script", "import os\nf=os.open('/var/lib/etcd/new',os.O_CREAT|os.O_RDWR); os.write(f,b'kept')\n");
    must_verify(x, "power", "node.power_off", "n3", "");
    must_heal(x, "power");
    content_is(x, "/var/lib/etcd/new", "kept");
}

static void the_kernels_writeback_saves_what_is_old(void **state) {
    (void)state;
    char path[64], text[5] = "";
    static const char zeros[2 * 8192];
    uint64_t files, bytes;
    int fd = memfd_create("undo", MFD_CLOEXEC);
    assert_int_equal(sizeof zeros, pwrite(fd, zeros, sizeof zeros, 0));
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct undo *u = undo_new();
    undo_before(u, path, 0, 4);
    assert_int_equal(4, pwrite(fd, "old!", 4, 0));
    undo_writeback(u, usec_now() + 36 * SEC); // 30 s to expire, looked at every 5 s
    undo_before(u, path, 8192, 4);
    assert_int_equal(4, pwrite(fd, "new!", 4, 8192));
    assert_int_equal(0, undo_apply(u, &files, &bytes));
    assert_int_equal(1, files);
    assert_int_equal(8192, bytes);
    assert_int_equal(4, pread(fd, text, 4, 0));
    assert_string_equal("old!", text);
    assert_int_equal(1, pread(fd, text, 1, 8192));
    assert_int_equal(0, text[0]);
    undo_free(u);
    (void)close(fd);
}

// ---- what the filter costs -----------------------------------------------------------------------------------------

static double cost(unsigned layer) {
    struct fixture *x = fixture_new_disks(layer);
    do_in(x, "script",
          "import os,time\n"
          "f=os.open('/var/lib/etcd/f',os.O_CREAT|os.O_RDWR)\n"
          "def best(n):\n"
          "  t=time.monotonic()\n"
          "  for i in range(n): os.pwrite(f,b'x'*8192,0); os.fdatasync(f)\n"
          "  return (time.monotonic()-t)/n*1e6\n"
          "open('/tmp/cost','w').write('%f'%min(best(2000) for i in range(5)))\n");
    double us = 0;
    FILE *f = fopen(fixture_path(x, N3, "/tmp/cost"), "re");
    assert_non_null(f);
    assert_int_equal(1, fscanf(f, "%lf", &us));
    (void)fclose(f);
    fixture_free(x);
    return us;
}

static void the_cost_of_the_filter_is_told(void **state) {
    (void)state;
    double none = cost(0), sync = cost(DISK_SYNC), all = cost(DISK_LAYER_ALL & ~DISK_TRACK),
           track = cost(DISK_LAYER_ALL);
    print_message(
        "    a pwrite of 8 kB and an fdatasync: %.1f us; fsync filtered %.1f us, all filtered %.1f us, tracked "
        "%.1f us\n",
        none, sync, all, track);
    assert_true(track < none + 5000); // an order of magnitude, not a bound: the machine is shared
}

static void without_the_layer_the_fault_is_refused_with_the_way_out(void **state) {
    (void)state;
    struct fixture *x = fixture_new_disks(0);
    fixture_forget(x);
    assert_true(fixture_inject(x, "slow", "disk.slow", "n1", "disk=etcd delay=100ms") < 0);
    const struct event *e = fixture_wait(x, "slow", "failed", SEC);
    assert_non_null(e);
    assert_non_null(strstr(e->u.FAULT.detail, "disk_faults=yes"));
    fixture_free(x);
}

static int run(void) {
    struct err err = {0};
    if (node_disk_supported(&err) < 0) {
        (void)fprintf(stderr, "SKIPPED: %s\n", err.msg);
        return 77;
    }
#define ON_LAB(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {ON_LAB(slow_fsync_is_slow_on_that_disk_of_that_node_only),
                                       ON_LAB(a_stall_holds_and_then_everything_goes_on),
                                       ON_LAB(a_held_process_can_be_killed),
                                       ON_LAB(errors_reach_the_calls_they_name),
                                       ON_LAB(readonly_answers_erofs_to_open_files_too),
                                       ON_LAB(a_full_disk_is_full_for_new_pages_only),
                                       ON_LAB(overlapping_faults_heal_one_by_one),
                                       ON_LAB(a_rule_outlives_a_power_cut),
                                       ON_LAB(a_fault_that_is_not_in_force_is_unverified),
                                       ON_LAB(a_power_cut_forgets_what_was_not_synced),
                                       ON_LAB(a_plain_power_cut_forgets_nothing),
                                       cmocka_unit_test(the_kernels_writeback_saves_what_is_old),
                                       cmocka_unit_test(the_cost_of_the_filter_is_told),
                                       cmocka_unit_test(without_the_layer_the_fault_is_refused_with_the_way_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return fixture_main(run);
}
