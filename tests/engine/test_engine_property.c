// SPDX-License-Identifier: PostgreSQL
// Random plans in random worlds. Whatever the plan says and however the world behaves: the engine ends in time, asks
// the heal of all it injected and of each thing once, records each step's life in order, and calls a run completed only
// when every step is done. The world itself checks that no deadline lies in the past and that nothing follows the
// finish.
//
// BASCULE_PROPERTY_RUNS and BASCULE_PROPERTY_SEED repeat or extend a run; a failure prints its seed and its log.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

#include "tests/engine/world.h"

static uint64_t dice_state;
static uint64_t dice(uint64_t below) { // xorshift64*
    dice_state ^= dice_state >> 12;
    dice_state ^= dice_state << 25;
    dice_state ^= dice_state >> 27;
    return (dice_state * UINT64_C(2685821657736338717) >> 33) % below;
}
static bool chance(unsigned percent) {
    return dice(100) < percent;
}
static const char *random_node(void) {
    static const char *const nodes[] = {"n1", "n2", "n3"};
    return nodes[dice(3)];
}

// ---- plans ---------------------------------------------------------------------------------------------------------
static void random_selector(struct selector *sel) {
    sel->kind = (enum selector_kind)dice(SELECTOR_ALL + 1);
    if (chance(40))
        sel->kind = SELECTOR_LEADER;
    if (sel->kind == SELECTOR_NODE)
        STR_COPY(sel->node, random_node());
}

static void random_atom(struct condition *c) {
    static const char *const keys[] = {"leader", "sync", "failover", "members/n2"};
    struct condition_atom *a = test_atom(c, (enum condition_kind)dice(CONDITION_COUNT));
    if (chance(50))
        a->kind = chance(50) ? CONDITION_HEALTHY : CONDITION_WRITES_FLOW;
    a->negated = chance(15);
    a->above = chance(50);
    random_selector(&a->who);
    a->role = (enum condition_role)dice(CONDITION_ROLE_WRITABLE + 1);
    STR_COPY(a->key, keys[dice(ARRAY_SIZE(keys))]);
    a->number = a->kind == CONDITION_LAG ? (int64_t)dice(10000) : (int64_t)dice(6 * SEC);
}

static void random_step(struct plan *p, size_t i) {
    static const char *const mechanisms[] = {"node.power_off", "net.drop", "process.kill"};
    char name[16];
    (void)snprintf(name, sizeof name, "step-%zu", i);
    struct step *s = test_step(p, name, (enum step_kind)dice(STEP_ACTION + 1));
    s->after = (int)dice(i + 1) - 1;
    if (chance(2))
        s->after = (int)dice(12); // itself, a later one, or none: the step never starts
    s->delay = chance(50) ? dice(10 * SEC) : 0;
    for (size_t k = dice(3); k > 0 && chance(60); k--)
        random_atom(&s->when);
    s->hold = chance(30) ? dice(4 * SEC) : 0;
    s->within = chance(85) ? 1 + dice(30 * SEC) : 0;
    STR_COPY(s->mechanism, s->kind == STEP_ACTION ? "cluster.switchover" : mechanisms[dice(3)]);
    if (s->kind == STEP_WAIT && chance(40)) {
        random_atom(&s->stays);
        s->stays_for = dice(5 * SEC);
    }
    for (size_t k = s->kind == STEP_INJECT ? 1 + dice(2) : 0; k > 0; k--)
        random_selector(VEC_ADD(&s->targets));
    s->heals = chance(30) ? -1 : (int)dice(i + 1);
    s->duration = chance(40) ? 1 + dice(15 * SEC) : 0;
}

static struct plan *random_plan(void) {
    struct plan *p = test_plan_new();
    p->seed = dice(1000000);
    p->settle = dice(3 * SEC);
    p->observe = dice(4 * SEC);
    p->timeout = chance(20) ? 1 + dice(20 * SEC) : 60 * SEC + dice(120 * SEC);
    size_t n = dice(8);
    for (size_t i = 0; i < n; i++)
        random_step(p, i);
    return p;
}

// ---- worlds --------------------------------------------------------------------------------------------------------
static struct manners random_manners(void) {
    struct manners m = {.verify_after = dice(2 * SEC), .heal_after = dice(2 * SEC), .heal_verify = dice(SEC)};
    if (chance(15)) {
        bool *const vices[] = {&m.mute_inject,     &m.mute_heal,   &m.unverified,    &m.failed,
                               &m.heal_unverified, &m.heal_failed, &m.no_heal_verify};
        *vices[dice(ARRAY_SIZE(vices))] = true;
    }
    if (chance(5))
        m.verify_after = dice(90 * SEC); // longer than the engine's patience
    if (chance(5))
        m.heal_after = dice(60 * SEC);
    return m;
}

// Things that no one asked for: faults by hand under ids of steps or their own, answers out of order, a cluster in
// uproar.
static void mischief(struct world *w, const char *node) {
    static const char *const phases[] = {"asked",  "effective",     "verified",        "unverified", "heal_asked",
                                         "healed", "heal_verified", "heal_unverified", "failed",     "nonsense"};
    char id[16];
    (void)node;
    (void)snprintf(id, sizeof id, chance(50) ? "hand-%d" : "step-%d", (int)dice(5));
    struct event events[] = {ev_row_gone(0, "n1", "n2"),
                             ev_row(0, "n1", "n2", "streaming", "sync", (int64_t)dice(9999)),
                             ev_key_gone(0, "leader"),
                             ev_key(0, "leader", random_node()),
                             ev_sql_silent(0, random_node(), "no answer for 2 s"),
                             ev_sql_leader(0, random_node(), 0x6000000),
                             ev_fault(0, id, phases[dice(ARRAY_SIZE(phases))], "mischief"),
                             ev_fault(0, id, phases[dice(ARRAY_SIZE(phases))], "mischief"),
                             ev_action(0, id, chance(50) ? "done" : "failed", "mischief"),
                             ev_etcd_silent(0, random_node())};
    world_at(w, w->now, events[dice(ARRAY_SIZE(events))]);
}

static void new_manners(struct world *w, const char *node) {
    (void)node;
    w->manners = random_manners();
    w->mute_actions = chance(5);
    w->fail_actions = chance(10);
    if (!w->finished)
        world_call(w, w->now + 1 + dice(5 * SEC), new_manners, "");
}

static void abort_it(struct world *w, const char *node) {
    (void)node;
    if (!w->finished)
        world_abort(w, "interrupted", "by the test");
}

struct run {
    struct world *w;
    bool mischievous;
    usec_t aborted; // USEC_NEVER = not
};

static struct run random_run(uint64_t seed) {
    dice_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    struct run r = {.w = world_new(random_plan()), .mischievous = chance(30), .aborted = USEC_NEVER};
    struct world *w = r.w;
    new_manners(w, "");
    w->claimed = seed % 4 == 3; // a stack with neither arbiter nor lease
    w->tick_late = chance(30) ? 1 + dice(200 * MSEC) : 0;
    if (chance(97))
        world_boot(w);
    for (size_t k = r.mischievous ? 1 + dice(30) : 0; k > 0; k--)
        world_call(w, dice(60 * SEC), mischief, "");
    if (chance(15)) {
        r.aborted = dice(60 * SEC);
        world_call(w, r.aborted, abort_it, "");
    }
    struct event first = EVENT_NEW(RUN_BEGIN);
    world_feed(w, &first); // time starts
    return r;
}

// ---- what must be true ---------------------------------------------------------------------------------------------
static const char *ends_in_time(const struct run *r) {
    const usec_t patience = (4 * 30 + 20 + 120 + 1) * SEC; // heal, its verification, members, lateness
    const struct world *w = r->w;
    if (!w->finished)
        return "it did not finish";
    if (w->finished_at > w->plan->timeout + patience)
        return "it finished too late";
    if (r->aborted < w->finished_at && w->finished_at > r->aborted + 15 * SEC + w->tick_late)
        return "it did not finish within 15 s of the abort";
    return NULL;
}

static const char *heals_what_it_injected(const struct run *r) {
    for (size_t i = 0; i < r->w->faults.n; i++) {
        const struct world_fault *f = &r->w->faults.items[i];
        if (f->injects > 1)
            return "a fault was injected twice";
        if (f->injects && f->heals > 1)
            return "a heal was asked twice";
        if (f->injects && !f->heals && !r->mischievous)
            return "a fault was left alone";
        if (f->injects && f->heals && f->heal_asked < f->injected)
            return "a heal came before its fault";
    }
    return NULL;
}

static int order_of(const char *state) {
    static const char *const states[] = {"waiting", "started", "done", "failed", "skipped"};
    for (int i = 0; i < 5; i++)
        if (str_eq(states[i], state))
            return i < 3 ? i : 2;
    return -1;
}

// Of every step: waiting*, then started at most once, then one end.
static const char *records_are_in_order(const struct run *r) {
    const struct world *w = r->w;
    for (size_t s = 0; s < w->plan->steps.n; s++) {
        int last = -1, ends = 0;
        for (size_t i = 0; i < w->records.n; i++) {
            const struct event *ev = &w->records.items[i];
            if (ev->u.STEP.index != (int64_t)s)
                continue;
            int order = order_of(step_status_name(ev->u.STEP.state));
            if (order < last || (order == last && order > 0))
                return "a step's records are out of order";
            if (ev->u.STEP.state == STEP_STATUS_DONE && last != 1)
                return "a step is done that never started";
            last = order;
            ends += order == 2;
        }
        if (ends != 1)
            return "a step does not have exactly one end";
    }
    return NULL;
}

static const char *follows_its_predecessor(const struct run *r) {
    const struct world *w = r->w;
    usec_t late = w->tick_late;
    for (size_t i = 0; i < w->plan->steps.n; i++) {
        const struct step *s = &w->plan->steps.items[i];
        usec_t started = world_when(w, s->name, "started");
        const char *before = s->after < 0                       ? "begin"
                             : s->after < (int)w->plan->steps.n ? w->plan->steps.items[s->after].name
                                                                : "";
        usec_t ended = world_when(w, before, s->after < 0 ? "started" : "done");
        if (started == USEC_NEVER)
            continue;
        if (ended == USEC_NEVER ||
            started + late < ended + s->delay + s->hold) // a late tick records its predecessor late
            return "a step started too early";
        if (s->within && started > ended + s->delay + s->within + late)
            return "a step started too late";
    }
    return NULL;
}

static const char *reason_is_honest(const struct run *r) {
    static const char *const reasons[] = {"completed", "expectation", "broken", "unverified", "interrupted"};
    const struct world *w = r->w;
    size_t done = 0, known = 0;
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        known += str_eq(end_reason_name(w->finish.reason), reasons[i]);
    if (!known)
        return "an unknown reason";
    for (size_t i = 0; i < w->plan->steps.n; i++)
        done += world_when(w, w->plan->steps.items[i].name, "done") != USEC_NEVER;
    if (w->finish.reason == END_REASON_COMPLETED && done != w->plan->steps.n)
        return "completed, but not every step is done";
    if (w->finish.reason != END_REASON_COMPLETED && !*w->finish.detail)
        return "no word on why it failed";
    if (w->finish.reason == END_REASON_INTERRUPTED && r->aborted == USEC_NEVER)
        return "interrupted by nobody";
    for (size_t i = 0; i < w->faults.n && w->finish.reason == END_REASON_COMPLETED; i++)
        if (w->faults.items[i].injects && !r->mischievous &&
            (w->faults.items[i].manners.unverified || w->faults.items[i].manners.failed ||
             w->faults.items[i].manners.mute_inject))
            return "completed with a fault that nobody saw bite";
    return NULL;
}

// A tick is only asked for when something can come of it: never more of them than there are things that happen, by far.
static const char *does_not_spin(const struct run *r) {
    return r->w->steps > 40000 ? "the engine was called far too often" : NULL;
}

static uint64_t fingerprint(const struct world *w) { // FNV-1a over what came out
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < w->records.n; i++) {
        const struct event *ev = &w->records.items[i];
        for (const char *p = ev->u.STEP.detail; *p; p++)
            h = (h ^ (uint8_t)*p) * UINT64_C(1099511628211);
        h = (h ^ ev->t ^ (uint64_t)ev->u.STEP.index) * UINT64_C(1099511628211);
    }
    return h ^ w->finished_at;
}

static void check_run(uint64_t seed, size_t *reasons) {
    static const char *(*const laws[])(const struct run *) = {ends_in_time,         heals_what_it_injected,
                                                              records_are_in_order, follows_its_predecessor,
                                                              reason_is_honest,     does_not_spin};
    struct run r = random_run(seed);
    (void)world_step_until(r.w, world_finished, 30 * MINUTE);
    for (size_t i = 0; i < ARRAY_SIZE(laws); i++) {
        const char *broken = laws[i](&r);
        if (broken) {
            world_print(r.w);
            fail_msg("seed %" PRIu64 ": %s", seed, broken);
        }
    }
    reasons[0] += r.w->finish.reason == END_REASON_COMPLETED;
    reasons[1] += r.w->finish.reason == END_REASON_EXPECTATION;
    reasons[2] += r.w->finish.reason == END_REASON_UNVERIFIED;
    reasons[3] += r.w->finish.reason == END_REASON_BROKEN;
    reasons[4] += r.w->finish.reason == END_REASON_INTERRUPTED;
    uint64_t print = fingerprint(r.w);
    world_pass(r.w, 10 * SEC); // nothing may come after the finish
    world_free(r.w);
    if (seed % 8 == 0) {
        struct run again = random_run(seed);
        (void)world_step_until(again.w, world_finished, 30 * MINUTE);
        if (fingerprint(again.w) != print)
            fail_msg("seed %" PRIu64 ": the same run went another way", seed);
        world_free(again.w);
    }
}

static uint64_t from_env(const char *name, uint64_t fallback) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : fallback;
}

static void every_random_plan_in_every_random_world_ends_well(void **state) {
    (void)state;
    uint64_t runs = from_env("BASCULE_PROPERTY_RUNS", 3000), seed = from_env("BASCULE_PROPERTY_SEED", 1);
    size_t reasons[5] = {0};
    for (uint64_t i = 0; i < runs; i++)
        check_run(seed + i, reasons);
    print_message("%" PRIu64 " runs from seed %" PRIu64
                  ": %zu completed, %zu expectation, %zu unverified, %zu broken, %zu interrupted\n",
                  runs, seed, reasons[0], reasons[1], reasons[2], reasons[3], reasons[4]);
    for (size_t i = 0; i < ARRAY_SIZE(reasons) && runs >= 1000; i++)
        assert_true(reasons[i] > runs / 100); // the dice reach every way to end
}

// The outcome is a matter of the events, not of when the ticks between them are delivered.
static void late_ticks_change_the_times_in_the_log_but_not_the_outcome_of_waits(void **state) {
    (void)state;
    size_t compared = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        char reasons[2][64];
        for (int late = 0; late < 2; late++) {
            dice_state = seed;
            struct plan *p = test_plan_new();
            for (size_t i = 0; i < 4; i++) {
                char name[16];
                (void)snprintf(name, sizeof name, "wait-%zu", i);
                struct step *s = test_step(p, name, STEP_WAIT);
                random_atom(&s->when);
                s->hold = dice(3 * SEC);
                s->within = 1 + dice(20 * SEC);
            }
            struct world *w = world_new(p);
            w->tick_late = late ? 100 * MSEC : 0;
            world_boot(w);
            world_run(w);
            STR_COPY(reasons[late], end_reason_name(w->finish.reason));
            world_free(w);
        }
        assert_string_equal(reasons[0], reasons[1]);
        compared++;
    }
    assert_int_equal(compared, 300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_random_plan_in_every_random_world_ends_well),
        cmocka_unit_test(late_ticks_change_the_times_in_the_log_but_not_the_outcome_of_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
