// SPDX-License-Identifier: PostgreSQL
// Patroni's REST answers as 3.0.2 and 4.x write them, and its configuration key.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lab/observe/patroni/patroni_json.h"

static struct event member(const char *json) {
    struct event ev = EVENT_NEW(MANAGER);
    assert_true(patroni_read_state(json, &ev));
    return ev;
}

static void the_leader_of_3_0_2_says_master_and_is_told_as_leader(void **state) {
    (void)state;
    struct event ev = member(
        "{\"state\": \"running\", \"postmaster_start_time\": \"2024-01-01 10:00:00.0+00:00\", \"role\": \"master\","
        " \"server_version\": 150015, \"xlog\": {\"location\": 83886432}, \"timeline\": 3,"
        " \"replication\": [{\"usename\": \"replicator\", \"application_name\": \"n2\", \"state\": \"streaming\"}],"
        " \"dcs_last_seen\": 1704103200, \"database_system_identifier\": \"7318\","
        " \"patroni\": {\"version\": \"3.0.2\", \"scope\": \"demo\"}}");
    assert_int_equal(MANAGER_ROLE_LEADER, ev.u.MANAGER.role);
    assert_string_equal("running", ev.u.MANAGER.state);
    assert_int_equal(3, ev.u.MANAGER.timeline);
    assert_true(ev.u.MANAGER.lsn == 83886432);
    assert_int_equal(1704103200, ev.u.MANAGER.dcs_last_seen);
    assert_false(ev.u.MANAGER.paused);
}

static void the_leader_of_4_x_says_primary_and_is_told_as_leader(void **state) {
    (void)state;
    struct event ev = member(
        "{\"state\": \"running\", \"role\": \"primary\", \"xlog\": {\"location\": 1}, \"timeline\": 1, \"pause\": true,"
        " \"pending_restart\": true, \"patroni\": {\"version\": \"4.0.7\", \"scope\": \"demo\", \"name\": \"n1\"}}");
    assert_int_equal(MANAGER_ROLE_LEADER, ev.u.MANAGER.role);
    assert_true(ev.u.MANAGER.paused && ev.u.MANAGER.pending_restart);
}

static void a_replica_tells_what_it_received_and_replayed(void **state) {
    (void)state;
    struct event ev = member(
        "{\"state\": \"streaming\", \"role\": \"replica\", \"sync_standby\": true, \"xlog\": {\"received_location\":"
        " 9007199254740993, \"replayed_location\": 500, \"replayed_timestamp\": null, \"paused\": false}, "
        "\"timeline\": 2}");
    assert_int_equal(MANAGER_ROLE_SYNC_STANDBY, ev.u.MANAGER.role);
    assert_true(ev.u.MANAGER.lsn > 0);
    assert_true(ev.u.MANAGER.replayed == 500);
}

static void a_member_without_postgresql_still_answers(void **state) {
    (void)state;
    struct event ev =
        member("{\"state\": \"crashed\", \"role\": \"master\", \"cluster_unlocked\": true, \"dcs_last_seen\": 1}");
    assert_string_equal("crashed", ev.u.MANAGER.state);
    assert_true(ev.u.MANAGER.lsn == 0 && ev.u.MANAGER.timeline == 0);
    assert_int_equal(MANAGER_ROLE_UNINITIALIZED,
                     member("{\"role\":\"uninitialized\",\"state\":\"stopped\"}").u.MANAGER.role);
    assert_int_equal(MANAGER_ROLE_STANDBY_LEADER, member("{\"role\":\"standby_leader\"}").u.MANAGER.role);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    struct event ev = EVENT_NEW(MANAGER);
    const char *const bad[] = {"", "null", "[1]", "\"x\"", "{\"state\": \"run", "<html>"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(patroni_read_state(bad[i], &ev));
    assert_true(patroni_read_state("{\"state\": 7, \"role\": [], \"xlog\": 3, \"timeline\": \"x\"}", &ev));
    assert_string_equal("", ev.u.MANAGER.state);
}

static void note(void *arg, const char *key, const char *value) {
    strbuf_addf(arg, "%s=%s;", key, value);
}

static void the_configuration_comes_flat_with_defaults_for_what_is_missing(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf b = {0};
    assert_true(patroni_read_config(
        "{\"ttl\": 20, \"master_start_timeout\": 0, \"synchronous_mode\": true, \"slots\": {\"a\": {}},"
        " \"maximum_lag_on_failover\": 1048576, \"retry_timeout\": null, \"postgresql\": {\"use_pg_rewind\":"
        " true, \"parameters\": {\"max_connections\": 100, \"work_mem\": \"4MB\", \"x\": 0.5}}}",
        note, &b));
    const char *const wanted[] = {"patroni.ttl=20;",
                                  "patroni.primary_start_timeout=0;",
                                  "patroni.synchronous_mode=true;",
                                  "patroni.maximum_lag_on_failover=1048576;",
                                  "patroni.loop_wait=10;",
                                  "patroni.retry_timeout=10;",
                                  "patroni.postgresql.use_pg_rewind=true;",
                                  "postgresql.max_connections=100;",
                                  "postgresql.work_mem=4MB;",
                                  "postgresql.x=0.5;",
                                  "patroni.failsafe_mode=false;"};
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        if (!strstr(b.data, wanted[i]))
            fail_msg("no %s in %s", wanted[i], b.data);
    assert_null(strstr(b.data, "patroni.primary_start_timeout=300"));
    assert_null(strstr(b.data, "patroni.ttl=30"));
}

static void a_configuration_that_is_no_object_tells_nothing(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf b = {0};
    assert_false(patroni_read_config("", note, &b));
    assert_false(patroni_read_config("null", note, &b));
    assert_false(patroni_read_config("{\"ttl\": ", note, &b));
    assert_int_equal(0, b.len);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leader_of_3_0_2_says_master_and_is_told_as_leader),
        cmocka_unit_test(the_leader_of_4_x_says_primary_and_is_told_as_leader),
        cmocka_unit_test(a_replica_tells_what_it_received_and_replayed),
        cmocka_unit_test(a_member_without_postgresql_still_answers),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(the_configuration_comes_flat_with_defaults_for_what_is_missing),
        cmocka_unit_test(a_configuration_that_is_no_object_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
