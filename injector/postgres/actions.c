// SPDX-License-Identifier: PostgreSQL
// What somebody does in psql, and should not have.
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/postgres/faults.h"

// Whoever cancels a wait for a synchronous standby gets a WARNING, and the client an acknowledged commit (src/backend/replication/syncrep.c).
static void cancel_sync_wait(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql_primary(io, 5 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    for (usec_t end = usec_now() + 5 * SEC; usec_now() < end && !errand_stopped(io, 20 * MSEC);) {
        strbuf_clear(&v);
        if (!errand_value(c,
                          "SELECT count(*) FILTER (WHERE pg_cancel_backend(pid)) FROM pg_stat_activity"
                          " WHERE wait_event = 'SyncRep' AND application_name = 'bascule-app'",
                          &v)) {
            errand_no(io, "%s", strbuf_str(&v));
            return;
        }
        if (!str_eq(strbuf_str(&v), "0")) {
            errand_ok(io, usec_now(), "pg_cancel_backend() for %s backends that waited in SyncRep on %s",
                      strbuf_str(&v), io->node);
            return;
        }
    }
    errand_no(io, "nobody waits in SyncRep on %s: there is nothing to cancel", io->node);
}

static void pause_replay(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 5 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (!errand_exec(c, "SELECT pg_wal_replay_pause()", &v))
        errand_no(io, "%s", strbuf_str(&v));
    else if (errand_value_becomes(io, c, "SELECT pg_get_wal_replay_pause_state()", "paused", 5 * SEC, &v))
        errand_ok(io, usec_now(), "replay is paused on %s; Patroni resumes it in its next loop", io->node);
    else
        errand_no(io, "replay is %s", strbuf_str(&v));
}

static const struct action_row rows[] = {
    {.about = {.name = "postgres.cancel_sync_wait",
               .action = true,
               .no_target = true,
               .summary = "cancels the application's commits that wait for a synchronous standby"},
     .how = "pg_cancel_backend() on the primary for backends in wait_event SyncRep: what a driver's query timeout or "
            "Ctrl-C does. The client "
            "is told that it is committed, with a WARNING.",
     .check = check_postgres_somewhere,
     .errand = {ERRAND_PRIMARY, cancel_sync_wait}},
    {.about = {.name = "postgres.pause_replay", .action = true, .summary = "pauses WAL replay on a standby"},
     .how = "pg_wal_replay_pause(). It does not last: on PostgreSQL 14 and later Patroni resumes it in its next loop. "
            "For a lag that lasts use "
            "process.pause on the startup process.",
     .check_node = check_runs_postgres,
     .errand = {ERRAND_TARGETS, pause_replay}},
};
const struct action_table postgres_actions = {rows, ARRAY_SIZE(rows)};
