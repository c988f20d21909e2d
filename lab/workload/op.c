// SPDX-License-Identifier: PostgreSQL
// One operation on one connection, and the record of how it ended.
#include <stdio.h>

#include "lab/workload/app.h"

#define SQL_WRITE "INSERT INTO app.ledger (id, client, written_at) VALUES ($1, $2, clock_timestamp())"
#define SQL_READ  "SELECT max(id) FROM app.ledger"

void slot_kill(struct slot *s) {
    pgconn_close(s->pg);
    s->pg = NULL;
    s->state = SLOT_DEAD;
    s->deadline = USEC_NEVER;
}

static void record(struct pool *p, const struct op *op, enum op_end end, const char *sqlstate, uint8_t node,
                   uint8_t flags, usec_t now) {
    if (!op->counted) {
        if (end == OP_COMPLETED)
            p->warm = true;
        return;
    }
    struct ledger_record r = {.id = op->id,
                              .scheduled = op->scheduled,
                              .invoked = op->invoked,
                              .returned = now,
                              .op = p->kind,
                              .result = (uint8_t)classify_op(end, op->invoked != 0, sqlstate),
                              .node = node,
                              .phase = (uint8_t)classify_phase(end, op->invoked != 0),
                              .flags = flags};
    STR_COPY(r.sqlstate, sqlstate);
    app_schedule(p->app, now); // an answer that waited for us closes the buckets of what was due meanwhile
    report_finished(p->app, &r);
}

static void finish(struct slot *s, enum op_end end, const char *sqlstate, usec_t now) {
    if (!s->op_open)
        return;
    s->op_open = false;
    record(s->pool, &s->op, end, sqlstate, s->node, s->local_only ? LEDGER_FLAG_LOCAL_ONLY : 0, now);
}

static enum client_phase phase_of(const struct slot *s) {
    return s->pool->kind == LEDGER_READ ? CLIENT_PHASE_READ : CLIENT_PHASE_STATEMENT;
}

void op_unsent(struct pool *p, const struct op *op, usec_t now) {
    record(p, op, OP_DEADLINE, "", 0, 0, now);
}

void op_start(struct slot *s, const struct op *op, usec_t now) {
    struct app *a = s->pool->app;
    char id[24], client[12];
    const char *const params[] = {id, client};
    (void)snprintf(id, sizeof id, "%" PRIu64, op->id);
    (void)snprintf(client, sizeof client, "%u", s->number);
    s->state = SLOT_BUSY;
    s->op = *op;
    s->op.invoked = now;
    s->op_open = true;
    s->op_failed = s->local_only = false;
    s->op_sqlstate[0] = '\0';
    s->deadline = now + a->o->def.deadline;
    bool sent = s->pool->kind == LEDGER_WRITE ? pgconn_send(s->pg, SQL_WRITE, 2, params)
                                              : pgconn_send(s->pg, SQL_READ, 0, NULL);
    if (sent)
        return;
    // libpq had not even buffered it: the connection is gone and will say so. The operation goes back to the head of the queue
    // by not having been taken from it (pool.c).
    s->op_open = false;
    slot_kill(s);
}

void op_result(struct slot *s, const PGresult *r) {
    ExecStatusType st = PQresultStatus(r);
    if (st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK)
        return;
    s->op_failed = true;
    STR_COPY(s->op_sqlstate, pgconn_sqlstate(r));
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (s->op.counted)
        report_error(s->pool->app, s->host, phase_of(s), s->op_sqlstate, text ? text : "error");
}

void op_done(struct slot *s, usec_t now) {
    s->deadline = USEC_NEVER;
    s->state = SLOT_IDLE;
    if (!s->op_failed) {
        report_well(s->host);
        finish(s, OP_COMPLETED, "", now);
        return;
    }
    finish(s, OP_ERROR, s->op_sqlstate, now);
    if (classify_error_ends_connection(s->op_sqlstate))
        slot_kill(s);
}

void op_lost(struct slot *s, const struct pgconn_loss *why, usec_t now) {
    if (s->op_open) {
        if (s->op.counted)
            report_error(s->pool->app, s->host, phase_of(s), why->sqlstate, why->text);
        // An error answer that came before the end is the better witness: it may say that nothing was done.
        if (s->op_failed)
            finish(s, OP_ERROR, s->op_sqlstate, now);
        else
            finish(s, OP_LOST, why->sqlstate, now);
    }
    slot_kill(s);
}

void op_deadline(struct slot *s, usec_t now) {
    char text[64];
    (void)snprintf(text, sizeof text, "no answer within %" PRIu64 " ms", s->pool->app->o->def.deadline / MSEC);
    if (s->op.counted)
        report_error(s->pool->app, s->host, CLIENT_PHASE_TIMEOUT, "", text);
    finish(s, OP_DEADLINE, "", now);
    slot_kill(s); // half open or hanging: never used again, the answer may come any time
}
