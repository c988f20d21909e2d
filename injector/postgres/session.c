// SPDX-License-Identifier: PostgreSQL
// Faults that are an open session: a transaction left idle, which keeps its snapshot or a lock.
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/postgres/faults.h"

#define NAME "bascule-long-transaction"

static bool begin(PGconn *c, const char *lock, struct strbuf *why) {
    if (!errand_exec(c, "BEGIN ISOLATION LEVEL REPEATABLE READ", why))
        return false;
    if (str_eq(lock, "none")) // a snapshot alone: backend_xmin is held until the end
        return errand_exec(c, "SELECT count(*) FROM pg_class", why);
    cleanup_free char *sql =
        xasprintf("LOCK TABLE app.ledger IN %s MODE", str_eq(lock, "row")     ? "ROW EXCLUSIVE"
                                                      : str_eq(lock, "share") ? "SHARE"
                                                                              : "ACCESS EXCLUSIVE");
    return errand_exec(c, sql, why);
}

static void hold(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, NAME, 0);
    cleanup_strbuf struct strbuf why = {0};
    if (!c)
        return;
    // Waiting for the lock behind somebody else's for ever would be another fault.
    if (!errand_exec(c, "SET lock_timeout = '10s'", &why) || !begin(c, errand_param(io, "lock"), &why)) {
        errand_no(io, "%s", strbuf_str(&why));
        return;
    }
    errand_ok(io, usec_now(), "a transaction is open, lock: %s; backend %d", errand_param(io, "lock"), PQbackendPID(c));
    while (!errand_stopped(io, MINUTE))
        ;
}

static void see_open(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    bool snapshot = str_eq(errand_param(io, "lock"), "none");
    const char *sql =
        snapshot
            ? "SELECT state || ', backend_xmin ' || backend_xmin FROM pg_stat_activity WHERE application_name = '" NAME
              "' AND state = 'idle in transaction' AND backend_xmin IS NOT NULL"
            : "SELECT string_agg(l.mode || ' granted on ' || l.relation::regclass, ', ') FROM pg_locks l JOIN "
              "pg_stat_activity a USING (pid) WHERE a.application_name = '" NAME
              "' AND l.granted AND l.relation = 'app.ledger'::regclass";
    if (errand_value(c, sql, &v) && v.len)
        errand_ok(io, 0, "pg_stat_activity, pg_locks: %s", strbuf_str(&v));
    else
        errand_no(io, "no such transaction is seen: %s", strbuf_str(&v));
}

static void see_closed(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (errand_value_becomes(io, c, "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" NAME "'", "0",
                             10 * SEC, &v))
        errand_ok(io, usec_now(), "the session is gone");
    else
        errand_no(io, "sessions of ours are left: %s", strbuf_str(&v));
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t i = 0; i < f->n_nodes; i++)
        strbuf_addf(out, "# on %s, in a psql that stays open\nBEGIN ISOLATION LEVEL REPEATABLE READ; %s\n", f->nodes[i],
                    str_eq(fault_param(f, "lock"), "none") ? "SELECT 1;" : "LOCK TABLE app.ledger IN ... MODE;");
}

static const struct errand_ops errands = {.inject = {ERRAND_TARGETS, hold},
                                          .verify = {ERRAND_TARGETS, see_open},
                                          .verify_healed = {ERRAND_TARGETS, see_closed},
                                          .holds = true};
static const struct mechanism_param params[] = {{"lock", "word", "none|row|share|exclusive", "none",
                                                 "none: only its snapshot; else a lock on the application's table: row "
                                                 "(ROW EXCLUSIVE), share, exclusive (ACCESS EXCLUSIVE)"},
                                                {0}};

const struct fault_ops postgres_long_transaction_fault = {
    .about = {.name = "postgres.long_transaction",
              .summary = "leaves a transaction open, with its snapshot or a lock",
              .params = params},
    .mechanism = "A superuser's session over the node's socket: BEGIN ISOLATION LEVEL REPEATABLE READ, a query or LOCK "
                 "TABLE, and nothing more. "
                 "Verified in pg_stat_activity or pg_locks.",
    .still_works = "With the snapshot alone everything works; vacuum removes nothing that is younger. SHARE lets reads "
                   "pass, ROW EXCLUSIVE "
                   "reads and writes, ACCESS EXCLUSIVE nothing.",
    .exercises =
        "\"idle in transaction\"; who blocks whom (pg_blocking_pids); why a monitor of the cluster shows green.",
    .needs = "nothing",
    .check_node = check_runs_postgres,
    ERRAND_PHASES(errands),
    .describe = describe,
};
