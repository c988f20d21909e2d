// SPDX-License-Identifier: PostgreSQL
// What a scenario says to one stack and not to another: what it needs, and expectations with a part for each. With two systems of the test's own beside Patroni.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants these first
#include <cmocka.h>

#include "lab/base/json.h"
#include "lab/cmd/start.h"
#include "lab/ha/kind/kind.h"
#include "tests/unit/scenario_vocabulary.h"

static const struct ha_kind plain = {.name = "plain", .title = "Plain", .can = CAN_SWITCHOVER | CAN_REJOIN},
                            rich = {.name = "rich",
                                    .title = "Rich",
                                    .has = HA_GRANT,
                                    .can = CAN_SWITCHOVER | CAN_REJOIN | CAN_SYNC};
// Instead of the program's own list.
const struct ha_kind *const ha_kinds[] = {&ha_kind_patroni, &plain, &rich, NULL};

// The plan, or NULL; complaints go to said.
static struct plan *read_for(const char *stack, const char *yaml, struct strbuf *said) {
    const struct read_options o = {.vocabulary = &test_vocabulary, .topology_dir = "scenarios/topologies", .seed = 1};
    cleanup_free char *text = xasprintf("title: t\ntopology: {from: patroni-3, stack: %s}\n%s", stack, yaml);
    struct diags d = {0};
    struct plan *plan = NULL;
    (void)scenario_read_text("f", text, strlen(text), &o, &d, &plan);
    diags_to_text(&d, said);
    diags_done(&d);
    return plan;
}

static struct plan *read_clean(const char *stack, const char *yaml) {
    cleanup_strbuf struct strbuf said = {0};
    struct plan *plan = read_for(stack, yaml, &said);
    assert_string_equal(strbuf_str(&said), "");
    assert_non_null(plan);
    assert_string_equal(plan->topology->stack, stack);
    return plan;
}

static void demand_complaint(const char *stack, const char *yaml, const char *words) {
    cleanup_strbuf struct strbuf said = {0};
    assert_null(read_for(stack, yaml, &said));
    assert_string_equal(strbuf_str(&said), words);
}

#define STEPS "steps: [{wait: 1s}]\n"

static void each_word_of_the_table_can_be_needed_and_patroni_has_them_all(void **state) {
    (void)state;
    for (unsigned i = 0; i < ABILITY_COUNT; i++) {
        cleanup_free char *yaml = xasprintf("needs: [%s]\n" STEPS, ability_word(i));
        struct plan *p = read_clean("patroni", yaml);
        struct err err = {0};
        assert_int_equal(p->needs, 1U << i);
        assert_int_equal(p->needs_line, 3);
        assert_int_equal(ha_kind_check_needs(&ha_kind_patroni, p->needs, &err), 0);
        assert_true(*ability_about(i) != '\0');
        plan_free(p);
    }
}

static void who_lacks_something_skips_with_the_reason(void **state) {
    (void)state;
    struct plan *p = read_clean("plain", "needs: [rejoin, sync, lease]\n" STEPS);
    struct err err = {0};
    assert_int_equal(ha_kind_check_needs(&rich, p->needs, &err), 0);
    assert_int_equal(ha_kind_check_needs(&plain, p->needs, &err), -ENOTSUP);
    assert_string_equal(err.msg, "the scenario needs what Plain does not have: sync (a synchronous standby is named, "
                                 "and another one when it is lost), "
                                 "lease (leadership is given for a time and must be renewed)");
    assert_null(strchr(err.msg, '\n'));
    plan_free(p);
}

// `bascule run` asks before it looks at this host.
static void the_command_asks_before_anything_else(void **state) {
    (void)state;
    struct plan *p = read_clean("plain", "needs: sync\n" STEPS);
    struct err err = {0};
    assert_int_equal(start_check_host(p, &err), -ENOTSUP);
    assert_non_null(strstr(err.msg, "the scenario needs what Plain does not have: sync ("));
    plan_free(p);
}

// On a stack that lacks what it needs nothing else is a mistake: the steps are for another one.
#define FOR_SYNC                                                                                                       \
    "steps:\n- {inject: link.down, target: sync_standby}\n- {inject: link.down, target: n9}\nexpect: {new_leader: "    \
    "n9}\n"

static void what_does_not_fit_is_no_mistake_where_it_is_skipped(void **state) {
    (void)state;
    plan_free(read_clean("plain", "needs: [sync]\n" FOR_SYNC));
    cleanup_strbuf struct strbuf said = {0};
    assert_null(read_for("rich", "needs: [sync]\n" FOR_SYNC, &said));
    assert_non_null(strstr(strbuf_str(&said), "n9"));
    assert_non_null(strstr(strbuf_str(&said), "can be 'sync_standby'"));
}

static void unknown_needs_are_told_at_their_place(void **state) {
    (void)state;
    const char *all = "switchover, rejoin, sync, pause, fencing, watchdog, lease, dcs";
    cleanup_free char *words =
        xasprintf("f:3:15: error: no stack is known to have 'snyc' (did you mean 'sync'?); allowed: %s\n"
                  "f:3:21: error: 'sync' is here twice\n"
                  "f:3:27: error: expected a word such as sync, found a list\n",
                  all);
    demand_complaint("patroni", "needs: [sync, snyc, sync, [a]]\n" STEPS, words);
    demand_complaint(
        "patroni", "needs: {sync: yes}\n" STEPS,
        "f:3:8: error: expected a list of what the stack must have, such as [sync, rejoin], found a mapping\n");
}

static void a_stack_that_is_not_there_is_told_with_those_that_are(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf said = {0};
    assert_null(read_for("patrony", STEPS, &said));
    assert_string_equal(
        strbuf_str(&said),
        "f:2:36: error: unknown stack 'patrony' (did you mean 'patroni'?); there are: patroni, plain, rich\n");
}

// ---- expectations with a part for each stack ---------------------------------------------------------------------------

#define PARTS                                                                                                          \
    STEPS "expect:\n  write_outage: <= 45s\n  lost_writes: 0\n  for:\n"                                                \
          "    patroni: {write_outage: inside, rejoin: <= 9s}\n    plain: {new_leader: n7}\n    rich: {}\n"

static const struct expect *find(const struct plan *p, enum expect_kind kind) {
    VEC_FOREACH (&p->expects, e)
        if (e->kind == kind)
            return e;
    return NULL;
}

static void the_part_of_the_runs_stack_goes_before_what_is_said_for_all(void **state) {
    (void)state;
    struct plan *p = read_clean("patroni", PARTS);
    assert_int_equal(p->expects.n, 3);
    const struct expect *outage = &p->expects.items[0]; // its place is kept
    assert_true(outage->kind == EXPECT_WRITE_OUTAGE && outage->inside && !outage->has_max);
    assert_string_equal(outage->stack, "patroni");
    assert_true(find(p, EXPECT_LOST_WRITES)->stack == NULL);
    assert_true(find(p, EXPECT_REJOIN)->has_max);
    cleanup_strbuf struct strbuf text = {0};
    plan_to_json(p, &text); // which tells what is used
    cleanup_json cJSON *json = cJSON_Parse(strbuf_str(&text));
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "expect"), 0);
    assert_string_equal(json_str(first, "for", ""), "patroni");
    assert_true(json_bool(first, "inside", false));
    assert_null(cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "expect"), 1), "for"));
    plan_free(p);
}

static void parts_of_others_are_not_judged(void **state) {
    (void)state;
    struct plan *p = read_clean("rich", PARTS); // its own part is empty, and of n7 another topology may know
    assert_int_equal(p->expects.n, 2);
    assert_true(find(p, EXPECT_WRITE_OUTAGE)->has_max && !find(p, EXPECT_WRITE_OUTAGE)->inside);
    plan_free(p);
}

static void mistakes_in_the_parts_of_others_are_told(void **state) {
    (void)state;
    demand_complaint(
        "rich",
        STEPS
        "expect:\n  for:\n    patrony: {}\n    plain: {write_outage: 3s, splitbrain: no, for: {}}\n    rich: [a]\n",
        "f:6:5: error: unknown stack 'patrony' (did you mean 'patroni'?); there are: patroni, plain, rich\n"
        "f:7:27: error: '3s' exactly is never measured: write '<= 3s', '>= 3s' or {at_least: ..., at_most: ...}\n"
        "f:7:31: error: unknown expectation 'splitbrain' (did you mean 'split_brain'?); allowed: write_outage, "
        "read_outage, "
        "recovery, lost_writes, local_only_writes, local_only_lost, unexpected_writes, duplicated_writes, "
        "foreign_rows, "
        "same_history, diverged_nodes, split_brain, new_leader, rejoin, phases, write_availability, read_availability\n"
        "f:7:47: error: unknown expectation 'for'; allowed: write_outage, read_outage, recovery, lost_writes, "
        "local_only_writes, local_only_lost, unexpected_writes, duplicated_writes, foreign_rows, same_history, "
        "diverged_nodes, split_brain, new_leader, rejoin, phases, write_availability, read_availability\n"
        "f:8:11: error: expected a mapping of expectations such as {write_outage: <= 34s}, found a list\n");
    demand_complaint(
        "rich", STEPS "expect:\n  for: rich\n",
        "f:5:8: error: expected a mapping of stacks such as {patroni: {write_outage: <= 34s}}, found text\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_of_the_table_can_be_needed_and_patroni_has_them_all),
        cmocka_unit_test(who_lacks_something_skips_with_the_reason),
        cmocka_unit_test(the_command_asks_before_anything_else),
        cmocka_unit_test(what_does_not_fit_is_no_mistake_where_it_is_skipped),
        cmocka_unit_test(unknown_needs_are_told_at_their_place),
        cmocka_unit_test(a_stack_that_is_not_there_is_told_with_those_that_are),
        cmocka_unit_test(the_part_of_the_runs_stack_goes_before_what_is_said_for_all),
        cmocka_unit_test(parts_of_others_are_not_judged),
        cmocka_unit_test(mistakes_in_the_parts_of_others_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
