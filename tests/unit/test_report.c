// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/base/json.h"
#include "lab/report/report.h"
#include "test_measure_world.h"

#define MS(x) ((usec_t)((x)*1000))

static const struct report_style ascii = {.colour = false, .utf8 = false, .width = 80};

// What a trainee sees after scenarios/leader-crash.yaml. Change it on purpose only.
static const char *const golden = "--------------------------------------------------------------------------------\n"
                                  "PASS  leader-crash: The leader's machine loses power\n"
                                  "      every expectation held\n"
                                  "--------------------------------------------------------------------------------\n"
                                  "28.91 s +- 13 ms without writes; 91 % of it waited for the lease of a dead\n"
                                  "  leader\n"
                                  "\n"
                                  "What happened (seconds since the lab began; ! bad, + good)\n"
                                  "    1.00 s    n1 holds the leader key: the first leader\n"
                                  "    1.00 s    n1 accepts writes, on timeline 1\n"
                                  "    2.10 s  + healthy: the leader is n1, every other member streams from it (or\n"
                                  "              up to 200 ms earlier)\n"
                                  "    3.00 s    the application writes: the first acknowledged write\n"
                                  "    9.99 s  ! the last acknowledged write: after it WRITES STOP (good to 13 ms)\n"
                                  "   10.00 s  ! fault: node.power_off on leader, which is n1\n"
                                  "   10.02 s    verified: node.power_off on n1\n"
                                  "              no process of n1 is left\n"
                                  "   36.30 s    the leader key of n1 has expired\n"
                                  "              its lease was last renewed 30.3 s before (ttl 30 s)\n"
                                  "   38.35 s    n2 takes the leader key, which was free for 2.05 s\n"
                                  "   38.80 s    n2 accepts writes, on timeline 1\n"
                                  "   38.90 s  + writes are back after 28.91 s (good to 13 ms)\n"
                                  "              reads meanwhile: 867 good, 0 failed\n"
                                  "   40.20 s  + healthy again without n1: the leader is n2, every other member\n"
                                  "              streams from it (or up to 200 ms earlier)\n"
                                  "   43.99 s    the last acknowledged write of the run\n"
                                  "   48.00 s    the run ended: completed\n"
                                  "\n"
                                  "Faults\n"
                                  "  node.power_off on n1: asked at 9.995 s, effective +5.0 ms, verified +20.0 ms\n"
                                  "\n"
                                  "Phases of the recovery\n"
                                  "  phase          begins       took  best and worst case from the live settings\n"
                                  "  detect        10.00 s    26.30 s  25.80 - 27.00 s   inside\n"
                                  "             ttl 30 s - age of the lease 4.1 s; etcd's lease scan up to 0.5 s\n"
                                  "  elect         36.30 s     2.05 s  1.90 - 3.50 s     inside\n"
                                  "             race: GET /patroni to the silent leader fails after 2 s, HA cycle 1\n"
                                  "             s\n"
                                  "  promote       38.35 s     0.45 s  0.00 - 3.00 s     inside\n"
                                  "             pg_promote and the end of recovery: up to 3 s\n"
                                  "  reroute       38.80 s     0.10 s  0.00 - 3.00 s     inside\n"
                                  "             a silent address tried first costs connect_timeout 2 s; up to 1 s\n"
                                  "             for the next try\n"
                                  "  rejoin        38.90 s     1.30 s  no bound\n"
                                  "             no law: depends on what the returning members must fetch\n"
                                  "  sum                      28.90 s  without rejoin = the recovery time\n"
                                  "\n"
                                  "What the application felt\n"
                                  "  write outage    28.91 s +- 13 ms (acknowledged at 9.993 s, then not until\n"
                                  "                  38.903 s)\n"
                                  "  recovery        28.90 s +- 13 ms from the fault to the first write that lasted\n"
                                  "  cluster alone   28.83 s +- 83 ms in which no node took a write from inside;\n"
                                  "                  the rest is the way to one: network, driver, proxy\n"
                                  "  resolution      13 ms: one write every 10 ms, and a write takes 3 ms\n"
                                  "  availability    writes 29.51 %, reads 100.00 % of the time\n"
                                  "\n"
                                  "Data\n"
                                  "  writes          4100 tried: 1210 acknowledged, 2690 failed, 200 with unknown\n"
                                  "                  outcome\n"
                                  "  lost writes     none\n"
                                  "  unexpected      0 failed yet present, 0 duplicated; 2 unknown ones turned out\n"
                                  "                  written\n"
                                  "  split brain     none\n"
                                  "  contents        2 of 2 nodes read at the end, none follows another history (*\n"
                                  "                  = the leader)\n"
                                  "    n2 *          1212 rows\n"
                                  "    n3            1212 rows\n"
                                  "\n"
                                  "Expectations\n"
                                  "  ok       the application could not write for 28.91 s (expected: write_outage\n"
                                  "           from 20.00 s to 34.00 s)\n"
                                  "  ok       no acknowledged write is lost\n"
                                  "  ok       no failed write is in the table\n"
                                  "  ok       every write is in the table once at most\n"
                                  "  ok       the standbys have only rows of their leader\n"
                                  "  ok       one node at most accepted writes at any time\n"
                                  "\n"
                                  "Run\n"
                                  "  versions        postgresql 15.20, patroni 3.0.2, etcd 3.4.23\n"
                                  "  host            2 cpus, 3934 MB, Linux 6.1.0; timers up to 0 ms late\n"
                                  "  seed            42\n"
                                  "  run folder      /runs/20240607-101112-leader-crash\n"
                                  "\n"
                                  "PASS: every expectation held\n"
                                  "28.91 s +- 13 ms without writes; 91 % of it waited for the lease of a dead\n"
                                  "  leader\n";

static struct story *told(const struct world *w, const struct measures *m) {
    struct story *s = story_new();
    VEC_FOREACH (&w->events, ev)
        story_event(s, ev);
    report_end_story(s, m);
    return s;
}

// The text report of a world, as `bascule report` prints it.
static void text_of(const struct world *w, const struct measures *m, const char *folder,
                    const struct report_style *style, struct strbuf *out) {
    struct story *s = told(w, m);
    report_text(m, s, folder, style, out);
    story_free(s);
}

static void build(struct world *w) {
    world_leader_crash(w);
    world_build(w);
    world_expect(w, "write_outage", 20e6, 34e6);
    world_expect(w, "lost_writes", -1, 0);
}

static void the_report_of_a_leader_crash_reads_like_this(void **state) {
    (void)state;
    struct world w;
    struct measure *m;
    cleanup_strbuf struct strbuf out = {0};
    build(&w);
    text_of(&w, world_measure(&w, true, &m), "/runs/20240607-101112-leader-crash", &ascii, &out);
    assert_string_equal(out.data, golden);
    measure_free(m);
    world_done(&w);
}

static size_t longest_line(const char *text) { // in characters
    size_t longest = 0, n = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        n = *p == '\n' ? 0 : n + ((*p & 0xC0) != 0x80);
        longest = n > longest ? n : longest;
    }
    return longest;
}

static void lines_keep_to_the_width_whatever_the_scenario_says(void **state) {
    (void)state;
    static const int widths[] = {60, 80, 120};
    for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
        struct report_style style = {.utf8 = true, .width = widths[i]};
        struct world w;
        struct measure *m;
        cleanup_strbuf struct strbuf out = {0};
        world_leader_crash(&w);
        w.verified = false;
        w.detail = "a long reason in many short words that goes on and on, with ümläute, and says nothing that would "
                   "help at all";
        world_build(&w);
        text_of(&w, world_measure(&w, true, &m), "/r", &style, &out);
        assert_true(longest_line(out.data) <= (size_t)widths[i]);
        measure_free(m);
        world_done(&w);
    }
}

// A daemon's words may hold escape sequences: none may reach the terminal.
static void control_characters_of_a_log_never_reach_the_terminal(void **state) {
    (void)state;
    struct world w;
    struct measure *m;
    cleanup_strbuf struct strbuf out = {0};
    world_leader_crash(&w);
    w.detail = "\x1b]0;owned\x07 \x1b[2J é";
    world_build(&w);
    text_of(&w, world_measure(&w, true, &m), "/r", &ascii, &out);
    struct report_live *live = report_live_new(&ascii);
    VEC_FOREACH (&w.events, ev)
        report_live_event(live, ev, &out);
    report_live_free(live);
    for (size_t i = 0; i < out.len; i++)
        assert_true(out.data[i] == '\n' || (out.data[i] >= 0x20 && out.data[i] < 0x7f));
    measure_free(m);
    world_done(&w);
}

static void colour_is_never_the_only_sign(void **state) {
    (void)state;
    struct world w;
    struct measure *m;
    cleanup_strbuf struct strbuf plain = {0}, coloured = {0}, stripped = {0};
    struct report_style colour = ascii;
    colour.colour = true;
    build(&w);
    const struct measures *o = world_measure(&w, true, &m);
    text_of(&w, o, "/r", &ascii, &plain);
    text_of(&w, o, "/r", &colour, &coloured);
    assert_non_null(strchr(coloured.data, '\033'));
    for (const char *p = coloured.data; *p; p++) {
        if (*p == '\033')
            p += strcspn(p, "m");
        else
            strbuf_addn(&stripped, p, 1);
    }
    assert_string_equal(stripped.data, plain.data);
    measure_free(m);
    world_done(&w);
}

static void need(const cJSON *o, const char *keys, bool (*check)(const cJSON *)) {
    char name[64];
    for (const char *p = keys; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        (void)snprintf(name, sizeof name, "%.*s", (int)n, p);
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
        if (!v || !check(v))
            fail_msg("key %s is missing or of another type", name);
        p += n;
    }
}
static bool is_number(const cJSON *v) {
    return cJSON_IsNumber(v);
}
static bool is_number_or_null(const cJSON *v) {
    return cJSON_IsNumber(v) || cJSON_IsNull(v);
}
static bool is_string(const cJSON *v) {
    return cJSON_IsString(v);
}
static bool is_string_or_null(const cJSON *v) {
    return cJSON_IsString(v) || cJSON_IsNull(v);
}
static bool is_bool(const cJSON *v) {
    return cJSON_IsBool(v);
}
static bool is_bool_or_null(const cJSON *v) {
    return cJSON_IsBool(v) || cJSON_IsNull(v);
}
static bool is_object(const cJSON *v) {
    return cJSON_IsObject(v);
}
static bool is_array(const cJSON *v) {
    return cJSON_IsArray(v);
}

// The schema of docs/measures.md.
static void check_schema(const cJSON *j) {
    need(j, "scenario title topology verdict reason sentence", is_string);
    need(j, "end_reason old_leader new_leader split_brain_nodes lag_node", is_string_or_null);
    need(j, "write_outage_open leader_changed", is_bool);
    need(j, "split_brain_ms split_brain_possible_ms ended_ms", is_number);
    need(j,
         "write_outage_ms hiccup_ms recovery_ms resolution_ms outage_start_ms outage_end_ms cluster_outage_ms "
         "cluster_resolution_ms "
         "read_outage_ms rejoin_ms outages outages_total_ms lag_bytes lag_at_ms healthy_at_ms first_write_ms "
         "last_write_ms",
         is_number_or_null);
    need(j, "phases faults expectations", is_array);
    need(j, "writes availability versions host", is_object);
    const cJSON *item;
    cJSON_ArrayForEach (item, cJSON_GetObjectItem(j, "phases")) {
        need(item, "name why", is_string);
        need(item, "start_ms duration_ms error_ms", is_number);
        need(item, "bound_min_ms bound_max_ms", is_number_or_null);
        need(item, "inside", is_bool_or_null);
    }
    cJSON_ArrayForEach (item, cJSON_GetObjectItem(j, "faults")) {
        need(item, "id target nodes mechanism detail", is_string);
        need(item, "verified action effective_seen", is_bool);
        need(item, "asked_ms effective_ms verified_ms heal_asked_ms healed_ms heal_verified_ms", is_number_or_null);
    }
    cJSON_ArrayForEach (item, cJSON_GetObjectItem(j, "expectations")) {
        need(item, "kind text", is_string);
        need(item, "ok", is_bool_or_null);
    }
    const cJSON *w = cJSON_GetObjectItem(j, "writes");
    need(w, "attempted acknowledged failed unknown", is_number);
    need(w, "lost unexpected duplicated recovered foreign local_only local_only_lost lost_first_ms lost_last_ms",
         is_number_or_null);
    need(w, "checked", is_bool);
    need(cJSON_GetObjectItem(j, "availability"), "write read", is_number_or_null);
    need(cJSON_GetObjectItem(j, "host"), "cpus memory_mb late_max_ms", is_number);
}

static cJSON *json_of(const struct world *w, bool ledger) {
    struct measure *m;
    cleanup_strbuf struct strbuf out = {0};
    report_json(world_measure(w, ledger, &m), &out);
    measure_free(m);
    cJSON *j = cJSON_Parse(out.data);
    assert_non_null(j);
    assert_int_equal(out.data[out.len - 1], '\n');
    return j;
}

static void result_json_keeps_its_schema_in_every_kind_of_run(void **state) {
    (void)state;
    for (int way = 0; way < 5; way++) {
        struct world w;
        if (way == 0) {
            build(&w);
        } else {
            world_leader_crash(&w);
            w.verified = way != 1;
            w.fault = way == 2 ? 0 : w.fault;
            w.final_read = way != 3;
            w.end_reason = way == 4 ? NULL : "interrupted";
            w.detail = "quotes \" and \\ and\nnewlines and \xff bytes";
            world_build(&w);
        }
        cJSON *j = json_of(&w, way != 3);
        check_schema(j);
        cJSON_Delete(j);
        world_done(&w);
    }
    struct world none = {0};
    cJSON *j = json_of(&none, false);
    check_schema(j);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(j, "fault")) &&
                cJSON_IsNull(cJSON_GetObjectItem(j, "write_outage_ms")));
    cJSON_Delete(j);
}

static void result_json_has_the_numbers(void **state) {
    (void)state;
    struct world w;
    build(&w);
    world_find(&w, EVENT_RUN_BEGIN, 0)->u.RUN_BEGIN.seed = INT64_C(9007199254740993);
    cJSON *j = json_of(&w, true);
    assert_string_equal(json_str(j, "verdict", ""), "pass");
    assert_string_equal(json_str(j, "seed", ""), "9007199254740993");
    assert_int_equal(json_int(j, "write_outage_ms", 0), 28910);
    assert_int_equal(json_int(j, "recovery_ms", 0), 28903);
    const cJSON *f = cJSON_GetObjectItem(j, "fault"), *p = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "phases"), 0);
    assert_string_equal(json_str(f, "nodes", ""), "n1");
    assert_int_equal(json_int(f, "effective_ms", 0), 10000);
    assert_string_equal(json_str(p, "name", ""), "detect");
    assert_true(json_bool(p, "inside", false));
    cJSON_Delete(j);
    world_done(&w);
}

static void one_line_says_the_verdict_and_why_it_is_not_a_pass(void **state) {
    (void)state;
    struct world w;
    struct measure *m;
    cleanup_strbuf struct strbuf out = {0};
    world_leader_crash(&w);
    world_build(&w);
    world_expect(&w, "recovery", -1, 20e6);
    report_line(world_measure(&w, true, &m), &ascii, &out);
    assert_string_equal(
        out.data, "FAIL          leader-crash           outage    28.91 s  recovery    28.90 s  lost 0  "
                  "the application could write again 28.90 s after the fault (expected: recovery at most 20.00 s)\n");
    measure_free(m);
    world_done(&w);
}

static void the_live_lines_tell_the_story_once(void **state) {
    (void)state;
    struct world w;
    build(&w);
    struct event ev = EVENT_NEW(PROGRESS);
    ev.u.PROGRESS.phase = PROGRESS_PHASE_START;
    STR_COPY(ev.u.PROGRESS.text, "n3 to stream");
    ev.u.PROGRESS.waiting = true;
    for (ev.t = MS(1500); ev.t < MS(2000); ev.t += MS(100)) // said again and again, printed once
        (void)world_add(&w, ev);
    cleanup_strbuf struct strbuf out = {0};
    struct report_live *live = report_live_new(&ascii);
    VEC_FOREACH (&w.events, e)
        report_live_event(live, e, &out);
    report_live_free(live);
    assert_string_equal(
        out.data, "[   1.0 s] n1 holds the leader key: the first leader\n"
                  "[   1.0 s] n2 leads etcd\n"
                  "[   1.0 s] n1 accepts writes, on timeline 1\n"
                  "[   1.5 s] start: waiting for n3 to stream\n"
                  "[   2.0 s] n2 streams from n1\n"
                  "[   2.1 s] n3 streams from n1\n"
                  "[   2.1 s] healthy: the leader is n1, every other member streams from it (or up to 200 ms earlier)\n"
                  "[   3.0 s] the application writes: the first acknowledged write\n"
                  "[  10.0 s] injecting node.power_off on leader, which is n1\n"
                  "[  10.0 s] fault: node.power_off on leader, which is n1\n"
                  "[  10.0 s] n1 has no power any more\n"
                  "[  10.0 s] verified: node.power_off on n1: no process of n1 is left\n"
                  "[  10.0 s] the last acknowledged write: after it WRITES STOP\n"
                  "[  36.3 s] the leader key of n1 has expired: its lease was last renewed 30.3 s before (ttl 30 s)\n"
                  "[  38.4 s] n2 takes the leader key, which was free for 2.05 s\n"
                  "[  38.8 s] n2 accepts writes, on timeline 1\n"
                  "[  38.9 s] writes are back after 28.91 s: reads meanwhile: 867 good, 0 failed\n"
                  "[  40.2 s] n3 streams from n2\n"
                  "[  40.2 s] healthy again without n1: the leader is n2, every other member streams from it (or up to "
                  "200 ms earlier)\n"
                  "[  48.0 s] the run ended: completed\n");
    world_done(&w);
}

static void the_head_of_a_lesson_is_short_and_says_where_the_rest_stands(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf out = {0}, none = {0}, many = {0};
    report_lesson("One paragraph\nin two lines.\n\nLearn\n- much\n", "bascule scenarios x", &ascii, &out);
    assert_string_equal(strbuf_str(&out),
                        "One paragraph in two lines.\nWhat to look at, and what to learn: bascule scenarios x\n");
    report_lesson(NULL, "x.yaml", &ascii, &none);
    assert_string_equal(strbuf_str(&none), "");
    cleanup_strbuf struct strbuf lesson = {0};
    for (int i = 0; i < 200; i++)
        strbuf_add(&lesson, "word ");
    report_lesson(strbuf_str(&lesson), "x.yaml", &ascii, &many);
    int rows = 0;
    for (const char *p = strbuf_str(&many); *p; p += strcspn(p, "\n") + 1, rows++)
        assert_in_range(strcspn(p, "\n"), 1, 80);
    assert_int_equal(rows, 5);
    assert_non_null(strstr(strbuf_str(&many), "word ...\nWhat to look at"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_report_of_a_leader_crash_reads_like_this),
        cmocka_unit_test(lines_keep_to_the_width_whatever_the_scenario_says),
        cmocka_unit_test(control_characters_of_a_log_never_reach_the_terminal),
        cmocka_unit_test(colour_is_never_the_only_sign),
        cmocka_unit_test(result_json_keeps_its_schema_in_every_kind_of_run),
        cmocka_unit_test(result_json_has_the_numbers),
        cmocka_unit_test(one_line_says_the_verdict_and_why_it_is_not_a_pass),
        cmocka_unit_test(the_live_lines_tell_the_story_once),
        cmocka_unit_test(the_head_of_a_lesson_is_short_and_says_where_the_rest_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
