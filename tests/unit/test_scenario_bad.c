// SPDX-License-Identifier: PostgreSQL
// What is wrong with a file as a whole: its syntax, its keys, its settings and its topology; and how complaints are told.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants these first
#include <cmocka.h>

#include "lab/base/vec.h"
#include "lab/scenario/read.h"
#include "tests/unit/scenario_bad.h"

// clang-format off
static const struct bad table[] = {
    // the file
    {"",
     "f: error: the file is empty\n"},
    {"just text",
     "f:1:1: error: expected a mapping (key: value) for a scenario, found text\n"},
    {HEAD "steps:\n"
     "\t- wait: 5s\n",
     "f:4:1: error: a tab indents this line: YAML wants spaces\n"},
    {HEAD "lesson: \"no end\n"
     "steps: []\n",
     "f:5:1: error: this is not YAML: found unexpected end of stream while scanning a quoted scalar "
     "(begun in line 3)\n"},
    {"title: \377\n",
     "f:1:8: error: byte 0xff is not allowed here: expected plain UTF-8 text\n"},
    {"title: \303\251\033[31m\n",
     "f:1:9: error: byte 0x1b is not allowed here: expected plain UTF-8 text\n"},
    {STEPS "- &a {wait: 5s}\n"
     "- *a\n",
     "f:5:3: error: aliases are not read here ('*a'): write the value again\n"
     "f:5:3: error: expected a mapping (key: value) for a step, found nothing\n"},
    {STEPS "- wait: 5s\n"
     "---\n"
     "steps:\n",
     "f:5:1: error: a second document begins here: a file holds one\n"},
    {STEPS "- {wait: 5s, wait: 6s}\n",
     "f:4:14: error: key 'wait' is here twice (first in line 4): only one of them can count\n"},
    {HEAD "set: {storage: \"dis\\0k\"}\n"
     "steps: [{wait: 1s}]\n",
     "f:3:16: error: this text contains a NUL character (\\0), which no setting can hold\n"
     "f:3:16: error: 'dis' is no storage (did you mean 'disk'?); allowed: memory, disk\n"},
    {STEPS "- [[[[[[[[[[[[[[[[[[[[[[[[[\n",
     "f:4:3: error: expected a mapping (key: value) for a step, found a list\n"
     "f:4:25: error: more than 24 levels deep: no scenario needs that\n"},
    {STEPS "- {[a]: b}\n",
     "f:4:4: error: a key must be text, not a list (is a quote missing around '[...'?)\n"},
    // above a broken syntax all is read, below it nothing is called missing
    {"titel: t\n"
     "setle: 3s\n"
     "steps: [{wat: 5s}\n",
     "f:1:1: error: unknown key 'titel' in a scenario (did you mean 'title'?); allowed: title, "
     "group, lesson, needs, topology, workload, set, settle, observe, timeout, steps, expect, known_defects\n"
     "f:2:1: error: unknown key 'setle' in a scenario (did you mean 'settle'?); allowed: title, "
     "group, lesson, needs, topology, workload, set, settle, observe, timeout, steps, expect, known_defects\n"
     "f:3:10: error: unknown key 'wat' in a step (did you mean 'wait'?); allowed: name, inject, heal, "
     "do, wait, target, with, at, after, when, for, within, duration\n"
     "f:4:1: error: this is not YAML: did not find expected ',' or ']' while parsing a flow sequence "
     "(begun in line 3)\n"},
    // A byte-order mark is passed over, and moves no column; a no-break space is named.
    {"\xef\xbb\xbftitel: t\ntopology: patroni-3\nsteps: [{wait: 1m30s}]\n",
     "f:1:1: error: unknown key 'titel' in a scenario (did you mean 'title'?); allowed: title, group, lesson, needs, topology, "
     "workload, set, settle, observe, timeout, steps, expect, known_defects\n"},
    {HEAD "steps:\n \xc2\xa0- wait: 1s\n", "f:4:2: error: a no-break space (U+00A0) indents this line: replace it by a "
                                          "space\n"},
    {HEAD "steps: [{wait: 250}]\n",
     "f:3:16: error: duration '250' has no unit: write '250ms' or '250s' (units: us, ms, s, m, h)\n"},
    // keys of the file
    {"title: t\n"
     "topology: patroni-3\n"
     "step: []\n",
     "f:3:1: error: unknown key 'step' in a scenario (did you mean 'steps'?); allowed: title, group, lesson, needs, "
     "topology, workload, set, settle, observe, timeout, steps, expect, known_defects\n"},
    {"title: [a]\n"
     "topology: patroni-9\n"
     "steps: 5\n",
     "f:1:8: error: expected text, found a list\n"
     "f:2:11: error: there is no topology 'patroni-9' (did you mean 'patroni-2'?); there are: "
     "patroni-2, patroni-3, patroni-3-etcd-3, patroni-3-etcd-3-sync, patroni-3-haproxy, patroni-3-sync\n"
     "f:3:8: error: expected a list of steps, found text\n"},
    {HEAD "settle: 3\n"
     "observe: soon\n"
     "timeout: 48h\n"
     "steps: []\n",
     "f:3:9: error: duration '3' has no unit: write '3s' (units: us, ms, s, m, h)\n"
     "f:4:10: error: 'soon' is not a duration: expected a number and a unit, such as 250ms, 10s or "
     "2m\n"
     "f:5:10: error: timeout 48h is out of range: 1.00 s to 1440 min 00 s\n"
     "f:6:8: error: a scenario has at least one step\n"},
    {"title: t\ngroup: crsh\ntopology: patroni-3\nsteps: [{wait: 1s}]\n",
     "f:2:8: error: unknown group 'crsh' (did you mean 'crash'?); allowed: crash, network, dcs, replication, storage, "
     "resource, configuration, human, client\n"},
    // settings
    {HEAD "workload: {writes: lots, route: haproxi, deadlin: 2s, deadline: 2}\n"
     "steps: [{wait: 1s}]\n",
     "f:3:20: error: 'lots' is not a number: expected something like 100 or 12.5\n"
     "f:3:33: error: 'haproxi' is no route (did you mean 'haproxy'?); allowed: multi_host, haproxy\n"
     "f:3:42: error: unknown setting 'workload.deadlin' (did you mean 'workload.deadline'?); allowed: "
     "workload.writes, workload.reads, workload.route, workload.deadline, workload.connect_timeout\n"
     "f:3:65: error: duration '2' has no unit: write '2s' (units: us, ms, s, m, h)\n"},
    {HEAD "workload: {route: haproxy}\n"
     "steps: [{wait: 1s}]\n",
     "f:3:19: error: route haproxy needs a node that runs haproxy; topology 'patroni-3' has none (try "
     "patroni-3-haproxy)\n"},
    {HEAD "set:\n"
     "  patroni.tll: 20s\n"
     "  patroni.loop_wait: 1.5s\n"
     "  patroni.use_slots: maybe\n"
     "  postgresql.shared_bufers: 1MB\n"
     "  postgresql.port: 5\n"
     "  etcd.election-timeout: 300ms\n"
     "  sotrage: disk\n"
     "steps: [{wait: 1s}]\n",
     "f:3:1: error: etcd.election-timeout must be at least five times etcd.heartbeat-interval, or "
     "etcd will not start\n"
     "f:4:3: error: unknown setting 'patroni.tll' (did you mean 'patroni.ttl'?); allowed: "
     "patroni.ttl, patroni.loop_wait, patroni.retry_timeout, patroni.maximum_lag_on_failover, "
     "patroni.primary_start_timeout, patroni.synchronous_mode, patroni.synchronous_mode_strict, "
     "patroni.synchronous_node_count, patroni.failsafe_mode, patroni.check_timeline, "
     "patroni.use_pg_rewind, patroni.use_slots, patroni.watchdog, patroni.safety_margin\n"
     "f:5:22: error: '1.5s': patroni.loop_wait counts in whole seconds\n"
     "f:6:22: error: 'maybe' is neither yes nor no: expected true or false\n"
     "f:7:3: warning: PostgreSQL has no parameter 'shared_bufers' (did you mean 'shared_buffers'?); "
     "Patroni drops what it does not know\n"
     "f:8:3: error: 'port' is set by Patroni or the lab itself and can't be chosen here\n"
     "f:10:3: error: unknown setting 'sotrage' (did you mean 'storage'?); allowed: patroni.*, "
     "postgresql.*, etcd.*, haproxy.*, workload.*, node.NAME.image, storage, clock, image, disk_faults, settle, observe, timeout, record.thin_after\n"},
    {HEAD "set: {patroni: {ttl: 20s, failsafe_mode: on}}\n"
     "steps: [{wait: 1s}]\n",
     "f:3:1: warning: loop_wait + 2 * retry_timeout is 30 s, more than ttl (20 s): a leader without "
     "DCS may still write when its key expires; Patroni 3.2 and later lower them\n"},
    {HEAD "set: {etcd.election-timeout: 300, etcd.heartbeat-interval: 100}\n"
     "steps: [{wait: 1s}]\n",
     "f:3:1: error: etcd.election-timeout must be at least five times etcd.heartbeat-interval, or "
     "etcd will not start\n"},
    // inline topologies
    {"title: t\n"
     "topology: {from: patroni-3, nodes: {n1: {address: 10.77.0.12}, n4: {}, leader: {services: "
     "[etcd]}, n5: {services: [patroni, pgbouncer]}}}\n"
     "steps: [{wait: 1s}]\n",
     "f:2:64: error: node 'n4' needs 'services', such as [postgres, etcd]\n"
     "f:2:72: error: a node can't be named 'leader': the word means something else in a scenario\n"
     "f:2:116: error: write 'postgres': Patroni comes with it\n"
     "f:2:125: error: unknown service 'pgbouncer'; allowed: postgres, etcd, haproxy, app\n"},
    {"title: t\n"
     "topology:\n"
     "  nodes:\n"
     "    p: {services: [postgres], tags: {nofailovr: yes}}\n"
     "    q: {services: [etcd, app], address: 10.1.2.3.4}\n"
     "steps: [{wait: 1s}]\n",
     "f:4:38: error: unknown key 'nofailovr' in tags (did you mean 'nofailover'?); allowed: "
     "nofailover, nosync, noloadbalance, clonefrom\n"
     "f:5:19: error: the application has a node of its own: an outage is measured from outside the "
     "cluster\n"
     "f:5:41: error: '10.1.2.3.4' is not the IPv4 address of a node: expected something like "
     "10.77.0.11\n"},
    {"title: t\n"
     "topology:\n"
     "  nodes:\n"
     "    p: {services: [postgres]}\n"
     "    q: {services: [etcd], address: 10.77.1.9}\n"
     "    r: {services: [etcd], address: 10.77.1.9}\n"
     "steps: [{wait: 1s}]\n",
     "f:4:5: error: no node runs app: exactly one has to, the application's view is what an outage is "
     "measured on\n"
     "f:4:5: warning: 2 etcd members: an even number needs one vote more and survives no more "
     "failures than 1\n"
     "f:6:5: error: nodes 'q' and 'r' have the same address 10.77.1.9\n"},
    {"title: t\n"
     "topology: {}\n"
     "steps: [{wait: 1s}]\n",
     "f:2:11: error: a topology needs 'nodes', or 'from' to build upon another one\n"},
};
// clang-format on

static void every_mistake_is_told_at_its_place(void **state) {
    (void)state;
    bad_check(table, ARRAY_SIZE(table));
}

static void a_nul_byte_is_told_at_its_place(void **state) {
    (void)state;
    static const char yaml[] = "title: a\0b\n";
    bool plan;
    cleanup_free char *text = bad_complaints(yaml, sizeof yaml - 1, &plan);
    assert_string_equal(
        text, "f:1:9: error: byte 0x00 is not allowed here: expected plain UTF-8 text (is this a binary or UTF-16 "
              "file?)\n");
}

static void a_flood_of_mistakes_is_cut_off(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf yaml = {0};
    bool plan;
    size_t lines = 0;
    for (int i = 0; i < 5000; i++)
        strbuf_addf(&yaml, "key%d: 1\n", i);
    cleanup_free char *text = bad_complaints(strbuf_str(&yaml), yaml.len, &plan);
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 201);
    assert_non_null(strstr(text, "more than 200 complaints: the rest is not shown"));
}

static void a_file_beyond_the_limits_is_refused_at_once(void **state) {
    (void)state;
    size_t len = (1 << 20) + 1;
    cleanup_free char *big = xmalloc(len);
    bool plan;
    memset(big, 'a', len);
    cleanup_free char *text = bad_complaints(big, len, &plan);
    assert_string_equal(text, "f: error: the file has 1048577 bytes; at most 1048576 are read\n");
    cleanup_strbuf struct strbuf many = {0};
    strbuf_add(&many, "steps: [");
    for (int i = 0; i < 30000; i++)
        strbuf_add(&many, "1,");
    cleanup_free char *text2 = bad_complaints(strbuf_str(&many), many.len, &plan);
    assert_non_null(strstr(text2, "more than 20000 values: no scenario needs that"));
}

static void complaints_as_json_are_in_the_order_of_their_places(void **state) {
    (void)state;
    struct diags d = {0};
    cleanup_strbuf struct strbuf json = {0};
    diag_add(&d, DIAG_WARNING, "f", 9, 1, "later \"quoted\"");
    diag_add(&d, DIAG_ERROR, "f", 2, 5, "earlier \x1b[31m");
    diag_add(&d, DIAG_ERROR, "g", 0, 0, "whole file");
    diags_to_json(&d, &json);
    assert_string_equal(
        strbuf_str(&json),
        "[{\"file\":\"f\",\"line\":2,\"col\":5,\"level\":\"error\",\"text\":\"earlier ?[31m\"},\n"
        " {\"file\":\"f\",\"line\":9,\"col\":1,\"level\":\"warning\",\"text\":\"later \\\"quoted\\\"\"},\n"
        " {\"file\":\"g\",\"line\":0,\"col\":0,\"level\":\"error\",\"text\":\"whole file\"}]\n");
    assert_int_equal(d.errors, 2);
    diags_done(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_told_at_its_place),
        cmocka_unit_test(a_nul_byte_is_told_at_its_place),
        cmocka_unit_test(a_flood_of_mistakes_is_cut_off),
        cmocka_unit_test(a_file_beyond_the_limits_is_refused_at_once),
        cmocka_unit_test(complaints_as_json_are_in_the_order_of_their_places),
    };
    return cmocka_run_group_tests_name("scenario_bad", tests, NULL, NULL);
}
