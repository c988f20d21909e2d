// SPDX-License-Identifier: PostgreSQL
// Golden screens: recorded logs folded up to a moment, each view drawn and compared with tests/screen/golden/. UPDATE_GOLDEN=1 writes
// them anew; look at every one of them before it is committed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <curses.h>

#include "dashboard/tui.h"
#include "lab/base/fs.h"
#include "player.h"
#include "tests/fake/fake.h"

static char *read_file(const char *path) {
    cleanup_file FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    struct strbuf b = {0};
    char buf[4096];
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
        strbuf_addn(&b, buf, n);
    return b.data ? b.data : xstrdup("");
}

static bool write_file(const char *path, const struct strbuf *text) {
    cleanup_file FILE *f = fopen(path, "we");
    return f && fwrite(text->data, 1, text->len, f) == text->len;
}

static void show_difference(const char *name, const char *want, const char *got) {
    for (int line = 1; *want || *got; line++) {
        int a = (int)strcspn(want, "\n"), b = (int)strcspn(got, "\n");
        if (a != b || strncmp(want, got, (size_t)a) != 0)
            print_error("%s:%d\n  want |%.*s|\n  got  |%.*s|\n", name, line, a, want, b, got);
        want += a + (want[a] == '\n');
        got += b + (got[b] == '\n');
    }
}

static void compare_text(const struct strbuf *got, const char *name) {
    cleanup_free char *path = xasprintf("tests/screen/golden/%s.txt", name);
    if (getenv("UPDATE_GOLDEN"))
        assert_true(write_file(path, got));
    cleanup_free char *want = read_file(path);
    if (!want || !str_eq(want, strbuf_str(got))) {
        show_difference(path, want ? want : "", strbuf_str(got));
        fail_msg("%s %s", path, want ? "differs from what is drawn" : "is missing: run with UPDATE_GOLDEN=1");
    }
}

static void compare(const struct stage *s, const char *name) {
    cleanup_strbuf struct strbuf got = {0};
    canvas_to_text(&s->canvas, true, &got);
    compare_text(&got, name);
}

// keys: what is typed first; the view is drawn once before, as it would be.
static void shoot(struct player *p, const char *view, const char *moment, const int *keys, const char *suffix) {
    static const struct {
        int rows, cols;
        bool utf8;
        const char *name;
    } sizes[] = {
        {24, 80, true, "80x24"},
        {24, 80, false, "80x24-ascii"},
        {50, 200, true, "200x50"},
        {50, 200, false, "200x50-ascii"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (keys && i > 0) // what keys do does not depend on size or character set
            break;
        struct stage s;
        int node = p->dash.node;
        stage_open(&s, view, sizes[i].rows, sizes[i].cols, sizes[i].utf8);
        stage_draw(&s, p);
        for (size_t k = 0; keys && keys[k]; k++) {
            assert_true(stage_key(&s, p, keys[k]));
            stage_draw(&s, p);
        }
        stage_draw(&s, p);
        p->dash.node = node;
        cleanup_free char *name = xasprintf("%s-%s%s-%s", view, moment, suffix, sizes[i].name);
        compare(&s, name);
        stage_close(&s);
    }
}

static void every_view_tells_a_crash_of_the_leader_as_it_happens(void **state) {
    (void)state;
    static const struct {
        usec_t t;
        const char *name;
    } moments[] = {
        {1200 * MSEC, "start"},  {5500 * MSEC, "healthy"}, {12 * SEC, "detect"},
        {33500 * MSEC, "elect"}, {53500 * MSEC, "end"},
    };
    struct player p;
    player_open(&p, "leader-crash");
    for (size_t m = 0; m < ARRAY_SIZE(moments); m++) {
        player_to(&p, moments[m].t);
        for (size_t i = 0; views[i]; i++)
            if (views[i] != &view_lesson) // the same at any time
                shoot(&p, views[i]->name, moments[m].name, NULL, "");
    }
    player_close(&p);
}

static void a_leader_that_is_cut_off_is_shown_as_such(void **state) {
    (void)state;
    struct player p;
    player_open(&p, "partition-leader");
    player_to(&p, 20 * SEC);
    shoot(&p, "cluster", "cut", NULL, "");
    shoot(&p, "replication", "cut", NULL, "");
    player_to(&p, 48 * SEC);
    shoot(&p, "timeline", "cut-healed", NULL, "");
    player_close(&p);
    player_open(&p, "cut-by-hand");
    player_to(&p, 15 * SEC);
    shoot(&p, "network", "cut", NULL, "");
    shoot(&p, "network", "cut", (int[]){'l', KEY_RIGHT, 0}, "-another-path");
    player_close(&p);
}

static void etcd_without_quorum_is_told_in_words(void **state) {
    (void)state;
    struct player p;
    player_open(&p, "quorum-loss");
    player_to(&p, 15 * SEC);
    shoot(&p, "cluster", "no-quorum", NULL, "");
    shoot(&p, "dcs", "no-quorum", NULL, "");
    shoot(&p, "scenario", "no-quorum", NULL, "");
    shoot(&p, "client", "no-quorum", NULL, "");
    player_to(&p, 30 * SEC); // the leader has fenced itself
    shoot(&p, "cluster", "no-quorum-outage", NULL, "");
    player_to(&p, 39 * SEC);
    shoot(&p, "cluster", "quorum-back", NULL, "");
    player_to(&p, 42 * SEC);
    shoot(&p, "cluster", "quorum-over", NULL, "");
    player_close(&p);
}

static void an_armed_watchdog_counts_down(void **state) {
    (void)state;
    struct player p;
    player_open(&p, "patroni-frozen-watchdog");
    player_to(&p, 17 * SEC); // Patroni is frozen, the application writes on
    shoot(&p, "cluster", "watchdog", NULL, "");
    shoot(&p, "cluster", "watchdog", (int[]){'\n', 0}, "-details");
    player_to(&p, 28 * SEC); // it has cut the power
    shoot(&p, "cluster", "watchdog-fired", NULL, "");
    player_close(&p);
}

static void a_race_that_nobody_won_is_told(void **state) {
    (void)state;
    struct player p;
    player_open(&p, "watchdog-required-missing");
    player_to(&p, 42 * SEC);
    shoot(&p, "cluster", "race-lost", NULL, "");
    player_close(&p);
}

static void a_held_scenario_says_what_comes_next_and_what_it_teaches(void **state) {
    (void)state;
    static const struct {
        usec_t t;
        const char *name;
    } moments[] = {
        {4 * SEC, "held-start"},
        {16 * SEC, "held"},
        {25 * SEC, "held-crashed"},
        {30 * SEC, "held-waits"},
    };
    struct player p;
    player_open(&p, "stepping");
    for (size_t m = 0; m < ARRAY_SIZE(moments); m++) {
        player_to(&p, moments[m].t);
        shoot(&p, "scenario", moments[m].name, NULL, "");
    }
    shoot(&p, "lesson", "shown", NULL, "");
    shoot(&p, "lesson", "shown", (int[]){KEY_END, 0}, "-end");
    player_close(&p);
    player_open(&p, "leader-crash"); // a record of a time that did not tell it
    player_to(&p, 12 * SEC);
    shoot(&p, "lesson", "none", NULL, "");
    player_close(&p);
}

// The lab's progress is of its start: it was shown for as long as no step was under way.
static void the_progress_of_the_start_is_not_shown_once_the_lab_is_ready(void **state) {
    (void)state;
    struct player p;
    player_open(&p, "stepping");
    player_to(&p, 5900 * MSEC); // ready, not begun
    assert_int_equal(p.dash.history->lab_state, LAB_STATE_READY);
    assert_true(*p.dash.model->progress);
    struct stage s;
    stage_open(&s, "scenario", 24, 80, true);
    stage_draw(&s, &p);
    cleanup_strbuf struct strbuf text = {0};
    canvas_to_text(&s.canvas, false, &text);
    assert_null(strstr(strbuf_str(&text), p.dash.model->progress));
    assert_non_null(strstr(strbuf_str(&text), "the cluster is complete: it settles"));
    stage_close(&s);
    player_close(&p);
}

static void data_that_nobody_renews_is_marked(void **state) {
    (void)state;
    struct player p;
    player_open(&p, "leader-crash");
    player_to(&p, 5500 * MSEC);
    p.dash.now = 9500 * MSEC; // the clock goes on, the log does not
    p.dash.alive = false;
    shoot(&p, "cluster", "stale", NULL, "");
    player_close(&p);
}

static void keys_do_what_the_help_says(void **state) {
    (void)state;
    struct player p;
    player_open(&p, "leader-crash");
    player_to(&p, 45 * SEC);
    shoot(&p, "cluster", "rejoin", (int[]){KEY_DOWN, 'j', '\n', 0}, "-details");
    shoot(&p, "cluster", "rejoin", (int[]){'j', KEY_ENTER, 27, 0}, "-details-and-back");
    shoot(&p, "dcs", "rejoin", (int[]){'j', 'j', 'j', '\n', 0}, "-whole-key");
    shoot(&p, "timeline", "rejoin", (int[]){'+', '+', 'h', 'h', 0}, "-zoomed-and-scrolled");
    shoot(&p, "timeline", "rejoin", (int[]){'0', 0}, "-all");
    shoot(&p, "timeline", "rejoin", (int[]){'h', KEY_END, 0}, "-following-again");
    shoot(&p, "client", "rejoin", (int[]){'-', '-', '-', 0}, "-zoomed-out");
    shoot(&p, "scenario", "rejoin", (int[]){'k', 0}, "-up");
    shoot(&p, "logs", "rejoin", (int[]){KEY_PPAGE, 0}, "-page-up");
    shoot(&p, "logs", "rejoin", (int[]){'l', 'x', 0}, "-without-n2");
    STR_COPY(p.dash.filter, "Leader");
    shoot(&p, "logs", "rejoin", (int[]){'k', 'k', 0}, "-filtered");
    shoot(&p, "logs", "rejoin", (int[]){'f', '<', '<', 0}, "-marked");
    shoot(&p, "logs", "rejoin", (int[]){'\n', 0}, "-whole-line");
    player_close(&p);
}

// No lease, no etcd, no key: nothing of another stack is on any screen of this one.
static void speaks_of_no_other_stack(const struct player *p, const char *moment) {
    static const char *const words[] = {"Patroni", "PATRONI",    "etcd",  "ETCD",   "lease",  "Lease",
                                        "the key", "leader key", "LEASE", "no key", "quorum", "Quorum"};
    for (size_t i = 0; views[i]; i++) {
        struct stage s;
        cleanup_strbuf struct strbuf text = {0};
        stage_open(&s, views[i]->name, 50, 200, true);
        stage_draw(&s, p);
        canvas_to_text(&s.canvas, false, &text);
        for (size_t w = 0; w < ARRAY_SIZE(words); w++)
            if (strstr(strbuf_str(&text), words[w]))
                fail_msg("%s at '%s' speaks of '%s':\n%s", views[i]->name, moment, words[w], strbuf_str(&text));
        stage_close(&s);
    }
}

static void a_stack_without_arbiter_and_lease_has_screens_of_its_own(void **state) {
    (void)state;
    static const struct {
        usec_t t;
        const char *name;
    } moments[] = {
        {1300 * MSEC, "fake-start"},    {8 * SEC, "fake-healthy"}, {15 * SEC, "fake-elect"},
        {17800 * MSEC, "fake-reroute"}, {22 * SEC, "fake-over"},   {41 * SEC, "fake-end"},
    };
    struct fake_run run;
    struct player p;
    fake_run_make(&run);
    player_take(&p, run.events.items, run.events.n);
    for (size_t m = 0; m < ARRAY_SIZE(moments); m++) {
        player_to(&p, moments[m].t);
        speaks_of_no_other_stack(&p, moments[m].name);
        shoot(&p, "cluster", moments[m].name, NULL, "");
    }
    shoot(&p, "cluster", "fake-end", (int[]){KEY_DOWN, '\n', 0}, "-details");
    shoot(&p, "dcs", "fake-end", NULL, "");
    shoot(&p, "replication", "fake-end", NULL, "");
    shoot(&p, "timeline", "fake-end", NULL, "");
    player_close(&p);
    fake_run_done(&run);
}

// Whatever is shown comes from the record: that it is damaged stands above it all the time, at any size.
static void a_replay_says_all_the_time_that_its_record_is_damaged(void **state) {
    (void)state;
    struct record_lack lack = {"ledger.bin is missing"};
    struct record_proof damaged = {.text = "DAMAGED, and without a seal",
                                   .missing = {.items = &lack, .n = 1, .cap = 1}},
                        unsealed = {.complete = true}, whole = {.complete = true, .sealed = true};
    struct tui_text_options o = {.run_dir = "tests/screen/logs/leader-crash.jsonl", .tones = true, .record = &damaged};
    static const struct {
        int rows, cols;
        const char *name;
    } sizes[] = {{24, 80, "replay-damaged-80x24"}, {8, 40, "replay-damaged-40x8"}};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        cleanup_strbuf struct strbuf got = {0};
        o.rows = sizes[i].rows, o.cols = sizes[i].cols, o.at = 20 * SEC;
        assert_int_equal(tui_text(&o, &got, NULL), 0);
        compare_text(&got, sizes[i].name);
    }
    o.rows = 24, o.cols = 80, o.tones = false, o.every = 2 * SEC;
    const struct record_proof *records[] = {&damaged, &unsealed, &whole, NULL};
    static const char *const marks[] = {" !DAMAGED REPLAY ", " !UNSEALED REPLAY ", "", ""};
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        cleanup_strbuf struct strbuf got = {0};
        size_t frames = 0, marked = 0, any = 0;
        o.record = records[i];
        assert_int_equal(tui_text(&o, &got, NULL), 0);
        for (const char *at = got.data; (at = strstr(at, "REPLAY STOPPED")); at++)
            frames++;
        for (const char *at = got.data; *marks[i] && (at = strstr(at, marks[i])); at++)
            marked++;
        for (const char *at = got.data; (at = strstr(at, " !")); at++)
            any += str_starts(at, " !DAMAGED") || str_starts(at, " !UNSEALED");
        assert_int_equal(frames, 27);
        assert_int_equal(marked, *marks[i] ? frames : 0);
        assert_int_equal(any, marked);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_tells_a_crash_of_the_leader_as_it_happens),
        cmocka_unit_test(a_leader_that_is_cut_off_is_shown_as_such),
        cmocka_unit_test(etcd_without_quorum_is_told_in_words),
        cmocka_unit_test(the_progress_of_the_start_is_not_shown_once_the_lab_is_ready),
        cmocka_unit_test(a_held_scenario_says_what_comes_next_and_what_it_teaches),
        cmocka_unit_test(an_armed_watchdog_counts_down),
        cmocka_unit_test(a_race_that_nobody_won_is_told),
        cmocka_unit_test(data_that_nobody_renews_is_marked),
        cmocka_unit_test(keys_do_what_the_help_says),
        cmocka_unit_test(a_stack_without_arbiter_and_lease_has_screens_of_its_own),
        cmocka_unit_test(a_replay_says_all_the_time_that_its_record_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
