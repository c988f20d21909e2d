// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lab/base/fs.h"
#include "lab/record/reserve.h"
#include "lab/record/run.h"

static char folder[64];

static int setup(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/test_run.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    return fs_remove_tree(folder, NULL);
}

static char *path_of(const char *name) {
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

struct seen {
    int64_t n, stop_at;
    usec_t last;
};
static bool count(void *arg, const struct event *ev) {
    struct seen *s = arg;
    s->n++;
    s->last = ev->t;
    return s->n != s->stop_at;
}

static struct event key_event(usec_t t) {
    struct event ev = EVENT_NEW(AUTHORITY);
    ev.t = t;
    STR_COPY(ev.u.AUTHORITY.holder, "n1");
    return ev;
}

static void write_text(const char *name, const char *text, size_t n) {
    assert_int_equal(fs_write(path_of(name), text, n, 0644, NULL), 0);
}

static void what_was_written_is_read_in_order(void **state) {
    (void)state;
    struct run_log *log = NULL;
    struct err err = {0};
    assert_int_equal(run_log_create(path_of("a"), &log, &err), 0);
    for (usec_t t = 1; t <= 1000; t++) {
        struct event ev = key_event(t);
        assert_int_equal(run_log_write(log, &ev, &err), 0);
    }
    struct event tick = {.kind = EVENT_TICK};
    assert_int_equal(run_log_write(log, &tick, &err), 0);
    assert_true(run_log_create(path_of("a"), &log, &err) == -EEXIST); // never over an older run
    run_log_close(log);
    struct seen s = {0};
    struct run_read_stats stats;
    assert_int_equal(run_log_read(path_of("a"), count, &s, &stats, &err), 0);
    assert_true(s.n == 1000 && s.last == 1000 && stats.events == 1000);
    assert_true(stats.skipped == 0 && stats.broken == 0 && !stats.cut);
    s = (struct seen){.stop_at = 10};
    assert_int_equal(run_log_read(path_of("a"), count, &s, &stats, &err), 0);
    assert_true(s.n == 10);
}

static void a_log_cut_at_any_byte_gives_its_whole_lines(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf all = {0};
    size_t ends[4] = {0};
    for (int i = 1; i <= 3; i++) {
        struct event ev = key_event((usec_t)i);
        event_to_json(&ev, &all);
        ends[i] = all.len;
    }
    for (size_t n = 0; n <= all.len; n++) {
        write_text("cut", all.data, n);
        struct seen s = {0};
        struct run_read_stats stats;
        assert_int_equal(run_log_read(path_of("cut"), count, &s, &stats, NULL), 0);
        int64_t whole = (n >= ends[1]) + (n >= ends[2]) + (n >= ends[3]);
        assert_true(s.n == whole && stats.broken == 0);
        assert_true(stats.cut == (n != ends[0] && n != ends[1] && n != ends[2] && n != ends[3]));
    }
}

static void garbage_and_unknown_lines_are_counted_and_skipped(void **state) {
    (void)state;
    static const char text[] = "\x7f"
                               "ELF\x02\x01\0\0\0\n"
                               "{\"t\":1,\"ev\":\"slot\"}\n"
                               "\n"
                               "{\"t\":2,\"ev\":\"from.the.future\"}\n"
                               "{\"t\":3,\"ev\":\"slot\"\n"
                               "{\"t\":4,\"ev\":\"slot\"}\r\n";
    write_text("garbage", text, sizeof text - 1);
    struct seen s = {0};
    struct run_read_stats stats;
    assert_int_equal(run_log_read(path_of("garbage"), count, &s, &stats, NULL), 0);
    assert_true(s.n == 2 && s.last == 4 && stats.skipped == 1 && stats.broken == 2 && !stats.cut);
}

static void lines_with_an_unknown_word_are_given_and_counted(void **state) {
    (void)state;
    static const char text[] = "{\"t\":1,\"ev\":\"slot\"}\n"
                               "{\"t\":2,\"ev\":\"service\",\"state\":\"gone\"}\n"
                               "{\"t\":3,\"ev\":\"watchdog\",\"state\":\"bitten\"}\n"
                               "{\"t\":4,\"ev\":\"service\",\"state\":\"started\"}\n";
    write_text("words", text, sizeof text - 1);
    struct seen s = {0};
    struct run_read_stats stats;
    assert_int_equal(run_log_read(path_of("words"), count, &s, &stats, NULL), 0);
    assert_true(s.n == 4 && stats.events == 4 && stats.skipped == 0 && stats.broken == 0);
    assert_true(stats.unknown == 2 && stats.first_unknown == 2);
    assert_string_equal(stats.word.word, "gone");
    assert_string_equal(stats.word.field, "state");
    assert_int_equal(stats.word.kind, EVENT_SERVICE);
}

static void an_endless_line_is_one_broken_line(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf all = {0};
    strbuf_add(&all, "{\"t\":1,\"ev\":\"slot\"}\n");
    for (int i = 0; i < 1000000; i++)
        strbuf_add(&all, "x");
    strbuf_add(&all, "\n{\"t\":2,\"ev\":\"slot\"}\n");
    write_text("long", all.data, all.len);
    struct seen s = {0};
    struct run_read_stats stats;
    assert_int_equal(run_log_read(path_of("long"), count, &s, &stats, NULL), 0);
    assert_true(s.n == 2 && s.last == 2 && stats.broken == 1 && !stats.cut);
}

// RLIMIT_FSIZE plays the full disk: write(2) gets a part out, then fails.
static void a_full_disk_is_said_once_and_the_log_stays_readable(void **state) {
    (void)state;
    struct run_log *log = NULL;
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 100;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(run_log_create(path_of("full"), &log, NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int failures = 0;
    for (usec_t t = 1; t <= 5; t++) {
        struct event ev = key_event(t);
        struct err err = {0};
        failures += run_log_write(log, &ev, &err) < 0;
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    struct event ev = key_event(6); // there is room again
    assert_int_equal(run_log_write(log, &ev, NULL), 0);
    assert_int_equal(run_log_seal(log, folder, 7, NULL), 0);
    run_log_close(log);
    struct seen s = {0};
    struct run_read_stats stats;
    assert_int_equal(run_log_read(path_of("full"), count, &s, &stats, NULL), 0);
    assert_int_equal(failures, 1);
    int64_t lost = stats.at.u.RECORD_SEAL.lost;
    assert_int_equal(stats.seal, RUN_SEAL_TRUE);
    assert_true(lost > 0 && s.n == 7 - lost && s.last == 7 && stats.broken == 1);
}

// ---- the seal --------------------------------------------------------------------------------------------------------

static void write_event(struct run_log *log, enum event_kind kind, usec_t t) {
    struct event ev = {.t = t, .kind = kind};
    assert_int_equal(run_log_write(log, &ev, NULL), 0);
}

// A lab that was kept: its record is sealed when the run is over, and once more at its end.
static void write_sealed(const char *name, bool kept, struct strbuf *out) {
    struct run_log *log = NULL;
    (void)unlink(path_of(name));
    assert_int_equal(run_log_create(path_of(name), &log, NULL), 0);
    write_event(log, EVENT_RUN_BEGIN, 1);
    write_event(log, EVENT_SLOT, 2);
    write_event(log, EVENT_RUN_END, 3);
    assert_int_equal(run_log_seal(log, folder, 4, NULL), 0);
    if (kept) {
        write_event(log, EVENT_SLOT, 5);
        assert_int_equal(run_log_seal(log, folder, 6, NULL), 0);
    }
    run_log_close(log);
    assert_int_equal(fs_read(path_of(name), 1 << 20, out, NULL), 0);
}

static struct run_read_stats read_back(const char *name, struct seen *s) {
    struct run_read_stats stats;
    *s = (struct seen){0};
    assert_int_equal(run_log_read(path_of(name), count, s, &stats, NULL), 0);
    return stats;
}

static void a_seal_is_true_when_nothing_was_changed(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf text = {0};
    struct seen s;
    write_text("ledger.bin", "abc", 3);
    write_sealed("sealed", false, &text);
    struct run_read_stats stats = read_back("sealed", &s);
    assert_true(stats.seal == RUN_SEAL_TRUE && !stats.after && stats.lines == 3 && s.n == 4);
    assert_int_equal(stats.at.u.RECORD_SEAL.ledger_bytes, 3);
    assert_string_equal(stats.at.u.RECORD_SEAL.ledger_sha256, // FIPS 180-4's own example
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(stats.at.u.RECORD_SEAL.plan_sha256, ""); // there is none
}

static void no_bit_of_a_sealed_record_can_turn(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf text = {0};
    struct seen s;
    write_sealed("bits", false, &text);
    const char *seal = strstr(text.data, "{\"t\":4,");
    for (size_t i = 0; i < text.len * 8; i++) {
        text.data[i / 8] ^= (char)(1 << i % 8);
        write_text("bits", text.data, text.len);
        struct run_read_stats stats = read_back("bits", &s);
        // Of the seal's own line only its words about this file are compared here: the rest is about other files.
        if (i / 8 < (size_t)(seal - text.data) && stats.seal == RUN_SEAL_TRUE)
            fail_msg("bit %zu of byte %zu (%c) was turned, and the seal is still true", i % 8, i / 8, text.data[i / 8]);
        text.data[i / 8] ^= (char)(1 << i % 8);
    }
}

static void a_line_more_or_less_breaks_the_seal(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf text = {0};
    struct seen s;
    write_sealed("lines", false, &text);
    const char *second = strchr(text.data, '\n') + 1, *third = strchr(second, '\n') + 1;
    cleanup_strbuf struct strbuf less = {0}, more = {0}, swapped = {0};
    strbuf_addn(&less, text.data, (size_t)(second - text.data));
    strbuf_add(&less, third);
    strbuf_addn(&more, text.data, (size_t)(third - text.data));
    strbuf_add(&more, second);
    strbuf_addn(&swapped, second, (size_t)(third - second));
    strbuf_addn(&swapped, text.data, (size_t)(second - text.data));
    strbuf_add(&swapped, third);
    const struct strbuf *all[] = {&less, &more, &swapped};
    for (size_t i = 0; i < 3; i++) {
        write_text("lines", all[i]->data, all[i]->len);
        assert_int_equal(read_back("lines", &s).seal, RUN_SEAL_FALSE);
    }
    write_text("lines", text.data, (size_t)(strstr(text.data, "{\"t\":4,") - text.data));
    assert_int_equal(read_back("lines", &s).seal, RUN_SEAL_NONE);
}

static void what_a_kept_lab_writes_is_not_read_as_part_of_its_run(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf text = {0};
    struct seen s;
    write_sealed("kept", true, &text);
    struct run_read_stats stats = read_back("kept", &s);
    assert_true(stats.seal == RUN_SEAL_TRUE && stats.after && s.n == 4 && s.last == 4);
    strbuf_add(&text, "garbage\n");
    write_text("kept", text.data, text.len);
    stats = read_back("kept", &s);
    assert_true(stats.seal == RUN_SEAL_TRUE && stats.broken == 0 && s.n == 4);
}

// The limit is met by the reserve first: it is said before anything is lost, and the rest of the reserve takes the last words.
static void a_full_disk_is_known_while_there_is_room_for_the_end(void **state) {
    (void)state;
    struct run_log *log = NULL;
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 3 * RESERVE_LOG / 2;
    assert_int_equal(run_log_create(path_of("reserve"), &log, NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct err err = {0};
    usec_t t = 0, told = 0;
    struct stat st = {0};
    while (st.st_size + 1000 < (off_t)small.rlim_cur) {
        struct event ev = key_event(++t);
        if (run_log_write(log, &ev, &err) < 0) {
            assert_int_equal(told, 0);
            told = t;
            assert_true(small.rlim_cur - (uint64_t)st.st_size > RESERVE_LOG * 3 / 4);
        }
        assert_int_equal(stat(path_of("reserve"), &st), 0);
    }
    assert_int_equal(err.code, EFBIG);
    assert_true(told > 0 && told < t);
    run_log_close(log);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(stat(path_of("reserve"), &st), 0);
    assert_true(st.st_blocks * 512 < st.st_size + 65536); // what was kept beyond the end is given back
    struct seen s = {0};
    struct run_read_stats stats;
    assert_int_equal(run_log_read(path_of("reserve"), count, &s, &stats, NULL), 0);
    assert_true(s.n == (int64_t)t && s.last == t && stats.broken == 0 && !stats.cut);
}

static void a_run_folder_gets_a_name_of_its_own(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf first = {0}, second = {0}, third = {0};
    struct strbuf *all[] = {&first, &second, &third};
    struct err err = {0};
    cleanup_free char *parent = xasprintf("%s/deep/er", folder);
    for (int i = 0; i < 3; i++) // within one second at least two of three share the stamp
        assert_int_equal(run_folder_create(parent, "../lea der", 1, all[i], &err), 0);
    assert_string_not_equal(first.data, second.data);
    assert_string_not_equal(second.data, third.data);
    struct stat st;
    assert_int_equal(stat(first.data, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_true(str_starts(first.data, parent));
    assert_non_null(strstr(first.data + strlen(parent), "-.-lea-der")); // a name can't climb out of the parent
}

static void a_place_without_room_is_refused_with_numbers_and_nothing_is_left(void **state) {
    (void)state;
    struct err err = {0};
    cleanup_strbuf struct strbuf out = {0};
    cleanup_free char *parent = xasprintf("%s/new", folder);
    assert_int_equal(run_folder_create(parent, "x", UINT64_C(1) << 60, &out, &err), -ENOSPC);
    assert_non_null(strstr(err.msg, "MB are free, a run needs 1099511627776 MB"));
    assert_int_equal(access(parent, F_OK), -1);
    assert_int_equal(out.len, 0);
    assert_true(run_folder_create("/proc", "x", 1, &out, &err) < 0);
    assert_non_null(strstr(err.msg, "/proc"));
}

static void the_default_place_follows_the_environment(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf out = {0};
    setenv("BASCULE_RUNS_DIR", "/r", 1), setenv("XDG_STATE_HOME", "/s", 1), setenv("HOME", "/h", 1);
    assert_int_equal(run_default_dir(&out, NULL), 0);
    assert_string_equal(out.data, "/r");
    unsetenv("BASCULE_RUNS_DIR");
    strbuf_clear(&out);
    assert_int_equal(run_default_dir(&out, NULL), 0);
    assert_string_equal(out.data, "/s/bascule/runs");
    setenv("XDG_STATE_HOME", "relative", 1);
    strbuf_clear(&out);
    assert_int_equal(run_default_dir(&out, NULL), 0);
    assert_string_equal(out.data, "/h/.local/state/bascule/runs");
    unsetenv("HOME");
    assert_int_equal(run_default_dir(&out, NULL), -ENOENT);
}

// The goal is below 2 s. Printed, not asserted: the machine may be busy.
static void the_time_to_read_a_million_events_is_printed(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf all = {0};
    for (int i = 0; i < 1000000; i++) {
        struct event ev = EVENT_NEW(CLIENT_TICK);
        ev.t = (usec_t)i * 100000;
        ev.u.CLIENT_TICK.from = ev.t;
        ev.u.CLIENT_TICK.w_tried = ev.u.CLIENT_TICK.w_ok = 10;
        ev.u.CLIENT_TICK.r_tried = ev.u.CLIENT_TICK.r_ok = 3;
        ev.u.CLIENT_TICK.w_first_ok = ev.t + 3000;
        ev.u.CLIENT_TICK.w_last_ok = ev.t + 93000;
        ev.u.CLIENT_TICK.w_first_ok_scheduled = ev.t;
        ev.u.CLIENT_TICK.w_last_ok_scheduled = ev.t + 90000;
        ev.u.CLIENT_TICK.w_max_us = 4000 + i % 1000;
        event_to_json(&ev, &all);
    }
    write_text("million", all.data, all.len);
    struct seen s = {0};
    usec_t began = usec_now();
    assert_int_equal(run_log_read(path_of("million"), count, &s, NULL, NULL), 0);
    print_message("1000000 events, %zu MB, read in %.2f s\n", all.len >> 20, (double)(usec_now() - began) / 1e6);
    assert_true(s.n == 1000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_in_order),
        cmocka_unit_test(a_log_cut_at_any_byte_gives_its_whole_lines),
        cmocka_unit_test(garbage_and_unknown_lines_are_counted_and_skipped),
        cmocka_unit_test(lines_with_an_unknown_word_are_given_and_counted),
        cmocka_unit_test(an_endless_line_is_one_broken_line),
        cmocka_unit_test(a_full_disk_is_said_once_and_the_log_stays_readable),
        cmocka_unit_test(a_full_disk_is_known_while_there_is_room_for_the_end),
        cmocka_unit_test(a_seal_is_true_when_nothing_was_changed),
        cmocka_unit_test(no_bit_of_a_sealed_record_can_turn),
        cmocka_unit_test(a_line_more_or_less_breaks_the_seal),
        cmocka_unit_test(what_a_kept_lab_writes_is_not_read_as_part_of_its_run),
        cmocka_unit_test(a_run_folder_gets_a_name_of_its_own),
        cmocka_unit_test(a_place_without_room_is_refused_with_numbers_and_nothing_is_left),
        cmocka_unit_test(the_default_place_follows_the_environment),
        cmocka_unit_test(the_time_to_read_a_million_events_is_printed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
