// SPDX-License-Identifier: PostgreSQL
// The phases of a fault with mechanisms that answer at once, late, twice or never. No node is touched.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "injector/live.h"

static struct fixture {
    sd_event *loop;
    struct topology topology;
    struct fault_world world;
    struct event_sink sink;
    struct injector *in;
    struct strbuf story; // "a:asked a:effective ..."
    const char *heal_on; // a phase during whose event the fault is healed from within the sink
} x;

static fault_phase_done late; // the completion that a slow mechanism keeps
static struct fault *late_fault;
static bool inject_fails, touches, heal_fails, check_fails;

static void at_once(struct fault *f, fault_phase_done done) {
    f->touched = f->touched || touches;
    done(f, !inject_fails, inject_fails ? 0 : 42, inject_fails ? "no luck" : "done");
}
static void good(struct fault *f, fault_phase_done done) {
    done(f, true, 0, "good");
}
static void never(struct fault *f, fault_phase_done done) {
    late = done;
    late_fault = f;
}
static void heal_it(struct fault *f, fault_phase_done done) {
    done(f, !heal_fails, 0, heal_fails ? "stuck" : "undone");
}
static void check_it(struct fault *f, fault_phase_done done) {
    done(f, !check_fails, 0, "looked");
}

#define OPS(...)                                                                                                       \
    {                                                                                                                  \
        .about = {.name = "test.fault", .summary = "is a test"}, .inject = at_once, .verify = good, .heal = heal_it,   \
        .verify_healed = check_it, .patience = 30 * MSEC, __VA_ARGS__                                                  \
    }
static const struct fault_ops quick = OPS(.thaws = false), thawing = OPS(.thaws = true);
static const struct fault_ops hung_inject = {.about = {.name = "test.hung"},
                                             .inject = never,
                                             .verify = good,
                                             .heal = heal_it,
                                             .verify_healed = check_it,
                                             .patience = 30 * MSEC};
static const struct fault_ops hung_verify = {.about = {.name = "test.hung"},
                                             .inject = at_once,
                                             .verify = never,
                                             .heal = heal_it,
                                             .verify_healed = check_it,
                                             .patience = 30 * MSEC};
static const struct fault_ops hung_heal = {.about = {.name = "test.hung"},
                                           .inject = at_once,
                                           .verify = good,
                                           .heal = never,
                                           .verify_healed = check_it,
                                           .patience = 30 * MSEC};

static void on_event(void *arg, const struct event *ev) {
    (void)arg;
    assert_int_equal(EVENT_FAULT, ev->kind);
    strbuf_addf(&x.story, "%s%s:%s", x.story.len ? " " : "", ev->u.FAULT.id, fault_phase_name(ev->u.FAULT.phase));
    if (x.heal_on && str_eq(x.heal_on, fault_phase_name(ev->u.FAULT.phase)))
        assert_int_equal(0, injector_heal(x.in, ev->u.FAULT.id, NULL));
}

static int setup(void **state) {
    (void)state;
    memset(&x, 0, sizeof x);
    inject_fails = touches = heal_fails = check_fails = false;
    late = NULL;
    x.sink = (struct event_sink){.emit = on_event, .base = usec_now()};
    STR_COPY(VEC_ADD(&x.topology.nodes)->name, "n1");
    assert_true(sd_event_new(&x.loop) >= 0);
    x.world = (struct fault_world){.loop = x.loop, .sink = &x.sink, .topology = &x.topology};
    x.world.nodes[0] = (struct node *)(void *)&x; // never looked into
    return injector_new(&x.world, &x.in, NULL);
}
static int teardown(void **state) {
    (void)state;
    injector_free(x.in);
    sd_event_unref(x.loop);
    VEC_DONE(&x.topology.nodes);
    strbuf_done(&x.story);
    return 0;
}

static int inject(const char *id, const struct fault_ops *ops) {
    char nodes[1][NODE_NAME_MAX] = {"n1"};
    struct err err = {0};
    return injector_inject_ops(x.in, id, ops, "leader", nodes, 1, NULL, &err);
}
static void spin(usec_t time) {
    for (usec_t now, end = usec_now() + time; (now = usec_now()) < end;)
        (void)sd_event_run(x.loop, end - now);
}
#define STORY(text) assert_string_equal(text, strbuf_str(&x.story))

static void a_fault_lives_from_asked_to_heal_verified(void **state) {
    (void)state;
    assert_int_equal(0, inject("a", &quick));
    assert_int_equal(1, injector_active(x.in));
    assert_int_equal(0, injector_heal(x.in, "a", NULL));
    STORY("a:asked a:effective a:verified a:heal_asked a:healed a:heal_verified");
    assert_int_equal(0, injector_active(x.in));
}

static void a_failed_injection_that_touched_nothing_is_over(void **state) {
    (void)state;
    inject_fails = true;
    assert_int_equal(0, inject("a", &quick));
    STORY("a:asked a:failed");
    assert_int_equal(0, injector_active(x.in));
}

static void a_half_done_injection_is_undone_at_once(void **state) {
    (void)state;
    inject_fails = touches = true;
    assert_int_equal(0, inject("a", &quick));
    STORY("a:asked a:failed a:heal_asked a:healed a:heal_verified");
}

static void an_inject_that_hangs_is_given_up_and_its_late_answer_ignored(void **state) {
    (void)state;
    assert_int_equal(0, inject("a", &hung_inject));
    spin(60 * MSEC);
    STORY("a:asked a:failed");
    late(late_fault, true, 7, "too late");
    STORY("a:asked a:failed");
}

static void a_verify_that_hangs_leaves_the_fault_unverified_and_healable(void **state) {
    (void)state;
    assert_int_equal(0, inject("a", &hung_verify));
    spin(60 * MSEC);
    STORY("a:asked a:effective a:unverified");
    late(late_fault, true, 0, "too late");
    assert_int_equal(0, injector_heal(x.in, "a", NULL));
    STORY("a:asked a:effective a:unverified a:heal_asked a:healed a:heal_verified");
}

static void a_heal_during_inject_waits_for_it(void **state) {
    (void)state;
    assert_int_equal(0, inject("a", &hung_inject));
    assert_int_equal(0, injector_heal(x.in, "a", NULL));
    STORY("a:asked");
    late(late_fault, true, 7, "here I am");
    STORY("a:asked a:effective a:unverified a:heal_asked a:healed a:heal_verified");
}

static void a_heal_during_verify_does_not_wait(void **state) {
    (void)state;
    assert_int_equal(0, inject("a", &hung_verify));
    assert_int_equal(0, injector_heal(x.in, "a", NULL));
    STORY("a:asked a:effective a:unverified a:heal_asked a:healed a:heal_verified");
    late(late_fault, true, 0, "too late");
    STORY("a:asked a:effective a:unverified a:heal_asked a:healed a:heal_verified");
}

static void a_heal_that_fails_may_be_tried_again(void **state) {
    (void)state;
    heal_fails = true;
    assert_int_equal(0, inject("a", &quick));
    assert_int_equal(0, injector_heal(x.in, "a", NULL));
    assert_int_equal(1, injector_active(x.in));
    heal_fails = false;
    assert_int_equal(0, injector_heal(x.in, "a", NULL));
    STORY("a:asked a:effective a:verified a:heal_asked a:heal_unverified a:heal_asked a:healed a:heal_verified");
    assert_int_equal(0, injector_active(x.in));
}

static void a_heal_that_hangs_does_not_stop_the_others(void **state) {
    (void)state;
    assert_int_equal(0, inject("a", &quick));
    assert_int_equal(0, inject("b", &hung_heal));
    strbuf_clear(&x.story);
    assert_int_equal(0, injector_heal(x.in, NULL, NULL));
    STORY("b:heal_asked");
    spin(60 * MSEC);
    STORY("b:heal_asked b:heal_unverified a:heal_asked a:healed a:heal_verified");
    assert_int_equal(1, injector_active(x.in));
}

static void everything_heals_thawed_first_then_newest_first(void **state) {
    (void)state;
    assert_int_equal(0, inject("a", &thawing));
    assert_int_equal(0, inject("b", &quick));
    assert_int_equal(0, inject("c", &thawing));
    assert_int_equal(0, inject("d", &quick));
    strbuf_clear(&x.story);
    assert_int_equal(0, injector_heal(x.in, NULL, NULL));
    STORY("c:heal_asked c:healed c:heal_verified a:heal_asked a:healed a:heal_verified "
          "d:heal_asked d:healed d:heal_verified b:heal_asked b:healed b:heal_verified");
}

static void a_heal_from_within_an_event_is_taken_well(void **state) {
    (void)state;
    static const char *const phases[] = {"asked", "effective", "verified", "heal_asked", "healed"};
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        x.heal_on = phases[i];
        strbuf_clear(&x.story);
        assert_int_equal(0, inject("a", &quick));
        x.heal_on = NULL;
        if (i >= 3)
            assert_int_equal(0, injector_heal(x.in, "a", NULL));
        assert_int_equal(0, injector_active(x.in));
        assert_true(str_ends(strbuf_str(&x.story), "a:healed a:heal_verified"));
    }
}

static void an_id_in_force_is_refused_and_its_fault_not_hidden(void **state) {
    (void)state;
    assert_int_equal(0, inject("a", &quick));
    assert_int_equal(-EEXIST, inject("a", &quick));
    strbuf_clear(&x.story);
    assert_int_equal(0, injector_heal(x.in, "a", NULL));
    STORY("a:heal_asked a:healed a:heal_verified");
    assert_int_equal(0, inject("a", &quick)); // healed: the name is free again
}

static void an_unknown_mechanism_is_told_as_failed(void **state) {
    (void)state;
    char nodes[1][NODE_NAME_MAX] = {"n1"};
    struct err err = {0};
    assert_int_equal(-ENOENT, injector_inject(x.in, "a", "crash-primary", "leader", nodes, 1, NULL, &err));
    STORY("a:failed");
    assert_int_equal(-ENOENT, injector_heal(x.in, "a", &err));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_fault_lives_from_asked_to_heal_verified),
        T(a_failed_injection_that_touched_nothing_is_over),
        T(a_half_done_injection_is_undone_at_once),
        T(an_inject_that_hangs_is_given_up_and_its_late_answer_ignored),
        T(a_verify_that_hangs_leaves_the_fault_unverified_and_healable),
        T(a_heal_during_inject_waits_for_it),
        T(a_heal_during_verify_does_not_wait),
        T(a_heal_that_fails_may_be_tried_again),
        T(a_heal_that_hangs_does_not_stop_the_others),
        T(everything_heals_thawed_first_then_newest_first),
        T(a_heal_from_within_an_event_is_taken_well),
        T(an_id_in_force_is_refused_and_its_fault_not_hidden),
        T(an_unknown_mechanism_is_told_as_failed),
    };
    return cmocka_run_group_tests_name("phases of a fault", tests, NULL, NULL);
}
