// SPDX-License-Identifier: PostgreSQL
// Operations wait in a queue for an idle connection. Every schedule becomes an operation, whether or not there is a connection:
// a stall hides nothing (checking: coordinated omission).
#include "lab/workload/app.h"

static usec_t due(const struct pool *p, uint64_t k) {
    return p->t0 + (usec_t)((double)k * p->period);
}

usec_t pool_due(const struct pool *p) {
    bool schedules = !p->app->stopping && p->period > 0 && p->t0 != USEC_NEVER;
    return schedules ? due(p, p->n_scheduled) : USEC_NEVER;
}

void pool_schedule(struct pool *p, usec_t now) {
    struct app *a = p->app;
    usec_t t = pool_due(p);
    if (p->kind == LEDGER_READ && !p->warm && now >= a->warm_until)
        p->warm = true; // a node that could not be read by now counts as not readable
    struct op op = {.id = p->kind == LEDGER_WRITE ? a->first_id + p->n_scheduled : 0,
                    .scheduled = t,
                    .counted = p->kind == LEDGER_WRITE || p->warm};
    p->n_scheduled++;
    VEC_PUSH(&p->queue, op);
    if (op.counted)
        report_scheduled(a, p->kind, t, now);
}

// From now on. t0 is moved so that the next operation keeps its number, which is its id; usec_t wraps, and wraps back in due().
void pool_set_rate(struct pool *p, double per_s, usec_t now) {
    p->period = per_s > 0 ? 1e6 / per_s : 0;
    if (p->t0 != USEC_NEVER)
        p->t0 = now - (usec_t)((double)p->n_scheduled * p->period);
}

size_t pool_usable(const struct pool *p) {
    size_t n = 0;
    VEC_FOREACH (&p->slots, s)
        n += (*s)->state == SLOT_IDLE || (*s)->state == SLOT_BUSY;
    return n;
}

bool pool_quiet(const struct pool *p) {
    VEC_FOREACH (&p->slots, s)
        if ((*s)->state == SLOT_BUSY)
            return false;
    return p->queue_at == p->queue.n;
}

static void sweep_dead(struct pool *p) {
    size_t kept = 0;
    VEC_FOREACH (&p->slots, s) {
        if ((*s)->state == SLOT_DEAD)
            free(*s);
        else
            p->slots.items[kept++] = *s;
    }
    p->slots.n = kept;
}

static void expire(struct pool *p, usec_t now) {
    VEC_FOREACH (&p->slots, it) {
        struct slot *s = *it;
        if (s->deadline > now)
            continue;
        if (s->state == SLOT_BUSY) {
            op_deadline(s, now);
        } else {
            struct pgconn_loss why = {.text = "no answer to the connection attempt"};
            attempt_failed(s, &why, now);
        }
    }
    while (p->queue_at < p->queue.n && p->queue.items[p->queue_at].scheduled + p->app->o->def.deadline <= now)
        op_unsent(p, &p->queue.items[p->queue_at++], now);
}

static struct slot *idle_slot(const struct pool *p) {
    VEC_FOREACH (&p->slots, s)
        if ((*s)->state == SLOT_IDLE)
            return *s;
    return NULL;
}

static void dispatch(struct pool *p, usec_t now) {
    while (p->queue_at < p->queue.n) {
        struct slot *s = idle_slot(p);
        if (!s)
            break;
        op_start(s, &p->queue.items[p->queue_at], now);
        if (s->state == SLOT_BUSY) // else the connection was dead: the operation stays at the head
            p->queue_at++;
    }
    if (p->queue_at == p->queue.n) {
        p->queue_at = p->queue.n = 0;
    } else if (p->queue_at >= 1024) {
        p->queue.n -= p->queue_at;
        memmove(p->queue.items, p->queue.items + p->queue_at, p->queue.n * sizeof *p->queue.items);
        p->queue_at = 0;
    }
}

void pool_work(struct pool *p, usec_t now) {
    expire(p, now);
    dispatch(p, now);
    sweep_dead(p);
    attempts_work(p, now);
}

static usec_t earlier(usec_t a, usec_t b) {
    return a < b ? a : b;
}

usec_t pool_next(const struct pool *p) {
    usec_t next = earlier(attempts_next(p), pool_due(p));
    if (p->queue_at < p->queue.n)
        next = earlier(next, p->queue.items[p->queue_at].scheduled + p->app->o->def.deadline);
    VEC_FOREACH (&p->slots, s)
        next = earlier(next, (*s)->deadline);
    return next;
}

void pool_done(struct pool *p) {
    VEC_FOREACH (&p->slots, s) {
        slot_kill(*s);
        free(*s);
    }
    VEC_DONE(&p->slots);
    VEC_DONE(&p->queue);
    VEC_DONE(&p->hosts);
}
