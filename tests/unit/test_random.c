// SPDX-License-Identifier: PostgreSQL
// Random mode: what a seed draws.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "injector/injector.h"
#include "injector/random_uses.h"
#include "lab/scenario/random.h"
#include "lab/scenario/read.h"

#define TOPOLOGY "patroni-3-etcd-3-sync"
static const struct read_options reading = {.topology_dir = "scenarios/topologies"};
static struct topology *topology;

static int setup(void **state) {
    (void)state;
    struct read_options o = reading;
    struct diags d = {0};
    struct err err = {0};
    o.vocabulary = fault_vocabulary();
    int r = topology_read(TOPOLOGY, &o, &d, &topology, &err);
    diags_done(&d);
    return r;
}
static int teardown(void **state) {
    (void)state;
    topology_free(topology);
    return 0;
}

static int draw(uint64_t seed, usec_t duration, struct strbuf *out) {
    struct random_options o = {.topology_name = TOPOLOGY, .t = topology, .seed = seed, .duration = duration};
    o.uses = random_uses(&o.n_uses);
    struct err err = {0};
    return random_scenario(&o, out, &err);
}

static struct plan *read_plan(uint64_t seed, const struct strbuf *text) {
    struct read_options o = reading;
    struct diags d = {0};
    struct plan *plan = NULL;
    cleanup_strbuf struct strbuf said = {0};
    o.vocabulary = fault_vocabulary();
    o.seed = seed;
    (void)scenario_read_text("random.yaml", strbuf_str(text), text->len, &o, &d, &plan);
    diags_to_text(&d, &said);
    diags_done(&d);
    assert_string_equal(strbuf_str(&said), "");
    assert_non_null(plan);
    return plan;
}

static void the_same_seed_draws_the_same_schedule(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf a = {0}, b = {0}, c = {0};
    assert_true(draw(42, 5 * MINUTE, &a) > 1);
    (void)draw(42, 5 * MINUTE, &b);
    (void)draw(43, 5 * MINUTE, &c);
    assert_string_equal(strbuf_str(&a), strbuf_str(&b));
    assert_string_not_equal(strbuf_str(&a), strbuf_str(&c));
}

// Faults begin after the same step of their round; two of them on one node would disturb each other's proof.
static void check_rounds(const struct plan *p) {
    for (size_t i = 0; i < p->steps.n; i++) {
        const struct step *s = &p->steps.items[i];
        if (s->kind != STEP_INJECT)
            continue;
        assert_true(s->duration > 0);
        for (size_t k = 0; k < i; k++) {
            const struct step *other = &p->steps.items[k];
            if (other->kind == STEP_INJECT && other->after == s->after)
                assert_string_not_equal(other->targets.items[0].node, s->targets.items[0].node);
        }
    }
    const struct step *last = &p->steps.items[p->steps.n - 1];
    assert_int_equal(last->kind, STEP_WAIT);
    assert_true(last->when.atoms.n == 1 && last->when.atoms.items[0].kind == CONDITION_COMPLETE);
}

static void every_schedule_is_a_scenario_that_ends_complete(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        cleanup_strbuf struct strbuf text = {0};
        int rounds = draw(seed, seed % 2 ? RANDOM_DURATION_MAX : MINUTE, &text);
        assert_in_range(rounds, 1, RANDOM_ROUNDS_MAX);
        struct plan *p = read_plan(seed, &text);
        check_rounds(p);
        plan_free(p);
    }
}

static void every_use_names_a_fault_and_is_drawn(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf all = {0};
    for (uint64_t seed = 1; seed <= 100; seed++)
        (void)draw(seed, RANDOM_DURATION_MAX, &all);
    size_t n;
    const struct random_use *uses = random_uses(&n);
    for (size_t i = 0; i < n; i++) {
        cleanup_free char *line = xasprintf("inject: %s\n", uses[i].mechanism);
        assert_non_null(fault_find(uses[i].mechanism));
        assert_true(uses[i].weight > 0 && uses[i].least < uses[i].most);
        assert_non_null(strstr(strbuf_str(&all), line));
    }
}

static bool nothing(void *arg, const char *mechanism, const setting_list *params) {
    (void)arg, (void)mechanism, (void)params;
    return false;
}

static void a_host_that_can_do_nothing_is_told_so(void **state) {
    (void)state;
    struct random_options o = {
        .topology_name = TOPOLOGY, .t = topology, .usable = nothing, .seed = 1, .duration = MINUTE};
    o.uses = random_uses(&o.n_uses);
    struct err err = {0};
    cleanup_strbuf struct strbuf text = {0};
    assert_int_equal(random_scenario(&o, &text, &err), -ENOENT);
    assert_non_null(strstr(err.msg, TOPOLOGY));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_draws_the_same_schedule),
        cmocka_unit_test(every_schedule_is_a_scenario_that_ends_complete),
        cmocka_unit_test(every_use_names_a_fault_and_is_drawn),
        cmocka_unit_test(a_host_that_can_do_nothing_is_told_so),
    };
    return cmocka_run_group_tests_name("random", tests, setup, teardown);
}
