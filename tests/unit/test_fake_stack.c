// SPDX-License-Identifier: PostgreSQL
// A stack with neither arbiter nor lease (tests/fake/fake.h) through the folds: who leads, the phases of a failover, the measures, the story, the report, its
// page, and whether its record is whole. Nothing of it may speak of what the stack does not have.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lab/base/json.h"
#include "lab/failover/phase.h"
#include "lab/ha/ha.h"
#include "lab/model/lanes.h"
#include "lab/proof/proof.h"
#include "lab/report/html.h"
#include "lab/report/report.h"
#include "tests/engine/events.h"
#include "tests/fake/fake.h"

// ---- who leads -----------------------------------------------------------------------------------------------------------

struct cluster {
    struct model *m;
    struct leadership l;
    char why[200];
};

static void feed(struct cluster *c, struct event ev) {
    model_apply(c->m, &ev);
    ha_leadership_event(&c->l, c->m, &ev);
}

// n1, which leads, n2 and n3, up to 5 s.
static int open_cluster(void **state) {
    struct cluster *c = xcalloc(1, sizeof *c);
    c->m = model_new();
    feed(c, ev_begin("fakeha"));
    static const char *const names[] = {"n1", "n2", "n3"};
    for (size_t i = 0; i < 3; i++)
        feed(c, ev_node(names[i], true, false, false));
    for (size_t i = 0; i < 3; i++) {
        feed(c, ev_power(SEC, names[i], true));
        feed(c, i ? ev_sql_standby(4 * SEC, names[i], 0x5000000) : ev_sql_leader(4 * SEC, names[i], 0x5000000));
    }
    for (size_t i = 1; i < 3; i++)
        feed(c, ev_row(4 * SEC, "n1", names[i], "streaming", "async", 0));
    for (size_t i = 0; i < 3; i++)
        feed(c, ev_manager(5 * SEC, names[i], "fakeha", i ? "replica" : "leader"));
    *state = c;
    return 0;
}
static int close_cluster(void **state) {
    struct cluster *c = *state;
    model_free(c->m);
    leadership_done(&c->l);
    free(c);
    return 0;
}

static void the_one_whose_manager_says_so_leads(void **state) {
    struct cluster *c = *state;
    assert_string_equal(c->m->leader, "n1");
    assert_true(model_complete(c->m, c->why, sizeof c->why));
    assert_false(model_no_quorum(c->m));
    assert_int_equal(lane_of(c->m, model_node(c->m, "n1")), LANE_LEADER);
    assert_int_equal(lane_of(c->m, model_node(c->m, "n2")), LANE_REPLICA);
}

static void before_any_manager_was_heard_nobody_is_known_to_lead(void **state) {
    (void)state;
    struct cluster c = {.m = model_new()};
    feed(&c, ev_begin("fakeha"));
    feed(&c, ev_node("n1", true, false, false));
    feed(&c, ev_power(SEC, "n1", true));
    feed(&c, ev_sql_leader(2 * SEC, "n1", 0x5000000));
    assert_false(model_healthy(c.m, c.why, sizeof c.why));
    assert_string_equal(c.why, "no manager has said yet who leads");
    assert_int_equal(lane_of(c.m, model_node(c.m, "n1")), LANE_STARTING);
    model_free(c.m);
    leadership_done(&c.l);
}

// A server goes on without its manager, and one that is down has withdrawn nothing.
static void silence_takes_nothing_back(void **state) {
    struct cluster *c = *state;
    feed(c, ev_manager(6 * SEC, "n1", "fakeha", ""));
    assert_string_equal(c->m->leader, "n1");
    feed(c, ev_sql_silent(7 * SEC, "n1", "refused"));
    assert_string_equal(c->m->leader, "n1");
    feed(c, ev_power(8 * SEC, "n1", false));
    assert_string_equal(c->m->leader, "n1");
    assert_false(model_healthy(c->m, c->why, sizeof c->why));
    assert_string_equal(c->why, "n1 leads by its last word but is powered off");
    assert_int_equal(c->l.keys.n, 1);
}

static void who_takes_it_back_leads_no_more(void **state) {
    struct cluster *c = *state;
    feed(c, ev_manager(6 * SEC, "n1", "fakeha", "replica"));
    assert_string_equal(c->m->leader, "");
    assert_int_equal(c->m->leader_changed, 6 * SEC);
    assert_int_equal(c->m->leader_error, SEC);
    assert_false(model_healthy(c->m, c->why, sizeof c->why));
    assert_string_equal(c->why, "there is no leader: nobody says that it leads");
    assert_true(c->l.keys.n == 2 && c->l.keys.items[1].gone);
}

// The word lies a second after the one before; the server was seen to accept writes in between.
static void a_new_leader_leads_from_its_first_proof_on(void **state) {
    struct cluster *c = *state;
    feed(c, ev_power(6 * SEC, "n1", false));
    feed(c, ev_sql_leader(8200 * MSEC, "n2", 0x5000100));
    assert_int_equal(lane_of(c->m, model_node(c->m, "n2")), LANE_STARTING); // its manager has not been asked since
    feed(c, ev_manager(9 * SEC, "n2", "fakeha", "leader"));
    assert_int_equal(lane_of(c->m, model_node(c->m, "n2")), LANE_LEADER);
    assert_string_equal(c->m->leader, "n2");
    assert_int_equal(c->m->leader_changed, 8200 * MSEC);
    assert_int_equal(c->m->leader_error, 3200 * MSEC);
    assert_int_equal(c->l.keys.n, 2);
    assert_string_equal(leadership_holder(&c->l, 8200 * MSEC), "n2");
    assert_string_equal(leadership_holder(&c->l, 8100 * MSEC), "n1");
}

static void who_writes_and_says_that_it_does_not_lead_is_called_so(void **state) {
    struct cluster *c = *state;
    feed(c, ev_sql_leader(6 * SEC, "n2", 0x5000100)); // beside n1
    assert_int_equal(lane_of(c->m, model_node(c->m, "n2")), LANE_WRITABLE_WITHOUT_KEY);
    feed(c, ev_power(7 * SEC, "n1", false));
    assert_int_equal(lane_of(c->m, model_node(c->m, "n2")), LANE_STARTING);
    feed(c, ev_manager(8 * SEC, "n2", "fakeha", "replica"));
    assert_int_equal(lane_of(c->m, model_node(c->m, "n2")), LANE_WRITABLE_WITHOUT_KEY);
    assert_string_equal(lane_name(c->m->kind, LANE_WRITABLE_WITHOUT_KEY), "writable, does not lead");
}

static void of_two_that_say_so_those_count_that_can_prove_it(void **state) {
    struct cluster *c = *state;
    feed(c, ev_sql_silent(6 * SEC, "n1", "refused")); // its manager goes on to say that it leads
    feed(c, ev_manager(7 * SEC, "n2", "fakeha", "leader"));
    assert_string_equal(c->m->leader, "n2"); // answers, though it is still in recovery
    feed(c, ev_sql_leader(8 * SEC, "n1", 0x5000000));
    assert_string_equal(c->m->leader, "n1"); // accepts writes
    feed(c, ev_sql_leader(9 * SEC, "n2", 0x5000100));
    assert_string_equal(c->m->leader, "");
    assert_true(c->m->leader_disputed);
    feed(c, ev_power(10 * SEC, "n1", false));
    assert_string_equal(c->m->leader, "n2");
    assert_false(c->m->leader_disputed);
}

static void nobody_believes_an_authority_that_the_stack_does_not_have(void **state) {
    struct cluster *c = *state;
    feed(c, ev_key(6 * SEC, "leader", "n3"));
    assert_string_equal(c->m->leader, "n1");
    assert_int_equal(c->l.keys.n, 1);
}

// ---- the phases ------------------------------------------------------------------------------------------------------------

static struct recovery recovery_of(const struct fake_run *r, usec_t until, const struct recovery_case *asked) {
    struct cluster c = {.m = model_new()};
    struct recovery found;
    VEC_FOREACH (&r->events, ev)
        if (ev->t <= until)
            feed(&c, *ev);
    recovery_tell(&c.l, asked, &found);
    model_free(c.m);
    leadership_done(&c.l);
    return found;
}

static void a_failover_that_goes_on_is_an_election_from_the_fault_on(void **state) {
    (void)state;
    struct fake_run run;
    fake_run_make(&run);
    struct recovery_case asked = {.start = FAKE_FAULT, .now = 15 * SEC, .effect = HA_LOSES, .live = true};
    struct recovery r = recovery_of(&run, asked.now, &asked);
    assert_true(r.joined);
    assert_int_equal(r.current, PHASE_ELECT);
    assert_false(r.phases[PHASE_DETECT].present);
    assert_int_equal(r.phases[PHASE_ELECT].duration, 3 * SEC);
    asked.now = 17700 * MSEC; // n2 leads, the application is not there yet
    r = recovery_of(&run, asked.now, &asked);
    assert_int_equal(r.current, PHASE_REROUTE);
    assert_string_equal(r.leader, "n2");
    fake_run_done(&run);
}

// The client may be served by a leader whose manager has not been asked since: it had the lead by then, and nobody stayed in its place.
static void a_word_that_comes_after_the_first_write_is_the_new_leaders_all_the_same(void **state) {
    (void)state;
    struct fake_run run;
    fake_run_make(&run);
    usec_t end = FAKE_WRITABLE - 50 * MSEC; // before the probe that saw it
    const struct recovery_case asked = {.start = FAKE_FAULT,
                                        .now = FAKE_END,
                                        .served = true,
                                        .end = end,
                                        .pause = end - FAKE_FAULT,
                                        .effect = HA_LOSES};
    struct recovery r = recovery_of(&run, FAKE_END, &asked);
    assert_false(r.in_place);
    assert_string_equal(r.leader, "n2");
    assert_true(r.phases[PHASE_ELECT].present);
    assert_int_equal(r.phases[PHASE_ELECT].duration, end - FAKE_FAULT);
    assert_int_equal(r.phases[PHASE_ELECT].error, end - (FAKE_CLAIM - SEC));
    assert_false(r.phases[PHASE_RETURN].present);
    fake_run_done(&run);
}

// ---- measures, story, report -------------------------------------------------------------------------------------------------

struct told {
    struct fake_run run;
    struct measure *measure;
    const struct measures *m;
    struct story *story;
};

static int open_told(void **state) {
    struct told *t = xcalloc(1, sizeof *t);
    fake_run_make(&t->run);
    t->measure = measure_new();
    t->story = story_new();
    VEC_FOREACH (&t->run.events, ev) {
        measure_event(t->measure, ev);
        story_event(t->story, ev);
    }
    VEC_FOREACH (&t->run.ledger, r)
        measure_ledger(t->measure, r);
    t->m = measure_finish(t->measure);
    *state = t;
    return 0;
}
static int close_told(void **state) {
    struct told *t = *state;
    measure_free(t->measure);
    story_free(t->story);
    fake_run_done(&t->run);
    free(t);
    return 0;
}

static void the_measures_tell_the_failover_by_the_law_of_the_stack(void **state) {
    struct told *t = *state;
    const struct measures *m = t->m;
    const struct phase *elect = &m->phases.list[PHASE_ELECT], *promote = &m->phases.list[PHASE_PROMOTE],
                       *reroute = &m->phases.list[PHASE_REROUTE];
    assert_int_equal(m->verdict, VERDICT_PASS);
    assert_int_equal(m->cause.fault, 0);
    assert_true(m->cause.leader_changed);
    assert_string_equal(m->cause.old_leader, "n1");
    assert_string_equal(m->cause.new_leader, "n2");
    assert_false(m->phases.list[PHASE_DETECT].present);
    assert_false(m->phases.list[PHASE_RETURN].present);
    assert_true(elect->present && elect->bounded && elect->inside);
    assert_int_equal(elect->duration, FAKE_WRITABLE - FAKE_FAULT);
    assert_int_equal(elect->error, FAKE_WRITABLE - (FAKE_CLAIM - SEC));
    assert_int_equal(elect->bound_min, 4 * SEC);
    assert_int_equal(elect->bound_max, 7 * SEC);
    assert_true(promote->present && promote->inside);
    assert_int_equal(promote->duration, 0);
    assert_true(reroute->present && !reroute->bounded);
    assert_int_equal(elect->duration + reroute->duration, m->cause.recovery);
    assert_true(m->phases.rejoin_known);
    assert_int_equal(m->phases.rejoin, FAKE_REJOINED - FAKE_HEALED);
    assert_int_equal(m->writes.lost, 0);
    assert_true(m->writes.checked);
    assert_int_equal(m->split_brain.max, 0);
}

// What no reader of a run of this stack may meet.
static void speaks_of_no_other_stack(const char *text, const char *what) {
    static const char *const words[] = {"Patroni",    "patroni", "etcd", "lease",
                                        "leader key", "the key", "DCS",  "quorum"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const char *at = strstr(text, words[i]);
        if (at)
            fail_msg("%s speaks of '%s': %.80s", what, words[i], at > text + 40 ? at - 40 : text);
    }
}

// Change tests/fake/ on purpose only: UPDATE_GOLDEN=1 writes it.
static void compare_golden(const char *text, const char *path) {
    if (getenv("UPDATE_GOLDEN")) {
        FILE *to = fopen(path, "we");
        assert_non_null(to);
        (void)fputs(text, to);
        (void)fclose(to);
    }
    static char want[256 * 1024];
    FILE *from = fopen(path, "re");
    assert_non_null(from);
    want[fread(want, 1, sizeof want - 1, from)] = '\0';
    (void)fclose(from);
    assert_string_equal(text, want);
}

static void the_report_tells_it_in_the_words_of_the_stack(void **state) {
    struct told *t = *state;
    cleanup_strbuf struct strbuf out = {0};
    const struct report_style ascii = {.width = 100};
    report_end_story(t->story, t->m);
    report_text(t->m, t->story, "", &ascii, &out);
    speaks_of_no_other_stack(strbuf_str(&out), "the report");
    compare_golden(strbuf_str(&out), "tests/fake/report.txt");
}

static void result_json_and_page_speak_of_no_other_stack(void **state) {
    struct told *t = *state;
    cleanup_strbuf struct strbuf json = {0}, page = {0};
    report_json(t->m, &json);
    speaks_of_no_other_stack(strbuf_str(&json), "result.json");
    compare_golden(strbuf_str(&json), "tests/fake/result.json");
    struct html_page *p = html_page_new();
    VEC_FOREACH (&t->run.events, ev)
        html_page_event(p, ev);
    VEC_FOREACH (&t->run.ledger, r)
        html_page_ledger(p, r);
    html_page_write(p, t->m, &page);
    html_page_free(p);
    static const char begin[] = "id=\"run-data\">";
    char *data = strstr(page.data, begin), *end = data ? strstr(data, "</script>") : NULL;
    assert_non_null(end);
    *end = '\0';
    data += sizeof begin - 1;
    cleanup_json cJSON *d = cJSON_Parse(data);
    assert_string_equal(json_str(cJSON_GetObjectItemCaseSensitive(d, "system"), "lead", ""), "leader");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(d, "leases")), 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(d, "key")), 2);
    cJSON_DeleteItemFromObjectCaseSensitive(d, "leases");        // the name of an empty list
    cJSON_DeleteItemFromObjectCaseSensitive(d, "arbiter_lanes"); // a table of words that no node of this run uses
    char *text = cJSON_PrintUnformatted(d), *field;
    while ((field = strstr(text, "\"etcd\":[]"))) // nor has any node such a lane
        memset(field, ' ', strlen("\"etcd\":[]"));
    speaks_of_no_other_stack(text, "the page's data");
    cJSON_free(text);
}

// What every record of a run has is asked of this one, but for what the stack does not have.
static void its_record_lacks_nothing(void **state) {
    struct told *t = *state;
    struct proof *p = proof_new();
    VEC_FOREACH (&t->run.events, ev)
        proof_event(p, ev);
    VEC_FOREACH (&t->run.ledger, r)
        proof_ledger(p, r);
    const struct digest any = {0};
    const struct proof_folder folder = {.ledger_digest = &any};
    const struct record_proof *r = proof_finish(p, &folder);
    for (size_t i = 0; i < r->missing.n; i++)
        print_message("%s\n", r->missing.items[i].text);
    assert_int_equal(r->missing.n, 1);
    assert_non_null(strstr(r->missing.items[0].text, "plan.json is missing"));
    proof_free(p);
}

static void a_record_in_which_no_manager_speaks_lacks_that(void **state) {
    struct told *t = *state;
    struct proof *p = proof_new();
    bool said = false;
    VEC_FOREACH (&t->run.events, ev)
        if (ev->kind != EVENT_MANAGER)
            proof_event(p, ev);
    const struct proof_folder folder = {0};
    const struct record_proof *r = proof_finish(p, &folder);
    VEC_FOREACH (&r->missing, l)
        said |= str_eq(l->text, "the log never says who leads (manager)");
    assert_true(said);
    proof_free(p);
}

int main(void) {
#define CLUSTER_TEST(f) cmocka_unit_test_setup_teardown(f, open_cluster, close_cluster)
#define TOLD_TEST(f)    cmocka_unit_test_setup_teardown(f, open_told, close_told)
    const struct CMUnitTest tests[] = {
        CLUSTER_TEST(the_one_whose_manager_says_so_leads),
        cmocka_unit_test(before_any_manager_was_heard_nobody_is_known_to_lead),
        CLUSTER_TEST(silence_takes_nothing_back),
        CLUSTER_TEST(who_takes_it_back_leads_no_more),
        CLUSTER_TEST(a_new_leader_leads_from_its_first_proof_on),
        CLUSTER_TEST(who_writes_and_says_that_it_does_not_lead_is_called_so),
        CLUSTER_TEST(of_two_that_say_so_those_count_that_can_prove_it),
        CLUSTER_TEST(nobody_believes_an_authority_that_the_stack_does_not_have),
        cmocka_unit_test(a_failover_that_goes_on_is_an_election_from_the_fault_on),
        cmocka_unit_test(a_word_that_comes_after_the_first_write_is_the_new_leaders_all_the_same),
        TOLD_TEST(the_measures_tell_the_failover_by_the_law_of_the_stack),
        TOLD_TEST(the_report_tells_it_in_the_words_of_the_stack),
        TOLD_TEST(result_json_and_page_speak_of_no_other_stack),
        TOLD_TEST(its_record_lacks_nothing),
        TOLD_TEST(a_record_in_which_no_manager_speaks_lacks_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
