// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/base/random.h"
#include "lab/record/ledger.h"

static char path[64];

static int setup(void **state) {
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/test_ledger.%d", (int)getpid());
    return 0;
}
static int teardown(void **state) {
    (void)state;
    (void)unlink(path);
    return 0;
}

static void write_records(uint64_t n) {
    int fd = -1;
    assert_int_equal(ledger_create(path, &fd, NULL), 0);
    for (uint64_t id = 1; id <= n; id++) {
        struct ledger_record r = {
            .id = id, .scheduled = id * 10, .returned = id * 10 + 3, .op = LEDGER_WRITE, .result = LEDGER_OK};
        assert_int_equal(fs_write_all(fd, &r, sizeof r), 0);
    }
    assert_int_equal(close(fd), 0);
}

static bool sum(void *arg, const struct ledger_record *r) {
    *(uint64_t *)arg += r->id;
    return true;
}
static bool first_three(void *arg, const struct ledger_record *r) {
    (void)arg;
    return r->id < 3;
}

static void records_come_back_and_a_half_one_at_the_end_is_ignored(void **state) {
    (void)state;
    write_records(1000);
    uint64_t total = 0;
    assert_true(ledger_read(path, sum, &total, NULL) == 1000 && total == 500500);
    assert_true(ledger_read(path, first_three, NULL, NULL) == 3);
    assert_int_equal(truncate(path, 16 + 48 * 999 + 47), 0);
    total = 0;
    assert_true(ledger_read(path, sum, &total, NULL) == 999 && total == 499500);
}

static bool count_broken(void *arg, const struct ledger_record *r) {
    *(int64_t *)arg += r->op == LEDGER_BROKEN && r->id == 0 && r->returned == 0;
    return true;
}

static void records_that_cannot_be_ours_are_told_as_broken(void **state) {
    (void)state;
    const struct ledger_record good = {
        .id = 1, .scheduled = 10, .returned = 13, .op = LEDGER_WRITE, .result = LEDGER_OK};
    struct ledger_record bad[9];
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        bad[i] = good;
    bad[0].op = 3;
    bad[1].result = 0;
    bad[2].result = 4;
    bad[3].phase = 9;
    bad[4].flags = 0x80;
    bad[5].scheduled = UINT64_MAX;
    bad[6].invoked = USEC_LONGEST + 1;
    bad[7].returned = UINT64_MAX - 5;
    memcpy(bad[8].sqlstate, "\x1b[2J", 5);
    write_records(2);
    cleanup_close int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(fs_write_all(fd, bad, sizeof bad), 0);
    int64_t broken = 0;
    assert_true(ledger_read(path, count_broken, &broken, NULL) == 2 + (int64_t)ARRAY_SIZE(bad));
    assert_true(broken == (int64_t)ARRAY_SIZE(bad));
}

static void a_ledger_is_never_written_over(void **state) {
    (void)state;
    write_records(1);
    int fd = -1;
    struct err err = {0};
    assert_int_equal(ledger_create(path, &fd, &err), -EEXIST);
    assert_int_equal(fd, -1);
}

static void what_is_no_ledger_of_ours_is_refused_with_a_reason(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *why;
    } bad[] = {
        {"", 0, "not a ledger"},
        {"BASCLED1", 8, "not a ledger"},
        {"NOTALEDGERATALL!", 16, "not a ledger"},
        {"BASCLED1\x30\0\0\0\1\2\3\4", 16, "byte order"},
        {"BASCLED1\x40\0\0\0\4\3\2\1", 16, "records of 64 bytes"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = {0};
        assert_int_equal(fs_write(path, bad[i].bytes, bad[i].n, 0644, NULL), 0);
        assert_true(ledger_read(path, sum, NULL, &err) == -EINVAL);
        assert_non_null(strstr(err.msg, bad[i].why));
    }
    (void)unlink(path);
    assert_true(ledger_read(path, sum, NULL, NULL) == -ENOENT);
}

// RLIMIT_FSIZE plays the full disk. It is said once, with room for more; beyond that no piece of a record shifts what could follow.
static void a_full_disk_is_said_once_and_no_record_is_cut(void **state) {
    (void)state;
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 2 * RESERVE_LEDGER + 7; // in the middle of a record
    (void)signal(SIGXFSZ, SIG_IGN);
    struct ledger_writer w = {.fd = -1};
    assert_int_equal(ledger_create(path, &w.fd, NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    uint64_t told_at = 0, said = 0;
    for (uint64_t id = 1; id <= 3 * RESERVE_LEDGER / sizeof(struct ledger_record); id++) {
        struct ledger_record r = {.id = id, .returned = id, .op = LEDGER_WRITE, .result = LEDGER_OK};
        if (ledger_append(&w, &r, 1) < 0) {
            said++;
            told_at = w.size;
        }
    }
    ledger_close(&w);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(said == 1 && small.rlim_cur - told_at > RESERVE_LEDGER * 3 / 4);
    uint64_t total = 0, whole = (small.rlim_cur - 16) / sizeof(struct ledger_record);
    assert_true(ledger_read(path, sum, &total, NULL) == (int64_t)whole && total == whole * (whole + 1) / 2);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal((uint64_t)st.st_size, 16 + whole * sizeof(struct ledger_record));
}

static struct ledger_record write_of(uint64_t id, uint8_t result, uint8_t node, usec_t returned) {
    return (struct ledger_record){.id = id,
                                  .op = LEDGER_WRITE,
                                  .result = result,
                                  .node = node,
                                  .scheduled = returned - 3,
                                  .invoked = returned - 2,
                                  .returned = returned};
}

// One record of many: every id is in exactly one, with its own outcome and server, and its time lies in that record's.
static void a_merged_record_has_every_id_with_its_outcome(void **state) {
    struct random r = {20261129};
    for (int round = 0; round < 300; round++) {
        enum { N = 400 };
        struct ledger_record whole[N], merged[N];
        usec_t t = 10 * SEC;
        uint8_t result = LEDGER_OK, node = 1;
        for (size_t i = 0; i < N; i++) {
            t += random_below(&r, random_below(&r, 60) == 0 ? SEC : 20 * MSEC);
            if (random_below(&r, 50) == 0)
                result = (uint8_t)(1 + random_below(&r, 3)), node = (uint8_t)random_below(&r, 4);
            whole[i] = write_of(i + 1, result, node, t + random_below(&r, 5 * MSEC));
        }
        for (size_t i = N - 1; i > 0; i--) { // they come back in any order
            size_t other = (size_t)random_below(&r, i + 1);
            struct ledger_record swap = whole[i];
            whole[i] = whole[other], whole[other] = swap;
        }
        memcpy(merged, whole, sizeof whole);
        size_t n = ledger_merge(merged, N, 100 * MSEC), ids = 0;
        assert_true(n < N);
        for (size_t i = 0; i < n; i++)
            ids += merged[i].more + 1;
        assert_int_equal(ids, N);
        for (size_t i = 0; i < N; i++) {
            const struct ledger_record *in = NULL;
            for (size_t j = 0; j < n; j++)
                if (whole[i].id >= merged[j].id && whole[i].id <= merged[j].id + merged[j].more)
                    assert_null(in), in = &merged[j];
            assert_non_null(in);
            assert_true(in->result == whole[i].result && in->node == whole[i].node);
            assert_true(in->scheduled <= whole[i].scheduled && in->returned >= whole[i].returned &&
                        (in->more ? in->invoked <= whole[i].returned : in->invoked == whole[i].invoked));
        }
    }
    (void)state;
}

static void a_pause_or_a_missing_id_ends_a_merged_record(void **state) {
    struct ledger_record all[] = {write_of(1, LEDGER_OK, 1, 10 * SEC), write_of(2, LEDGER_OK, 1, 10 * SEC + 100 * MSEC),
                                  write_of(3, LEDGER_OK, 1, 10 * SEC + 201 * MSEC),
                                  write_of(5, LEDGER_OK, 1, 10 * SEC + 202 * MSEC)};
    assert_int_equal(ledger_merge(all, ARRAY_SIZE(all), 100 * MSEC), 3);
    assert_true(all[0].more == 1 && all[1].more == 0 && all[2].more == 0);
    assert_int_equal(ledger_merge(all, 0, 100 * MSEC), 0);
    (void)state;
}

// The first write waits through a pause in which nothing comes back, and the next ones had come back before it.
static void a_pause_behind_later_ids_ends_a_merged_record(void **state) {
    struct ledger_record all[] = {
        write_of(1, LEDGER_OK, 1, 10 * SEC + 500 * MSEC), write_of(2, LEDGER_OK, 1, 10 * SEC + 5 * MSEC),
        write_of(3, LEDGER_OK, 1, 10 * SEC + 15 * MSEC), write_of(4, LEDGER_OK, 1, 10 * SEC + 501 * MSEC)};
    assert_int_equal(ledger_merge(all, ARRAY_SIZE(all), 100 * MSEC), 3);
    assert_true(all[0].more == 0 && all[1].more == 1 && all[2].more == 0);
    assert_int_equal(all[1].invoked, 10 * SEC + 5 * MSEC);
    assert_int_equal(all[1].returned, 10 * SEC + 15 * MSEC);
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_back_and_a_half_one_at_the_end_is_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(records_that_cannot_be_ours_are_told_as_broken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ledger_is_never_written_over, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_said_once_and_no_record_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_ledger_of_ours_is_refused_with_a_reason, setup, teardown),
        cmocka_unit_test(a_merged_record_has_every_id_with_its_outcome),
        cmocka_unit_test(a_pause_or_a_missing_id_ends_a_merged_record),
        cmocka_unit_test(a_pause_behind_later_ids_ends_a_merged_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
