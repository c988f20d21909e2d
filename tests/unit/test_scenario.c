// SPDX-License-Identifier: PostgreSQL
// What good files become.
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "injector/injector.h"
#include "lab/base/fs.h"
#include "lab/base/json.h"
#include "lab/plan/selector.h"
#include "lab/record/defects.h"
#include "lab/scenario/read.h"
#include "tests/unit/scenario_vocabulary.h"

#define TOPOLOGIES "scenarios/topologies"

static struct plan *read_with(const char *yaml, const setting_list *overrides) {
    const struct read_options o = {
        .vocabulary = &test_vocabulary, .topology_dir = TOPOLOGIES, .seed = 7, .overrides = overrides};
    struct diags d = {0};
    struct plan *plan = NULL;
    cleanup_strbuf struct strbuf text = {0};
    (void)scenario_read_text("dir/my.yaml", yaml, strlen(yaml), &o, &d, &plan);
    diags_to_text(&d, &text);
    if (text.len)
        print_error("%s", strbuf_str(&text));
    assert_int_equal(text.len, 0);
    diags_done(&d);
    return plan;
}

#define HEAD "title: t\ntopology: patroni-3\nsteps:\n"

static void defaults_are_filled_in(void **state) {
    (void)state;
    struct plan *p = read_with(HEAD "- wait: 5s\n", NULL);
    assert_string_equal(p->name, "my");
    assert_int_equal(p->seed, 7);
    assert_int_equal(p->settle, 2 * SEC);
    assert_int_equal(p->observe, 3 * SEC);
    assert_int_equal(p->timeout, 10 * MINUTE);
    assert_true(p->workload.writes_per_s == 100 && p->workload.reads_per_s == 10);
    assert_int_equal(p->workload.deadline, 2 * SEC);
    assert_int_equal(p->topology->patroni.ttl, 30 * SEC);
    assert_string_equal(p->steps.items[0].name, "step-1");
    assert_int_equal(p->steps.items[0].kind, STEP_WAIT);
    assert_int_equal(p->steps.items[0].delay, 5 * SEC);
    assert_int_equal(p->steps.items[0].after, -1);
    assert_int_equal(p->steps.items[0].within, 0);
    plan_free(p);
}

static void steps_start_where_their_author_said(void **state) {
    (void)state;
    struct plan *p = read_with(HEAD "- {name: a, inject: link.down, target: n1, duration: 3s, at: 10s}\n"
                                    "- {name: b, wait: 1s, after: 5s}\n"
                                    "- {name: c, wait: leader is n2, after: {step: a, delay: 500ms}}\n"
                                    "- {name: d, heal: a, after: b, when: n1 is down, for: 2s, within: 9s}\n"
                                    "- {heal: all}\n"
                                    "- {wait: {stays: cluster is healthy, for: 4s}, when: writes flow}\n",
                               NULL);
    const struct step *s = p->steps.items;
    assert_int_equal(s[0].kind, STEP_INJECT);
    assert_int_equal(s[0].duration, 3 * SEC);
    assert_true(s[0].after == -1 && s[0].delay == 10 * SEC);
    assert_true(s[1].after == 0 && s[1].delay == 6 * SEC); // 5 s after a, then the pause of 1 s
    assert_true(s[2].after == 0 && s[2].delay == 500 * MSEC && s[2].within == MINUTE);
    assert_true(s[3].after == 1 && s[3].heals == 0 && s[3].hold == 2 * SEC && s[3].within == 9 * SEC);
    assert_true(s[4].kind == STEP_HEAL && s[4].heals == -1 && s[4].after == 3);
    assert_true(s[5].stays.atoms.n == 1 && s[5].stays_for == 4 * SEC && s[5].when.atoms.n == 1);
    plan_free(p);
}

static struct condition_atom atom_of(const char *condition, size_t index) {
    cleanup_free char *yaml = xasprintf(
        "title: t\ntopology: patroni-3-sync\nsteps:\n- {inject: link.down, target: n1}\n- wait: %s\n", condition);
    struct plan *p = read_with(yaml, NULL);
    assert_true(p->steps.items[1].when.atoms.n > index);
    assert_string_equal(p->steps.items[1].when.text, condition);
    struct condition_atom a = p->steps.items[1].when.atoms.items[index];
    plan_free(p);
    return a;
}

static void each_kind_of_condition_is_understood(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum condition_kind kind;
        bool negated;
    } table[] = {
        {"cluster is healthy", CONDITION_HEALTHY, false},      {"cluster is not complete", CONDITION_COMPLETE, true},
        {"not cluster is complete", CONDITION_COMPLETE, true}, {"a leader exists", CONDITION_LEADER_EXISTS, false},
        {"no leader exists", CONDITION_LEADER_EXISTS, true},   {"not no leader exists", CONDITION_LEADER_EXISTS, false},
        {"leader changed", CONDITION_LEADER_CHANGED, false},   {"leader is n2", CONDITION_LEADER_IS, false},
        {"leader is not n2", CONDITION_LEADER_IS, true},       {"leader is writable", CONDITION_ROLE_IS, false},
        {"n2 is sync_standby", CONDITION_ROLE_IS, false},      {"replica are streaming", CONDITION_ROLE_IS, false},
        {"lag of n2 above 1MB", CONDITION_LAG, false},         {"key leader gone", CONDITION_KEY, true},
        {"key sync is present", CONDITION_KEY, false},         {"lease age above 9s", CONDITION_LEASE_AGE, false},
        {"lease left below 9 s", CONDITION_LEASE_LEFT, false}, {"etcd has quorum", CONDITION_QUORUM, false},
        {"etcd has no quorum", CONDITION_QUORUM, true},        {"writes flow", CONDITION_WRITES_FLOW, false},
        {"not reads flow", CONDITION_READS_FLOW, true},        {"slot n2 holds above 64MB", CONDITION_SLOT, false}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct condition_atom a = atom_of(table[i].text, 0);
        assert_int_equal(a.kind, table[i].kind);
        assert_int_equal(a.negated, table[i].negated);
    }
    struct condition_atom lag = atom_of("leader changed and lag of sync_standby below 16 kB", 1);
    assert_true(lag.number == 16384 && !lag.above && lag.who.kind == SELECTOR_SYNC_STANDBY);
    struct condition_atom slot = atom_of("slot bascule_abandoned holds below 1 MB", 0);
    assert_true(slot.number == 1 << 20 && !slot.above && str_eq(slot.key, "bascule_abandoned"));
    struct condition_atom lease = atom_of("lease age above 9s", 0);
    assert_true(lease.number == (int64_t)(9 * SEC) && lease.above);
    struct condition_atom role = atom_of("n2 is not sync_standby", 0);
    assert_true(role.role == CONDITION_ROLE_SYNC_STANDBY && role.negated && str_eq(role.who.node, "n2"));
    assert_string_equal(atom_of("key leader gone", 0).key, "leader");
}

// A sentence as docs/scenario-format.md has it: WHO, ROLE and NAME stand for anything that fits.
static struct condition_atom atom_of_page(const char *sentence) {
    static const char *const words[][2] = {{"WHO", "n2"}, {"ROLE", "streaming"}, {"NAME", "sync"}};
    cleanup_strbuf struct strbuf text = {0};
    for (const char *at = sentence; *at;) {
        const char *with = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(words) && !with; i++)
            if (str_starts(at, words[i][0])) {
                with = words[i][1];
                at += strlen(words[i][0]);
            }
        strbuf_addn(&text, with ? with : at, with ? strlen(with) : 1);
        at += !with;
    }
    return atom_of(strbuf_str(&text), 0);
}

// Of a row's first column what stands in `...`, but for that in brackets: another form of the same.
static void read_row(char *row, bool seen[static CONDITION_COUNT]) {
    row[2 + strcspn(row + 2, "|")] = '\0';
    for (char *at = row, *end; (at = strpbrk(at, "`(")); at = end + 1) {
        end = strchr(at + 1, *at == '(' ? ')' : '`');
        assert_non_null(end);
        if (*at == '(')
            continue;
        *end = '\0';
        seen[atom_of_page(at + 1).kind] = true;
    }
}

static void the_page_has_every_kind_of_condition_and_its_sentences_are_read(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf page = {0};
    struct err err = {0};
    bool seen[CONDITION_COUNT] = {0}, here = false;
    if (fs_read("docs/scenario-format.md", 1 << 20, &page, &err) < 0)
        fail_msg("%s", err.msg);
    for (char *rest = NULL, *line = strtok_r(page.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        here = *line == '#' ? str_eq(line, "### When: conditions") : here;
        if (here && str_starts(line, "| `"))
            read_row(line, seen);
    }
    for (int i = 0; i < CONDITION_COUNT; i++)
        if (!seen[i])
            fail_msg("no row of docs/scenario-format.md says '%s'", condition_kind_text((enum condition_kind)i));
}

static void expectations_take_every_form(void **state) {
    (void)state;
    struct plan *p = read_with(
        HEAD "- wait: 1s\nexpect:\n  write_outage: {at_least: 20s, at_most: 34s}\n  read_outage: <= 34s\n"
             "  recovery: 1s to 1m\n  lost_writes: 0\n  split_brain: no\n  new_leader: off\n  rejoin: '> 5s'\n"
             "  phases: inside\n  write_availability: '>= 99.5%'\n  unexpected_writes: yes\n  read_availability: at "
             "least 90 %\n",
        NULL);
    const struct expect *e = p->expects.items;
    assert_int_equal(p->expects.n, 11);
    assert_true(e[0].has_min && e[0].has_max && e[0].min == 20e6 && e[0].max == 34e6);
    assert_string_equal(e[0].text, "at least 20s, at most 34s");
    assert_true(!e[1].has_min && e[1].max == 34e6);
    assert_string_equal(e[1].text, "<= 34s");
    assert_true(e[2].min == 1e6 && e[2].max == 60e6);
    assert_true(e[3].has_min && e[3].has_max && e[3].min == 0 && e[3].max == 0);
    assert_true(!e[4].has_min && e[4].has_max && e[4].max == 0);
    assert_true(e[5].kind == EXPECT_NEW_LEADER && !e[5].wanted && !*e[5].node);
    assert_true(e[6].has_min && !e[6].has_max && e[6].min == 5e6);
    assert_true(e[8].min > 99.49 && e[8].min < 99.51);
    assert_true(e[9].has_min && e[9].min == 1 && !e[9].has_max);
    assert_true(e[10].has_min && e[10].min == 90 && !e[10].has_max);
    plan_free(p);
    p = read_with(HEAD "- wait: 1s\nexpect:\n  write_outage: inside\n  recovery: {at_most: 40s, inside: yes}\n", NULL);
    e = p->expects.items;
    assert_true(e[0].inside && !e[0].has_min && !e[0].has_max);
    assert_string_equal(e[0].text, "inside");
    assert_true(e[1].inside && !e[1].has_min && e[1].max == 40e6);
    assert_string_equal(e[1].text, "inside, at most 40s");
    plan_free(p);
}

static void known_defects_are_read_with_what_they_explain(void **state) {
    (void)state;
    struct plan *p = read_with(
        HEAD "- wait: 1s\nexpect: {same_history: yes, diverged_nodes: 0, foreign_rows: <= 3, lost_writes: 0}\n"
             "known_defects:\n"
             "- id: patroni-2693\n  software: patroni\n  versions: '>= 2.0, < 3.0.3'\n"
             "  reference: https://github.com/patroni/patroni/pull/2693\n  text: the key is put back\n"
             "  signature: leader_key_overwritten\n  explains: [same_history, lost_writes, conditions]\n"
             "- {id: other, software: etcd, versions: 3.4.23, reference: 'http://example.org/1', text: t, "
             "signature: standby_ahead, explains: split_brain, always: yes}\n",
        NULL);
    assert_true(p->expects.items[0].kind == EXPECT_SAME_HISTORY && p->expects.items[0].wanted);
    assert_true(p->expects.items[1].kind == EXPECT_DIVERGED_NODES && p->expects.items[1].max == 0);
    assert_int_equal(p->defects.n, 2);
    const struct known_defect *a = &p->defects.items[0], *b = &p->defects.items[1];
    assert_string_equal(a->id, "patroni-2693");
    assert_string_equal(a->software, "patroni");
    assert_string_equal(a->versions, ">= 2.0, < 3.0.3");
    assert_string_equal(a->reference, "https://github.com/patroni/patroni/pull/2693");
    assert_string_equal(a->text, "the key is put back");
    assert_string_equal(a->explains, "same_history, lost_writes, conditions");
    assert_true(a->signature == DEFECT_LEADER_KEY_OVERWRITTEN && !a->always);
    assert_string_equal(b->explains, "split_brain");
    assert_true(b->signature == DEFECT_STANDBY_AHEAD && b->always);
    cleanup_strbuf struct strbuf json = {0};
    plan_to_json(p, &json);
    assert_non_null(strstr(json.data, "\"known_defects\":[{\"id\":\"patroni-2693\",\"software\":\"patroni\""));
    plan_free(p);
}

static void overrides_win_over_the_file(void **state) {
    (void)state;
    struct setting items[] = {{(char *)"patroni.ttl", (char *)"40"},
                              {(char *)"postgresql.work_mem", (char *)"8MB"},
                              {(char *)"etcd.quota-backend-bytes", (char *)"16MB"},
                              {(char *)"storage", (char *)"disk"},
                              {(char *)"workload.writes", (char *)"50"},
                              {(char *)"topology", (char *)"patroni-3-haproxy"},
                              {(char *)"workload.route", (char *)"haproxy"},
                              {(char *)"haproxy.inter", (char *)"1.5s"}};
    setting_list list = {.items = items, .n = ARRAY_SIZE(items)};
    struct plan *p = read_with(
        "title: t\ntopology: patroni-3\nset: {patroni.ttl: 35s, storage: memory}\nsteps: [{wait: 1s}]\n", &list);
    const struct topology *t = p->topology;
    assert_string_equal(t->name, "patroni-3-haproxy");
    assert_int_equal(t->patroni.ttl, 40 * SEC);
    assert_int_equal(t->storage, STORAGE_DISK);
    assert_string_equal(t->etcd.items[0].value, "16777216");
    assert_string_equal(t->haproxy.items[0].value, "1500ms");
    assert_true(p->workload.writes_per_s == 50 && p->workload.route == ROUTE_HAPROXY);
    plan_free(p);
}

static void a_wrong_override_is_told_with_its_text(void **state) {
    (void)state;
    struct setting items[] = {{(char *)"patroni.tll", (char *)"40"}, {(char *)"topology", (char *)"patroni-33"}};
    setting_list list = {.items = items, .n = ARRAY_SIZE(items)};
    const struct read_options o = {.vocabulary = &test_vocabulary, .topology_dir = TOPOLOGIES, .overrides = &list};
    struct diags d = {0};
    struct plan *plan = NULL;
    const char *yaml = HEAD "- wait: 1s\n";
    cleanup_strbuf struct strbuf text = {0};
    assert_int_equal(scenario_read_text("f", yaml, strlen(yaml), &o, &d, &plan), -EINVAL);
    diags_to_text(&d, &text);
    assert_non_null(strstr(strbuf_str(&text),
                           "--set patroni.tll=40: error: unknown setting 'patroni.tll' (did you mean 'patroni.ttl'?)"));
    assert_non_null(
        strstr(strbuf_str(&text),
               "--set topology=patroni-33: error: there is no topology 'patroni-33' (did you mean 'patroni-3'?)"));
    diags_done(&d);
}

// `bascule up --set workload.writes=3`: the name is right, the place is not.
static void a_setting_of_scenarios_is_none_of_a_lab_without_one(void **state) {
    (void)state;
    struct setting items[] = {{(char *)"workload.writes", (char *)"3"}, {(char *)"sotrage", (char *)"disk"}};
    setting_list list = {.items = items, .n = ARRAY_SIZE(items)};
    const struct read_options o = {.vocabulary = &test_vocabulary, .topology_dir = TOPOLOGIES, .overrides = &list};
    struct diags d = {0};
    struct topology *t = NULL;
    struct err err = {0};
    cleanup_strbuf struct strbuf text = {0};
    assert_true(topology_read("patroni-3", &o, &d, &t, &err) < 0);
    diags_to_text(&d, &text);
    assert_non_null(strstr(strbuf_str(&text), "'workload.writes' is a setting of scenarios"));
    assert_non_null(
        strstr(strbuf_str(&text), "unknown setting 'sotrage' (did you mean 'storage'?); allowed: patroni.*"));
    assert_null(strstr(strbuf_str(&text), "workload.*"));
    assert_null(strstr(strbuf_str(&text), "observe"));
    diags_done(&d);
}

static void a_topology_inside_a_scenario_builds_upon_another(void **state) {
    (void)state;
    struct plan *p = read_with("title: t\ntopology:\n  from: patroni-3\n  nodes:\n    n3: {tags: {nofailover: yes}}\n  "
                               "  n4: {services: [postgres]}\n"
                               "  patroni: {ttl: 60s}\nsteps: [{wait: 1s}]\n",
                               NULL);
    assert_int_equal(p->topology->nodes.n, 5);
    assert_true(topology_node(p->topology, "n3")->nofailover);
    assert_int_equal(topology_node(p->topology, "n3")->services, SERVICE_POSTGRES | SERVICE_ETCD);
    assert_string_equal(topology_node(p->topology, "n4")->address, "10.77.0.14");
    assert_int_equal(p->topology->patroni.ttl, 60 * SEC);
    assert_int_equal(topology_count(p->topology, SERVICE_POSTGRES), 4);
    plan_free(p);
}

// nodes: PostgreSQL servers; extra: further lines of the file.
static struct topology *many(int nodes, const char *extra, struct diags *d) {
    cleanup_strbuf struct strbuf text = {0};
    strbuf_add(
        &text,
        "title: t\nsteps: [{wait: 1s}]\ntopology:\n  nodes:\n    app: {services: [app], address: 10.77.0.100}\n");
    for (int i = 1; i <= nodes; i++)
        strbuf_addf(&text, "    n%d: {services: [postgres, etcd], address: 10.77.0.%d}\n", i, i);
    strbuf_add(&text, extra);
    const struct read_options o = {.vocabulary = &test_vocabulary, .topology_dir = TOPOLOGIES, .seed = 7};
    struct plan *p = NULL;
    if (scenario_read_text("f", strbuf_str(&text), text.len, &o, d, &p) < 0)
        return NULL;
    struct topology *t = STEAL(p->topology);
    plan_free(p);
    return t;
}

static const char *postgresql_value(const struct topology *t, const char *key) {
    VEC_FOREACH (&t->postgresql, s)
        if (str_eq(s->key, key))
            return s->value;
    return "";
}

static void every_standby_has_a_walsender_and_a_slot(void **state) {
    (void)state;
    static const struct {
        int servers;
        const char *places;
    } cases[] = {{1, ""}, {3, ""}, {6, ""}, {7, "11"}, {9, "13"}, {15, "19"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct diags d = {0};
        struct topology *t = many(cases[i].servers, "", &d);
        assert_non_null(t);
        assert_string_equal(postgresql_value(t, "max_wal_senders"), cases[i].places);
        assert_string_equal(postgresql_value(t, "max_replication_slots"), cases[i].places);
        topology_free(t);
        diags_done(&d);
    }
}

static void what_the_file_says_of_them_counts_unless_it_is_too_little(void **state) {
    (void)state;
    struct diags d = {0};
    struct topology *t = many(9, "  postgresql: {max_wal_senders: 8, max_replication_slots: 40}\n", &d);
    assert_non_null(t);
    assert_string_equal(postgresql_value(t, "max_wal_senders"), "8");
    assert_string_equal(postgresql_value(t, "max_replication_slots"), "40");
    topology_free(t);
    assert_null(many(9, "  postgresql: {max_wal_senders: 7}\n", &d));
    assert_int_equal(d.errors, 1);
    assert_non_null(strstr(d.list.items[0].text, "postgresql.max_wal_senders is 7, and 8 standbys need one each"));
    diags_done(&d);
    t = many(9, "  patroni: {use_slots: no}\n  postgresql: {max_replication_slots: 0}\n", &d);
    assert_non_null(t); // without slots nobody needs them
    topology_free(t);
    diags_done(&d);
}

static struct topology *topology_named(const char *name, const setting_list *overrides) {
    const struct read_options o = {.vocabulary = &test_vocabulary, .topology_dir = TOPOLOGIES, .overrides = overrides};
    struct diags d = {0};
    struct topology *t = NULL;
    struct err err = {0};
    assert_int_equal(topology_read(name, &o, &d, &t, &err), 0);
    assert_int_equal(d.list.n, 0);
    diags_done(&d);
    return t;
}

static void unreadable_files_are_an_error_and_no_hang(void **state) {
    (void)state;
    const struct read_options o = {.vocabulary = &test_vocabulary, .topology_dir = TOPOLOGIES};
    struct diags d = {0};
    struct plan *plan = NULL;
    struct err err = {0};
    assert_int_equal(scenario_read("no/such.yaml", &o, &d, &plan, &err), -ENOENT);
    assert_true(scenario_read("/dev/zero", &o, &d, &plan, &err) < 0);
    assert_true(scenario_read("scenarios", &o, &d, &plan, &err) < 0);
    assert_null(plan);
    diags_done(&d);
}

static void selectors_are_read_by_hand(void **state) {
    (void)state;
    struct topology *t = topology_named("patroni-3", NULL);
    struct selector s;
    struct err err = {0};
    assert_int_equal(selector_parse("any_replica", t, &s, &err), 0);
    assert_int_equal(s.kind, SELECTOR_ANY_REPLICA);
    assert_int_equal(selector_parse("n2", t, &s, &err), 0);
    assert_true(s.kind == SELECTOR_NODE && str_eq(s.node, "n2"));
    assert_int_equal(selector_parse("n22", t, &s, &err), -ENOENT);
    assert_non_null(strstr(err.msg, "did you mean 'n2'?"));
    assert_int_equal(selector_parse("proxy", t, &s, &err), -ENOENT);
    topology_free(t);
}

static int check_params(const char *mechanism, const char *key, const char *value, struct err *err) {
    struct setting item = {(char *)key, (char *)value};
    return mechanism_check_params(&test_vocabulary, mechanism, &(setting_list){.items = &item, .n = key ? 1 : 0}, err);
}

static void parameters_are_checked_by_hand(void **state) {
    (void)state;
    struct err err = {0};
    assert_int_equal(check_params("process.stop", "service", "etcd", &err), 0);
    assert_int_equal(check_params("process.stop", NULL, NULL, &err), -EINVAL);
    assert_string_equal(err.msg, "process.stop needs the parameter 'service' (patroni|postgres|etcd|haproxy)");
    assert_int_equal(check_params("process.stop", "service", "etc", &err), -EINVAL);
    assert_non_null(strstr(err.msg, "did you mean 'etcd'?"));
    assert_int_equal(check_params("process.stop", "servic", "etcd", &err), -EINVAL);
    assert_int_equal(check_params("process.stopp", NULL, NULL, &err), -ENOENT);
    assert_int_equal(check_params("node.power_off", NULL, NULL, &err), 0);
    assert_int_equal(check_params("test.kinds", "delay", "5", &err), -EINVAL);
}

static void the_plan_as_json_shows_every_default(void **state) {
    (void)state;
    struct plan *p = read_with(HEAD "- {name: a, inject: process.kill, target: [leader, n2], with: {service: etcd}}\n"
                                    "- {wait: leader changed}\nexpect: {new_leader: n2}\n",
                               NULL);
    cleanup_strbuf struct strbuf text = {0};
    plan_to_json(p, &text);
    cleanup_json cJSON *j = cJSON_Parse(strbuf_str(&text));
    assert_non_null(j);
    const cJSON *step = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "steps"), 0);
    const cJSON *wait = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "steps"), 1);
    assert_string_equal(json_str(step, "mechanism", ""), "process.kill");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(step, "targets")), 2);
    assert_string_equal(json_str(cJSON_GetObjectItem(step, "with"), "service", ""), "etcd");
    assert_int_equal(json_int(wait, "within_us", 0), MINUTE);
    assert_string_equal(json_str(wait, "after", ""), "a");
    assert_int_equal(json_int(j, "timeout_us", 0), 10 * MINUTE);
    assert_int_equal(json_int(cJSON_GetObjectItem(cJSON_GetObjectItem(j, "topology"), "patroni"), "ttl_us", 0),
                     30 * SEC);
    plan_free(p);
}

// The engine knows nothing but the plan: two files that make the same one run alike.
static void an_old_name_of_an_act_makes_the_same_plan(void **state) {
    (void)state;
    struct plan *then = read_with(HEAD "- {name: a, do: patroni.switchover, with: {candidate: n2}}\n", NULL),
                *now = read_with(HEAD "- {name: a, do: cluster.switchover, with: {candidate: n2}}\n", NULL);
    cleanup_strbuf struct strbuf of_then = {0}, of_now = {0};
    plan_to_json(then, &of_then);
    plan_to_json(now, &of_now);
    assert_string_equal(then->steps.items[0].mechanism, "cluster.switchover");
    assert_string_equal(strbuf_str(&of_then), strbuf_str(&of_now));
    plan_free(then);
    plan_free(now);
}

static unsigned needs_of_condition(const struct condition *c) {
    unsigned needs = 0;
    for (size_t i = 0; i < c->atoms.n; i++) {
        enum condition_kind kind = c->atoms.items[i].kind;
        needs |= kind == CONDITION_LEASE_AGE || kind == CONDITION_LEASE_LEFT ? CAN_LEASE : 0;
        needs |= kind == CONDITION_QUORUM || kind == CONDITION_KEY ? CAN_DCS : 0;
    }
    return needs;
}

static unsigned needs_of_mechanism(const char *name) {
    return str_starts(name, "dcs.")             ? CAN_DCS
           : str_starts(name, "watchdog.")      ? CAN_WATCHDOG
           : str_eq(name, "cluster.switchover") ? CAN_SWITCHOVER
           : str_eq(name, "cluster.pause")      ? CAN_PAUSE
                                                : 0;
}

// What a plan shows to need; there may be more, in what it waits for and teaches.
static unsigned needs_shown(const struct plan *p) {
    unsigned needs = p->topology->patroni.synchronous_mode ? CAN_SYNC : 0;
    VEC_FOREACH (&p->topology->nodes, n)
        needs |= topology_watchdog(p->topology, n) != WATCHDOG_OFF ? CAN_WATCHDOG : 0;
    VEC_FOREACH (&p->steps, s) {
        needs |= needs_of_condition(&s->when) | needs_of_condition(&s->stays) | needs_of_mechanism(s->mechanism);
        VEC_FOREACH (&s->targets, t)
            needs |= t->kind == SELECTOR_ARBITER_LEADER || t->kind == SELECTOR_ARBITER_FOLLOWER ||
                             t->kind == SELECTOR_ARBITER_MAJORITY
                         ? CAN_DCS
                     : t->kind == SELECTOR_SYNC_STANDBY || t->kind == SELECTOR_ASYNC_STANDBY ? CAN_SYNC
                                                                                             : 0;
        VEC_FOREACH (&s->params, x)
            needs |= strstr(x->value, "etcd") ? CAN_DCS : 0;
    }
    return needs;
}

static void demand_needs(const struct plan *p) {
    unsigned unsaid = needs_shown(p) & ~p->needs;
    for (unsigned i = 0; i < ABILITY_COUNT; i++)
        if (unsaid & 1U << i)
            fail_msg("%s uses %s and does not say that it needs it", p->file, ability_word(i));
}

// Every shipped file, without a single complaint: a warning in a shipped file is a mistake as well.
static size_t read_folder(const char *folder, bool topologies) {
    const struct read_options o = {.vocabulary = fault_vocabulary(), .topology_dir = TOPOLOGIES};
    cleanup_dir DIR *dir = opendir(folder);
    size_t n = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        cleanup_free char *path = xasprintf("%s/%s", folder, e->d_name);
        cleanup_strbuf struct strbuf text = {0};
        struct diags d = {0};
        struct err err = {0};
        struct plan *plan = NULL;
        struct topology *t = NULL;
        if (!str_ends(path, ".yaml"))
            continue;
        int r = topologies ? topology_read(path, &o, &d, &t, &err) : scenario_read(path, &o, &d, &plan, &err);
        diags_to_text(&d, &text);
        if (r < 0 || text.len)
            print_error("%s: %s%s", path, err.msg, strbuf_str(&text));
        assert_int_equal(r, 0);
        assert_int_equal(text.len, 0);
        if (plan)
            demand_needs(plan);
        if (plan) // each teaches something, has its place in the lists, and can fail
            assert_true(!str_empty(plan->title) && plan->group != GROUP_NONE && !str_empty(plan->lesson) &&
                        plan->expects.n > 0 && plan->seed > 0);
        plan_free(plan);
        topology_free(t);
        diags_done(&d);
        n++;
    }
    return n;
}

static void every_shipped_file_is_read_without_complaint(void **state) {
    (void)state;
    assert_true(read_folder("scenarios", false) >= 8);
    assert_true(read_folder(TOPOLOGIES, true) >= 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(steps_start_where_their_author_said),
        cmocka_unit_test(each_kind_of_condition_is_understood),
        cmocka_unit_test(the_page_has_every_kind_of_condition_and_its_sentences_are_read),
        cmocka_unit_test(expectations_take_every_form),
        cmocka_unit_test(known_defects_are_read_with_what_they_explain),
        cmocka_unit_test(overrides_win_over_the_file),
        cmocka_unit_test(a_wrong_override_is_told_with_its_text),
        cmocka_unit_test(a_setting_of_scenarios_is_none_of_a_lab_without_one),
        cmocka_unit_test(a_topology_inside_a_scenario_builds_upon_another),
        cmocka_unit_test(every_standby_has_a_walsender_and_a_slot),
        cmocka_unit_test(what_the_file_says_of_them_counts_unless_it_is_too_little),
        cmocka_unit_test(unreadable_files_are_an_error_and_no_hang),
        cmocka_unit_test(selectors_are_read_by_hand),
        cmocka_unit_test(parameters_are_checked_by_hand),
        cmocka_unit_test(the_plan_as_json_shows_every_default),
        cmocka_unit_test(an_old_name_of_an_act_makes_the_same_plan),
        cmocka_unit_test(every_shipped_file_is_read_without_complaint),
    };
    return cmocka_run_group_tests_name("scenario", tests, NULL, NULL);
}
