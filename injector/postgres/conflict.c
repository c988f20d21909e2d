// SPDX-License-Identifier: PostgreSQL
// postgres.recovery_conflict: a long query on a standby needs rows that the primary has thrown away.
//   on the standby: BEGIN REPEATABLE READ, a query, and its snapshot is kept -> on the primary: rows are deleted and vacuumed -> replay of
//   that vacuum has to wait for the snapshot, or to cancel it (max_standby_streaming_delay)
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/postgres/faults.h"

#define NAME "bascule-recovery-conflict"
// The startup process says in wait_event what it waits for; the counters say how often it has cancelled somebody.
#define WAITS                                                                                                          \
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event LIKE 'RecoveryConflict%'"
#define CANCELLED "SELECT confl_snapshot FROM pg_stat_database_conflicts WHERE datname = current_database()"

static void hold(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, NAME, 0);
    cleanup_strbuf struct strbuf why = {0}, n = {0};
    if (!c)
        return;
    if (!errand_value(c, CANCELLED, &n)) {
        errand_no(io, "%s", strbuf_str(&n));
        return;
    }
    errand_note(io, "cancelled", strbuf_str(&n));
    if (!errand_exec(c, "BEGIN ISOLATION LEVEL REPEATABLE READ", &why) ||
        !errand_exec(c, "SELECT count(*) FROM pg_class", &why)) {
        errand_no(io, "%s", strbuf_str(&why));
        return;
    }
    errand_ok(io, usec_now(), "a snapshot is kept on %s", io->node);
    // A query every second, as a report would run them; the conflict ends the session's transaction, and that is the end of it.
    while (!errand_stopped(io, SEC))
        if (!errand_exec(c, "SELECT count(*) FROM pg_class", &why))
            return;
}

static bool vacuum(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql_primary(io, 10 * SEC);
    cleanup_strbuf struct strbuf why = {0};
    static const char *const sql[] = {"SET synchronous_commit = local",
                                      "CREATE SCHEMA IF NOT EXISTS bascule",
                                      "CREATE TABLE IF NOT EXISTS bascule.conflict (n int)",
                                      "INSERT INTO bascule.conflict SELECT generate_series(1, 1000)",
                                      "DELETE FROM bascule.conflict",
                                      "VACUUM bascule.conflict"};
    if (!c)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(sql); i++)
        if (!errand_exec(c, sql[i], &why)) {
            errand_no(io, "%s: %s", sql[i], strbuf_str(&why));
            return false;
        }
    return true;
}

static bool in_conflict(PGconn *c, const char *before, struct strbuf *text) {
    cleanup_strbuf struct strbuf waits = {0}, n = {0};
    bool ok = errand_value(c, WAITS, &waits) && errand_value(c, CANCELLED, &n);
    if (ok && str_eq(strbuf_str(&waits), "1"))
        strbuf_add(text, "the startup process waits for our snapshot (RecoveryConflict)");
    else if (ok && before && !str_eq(strbuf_str(&n), before))
        strbuf_addf(text, "confl_snapshot was %s and is %s: our query was cancelled", before, strbuf_str(&n));
    return text->len > 0;
}

// After the held session has its snapshot, on whichever node is the primary.
static void make_conflict(struct errand_io *io) {
    if (vacuum(io))
        errand_ok(io, usec_now(), "1000 rows deleted and vacuumed on %s", io->node);
}

static void see_conflict(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf text = {0};
    if (!c)
        return;
    for (usec_t end = usec_now() + 12 * SEC; usec_now() < end && !errand_stopped(io, 50 * MSEC);)
        if (in_conflict(c, errand_noted(io, "cancelled"), &text)) {
            errand_ok(io, 0, "%s", strbuf_str(&text));
            return;
        }
    errand_no(io, "no conflict is seen on %s", io->node);
}

static void see_none(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (errand_value_becomes(io, c, WAITS, "0", 10 * SEC, &v))
        errand_ok(io, usec_now(), "replay waits for nobody");
    else
        errand_no(io, "replay still waits: %s", strbuf_str(&v));
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    (void)params;
    return topology_count(t, SERVICE_POSTGRES) > 1
               ? 0
               : err_set(err, EINVAL, "postgres.recovery_conflict needs a replica; this topology has none");
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_addf(
        out,
        "# on %s, in a psql that stays open\nBEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class;\n"
        "# on the leader\nCREATE TABLE c AS SELECT generate_series(1, 1000); DELETE FROM c; VACUUM c;\n",
        f->nodes[0]);
}

static const struct errand_ops errands = {.inject = {ERRAND_TARGETS, hold},
                                          .verify = {ERRAND_TARGETS, see_conflict},
                                          .verify_healed = {ERRAND_TARGETS, see_none},
                                          .holds = true,
                                          .then = {ERRAND_PRIMARY, make_conflict}};

const struct fault_ops postgres_recovery_conflict_fault = {
    .about = {.name = "postgres.recovery_conflict",
              .summary = "keeps a snapshot on a standby that needs rows the leader has removed"},
    .mechanism =
        "A REPEATABLE READ transaction on the standby, then DELETE and VACUUM of a table of our own on the primary; "
        "verified by the "
        "startup process waiting (RecoveryConflictSnapshot) or pg_stat_database_conflicts. Healed: the session ends.",
    .still_works = "The leader and the other standbys. On this one replay stands still for up to "
                   "max_standby_streaming_delay (30 s), then "
                   "the query is cancelled.",
    .exercises = "Replay lag without a fault of the network; who should wait, query or replay; hot_standby_feedback "
                 "and its price.",
    .needs = "nothing",
    .check = check,
    .check_node = check_runs_postgres,
    ERRAND_PHASES(errands),
    .describe = describe,
    .patience = 25 * SEC,
};
