// SPDX-License-Identifier: PostgreSQL
// The page's JSON block: nothing a run can say ends it, ids are the lost ones, long runs shrink and outages stay visible in them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "lab/base/json.h"
#include "lab/report/html_fold.h"

struct world {
    struct html_page *page;
    struct measure *measure;
};

static struct world world_new(void) {
    return (struct world){html_page_new(), measure_new()};
}
static void world_done(struct world *w) {
    html_page_free(w->page);
    measure_free(w->measure);
}
static void tell(struct world *w, const struct event *ev) {
    html_page_event(w->page, ev);
    measure_event(w->measure, ev);
}
static void add_node(struct world *w, const char *name) {
    struct event ev = EVENT_NEW(NODE_INFO);
    STR_COPY(ev.u.NODE_INFO.services, "postgres,patroni");
    STR_COPY(ev.u.NODE_INFO.node, name);
    tell(w, &ev);
}
static void add_tick(struct world *w, usec_t from, int64_t ok) {
    struct event ev = EVENT_NEW(CLIENT_TICK);
    ev.t = from + 100 * MSEC;
    ev.u.CLIENT_TICK.from = from;
    ev.u.CLIENT_TICK.w_tried = 10;
    ev.u.CLIENT_TICK.w_ok = ok;
    ev.u.CLIENT_TICK.w_failed = 10 - ok;
    ev.u.CLIENT_TICK.w_first_ok = ok ? from + 1000 : 0;
    ev.u.CLIENT_TICK.w_last_ok = ok ? from + 99000 : 0;
    tell(w, &ev);
}
static void add_write(struct world *w, uint64_t id, enum ledger_result result) {
    struct ledger_record r = {.id = id,
                              .scheduled = id * 1000,
                              .invoked = id * 1000,
                              .returned = id * 1000 + 10,
                              .op = LEDGER_WRITE,
                              .result = (uint8_t)result,
                              .node = 1};
    html_page_ledger(w->page, &r);
    measure_ledger(w->measure, &r);
}
static void add_rows(struct world *w, const char *node, const char *ranges) {
    struct event rows = EVENT_NEW(FINAL_ROWS), read = EVENT_NEW(FINAL_READ);
    rows.t = read.t = 60 * SEC;
    STR_COPY(rows.u.FINAL_ROWS.node, node);
    STR_COPY(rows.u.FINAL_ROWS.ranges, ranges);
    STR_COPY(read.u.FINAL_READ.node, node);
    read.u.FINAL_READ.ok = read.u.FINAL_READ.leader = true;
    read.u.FINAL_READ.chunks = 1;
    tell(w, &rows);
    tell(w, &read);
}

// The JSON block of the finished page, as a browser would cut it out.
static cJSON *block_of(struct world *w) {
    struct strbuf page = {0};
    html_page_write(w->page, measure_finish(w->measure), &page);
    char *from = strstr(page.data, "id=\"run-data\">");
    assert_non_null(from);
    from = strchr(from, '>') + 1;
    char *to = strstr(from, "</script>");
    assert_non_null(to);
    *to = '\0';
    cJSON *json = cJSON_Parse(from);
    assert_non_null(json);
    strbuf_done(&page);
    return json;
}

static void a_hostile_log_line_stays_inside_the_data(void **state) {
    (void)state;
    const char *hostile = "</script><script>alert(1)</script><!-- & \"quotes\" \xff\xfe {{css}}";
    struct world w = world_new();
    add_node(&w, "n1");
    struct event ev = EVENT_NEW(LOG_LINE);
    ev.t = SEC;
    STR_COPY(ev.u.LOG_LINE.node, "n1");
    STR_COPY(ev.u.LOG_LINE.text, hostile);
    tell(&w, &ev);
    html_page_file(w.page, "n1", "/etc/</script>", "</script>");
    cJSON *json = block_of(&w);
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "rows"), 0);
    const char *text = cJSON_GetArrayItem(row, 6)->valuestring;
    assert_memory_equal(text, hostile, strlen("</script><script>alert(1)</script><!-- & \"quotes\" "));
    cJSON_Delete(json);
    world_done(&w);
}

static void the_ids_of_lost_writes_are_told_as_ranges(void **state) {
    (void)state;
    struct world w = world_new();
    add_node(&w, "n1");
    for (uint64_t id = 1; id <= 20; id++)
        add_write(&w, id, id == 9 ? LEDGER_FAILED : id == 12 ? LEDGER_UNKNOWN : LEDGER_OK);
    add_rows(&w, "n1", "1-4,7-10,15-20"); // 9 failed and is there, 12 is unknown and is not
    cJSON *json = block_of(&w);
    const cJSON *lost = cJSON_GetObjectItem(json, "lost"), *range;
    static const int expected[][2] = {{5, 6}, {11, 11}, {13, 14}};
    size_t i = 0;
    cJSON_ArrayForEach (range, lost) {
        assert_true(i < ARRAY_SIZE(expected));
        assert_int_equal(cJSON_GetArrayItem(range, 0)->valueint, expected[i][0]);
        assert_int_equal(cJSON_GetArrayItem(range, 1)->valueint, expected[i][1]);
        assert_string_equal(cJSON_GetArrayItem(range, 4)->valuestring, "n1");
        i++;
    }
    assert_int_equal(i, ARRAY_SIZE(expected));
    const cJSON *unexpected = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "unexpected"), 0);
    assert_int_equal(cJSON_GetArrayItem(unexpected, 0)->valueint, 9);
    cJSON_Delete(json);
    world_done(&w);
}

static void an_unread_table_gives_no_ids(void **state) {
    (void)state;
    struct world w = world_new();
    add_node(&w, "n1");
    add_write(&w, 1, LEDGER_OK);
    cJSON *json = block_of(&w);
    assert_null(cJSON_GetObjectItem(json, "lost"));
    cJSON_Delete(json);
    world_done(&w);
}

static void a_short_run_keeps_every_tick(void **state) {
    (void)state;
    struct world w = world_new();
    for (usec_t t = 0; t < 60 * SEC; t += 100 * MSEC)
        add_tick(&w, t, 10);
    tick_list ticks = {0};
    usec_t step = 0;
    html_ticks(w.page, measure_finish(w.measure), &ticks, &step);
    assert_int_equal(step, 100 * MSEC);
    assert_int_equal(ticks.n, 600);
    VEC_DONE(&ticks);
    world_done(&w);
}

static void a_long_run_is_summed_up_and_its_outage_is_not(void **state) {
    (void)state;
    struct world w = world_new();
    int64_t good = 0, sum = 0, empty = 0;
    for (usec_t t = 0; t < 3600 * SEC; t += 100 * MSEC) {
        int64_t ok = t >= 1800 * SEC && t < 1802 * SEC ? 0 : 10;
        good += ok;
        add_tick(&w, t, ok);
    }
    tick_list ticks = {0};
    usec_t step = 0, before = 0;
    html_ticks(w.page, measure_finish(w.measure), &ticks, &step);
    assert_int_equal(step, SEC);
    assert_in_range(ticks.n, 3000, 5000);
    VEC_FOREACH (&ticks, k) {
        assert_true(k->from >= before); // no bucket lies over another
        before = k->from + k->length;
        sum += k->w_ok;
        empty += k->length == 100 * MSEC && k->w_ok == 0;
    }
    assert_int_equal(sum, good);
    assert_int_equal(empty, 20);
    VEC_DONE(&ticks);
    world_done(&w);
}

static void equal_log_lines_become_one_row_with_a_count(void **state) {
    (void)state;
    struct world w = world_new();
    add_node(&w, "n1");
    struct event ev = EVENT_NEW(LOG_LINE);
    STR_COPY(ev.u.LOG_LINE.node, "n1");
    STR_COPY(ev.u.LOG_LINE.text, "again");
    for (ev.t = SEC; ev.t <= 5 * SEC; ev.t += SEC)
        tell(&w, &ev);
    assert_int_equal(w.page->rows.n, 1);
    assert_int_equal(w.page->rows.items[0].count, 5);
    assert_int_equal(w.page->rows.items[0].last, 5 * SEC);
    world_done(&w);
}

static void tell_link(struct world *w, usec_t t, bool intended, bool measured) {
    struct event ev = EVENT_NEW(LINK);
    ev.t = t;
    STR_COPY(ev.u.LINK.from, "n1");
    STR_COPY(ev.u.LINK.to, "e1");
    ev.u.LINK.path = LINK_PATH_ETCD_CLIENT;
    ev.u.LINK.intended = intended;
    ev.u.LINK.measured = measured;
    tell(w, &ev);
}

static void a_path_that_was_not_open_is_a_stretch_and_an_open_one_is_nothing(void **state) {
    (void)state;
    struct world w = world_new();
    tell_link(&w, 1 * SEC, true, true);
    tell_link(&w, 2 * SEC, false, true); // leaks for a moment
    tell_link(&w, 3 * SEC, false, false);
    tell_link(&w, 4 * SEC, false, false); // told again
    tell_link(&w, 9 * SEC, true, true);
    tell_link(&w, 11 * SEC, true, false); // to the end
    cJSON *json = block_of(&w);
    cJSON *links = cJSON_GetObjectItemCaseSensitive(json, "links");
    cleanup_free char *text = cJSON_PrintUnformatted(links);
    assert_string_equal(
        "[[\"n1\",\"e1\",\"etcd_client\",2000,3000,false,true],[\"n1\",\"e1\",\"etcd_client\",3000,9000,false,false],"
        "[\"n1\",\"e1\",\"etcd_client\",11000,null,true,false]]",
        text);
    cJSON_Delete(json);
    world_done(&w);
}

static void lines_that_mark_a_step_and_settings_by_hand_are_told(void **state) {
    (void)state;
    struct world w = world_new();
    add_node(&w, "n1");
    static const char *const lines[] = {"INFO: no action. I am (n1), the leader with the lock",
                                        "INFO: demoting self because DCS is not accessible and I was a leader"};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct event ev = EVENT_NEW(LOG_LINE);
        ev.t = (usec_t)(10 + i) * SEC;
        STR_COPY(ev.u.LOG_LINE.node, "n1");
        STR_COPY(ev.u.LOG_LINE.service, "patroni");
        STR_COPY(ev.u.LOG_LINE.text, lines[i]);
        tell(&w, &ev);
    }
    html_page_overrides(w.page, "patroni.ttl=20s\npatroni.loop_wait=5s\n");
    cJSON *json = block_of(&w);
    int marked = 0, rows = 0;
    const cJSON *row;
    cJSON_ArrayForEach (row, cJSON_GetObjectItem(json, "rows")) {
        if (!str_eq(cJSON_GetArrayItem(row, 1)->valuestring, "log"))
            continue;
        rows++;
        if (cJSON_GetArrayItem(row, 9)) {
            marked++;
            assert_string_equal(cJSON_GetArrayItem(row, 6)->valuestring, lines[1]);
        }
    }
    assert_int_equal(rows, 2);
    assert_int_equal(marked, 1);
    const cJSON *set = cJSON_GetObjectItem(json, "overrides");
    assert_int_equal(cJSON_GetArraySize(set), 2);
    assert_string_equal(cJSON_GetArrayItem(set, 1)->valuestring, "patroni.loop_wait=5s");
    cJSON_Delete(json);
    world_done(&w);
}

static void add_sql(struct world *w, usec_t t, const char *node) {
    struct event ev = EVENT_NEW(SQL);
    ev.t = t;
    STR_COPY(ev.u.SQL.node, node);
    ev.u.SQL.answered = ev.u.SQL.in_recovery = true;
    tell(w, &ev);
}

static void is_stretch(const cJSON *list, int i, int lane, double from, double to) {
    const cJSON *s = cJSON_GetArrayItem(list, i);
    assert_non_null(s);
    assert_int_equal(cJSON_GetArrayItem(s, 0)->valueint, lane);
    assert_true(cJSON_GetArrayItem(s, 1)->valuedouble == from);
    if (to > 0)
        assert_true(cJSON_GetArrayItem(s, 2)->valuedouble == to);
    else
        assert_true(cJSON_IsNull(cJSON_GetArrayItem(s, 2)));
}

static const cJSON *lane_of_node(const cJSON *json, int i) {
    return cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "nodes"), i), "lane");
}

// Of one PostgreSQL, in its lane alone; of the application, in a list of its own; of the observer, everywhere.
static void what_nobody_watched_is_a_hole_in_its_lane(void **state) {
    (void)state;
    struct world w = world_new();
    add_node(&w, "n1");
    add_node(&w, "n2");
    for (usec_t t = SEC; t <= 40 * SEC; t += SEC) {
        struct event on = EVENT_NEW(NODE_POWER), noise = EVENT_NEW(NOISE);
        on.t = noise.t = t;
        on.u.NODE_POWER.on = true;
        for (int i = 0; t == SEC && i < 2; i++) {
            STR_COPY(on.u.NODE_POWER.node, i ? "n2" : "n1");
            tell(&w, &on);
        }
        bool stands_still = t > 30 * SEC && t < 36 * SEC;
        noise.u.NOISE.late_max_us = t == 36 * SEC ? 5900000 : 0;
        if (!stands_still) {
            tell(&w, &noise);
            add_sql(&w, t, "n1");
        }
        if (!stands_still && (t <= 10 * SEC || t >= 20 * SEC))
            add_sql(&w, t, "n2"); // silent for ten seconds
        add_tick(&w, t, 10);
    }
    struct event still = EVENT_NEW(CLIENT_TICK);
    still.t = 40 * SEC + MSEC;
    still.u.CLIENT_TICK.from = 24 * SEC;
    still.u.CLIENT_TICK.w_tried = 1;
    still.u.CLIENT_TICK.late_us = 2000000;
    tell(&w, &still);
    cJSON *json = block_of(&w);
    const cJSON *n1 = lane_of_node(json, 0), *n2 = lane_of_node(json, 1), *app = cJSON_GetObjectItem(json, "app_holes");
    assert_int_equal(cJSON_GetArraySize(n1), 4);
    is_stretch(n1, 1, LANE_STANDBY_ALONE, 1000, 30100);
    is_stretch(n1, 2, LANE_UNWATCHED, 30100, 36000);
    is_stretch(n1, 3, LANE_STANDBY_ALONE, 36000, 0);
    assert_int_equal(cJSON_GetArraySize(n2), 6);
    is_stretch(n2, 1, LANE_STANDBY_ALONE, 1000, 10000);
    is_stretch(n2, 2, LANE_UNWATCHED, 10000, 20000);
    is_stretch(n2, 3, LANE_STANDBY_ALONE, 20000, 30100);
    is_stretch(n2, 4, LANE_UNWATCHED, 30100, 36000);
    assert_int_equal(cJSON_GetArraySize(app), 1);
    assert_true(cJSON_GetArrayItem(cJSON_GetArrayItem(app, 0), 0)->valuedouble == 24000);
    assert_true(cJSON_GetArrayItem(cJSON_GetArrayItem(app, 0), 1)->valuedouble == 26000);
    cJSON_Delete(json);
    world_done(&w);
}

static void an_empty_log_makes_a_page(void **state) {
    (void)state;
    struct world w = world_new();
    html_page_plan(w.page, "no JSON {");
    cJSON *json = block_of(&w);
    assert_string_equal(json_str(json, "lesson", "?"), "");
    cJSON_Delete(json);
    world_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_log_line_stays_inside_the_data),
        cmocka_unit_test(the_ids_of_lost_writes_are_told_as_ranges),
        cmocka_unit_test(an_unread_table_gives_no_ids),
        cmocka_unit_test(a_short_run_keeps_every_tick),
        cmocka_unit_test(a_long_run_is_summed_up_and_its_outage_is_not),
        cmocka_unit_test(equal_log_lines_become_one_row_with_a_count),
        cmocka_unit_test(a_path_that_was_not_open_is_a_stretch_and_an_open_one_is_nothing),
        cmocka_unit_test(lines_that_mark_a_step_and_settings_by_hand_are_told),
        cmocka_unit_test(what_nobody_watched_is_a_hole_in_its_lane),
        cmocka_unit_test(an_empty_log_makes_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
