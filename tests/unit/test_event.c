// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <math.h>

#include "lab/base/json.h"
#include "lab/record/event_fields.h"

static int parse(const char *line, struct event *ev) {
    return event_from_json(line, strlen(line), ev, NULL);
}

// Fills every field of a kind with something that is not zero, different from field to field.
static void fill(struct event *ev, int salt) {
    size_t n;
    const struct event_field *f = event_fields(ev->kind, &n);
    for (size_t i = 0; i < n; i++) {
        void *at = (char *)ev + f[i].offset;
        int v = salt + (int)i + 1;
        switch (f[i].type) {
        case EVENT_FIELD_N:
            (void)snprintf(at, EVENT_NAME_MAX, "name %d \"\\\n\t\x7f é€😀", v);
            break;
        case EVENT_FIELD_S:
            (void)snprintf(at, EVENT_TEXT_MAX, "text %d / </script> \x01 ü", v);
            break;
        case EVENT_FIELD_I:
            *(int64_t *)at = v % 3 == 0 ? -EVENT_COUNT_MAX + v : v % 3 == 1 ? EVENT_COUNT_MAX - v : -v;
            break;
        case EVENT_FIELD_C:
            *(int64_t *)at = v % 2 ? EVENT_COUNT_MAX - v : v;
            break;
        case EVENT_FIELD_R:
            *(int64_t *)at = v % 3 == 0 ? INT64_MIN + v : v % 3 == 1 ? INT64_MAX - v : -v;
            break;
        case EVENT_FIELD_U:
            *(usec_t *)at = v % 2 ? EVENT_TIME_MAX : (usec_t)v;
            break;
        case EVENT_FIELD_W:
            *(usec_t *)at = v % 2 ? EVENT_WALL_MAX : (usec_t)v;
            break;
        case EVENT_FIELD_B:
            *(bool *)at = true;
            break;
        case EVENT_FIELD_D:
            *(double *)at = v % 2 ? 0.1 * v : -1.0 / 3 * v;
            break;
        case EVENT_FIELD_L:
            *(lsn_t *)at = (UINT64_C(1) << 32) * (unsigned)v + 0xABCDEF;
            break;
        case EVENT_FIELD_E:
            *(unsigned *)at = 1 + (unsigned)v % (f[i].words->n - 2);
            break;
        }
    }
}

static void every_kind_survives_the_way_through_json(void **state) {
    (void)state;
    for (int k = EVENT_TICK + 1; k < EVENT_KIND_COUNT; k++)
        for (int salt = 0; salt < 3; salt++) {
            struct event ev, back;
            memset(&ev, 0, sizeof ev);
            ev.kind = (enum event_kind)k;
            ev.t = 1234567;
            fill(&ev, salt);
            cleanup_strbuf struct strbuf line = {0};
            event_to_json(&ev, &line);
            assert_int_equal(line.data[line.len - 1], '\n');
            cleanup_json cJSON *j = cJSON_Parse(line.data); // a second opinion: it is JSON for others too
            assert_non_null(j);
            assert_string_equal(json_str(j, "ev", ""), event_kind_name(ev.kind));
            assert_int_equal(event_from_json(line.data, line.len, &back, NULL), 0);
            cleanup_strbuf struct strbuf again = {0};
            event_to_json(&back, &again);
            assert_string_equal(line.data, again.data);
            size_t n;
            const struct event_field *f = event_fields(ev.kind, &n);
            for (size_t i = 0; i < n; i++) {
                const char *a = (char *)&ev + f[i].offset, *b = (char *)&back + f[i].offset;
                if (f[i].type == EVENT_FIELD_N || f[i].type == EVENT_FIELD_S)
                    assert_string_equal(a, b);
                else
                    assert_memory_equal(a, b,
                                        f[i].type == EVENT_FIELD_B   ? sizeof(bool)
                                        : f[i].type == EVENT_FIELD_E ? 4
                                                                     : 8);
            }
        }
}

// One field of a closed set, written and read again. Returns what event_from_json returned.
static int word_there_and_back(enum event_kind kind, const struct event_field *f, unsigned value, unsigned *ret) {
    struct event ev, back;
    memset(&ev, 0, sizeof ev);
    memset(&back, 0, sizeof back);
    ev.kind = kind;
    *(unsigned *)((char *)&ev + f->offset) = value;
    cleanup_strbuf struct strbuf line = {0};
    event_to_json(&ev, &line);
    int r = event_from_json(line.data, line.len, &back, NULL);
    *ret = *(unsigned *)((char *)&back + f->offset);
    return r;
}

static void every_word_of_every_set_survives_the_way_through_json(void **state) {
    (void)state;
    int fields = 0;
    for (int k = EVENT_TICK + 1; k < EVENT_KIND_COUNT; k++) {
        size_t n;
        const struct event_field *f = event_fields((enum event_kind)k, &n);
        for (size_t i = 0; i < n; i++) {
            if (f[i].type != EVENT_FIELD_E)
                continue;
            const struct word_set *set = f[i].words;
            unsigned back, unknown = set->n - 1;
            fields++;
            for (unsigned v = 0; v < unknown; v++) {
                assert_int_equal(word_there_and_back((enum event_kind)k, &f[i], v, &back), 0);
                assert_int_equal(back, v);
                assert_int_equal(word_set_find(set, word_set_name(set, v)), v); // no word stands twice
            }
            for (unsigned v = unknown; v < unknown + 3; v++) { // and what is none stays one that is none
                assert_int_equal(word_there_and_back((enum event_kind)k, &f[i], v, &back), 1);
                assert_int_equal(back, unknown);
            }
        }
    }
    assert_true(fields >= 3);
}

static void a_word_that_its_set_lacks_is_told(void **state) {
    (void)state;
    struct event ev;
    struct event_unknown word;
    static const char line[] = "{\"t\":1,\"ev\":\"service\",\"node\":\"n1\",\"state\":\"st\\u0061rtd\",\"pid\":7}";
    assert_int_equal(parse(line, &ev), 1);
    assert_true(ev.u.SERVICE.state == SERVICE_STATE_UNKNOWN && ev.u.SERVICE.pid == 7);
    event_unknown_word(line, sizeof line - 1, &word);
    assert_int_equal(word.kind, EVENT_SERVICE);
    assert_string_equal(word.field, "state");
    assert_string_equal(word.word, "startd");
    assert_int_equal(parse("{\"t\":1,\"ev\":\"service\",\"state\":\"\"}", &ev), 0); // absent is no unknown word
    assert_int_equal(ev.u.SERVICE.state, SERVICE_STATE_NONE);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"service\",\"state\":null}", &ev), 0);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"service\",\"state\":3}", &ev), -EINVAL); // and a number is no word
}

static void the_line_is_as_documented(void **state) {
    (void)state;
    struct event ev = EVENT_NEW(AUTHORITY);
    ev.t = 1234567;
    STR_COPY(ev.u.AUTHORITY.voice, "etcd");
    STR_COPY(ev.u.AUTHORITY.holder, "n1");
    ev.u.AUTHORITY.revision = 77;
    cleanup_strbuf struct strbuf out = {0};
    event_to_json(&ev, &out);
    assert_string_equal(out.data,
                        "{\"t\":1234567,\"ev\":\"authority\",\"voice\":\"etcd\",\"holder\":\"n1\",\"revision\":77}\n");
    struct event sql = EVENT_NEW(SQL);
    sql.u.SQL.lsn = 0x105027FE0;
    strbuf_clear(&out);
    event_to_json(&sql, &out);
    assert_string_equal(out.data, "{\"t\":0,\"ev\":\"sql\",\"lsn\":\"1/5027FE0\"}\n");
}

// Daemons and clocks may say anything; what is written is what the reader takes, and the folds of a living lab see the same.
static void what_the_world_says_is_brought_into_its_range(void **state) {
    (void)state;
    struct event ev = EVENT_NEW(SQL), back;
    ev.t = USEC_NEVER;
    ev.u.SQL.asked = USEC_NEVER;
    ev.u.SQL.timeline = INT64_MIN;
    ev.u.SQL.latency_us = INT64_MAX;
    ev.u.SQL.lsn = UINT64_MAX;
    STR_COPY(ev.u.SQL.error, "caf\xe9");
    cleanup_strbuf struct strbuf out = {0};
    event_to_json(&ev, &out);
    assert_int_equal(event_from_json(out.data, out.len, &back, NULL), 0);
    event_normalize(&ev);
    assert_memory_equal(&ev, &back, sizeof ev);
    assert_true(ev.t == EVENT_TIME_MAX && ev.u.SQL.asked == EVENT_TIME_MAX && ev.u.SQL.timeline == -EVENT_COUNT_MAX);
    assert_true(ev.u.SQL.latency_us == EVENT_COUNT_MAX && ev.u.SQL.lsn == EVENT_LSN_MAX);
    assert_string_equal(ev.u.SQL.error, "caf\xef\xbf\xbd");
    struct event noise = EVENT_NEW(NOISE);
    noise.u.NOISE.load1 = (double)NAN;
    noise.u.NOISE.cpu_some = 1e308;
    event_normalize(&noise);
    assert_true(noise.u.NOISE.load1 == 0 && noise.u.NOISE.cpu_some == (double)EVENT_COUNT_MAX);
}

static void integers_beyond_2_to_the_53_travel_as_text(void **state) {
    (void)state;
    struct event ev = EVENT_NEW(RUN_BEGIN), back;
    ev.u.RUN_BEGIN.seed = (INT64_C(1) << 53) + 1;
    cleanup_strbuf struct strbuf out = {0};
    event_to_json(&ev, &out);
    assert_non_null(strstr(out.data, "\"seed\":\"9007199254740993\""));
    assert_int_equal(event_from_json(out.data, out.len, &back, NULL), 0);
    assert_true(back.u.RUN_BEGIN.seed == (INT64_C(1) << 53) + 1);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"run.begin\",\"seed\":9007199254740993}", &back), 0);
    assert_true(back.u.RUN_BEGIN.seed == (INT64_C(1) << 53) + 1); // digits are read as digits, never through a double
    ev.u.RUN_BEGIN.seed = INT64_C(1) << 53;
    strbuf_clear(&out);
    event_to_json(&ev, &out);
    assert_non_null(strstr(out.data, "\"seed\":9007199254740992"));
}

static void a_reader_takes_what_other_tools_write(void **state) {
    (void)state;
    struct event ev;
    assert_int_equal(parse(" { \"cpus\" : 2.0 , \"new\":{\"a\":[1,\"}]\"],\"b\":null}, \"seed\":\"12\", "
                           "\"ev\":\"run.begin\",\"t\":1e3 }\r\n",
                           &ev),
                     0);
    assert_int_equal(ev.t, 1000);
    assert_int_equal(ev.u.RUN_BEGIN.cpus, 2);
    assert_int_equal(ev.u.RUN_BEGIN.seed, 12);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"sql\",\"answered\":null,\"writable\":false,\"error\":"
                           "\"\\u00e9\\ud83d\\ude00\\/\\ud800x\\u0000\"}",
                           &ev),
                     0);
    assert_string_equal(ev.u.SQL.error, "é😀/\xEF\xBF\xBDx\xEF\xBF\xBD");
}

static void text_too_long_is_cut_between_characters(void **state) {
    (void)state;
    struct event ev;
    cleanup_strbuf struct strbuf line = {0};
    strbuf_add(&line, "{\"t\":1,\"ev\":\"sql\",\"node\":\"");
    for (int i = 0; i < 40; i++)
        strbuf_add(&line, "€");
    strbuf_add(&line, "\",\"error\":\"\\n");
    for (int i = 0; i < 400; i++)
        strbuf_add(&line, "\\u20ac");
    strbuf_add(&line, "ab\"}");
    assert_int_equal(event_from_json(line.data, line.len, &ev, NULL), 0);
    assert_int_equal(strlen(ev.u.SQL.node), 63);
    assert_int_equal(strlen(ev.u.SQL.error), 478);
    assert_string_equal(ev.u.SQL.error + 475, "€");
}

static void anything_malformed_is_refused_and_leaves_the_result_alone(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "{}",
        "{\"t\":1}",
        "{\"ev\":\"sql\"}",
        "{\"t\":1,\"ev\":\"sql\"",
        "{\"t\":1,\"ev\":\"sql\"}x",
        "{\"t\":1,\"ev\":\"sql\"}{}",
        "{\"t\":1,\"ev\":7}",
        "{\"t\":-1,\"ev\":\"sql\"}",
        "{\"t\":1.5,\"ev\":\"sql\"}",
        "{\"t\":99999999999999999999,\"ev\":\"sql\"}",
        "{\"t\":\"x\",\"ev\":\"sql\"}",
        "{\"t\":\"\",\"ev\":\"sql\"}",
        "{\"t\":1,\"ev\":\"sql\",}",
        "{\"t\":1,,\"ev\":\"sql\"}",
        "{,\"t\":1,\"ev\":\"sql\"}",
        "{\"t\":1 \"ev\":\"sql\"}",
        "{\"t\":1,\"ev\":\"sql\",\"node\":1}",
        "{\"t\":1,\"ev\":\"sql\",\"node\":\"\\x\"}",
        "{\"t\":1,\"ev\":\"sql\",\"node\":\"\\u12\"}",
        "{\"t\":1,\"ev\":\"sql\",\"node\":\"\\",
        "{\"t\":1,\"ev\":\"sql\",\"node\":\"a\tb\"}",
        "{\"t\":1,\"ev\":\"sql\",\"lsn\":\"0/\"}",
        "{\"t\":1,\"ev\":\"sql\",\"lsn\":\"123456789/0\"}",
        "{\"t\":1,\"ev\":\"sql\",\"timeline\":9223372036854775808}",
        "{\"t\":1,\"ev\":\"sql\",\"timeline\":{}}",
        "{\"t\":1,\"ev\":\"sql\",\"timeline\":--1}",
        "{\"t\":1,\"ev\":\"noise\",\"load1\":nan}",
        "{\"t\":1,\"ev\":\"noise\",\"load1\":0x1}",
        "{\"t\":1,\"ev\":\"noise\",\"load1\":1e999}",
        "{\"t\":1,\"ev\":\"sql\",\"answered\":1}",
        "{\"t\":1,\"ev\":\"sql\",\"new\":bogus}",
        "{\"t\":1,\"ev\":\"sql\",\"new\":[}",
        "{\"t\":1,\"ev\":\"sql\",\"new\":[\"}",
        "{\"t\":1,\"ev\":\"no.such\",\"a\":}",
        "\xff\xfe{}",
        // Numbers outside their range (event.h): ten years, the year 2255, 2^53, 4 EiB.
        "{\"t\":315360000000001,\"ev\":\"sql\"}",
        "{\"t\":\"18446744073709551615\",\"ev\":\"sql\"}",
        "{\"t\":1,\"ev\":\"sql\",\"asked\":315360000000001}",
        "{\"t\":1,\"ev\":\"sql\",\"asked\":-1}",
        "{\"t\":1,\"ev\":\"run.begin\",\"wall\":9007199254740993}",
        "{\"t\":1,\"ev\":\"sql\",\"timeline\":9007199254740993}",
        "{\"t\":1,\"ev\":\"sql\",\"timeline\":\"-9007199254740993\"}",
        "{\"t\":1,\"ev\":\"client.tick\",\"w_ok\":9223372036854775807}",
        "{\"t\":1,\"ev\":\"client.tick\",\"w_ok\":-1}",
        "{\"t\":1,\"ev\":\"run.begin\",\"seed\":9223372036854775808}",
        "{\"t\":1,\"ev\":\"noise\",\"load1\":1e17}",
        "{\"t\":1,\"ev\":\"sql\",\"lsn\":\"40000000/1\"}",
    };
    struct event ev, before;
    memset(&ev, 0x5a, sizeof ev);
    before = ev;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = {0};
        if (event_from_json(bad[i], strlen(bad[i]), &ev, &err) != -EINVAL)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.code, EINVAL);
        assert_memory_equal(&ev, &before, sizeof ev);
    }
}

// What an older program wrote is today's event, with what was not said then.
static void old_names_are_read_for_good(void **state) {
    (void)state;
    static const struct {
        const char *then, *now;
    } lines[] = {
        {"{\"t\":7,\"ev\":\"member\",\"repeats\":3,\"pause\":5,\"node\":\"n1\",\"answered\":true,\"http\":200,\"role\":"
         "\"leader\"}",
         "{\"t\":7,\"ev\":\"manager\",\"repeats\":3,\"pause\":5,\"node\":\"n1\",\"service\":\"patroni\",\"answered\":"
         "true,"
         "\"http\":200,\"role\":\"leader\"}\n"},
        {"{\"t\":7,\"ev\":\"dcs.member\",\"node\":\"n1\",\"answered\":true,\"leader\":true,\"term\":2,\"id\":\"a\","
         "\"leader_id\":\"a\"}",
         "{\"t\":7,\"ev\":\"arbiter\",\"node\":\"n1\",\"service\":\"etcd\",\"answered\":true,\"leads\":true,\"term\":2,"
         "\"id\":\"a\",\"follows\":\"a\"}\n"},
        {"{\"t\":7,\"ev\":\"dcs.lease\",\"lease\":\"beef\",\"holder\":\"n1\",\"renewed\":5,\"error_us\":2,\"ttl_s\":30,"
         "\"remaining_s\":29}",
         "{\"t\":7,\"ev\":\"grant\",\"id\":\"beef\",\"holder\":\"n1\",\"renewed\":5,\"error_us\":2,\"length\":30000000,"
         "\"remaining_s\":29}\n"},
        {"{\"t\":7,\"ev\":\"node.info\",\"node\":\"n1\",\"postgres\":true,\"etcd\":true,\"haproxy\":false,\"app\":null,"
         "\"number\":1}",
         "{\"t\":7,\"ev\":\"node.info\",\"node\":\"n1\",\"services\":\"postgres,patroni,etcd\",\"number\":1}\n"},
        {"{\"t\":7,\"ev\":\"node.info\",\"app\":true,\"app\":true}",
         "{\"t\":7,\"ev\":\"node.info\",\"services\":\"app\"}\n"},
        {"{\"t\":7,\"ev\":\"dcs.watch\",\"node\":\"n1\",\"state\":\"lost\"}",
         "{\"t\":7,\"ev\":\"store.watch\",\"store\":\"etcd\",\"node\":\"n1\",\"state\":\"lost\"}\n"},
        {"{\"t\":7,\"ev\":\"dcs.key\",\"key\":\"sync\",\"value\":\"{}\",\"lease\":\"a\",\"revision\":3,\"created\":2,"
         "\"initial\":true}",
         "{\"t\":7,\"ev\":\"entry\",\"store\":\"etcd\",\"key\":\"sync\",\"value\":\"{}\",\"grant\":\"a\",\"revision\":"
         "3,\"created\":2,\"initial\":true}\n"},
        {"{\"t\":7,\"ev\":\"dcs.key\",\"repeats\":3,\"pause\":5,\"value\":\"n1\",\"lease\":\"a\",\"revision\":3,"
         "\"created\":2,\"initial\":true,\"key\":\"leader\"}",
         "{\"t\":7,\"ev\":\"authority\",\"repeats\":3,\"pause\":5,\"voice\":\"etcd\",\"holder\":\"n1\",\"grant\":\"a\","
         "\"epoch\":2,\"revision\":3,\"initial\":true}\n"},
        {"{\"t\":7,\"ev\":\"dcs.key\",\"key\":\"leader\",\"gone\":true,\"revision\":4}",
         "{\"t\":7,\"ev\":\"authority\",\"voice\":\"etcd\",\"gone\":true,\"revision\":4}\n"},
        {"{\"t\":7,\"ev\":\"dcs.lease\",\"ttl_s\":-1,\"gone\":true}", "{\"t\":7,\"ev\":\"grant\",\"gone\":true}\n"},
        {"{\"t\":7,\"ev\":\"dcs.lease\",\"ttl_s\":9007199254740992}",
         "{\"t\":7,\"ev\":\"grant\",\"length\":315360000000000}\n"},
        {"{\"t\":7,\"ev\":\"action\",\"id\":\"a\",\"action\":\"patroni.switchover\",\"phase\":\"asked\",\"detail\":"
         "\"patroni.pause\"}",
         "{\"t\":7,\"ev\":\"action\",\"id\":\"a\",\"action\":\"cluster.switchover\",\"phase\":\"asked\",\"detail\":"
         "\"patroni.pause\"}\n"},
        {"{\"t\":7,\"ev\":\"plan.step\",\"text\":\"patroni.edit_config (key=patroni.pause value=)\"}",
         "{\"t\":7,\"ev\":\"plan.step\",\"text\":\"cluster.edit_config (key=patroni.pause value=)\"}\n"},
        {"{\"t\":7,\"ev\":\"plan.step\",\"text\":\"patroni.resume, 5 s after 'a'\"}",
         "{\"t\":7,\"ev\":\"plan.step\",\"text\":\"cluster.resume, 5 s after 'a'\"}\n"},
        {"{\"t\":7,\"ev\":\"step.next\",\"name\":\"a\",\"text\":\"patroni.restart on the leader, which is n2 now\"}",
         "{\"t\":7,\"ev\":\"step.next\",\"name\":\"a\",\"text\":\"cluster.restart on the leader, which is n2 now\"}\n"},
        {"{\"t\":7,\"ev\":\"command\",\"verb\":\"inject\",\"args\":\"patroni.set_tags n2\"}",
         "{\"t\":7,\"ev\":\"command\",\"verb\":\"inject\",\"args\":\"cluster.set_tags n2\"}\n"},
        {"{\"t\":7,\"ev\":\"command\",\"verb\":\"exec\",\"args\":\"patroni.reload patroni.reload\"}",
         "{\"t\":7,\"ev\":\"command\",\"verb\":\"exec\",\"args\":\"patroni.reload patroni.reload\"}\n"},
        {"{\"t\":7,\"ev\":\"step\",\"name\":\"a\",\"state\":\"failed\",\"detail\":\"patroni.failover failed: no\"}",
         "{\"t\":7,\"ev\":\"step\",\"name\":\"a\",\"state\":\"failed\",\"detail\":\"cluster.failover failed: no\"}\n"},
        {"{\"t\":7,\"ev\":\"run.end\",\"reason\":\"expectation\",\"detail\":\"step 'a': patroni.reinit failed, "
         "xpatroni.pause patroni.pause_all patroni.pause\"}",
         "{\"t\":7,\"ev\":\"run.end\",\"reason\":\"expectation\",\"detail\":\"step 'a': cluster.reinit failed, "
         "xpatroni.pause patroni.pause_all cluster.pause\"}\n"},
        {"{\"t\":7,\"ev\":\"config\",\"key\":\"patroni.pause\",\"value\":\"true\"}",
         "{\"t\":7,\"ev\":\"config\",\"key\":\"patroni.pause\",\"value\":\"true\"}\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct event ev;
        cleanup_strbuf struct strbuf out = {0};
        assert_int_equal(parse(lines[i].then, &ev), 0);
        event_to_json(&ev, &out);
        assert_string_equal(out.data, lines[i].now);
    }
    struct event ev;
    assert_int_equal(parse("{\"t\":1,\"ev\":\"membe\"}", &ev), -ENOENT);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"member\",\"http\":-1}", &ev), -EINVAL);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"dcs.member\",\"leader\":7}", &ev),
                     -EINVAL);                                                    // an old field has a type, too
    assert_int_equal(parse("{\"t\":1,\"ev\":\"arbiter\",\"leader\":7}", &ev), 0); // only an old kind has old fields
    assert_false(ev.u.ARBITER.leads);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"dcs.lease\",\"ttl_s\":\"x\"}", &ev), -EINVAL);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"node.info\",\"etcd\":1}", &ev), -EINVAL);
}

static void an_unknown_kind_is_told_apart_from_a_broken_line(void **state) {
    (void)state;
    struct event ev;
    assert_int_equal(parse("{\"t\":1,\"ev\":\"quantum.leap\",\"a\":1}", &ev), -ENOENT);
    assert_int_equal(parse("{\"t\":1,\"ev\":\"tick\"}", &ev), -ENOENT);
}

static void a_tick_never_reaches_a_log(void **state) {
    (void)state;
    struct event ev = {.kind = EVENT_TICK, .t = 5};
    cleanup_strbuf struct strbuf out = {0};
    event_to_json(&ev, &out);
    assert_int_equal(out.len, 0);
}

static void numbers_that_json_lacks_are_left_out(void **state) {
    (void)state;
    struct event ev = EVENT_NEW(NOISE);
    ev.u.NOISE.load1 = 1.0 / 0.0;
    ev.u.NOISE.cpu_some = 0.0 / 0.0;
    cleanup_strbuf struct strbuf out = {0};
    event_to_json(&ev, &out);
    assert_string_equal(out.data, "{\"t\":0,\"ev\":\"noise\"}\n");
}

// xorshift64: the same mutations on every machine.
static uint64_t next_random(uint64_t *s) {
    *s ^= *s << 13;
    *s ^= *s >> 7;
    return *s ^= *s << 17;
}

// Whatever the bytes: no crash (ASan watches), and what is accepted can be written and read again without a difference.
static void two_hundred_thousand_mutated_lines_are_read_or_refused(void **state) {
    (void)state;
    uint64_t seed = 20240607;
    int taken = 0;
    cleanup_strbuf struct strbuf seedline = {0}, out = {0}, out2 = {0};
    for (int i = 0; i < 200000; i++) {
        struct event ev, back;
        memset(&ev, 0, sizeof ev);
        ev.kind = (enum event_kind)(1 + next_random(&seed) % (EVENT_KIND_COUNT - 1));
        fill(&ev, i % 3);
        strbuf_clear(&seedline);
        event_to_json(&ev, &seedline);
        for (uint64_t m = next_random(&seed) % 4; m-- > 0;) {
            uint64_t r = next_random(&seed);
            static const char nasty[] = "\"\\{}[]:,0-eu\0\x80\xff\n";
            seedline.data[r % seedline.len] = r & (1 << 20) ? nasty[(r >> 21) % (sizeof nasty - 1)] : (char)(r >> 40);
        }
        size_t len = next_random(&seed) % 8 ? seedline.len : next_random(&seed) % (seedline.len + 1);
        cleanup_free char *exact = xmalloc(len + 1); // its own block: ASan sees a read beyond the end
        memcpy(exact, seedline.data, len);
        cleanup_free char *tight = len ? xmalloc(len) : NULL;
        if (len)
            memcpy(tight, exact, len);
        int unknown = event_from_json(len ? tight : "", len, &back, NULL);
        if (unknown < 0)
            continue;
        taken++;
        strbuf_clear(&out), strbuf_clear(&out2);
        event_to_json(&back, &out);
        struct event again;
        assert_int_equal(event_from_json(out.data, out.len, &again, NULL), unknown);
        event_to_json(&again, &out2);
        assert_string_equal(out.data, out2.data);
    }
    print_message("%d of 200000 mutated lines were still events\n", taken);
    assert_true(taken > 20000 && taken < 190000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_survives_the_way_through_json),
        cmocka_unit_test(the_line_is_as_documented),
        cmocka_unit_test(what_the_world_says_is_brought_into_its_range),
        cmocka_unit_test(integers_beyond_2_to_the_53_travel_as_text),
        cmocka_unit_test(a_reader_takes_what_other_tools_write),
        cmocka_unit_test(text_too_long_is_cut_between_characters),
        cmocka_unit_test(anything_malformed_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(old_names_are_read_for_good),
        cmocka_unit_test(an_unknown_kind_is_told_apart_from_a_broken_line),
        cmocka_unit_test(every_word_of_every_set_survives_the_way_through_json),
        cmocka_unit_test(a_word_that_its_set_lacks_is_told),
        cmocka_unit_test(a_tick_never_reaches_a_log),
        cmocka_unit_test(numbers_that_json_lacks_are_left_out),
        cmocka_unit_test(two_hundred_thousand_mutated_lines_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
