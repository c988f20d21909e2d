// SPDX-License-Identifier: PostgreSQL
// etcd's JSON gateway as etcd 3.4 really writes it, and what must not be taken for an answer; the interval of a lease's renewal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/observe/patroni/etcd_internal.h"

static void base64_follows_the_vectors_of_rfc_4648(void **state) {
    (void)state;
    const char *const vectors[][2] = {{"", ""},
                                      {"f", "Zg=="},
                                      {"fo", "Zm8="},
                                      {"foo", "Zm9v"},
                                      {"foob", "Zm9vYg=="},
                                      {"fooba", "Zm9vYmE="},
                                      {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        cleanup_strbuf struct strbuf e = {0}, d = {0};
        base64_encode(&e, vectors[i][0], strlen(vectors[i][0]));
        assert_string_equal(vectors[i][1], strbuf_str(&e));
        assert_true(base64_decode(&d, vectors[i][1]));
        assert_string_equal(vectors[i][0], strbuf_str(&d));
    }
}

static void base64_refuses_what_is_malformed(void **state) {
    (void)state;
    const char *const bad[] = {"Z", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9\n", "Zm9v!!!!"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        cleanup_strbuf struct strbuf d = {0};
        if (base64_decode(&d, bad[i]))
            fail_msg("'%s' was taken", bad[i]);
    }
}

// "/service/demo/leader" = n1
static const char range[] = "{\"header\":{\"cluster_id\":\"14841639068965178418\",\"member_id\":"
                            "\"10276657743932975437\",\"revision\":\"17\",\"raft_term\":\"2\"},"
                            "\"kvs\":[{\"key\":\"L3NlcnZpY2UvZGVtby9sZWFkZXI=\",\"create_revision\":\"5\",\"mod_"
                            "revision\":\"16\",\"version\":\"1\","
                            "\"value\":\"bjE=\",\"lease\":\"7587869765287921155\"},{\"key\":\"L290aGVy\",\"mod_"
                            "revision\":\"3\"}],\"count\":\"2\"}";

static void a_range_gives_the_keys_of_our_prefix_with_64_bit_numbers_intact(void **state) {
    (void)state;
    struct dcs_header h;
    dcs_kv_list kvs = {0};
    assert_true(dcs_read_range(range, &h, &kvs));
    assert_true(h.cluster == UINT64_C(14841639068965178418));
    assert_int_equal(17, h.revision);
    assert_int_equal(1, kvs.n);
    assert_string_equal("leader", kvs.items[0].key);
    assert_string_equal("n1", kvs.items[0].value);
    assert_true(kvs.items[0].lease == UINT64_C(7587869765287921155));
    assert_int_equal(16, kvs.items[0].revision);
    dcs_kv_list_done(&kvs);
}

static void a_range_cut_anywhere_is_refused(void **state) {
    (void)state;
    char cut[sizeof range];
    for (size_t n = 0; n + 1 < sizeof range - 1; n++) {
        struct dcs_header h;
        dcs_kv_list kvs = {0};
        memcpy(cut, range, n);
        cut[n] = '\0';
        assert_false(dcs_read_range(cut, &h, &kvs));
        assert_int_equal(0, kvs.n);
    }
}

static void an_error_answer_is_no_answer(void **state) {
    (void)state;
    struct dcs_header h;
    struct dcs_ttl ttl;
    struct dcs_status status;
    struct dcs_watch watch;
    dcs_kv_list kvs = {0};
    const char *const text = "{\"error\":\"etcdserver: no leader\",\"message\":\"etcdserver: no leader\",\"code\":14}";
    assert_false(dcs_read_range(text, &h, &kvs));
    assert_false(dcs_read_ttl(text, &ttl));
    assert_false(dcs_read_status(text, &status));
    assert_false(dcs_read_watch(text, &watch, &kvs));
    assert_false(dcs_read_status("[]", &status));
    assert_false(dcs_read_status("", &status));
}

#define CREATED                                                                                                        \
    "{\"result\":{\"header\":{\"cluster_id\":\"1\",\"revision\":\"17\",\"raft_term\":\"2\"},\"created\":true}}\n"
#define EVENTS                                                                                                         \
    "{\"result\":{\"header\":{\"cluster_id\":\"1\",\"revision\":\"19\"},\"events\":["                                  \
    "{\"kv\":{\"key\":\"L3NlcnZpY2UvZGVtby9zdGF0dXM=\",\"mod_revision\":\"18\",\"value\":\"eyJvIjoxfQ==\"}},"          \
    "{\"type\":\"DELETE\",\"kv\":{\"key\":\"L3NlcnZpY2UvZGVtby9sZWFkZXI=\",\"mod_revision\":\"19\"}}]}}\n"

struct seen {
    int lines, created, events, gone;
    int64_t last;
};

static bool see(void *arg, const char *line) {
    struct seen *s = arg;
    struct dcs_watch w;
    dcs_kv_list kvs = {0};
    assert_true(dcs_read_watch(line, &w, &kvs));
    s->lines++;
    s->created += w.created;
    VEC_FOREACH (&kvs, kv) {
        s->events++;
        s->gone += kv->gone;
        s->last = kv->revision;
    }
    dcs_kv_list_done(&kvs);
    return true;
}

static void a_watch_stream_reads_the_same_however_it_is_cut_into_chunks(void **state) {
    (void)state;
    static const char stream[] = CREATED EVENTS EVENTS;
    for (size_t chunk = 1; chunk < sizeof stream; chunk++) {
        struct line_splitter l = {0};
        struct seen s = {0};
        for (size_t at = 0; at < sizeof stream - 1; at += chunk)
            line_feed(&l, stream + at, chunk < sizeof stream - 1 - at ? chunk : sizeof stream - 1 - at, see, &s);
        assert_int_equal(3, s.lines);
        assert_int_equal(1, s.created);
        assert_int_equal(4, s.events);
        assert_int_equal(2, s.gone);
        assert_int_equal(19, s.last);
        assert_int_equal(0, l.rest.len);
        strbuf_done(&l.rest);
    }
}

static void a_compacted_watch_is_told_as_cancelled(void **state) {
    (void)state;
    struct dcs_watch w;
    dcs_kv_list kvs = {0};
    assert_true(
        dcs_read_watch("{\"result\":{\"header\":{},\"canceled\":true,\"compact_revision\":\"120\"}}", &w, &kvs));
    assert_true(w.canceled);
    assert_int_equal(120, w.compacted);
}

static void status_tells_leader_term_and_index(void **state) {
    (void)state;
    struct dcs_status s;
    assert_true(dcs_read_status(
        "{\"header\":{\"member_id\":\"7\",\"raft_term\":\"3\"},\"version\":\"3.4.23\",\"dbSize\":\"20480\","
        "\"leader\":\"7\",\"raftIndex\":\"41\",\"raftTerm\":\"3\"}",
        &s));
    assert_true(s.leader == 7 && s.header.member == 7);
    assert_int_equal(41, s.raft_index);
    assert_int_equal(3, s.term);
    assert_true(dcs_read_status("{\"header\":{\"member_id\":\"7\"},\"errors\":[\"etcdserver: no leader\"]}", &s));
    assert_true(s.leader == 0);
}

static void the_prefix_ends_where_the_next_folder_begins(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf b = {0}, key = {0}, end = {0};
    dcs_ask_range(&b);
    cleanup_json cJSON *o = cJSON_Parse(b.data);
    assert_true(base64_decode(&key, json_str(o, "key", "")) && base64_decode(&end, json_str(o, "range_end", "")));
    assert_string_equal("/service/demo/", key.data);
    assert_string_equal("/service/demo0", end.data);
}

// A fake etcd with an exact clock: leases of 30 s renewed every 10 s and sometimes again within the second, asked at odd moments. The
// truth must lie inside at every moment, and be known well once the lease is some seconds old.
struct fake_lease {
    usec_t renewed, next;
    bool again; // the next renewal is the second of a pair
    uint64_t seed;
};

static uint64_t dice(struct fake_lease *f, uint64_t sides) {
    f->seed = f->seed * 6364136223846793005U + 1442695040888963407U;
    return (f->seed >> 33) % sides;
}

static void let_time_pass(struct fake_lease *f, usec_t now) {
    while (now >= f->next) {
        f->renewed = f->next;
        f->again = !f->again && dice(f, 3) == 0;
        f->next += f->again ? 50 * MSEC + dice(f, 900) * MSEC : 10 * SEC + 3333;
    }
}

static void the_interval_always_holds_the_true_renewal_and_narrows(void **state) {
    (void)state;
    struct fake_lease f = {.next = 1234567, .seed = 42};
    usec_t lo = 0, hi = 0, last = 0, widest_late = 0;
    int renewals = 0;
    for (usec_t t = 2 * SEC; t < 3000 * SEC; t += 250 * MSEC + dice(&f, 7000)) {
        usec_t asked = t, looked = t + dice(&f, 1500), answered = looked + dice(&f, 1500);
        let_time_pass(&f, looked);
        int64_t remaining = (int64_t)((30 * SEC - (looked - f.renewed)) / SEC);
        renewals += lease_learn(&lo, &hi, last, asked, answered, 30, remaining) == LEASE_RENEWED;
        if (lo > f.renewed || f.renewed > hi)
            fail_msg("at %lu: %lu is not in [%lu, %lu]", (unsigned long)t, (unsigned long)f.renewed, (unsigned long)lo,
                     (unsigned long)hi);
        assert_true(hi - lo <= 1300 * MSEC);
        if (looked - f.renewed > 5 * SEC && hi - lo > widest_late)
            widest_late = hi - lo;
        last = asked;
    }
    assert_in_range(renewals, 280, 400);
    assert_true(widest_late < 300 * MSEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_follows_the_vectors_of_rfc_4648),
        cmocka_unit_test(base64_refuses_what_is_malformed),
        cmocka_unit_test(a_range_gives_the_keys_of_our_prefix_with_64_bit_numbers_intact),
        cmocka_unit_test(a_range_cut_anywhere_is_refused),
        cmocka_unit_test(an_error_answer_is_no_answer),
        cmocka_unit_test(a_watch_stream_reads_the_same_however_it_is_cut_into_chunks),
        cmocka_unit_test(a_compacted_watch_is_told_as_cancelled),
        cmocka_unit_test(status_tells_leader_term_and_index),
        cmocka_unit_test(the_prefix_ends_where_the_next_folder_begins),
        cmocka_unit_test(the_interval_always_holds_the_true_renewal_and_narrows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
