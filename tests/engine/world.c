// SPDX-License-Identifier: PostgreSQL
// Time goes from one thing to the next: the earliest of the queue and the engine's deadline. After every call the world
// checks what must always be true of the engine: a deadline lies in the future, and nothing comes after the finish.
#include "tests/engine/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka wants these first
#include <cmocka.h>

static const char *const names[] = {"n1", "n2", "n3"};
static const usec_t probe = 50 * MSEC; // how late the observer sees something

static int index_of(const char *node) {
    for (int i = 0; i < 3; i++)
        if (str_eq(names[i], node))
            return i;
    return -1;
}

struct world *world_new(struct plan *plan) {
    struct world *w = xcalloc(1, sizeof *w);
    w->plan = plan;
    w->engine = engine_new(plan);
    w->leader = w->writer = -1;
    w->ttl = 20 * SEC;
    w->loop_wait = 5 * SEC;
    w->manners = (struct manners){.verify_after = 200 * MSEC, .heal_after = 300 * MSEC, .heal_verify = 100 * MSEC};
    w->action_after = 2 * SEC;
    w->random = plan->seed * UINT64_C(2862933555777941757) + 3037000493;
    return w;
}

void world_free(struct world *w) {
    engine_free(w->engine);
    test_plan_free(w->plan);
    VEC_DONE(&w->queue);
    VEC_DONE(&w->faults);
    VEC_DONE(&w->records);
    VEC_DONE(&w->actions);
    free(w);
}

uint64_t world_random(struct world *w, uint64_t below) { // Knuth's MMIX generator; its high bits
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return below ? (w->random >> 33) % below : 0;
}

struct world_fault *world_fault(const struct world *w, const char *id) {
    for (size_t i = 0; i < w->faults.n; i++)
        if (str_eq(w->faults.items[i].id, id))
            return &w->faults.items[i];
    return NULL;
}

// ---- the queue -----------------------------------------------------------------------------------------------------
static struct world_item *enqueue(struct world *w, usec_t t) {
    struct world_item *item = VEC_ADD(&w->queue);
    item->t = t > w->now ? t : w->now;
    item->seq = w->seq++;
    return item;
}

void world_at(struct world *w, usec_t t, struct event ev) {
    struct world_item *item = enqueue(w, t);
    ev.t = item->t;
    item->ev = ev;
}

void world_call(struct world *w, usec_t t, void (*call)(struct world *w, const char *node), const char *node) {
    struct world_item *item = enqueue(w, t);
    item->call = call;
    STR_COPY(item->node, node);
}

static size_t next_item(const struct world *w) {
    size_t best = 0;
    for (size_t i = 1; i < w->queue.n; i++) {
        const struct world_item *a = &w->queue.items[i], *b = &w->queue.items[best];
        if (a->t < b->t || (a->t == b->t && a->seq < b->seq))
            best = i;
    }
    return best;
}

// ---- effects -------------------------------------------------------------------------------------------------------
static void answer(struct world *w, usec_t t, const char *id, const char *phase) {
    char detail[80];
    (void)snprintf(detail, sizeof detail, "%s says %s", id, phase);
    world_at(w, t, ev_fault(0, id, phase, detail));
}

static void on_inject(struct world *w, const struct effect *e) {
    struct world_fault *f = world_fault(w, e->id);
    if (!f) {
        f = VEC_ADD(&w->faults);
        STR_COPY(f->id, e->id);
    }
    f->injects++;
    f->injected = w->now;
    f->manners = w->manners;
    memcpy(f->nodes, e->nodes, sizeof f->nodes);
    f->n_nodes = e->n_nodes;
    STR_COPY(f->mechanism, e->step->mechanism);
    if (f->manners.mute_inject)
        return;
    answer(w, w->now, e->id, "asked");
    if (f->manners.failed) {
        answer(w, w->now + f->manners.verify_after, e->id, "failed");
        return;
    }
    for (size_t i = 0; i < e->n_nodes && str_eq(f->mechanism, "node.power_off"); i++)
        world_call(w, w->now, world_power_off, e->nodes[i]);
    answer(w, w->now, e->id, "effective");
    answer(w, w->now + f->manners.verify_after, e->id, f->manners.unverified ? "unverified" : "verified");
}

static void on_heal(struct world *w, const struct effect *e) {
    struct world_fault *f = world_fault(w, e->id);
    if (!f) // by hand
        f = VEC_ADD(&w->faults);
    STR_COPY(f->id, e->id);
    f->heals++;
    f->heal_asked = w->now;
    if (f->manners.mute_heal)
        return;
    usec_t healed = w->now + f->manners.heal_after;
    answer(w, w->now, e->id, "heal_asked");
    if (f->manners.heal_failed) {
        answer(w, healed, e->id, "failed");
        return;
    }
    for (size_t i = 0; i < f->n_nodes && str_eq(f->mechanism, "node.power_off"); i++)
        world_call(w, healed, world_power_on, f->nodes[i]);
    f->gone = true;
    answer(w, healed, e->id, "healed");
    if (!f->manners.no_heal_verify)
        answer(w, healed + f->manners.heal_verify, e->id,
               f->manners.heal_unverified ? "heal_unverified" : "heal_verified");
}

static void switch_over(struct world *w, const char *node) {
    (void)node;
    world_move_leader(w, w->leader == 1 ? "n1" : "n2");
}

static void on_action(struct world *w, const struct effect *e) {
    VEC_PUSH(&w->actions, *e);
    if (w->mute_actions)
        return;
    world_at(w, w->now, ev_action(0, e->id, "asked", ""));
    if (w->fail_actions) {
        world_at(w, w->now + w->action_after, ev_action(0, e->id, "failed", "Patroni refused"));
        return;
    }
    if (str_eq(e->step->mechanism, "cluster.switchover"))
        world_call(w, w->now + w->action_after / 2, switch_over, "");
    world_at(w, w->now + w->action_after, ev_action(0, e->id, "done", "done by Patroni"));
}

static void carry_out(struct world *w, const struct effect *e) {
    if (w->finished)
        fail_msg("effect %d of '%s' after the finish", (int)e->kind, e->id);
    switch (e->kind) {
    case EFFECT_RECORD:
        assert_true(e->event.kind == EVENT_STEP || e->event.kind == EVENT_STEP_NEXT);
        assert_int_equal(e->event.t, w->now);
        if (e->event.kind == EVENT_STEP)
            VEC_PUSH(&w->records, e->event);
        else
            w->next = e->event;
        world_at(w, w->now, e->event); // as the supervisor does: what is logged is fed back
        break;
    case EFFECT_INJECT:
        on_inject(w, e);
        break;
    case EFFECT_HEAL:
        on_heal(w, e);
        break;
    case EFFECT_ACTION:
        on_action(w, e);
        break;
    case EFFECT_FINISH:
        w->finished = true;
        w->finished_at = w->now;
        w->finish = *e;
        break;
    }
}

static void after_call(struct world *w, effect_list *out) {
    for (size_t i = 0; i < out->n; i++)
        carry_out(w, &out->items[i]);
    VEC_DONE(out);
    w->steps++;
    usec_t d = engine_deadline(w->engine);
    if (d <= w->now)
        fail_msg("the deadline %" PRIu64 " is not after now, %" PRIu64, d, w->now);
    assert_int_equal(engine_finished(w->engine), w->finished);
    char line[200];
    assert_true(*engine_waiting_for(w->engine, line, sizeof line) != '\0');
}

void world_feed(struct world *w, const struct event *ev) {
    effect_list out = {0};
    engine_step(w->engine, ev, &out);
    after_call(w, &out);
}

void world_abort(struct world *w, const char *reason, const char *detail) {
    effect_list out = {0};
    engine_abort(w->engine, w->now, end_reason_from(reason), detail, &out);
    after_call(w, &out);
}

// ---- the cluster ---------------------------------------------------------------------------------------------------
static void emit_etcd(struct world *w) {
    int first = -1;
    size_t up = 0;
    if (w->claimed)
        return;
    for (int i = 0; i < 3; i++)
        up += w->on[i];
    for (int i = 2; i >= 0; i--)
        first = w->on[i] ? i : first;
    for (int i = 0; i < 3; i++) {
        char id[8], leader[8];
        (void)snprintf(id, sizeof id, "a%d", i + 1);
        (void)snprintf(leader, sizeof leader, "a%d", first + 1);
        world_at(w, w->now + probe,
                 w->on[i] ? ev_etcd(0, names[i], id, up > 1 ? leader : "0", 2) : ev_etcd_silent(0, names[i]));
    }
}

static void emit_standbys(struct world *w, usec_t after) {
    for (int i = 0; i < 3 && w->writer >= 0; i++) {
        if (i == w->writer || !w->on[i])
            continue;
        world_at(w, w->now + after, ev_sql_standby(0, names[i], 0x5000000));
        world_at(w, w->now + after, ev_row(0, names[w->writer], names[i], "streaming", "async", 0));
    }
}

static void promote(struct world *w, const char *node) {
    w->writer = index_of(node);
    world_at(w, w->now, ev_sql_leader(0, node, 0x5000000));
    if (w->claimed)
        world_at(w, w->now + 300 * MSEC, ev_manager(0, node, "fakeha", "leader"));
    emit_standbys(w, 1 * SEC);
}

void world_move_leader(struct world *w, const char *node) {
    if (w->writer >= 0 && w->on[w->writer]) {
        world_at(w, w->now, ev_sql_standby(0, names[w->writer], 0x5000000));
        if (w->claimed)
            world_at(w, w->now, ev_manager(0, names[w->writer], "fakeha", "replica"));
    }
    w->writer = -1;
    w->leader = index_of(node);
    w->renewed = w->now;
    if (!w->claimed) {
        world_at(w, w->now, ev_key(0, "leader", node));
        world_at(w, w->now, ev_lease(0, w->now, (int64_t)(w->ttl / SEC)));
    }
    world_call(w, w->now + 500 * MSEC, promote, node);
}

static void elect(struct world *w, const char *node) {
    (void)node;
    size_t up = 0;
    int next = -1;
    for (int i = 2; i >= 0; i--) {
        up += w->on[i];
        next = w->on[i] ? i : next;
    }
    if (w->leader < 0 && next >= 0 && (up > 1 || w->claimed)) // with every machine off nobody can claim
        world_move_leader(w, names[next]);
}

static void renew(struct world *w, const char *node) {
    (void)node;
    if (w->leader >= 0 && w->on[w->leader]) {
        w->renewed = w->now;
        if (!w->claimed)
            world_at(w, w->now, ev_lease(0, w->now, (int64_t)(w->ttl / SEC)));
    } else if (w->leader >= 0 && w->now >= w->renewed + w->ttl) {
        w->leader = -1;
        if (!w->claimed)
            world_at(w, w->now, ev_key_gone(0, "leader"));
        world_call(w, w->now + 200 * MSEC, elect, "");
    }
    usec_t again = w->now + w->loop_wait, expires = w->renewed + w->ttl;
    bool dying = w->leader >= 0 && !w->on[w->leader] && expires > w->now && expires < again;
    if (!w->finished)
        world_call(w, dying ? expires : again, renew, "");
}

void world_power_off(struct world *w, const char *node) {
    int i = index_of(node);
    world_at(w, w->now, ev_power(0, node, false));
    if (i < 0 || !w->on[i])
        return;
    w->on[i] = false;
    if (w->writer == i)
        w->writer = -1;
    world_at(w, w->now + 2 * SEC, ev_sql_silent(0, node, "no answer for 2 s"));
    emit_etcd(w);
}

static void join(struct world *w, const char *node) {
    char key[EVENT_NAME_MAX];
    (void)snprintf(key, sizeof key, "members/%s", node);
    world_at(w, w->now, w->claimed ? ev_manager(0, node, "fakeha", "replica") : ev_key(0, key, "{}"));
    elect(w, ""); // when there was no quorum, nobody could be elected until now
    emit_standbys(w, 1 * SEC);
}

void world_power_on(struct world *w, const char *node) {
    int i = index_of(node);
    world_at(w, w->now, ev_power(0, node, true));
    if (i < 0 || w->on[i])
        return;
    w->on[i] = true;
    emit_etcd(w);
    world_call(w, w->now + 2 * SEC, join, node);
}

static void tick(struct world *w, const char *node) {
    (void)node;
    bool ok = w->writer >= 0;
    if (!w->no_ticks)
        world_at(w, w->now, ev_tick(w->now - 100 * MSEC, ok ? 10 : 0, ok ? 0 : 10, ok ? 3 : 0, ok ? 0 : 3));
    if (!w->finished)
        world_call(w, w->now + 100 * MSEC, tick, "");
}

void world_boot(struct world *w) {
    if (w->claimed)
        world_at(w, 0, ev_begin("fakeha"));
    world_at(w, 0, ev_node("app", false, false, true));
    world_at(w, 0, ev_power(0, "app", true));
    if (!w->claimed)
        world_at(w, 0, ev_config(0, "patroni.ttl", "30"));
    for (int i = 0; i < 3; i++) {
        world_at(w, 0, ev_node(names[i], true, !w->claimed, false));
        world_call(w, 0, world_power_on,
                   names[i]); // each joins at 2 s; the first two elect, promotion and streaming follow
    }
    world_call(w, 3 * SEC, tick, "");
    world_call(w, 5 * SEC, renew, "");
}

// ---- time ----------------------------------------------------------------------------------------------------------
// The engine is called at its deadline even when it is late: the tick then carries the time at which it was delivered.
static void engine_tick(struct world *w, usec_t due) {
    size_t records = w->records.n;
    w->now = due + (w->tick_late ? world_random(w, w->tick_late) : 0);
    if (w->now > w->end)
        w->now = w->end;
    struct event ev = ev_clock(w->now);
    world_feed(w, &ev);
    if (w->records.n == records && engine_deadline(w->engine) == due)
        fail_msg("a tick at %" PRIu64 " changed nothing", due);
}

static bool world_once(struct world *w) {
    usec_t deadline = engine_deadline(w->engine);
    size_t i = next_item(w);
    usec_t next = w->queue.n ? w->queue.items[i].t : USEC_NEVER;
    if ((deadline < next ? deadline : next) > w->end)
        return false;
    if (deadline < next) {
        engine_tick(w, deadline);
        return true;
    }
    struct world_item item = w->queue.items[i];
    w->queue.items[i] = w->queue.items[--w->queue.n];
    w->now = item.t > w->now ? item.t : w->now;
    if (item.call) {
        item.call(w, item.node);
    } else {
        item.ev.t = w->now;
        world_feed(w, &item.ev);
    }
    return true;
}

bool world_step_until(struct world *w, bool (*predicate)(const struct world *w), usec_t max) {
    w->end = w->now + max;
    while (!predicate(w))
        if (!world_once(w)) {
            w->now = w->end;
            return predicate(w);
        }
    return true;
}

bool world_finished(const struct world *w) {
    return w->finished;
}

static bool never(const struct world *w) {
    (void)w;
    return false;
}

void world_pass(struct world *w, usec_t time) {
    (void)world_step_until(w, never, time);
}

void world_run(struct world *w) {
    if (world_step_until(w, world_finished, 60 * MINUTE))
        return;
    world_print(w);
    fail_msg("not finished within an hour");
}

// ---- the log of steps ----------------------------------------------------------------------------------------------
static const struct event *find_record(const struct world *w, const char *name, const char *state) {
    for (size_t i = 0; i < w->records.n; i++)
        if (str_eq(w->records.items[i].u.STEP.name, name) &&
            w->records.items[i].u.STEP.state == step_status_from(state))
            return &w->records.items[i];
    return NULL;
}

usec_t world_when(const struct world *w, const char *name, const char *state) {
    const struct event *ev = find_record(w, name, state);
    return ev ? ev->t : USEC_NEVER;
}

const char *world_detail(const struct world *w, const char *name, const char *state) {
    const struct event *ev = find_record(w, name, state);
    return ev ? ev->u.STEP.detail : "";
}

void world_print(const struct world *w) {
    for (size_t i = 0; i < w->records.n; i++) {
        const struct event *ev = &w->records.items[i];
        print_message("%10.6f %-20s %-8s %s\n", (double)ev->t / 1e6, ev->u.STEP.name,
                      step_status_name(ev->u.STEP.state), ev->u.STEP.detail);
    }
    char line[200];
    print_message("%10.6f %s\n", (double)w->now / 1e6, engine_waiting_for(w->engine, line, sizeof line));
    if (w->finished)
        print_message("%10.6f finish: %s: %s\n", (double)w->finished_at / 1e6, end_reason_name(w->finish.reason),
                      w->finish.detail);
}

// ---- for the tests ---------------------------------------------------------------------------------------------------

struct world *world_booted(struct plan *p) {
    struct world *w = world_new(p);
    world_boot(w);
    return w;
}

bool world_has_begun(const struct world *w) {
    return world_when(w, "begin", "started") != USEC_NEVER;
}

struct world *world_begun(struct plan *p) {
    return world_begins(world_booted(p));
}

struct world *world_begins(struct world *w) {
    if (!world_step_until(w, world_has_begun, MINUTE)) {
        world_print(w);
        fail_msg("the scenario did not begin");
    }
    return w;
}

void assert_reason(const struct world *w, const char *reason) {
    if (w->finish.reason != end_reason_from(reason)) {
        world_print(w);
        fail_msg("finished as '%s', not as '%s'", end_reason_name(w->finish.reason), reason);
    }
}

void assert_has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("'%s' does not say '%s'", text, part);
}

void assert_all_healed(const struct world *w) {
    for (size_t i = 0; i < w->faults.n; i++)
        assert_int_equal(w->faults.items[i].heals, 1);
}
