// SPDX-License-Identifier: PostgreSQL
// Traffic that is itself the fault: sessions of the application's role from the application's node, through the lab's network. Each
// mechanism is a process of ours that goes on until it is healed; verified out of band, on the server that is hit.
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/traffic/faults.h"

enum { SESSIONS_MAX = 1000 };
#define COUNT(name) "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" name "'"

static int check_node(const struct topology *t, const struct node_def *n, const setting_list *params, struct err *err) {
    (void)params;
    if (topology_count(t, SERVICE_APP) == 0)
        return err_set(err, EINVAL, "the traffic comes from the application's node, and this topology has none");
    return check_service_on(t, n, "postgres", err);
}

static void cancel(PGconn *c) {
    char why[256];
    PGcancel *handle = PQgetCancel(c);
    if (handle)
        (void)PQcancel(handle, why, sizeof why);
    PQfreeCancel(handle);
}

static void see_nobody(struct errand_io *io, const char *sql) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (errand_value_becomes(io, c, sql, "0", 10 * SEC, &v))
        errand_ok(io, usec_now(), "no session of ours is left on %s", io->node);
    else
        errand_no(io, "sessions of ours on %s: %s", io->node, strbuf_str(&v));
}

// ---- blocking_ddl --------------------------------------------------------------------------------------------------

#define DDL "bascule-ddl"

static void ddl(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql_app(io, DDL);
    cleanup_strbuf struct strbuf why = {0};
    if (!c)
        return;
    // A column with a constant default is added in an instant; the lock lasts until the transaction's end, which does not come.
    if (errand_exec(c, "SET lock_timeout = '10s'", &why) && errand_exec(c, "BEGIN", &why) &&
        errand_exec(c, "ALTER TABLE app.ledger ADD COLUMN migration int DEFAULT 0", &why)) {
        errand_ok(io, usec_now(), "ALTER TABLE app.ledger in an open transaction on %s, backend %d", io->node,
                  PQbackendPID(c));
        while (!errand_stopped(io, MINUTE))
            ;
        (void)errand_exec(c, "ROLLBACK", NULL);
    } else {
        errand_no(io, "%s", strbuf_str(&why));
    }
}

static void see_ddl(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (errand_value_becomes(
            io, c,
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name = '" DDL
            "' AND l.granted AND l.mode = 'AccessExclusiveLock' AND l.relation = 'app.ledger'::regclass",
            "1", 2 * SEC, &v)) {
        strbuf_clear(&v);
        (void)errand_value(c, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'app.ledger'::regclass",
                           &v);
        errand_ok(io, 0, "pg_locks: AccessExclusiveLock granted to us, %s wait", strbuf_str(&v));
    } else {
        errand_no(io, "pg_locks shows no AccessExclusiveLock of ours: %s", strbuf_str(&v));
    }
}

static void see_no_ddl(struct errand_io *io) {
    see_nobody(io, COUNT(DDL));
}

static void describe_ddl(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out,
                "# on the application's node, in a psql that stays open\npsql -h %s -U app app\n"
                "BEGIN; ALTER TABLE app.ledger ADD COLUMN migration int DEFAULT 0;\n",
                f->nodes[0]);
}

static const struct errand_ops ddl_errands = {.inject = {ERRAND_APP, ddl},
                                              .verify = {ERRAND_TARGETS, see_ddl},
                                              .verify_healed = {ERRAND_TARGETS, see_no_ddl},
                                              .holds = true};

const struct fault_ops traffic_blocking_ddl_fault = {
    .about = {.name = "traffic.blocking_ddl",
              .summary = "changes the application's table in a transaction that does not end"},
    .mechanism = "ALTER TABLE as the application's role, from its node, then silence; verified by the granted "
                 "AccessExclusiveLock in pg_locks. "
                 "Healed: ROLLBACK.",
    .still_works = "The cluster: Patroni, replication, other tables. Nobody reads or writes this table on the leader, "
                   "nor, once the lock has "
                   "been replayed, on a standby.",
    .exercises = "An outage with a green board; pg_blocking_pids; lock_timeout for migrations.",
    .needs = "nothing",
    .check_node = check_node,
    ERRAND_PHASES(ddl_errands),
    .describe = describe_ddl,
};

// ---- connection_storm ----------------------------------------------------------------------------------------------

#define STORM "bascule-storm"

static void storm(struct errand_io *io) {
    static PGconn *open[SESSIONS_MAX];
    int64_t wanted = errand_number(io, "connections"), n = 0;
    struct errand_io quiet = *io; // a refused session is no answer of ours
    quiet.told = true;
    wanted = wanted < SESSIONS_MAX ? wanted : SESSIONS_MAX;
    for (int64_t i = 0; i < wanted && !errand_stopped(io, 0); i++) {
        open[n] = errand_sql_app(&quiet, STORM);
        n += open[n] != NULL;
    }
    if (n > 0)
        errand_ok(io, usec_now(), "%" PRId64 " sessions opened with %s, %" PRId64 " refused", n, io->node, wanted - n);
    else
        errand_no(io, "not one session could be opened with %s", io->node);
    while (n > 0 && !errand_stopped(io, MINUTE))
        ;
    while (n > 0)
        PQfinish(open[--n]);
}

static void see_storm(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (errand_value(
            c,
            "SELECT CASE WHEN count(*) FILTER (WHERE application_name = '" STORM
            "') > 0 THEN count(*) FILTER (WHERE application_name = '" STORM
            "') || ' of ours, ' || count(*) || ' of max_connections ' || current_setting('max_connections') END"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'",
            &v) &&
        v.len)
        errand_ok(io, 0, "pg_stat_activity: %s", strbuf_str(&v));
    else
        errand_no(io, "pg_stat_activity shows no session of ours: %s", strbuf_str(&v));
}

static void see_no_storm(struct errand_io *io) {
    see_nobody(io, COUNT(STORM));
}

static void describe_storm(const struct fault *f, struct strbuf *out) {
    strbuf_addf(
        out,
        "# on the application's node\nfor i in $(seq %s); do psql -h %s -U app app -c 'select pg_sleep(60)' & done\n",
        fault_param(f, "connections"), f->nodes[0]);
}

static const struct errand_ops storm_errands = {.inject = {ERRAND_APP, storm},
                                                .verify = {ERRAND_TARGETS, see_storm},
                                                .verify_healed = {ERRAND_TARGETS, see_no_storm},
                                                .holds = true};
static const struct mechanism_param storm_params[] = {
    {"connections", "count", NULL, "150", "how many sessions are tried, at most 1000"}, {0}};

const struct fault_ops traffic_connection_storm_fault = {
    .about = {.name = "traffic.connection_storm",
              .summary = "opens sessions until the server takes no more",
              .params = storm_params},
    .mechanism = "Sessions of the application's role from its node, kept open and idle; verified by pg_stat_activity.",
    .still_works = "Sessions that are open. Superusers have reserved places (superuser_reserved_connections, 3): "
                   "Patroni gets in, mostly.",
    .exercises =
        "\"sorry, too many clients already\"; what a pooler is for; that a failover makes such a storm by itself.",
    .needs = "nothing",
    .check_node = check_node,
    ERRAND_PHASES(storm_errands),
    .describe = describe_storm,
    .patience = 30 * SEC,
};

// ---- slow_query ----------------------------------------------------------------------------------------------------

#define SLOW "bascule-slow"

static void slow(struct errand_io *io) {
    static PGconn *open[SESSIONS_MAX];
    int64_t wanted = errand_number(io, "sessions"), n = 0;
    wanted = wanted < SESSIONS_MAX ? wanted : SESSIONS_MAX;
    for (; n < wanted; n++) {
        open[n] = errand_sql_app(io, SLOW);
        if (!open[n])
            break;
        // Work for the processor, no disk: pairs of a series with itself, more than it can count in a day.
        (void)PQsendQuery(
            open[n],
            "SELECT count(*) FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b WHERE a + b = 0");
    }
    if (n == wanted)
        errand_ok(io, usec_now(), "%" PRId64 " queries sent to %s", n, io->node);
    while (n == wanted && !errand_stopped(io, MINUTE))
        ;
    while (n > 0) {
        cancel(open[--n]);
        PQfinish(open[n]);
    }
}

// For a second: a server that ends such queries (statement_timeout) does so late where the processors are short, by 0.2 s beside three labs.
static void see_slow(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (errand_value_becomes(io, c, COUNT(SLOW) " AND state = 'active' AND now() - query_start > '1 s'",
                             errand_param(io, "sessions"), 5 * SEC, &v))
        errand_ok(io, 0, "pg_stat_activity: %s active for more than 1 s", strbuf_str(&v));
    else
        errand_no(io, "pg_stat_activity: only %s active", strbuf_str(&v));
}

static void see_no_slow(struct errand_io *io) {
    see_nobody(io, COUNT(SLOW));
}

static void describe_slow(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out,
                "# on the application's node, %s times\npsql -h %s -U app app -c 'select count(*) from "
                "generate_series(1,1e7) a, generate_series(1,1e7) b'\n",
                fault_param(f, "sessions"), f->nodes[0]);
}

static const struct errand_ops slow_errands = {.inject = {ERRAND_APP, slow},
                                               .verify = {ERRAND_TARGETS, see_slow},
                                               .verify_healed = {ERRAND_TARGETS, see_no_slow},
                                               .holds = true};
static const struct mechanism_param slow_params[] = {{"sessions", "count", NULL, "2", "how many run at once"}, {0}};

const struct fault_ops traffic_slow_query_fault = {
    .about = {.name = "traffic.slow_query",
              .summary = "runs queries that need a processor each and do not end",
              .params = slow_params},
    .mechanism = "A join of two series as the application's role, from its node; verified by pg_stat_activity (active, "
                 "for how long). Healed: "
                 "cancelled.",
    .still_works = "Everything, slower: the processors are shared, by the whole lab on this host.",
    .exercises = "pg_stat_activity, statement_timeout; load as the reason of late Patroni loops.",
    .needs = "nothing",
    .check_node = check_node,
    ERRAND_PHASES(slow_errands),
    .describe = describe_slow,
};

// ---- bulk_load -----------------------------------------------------------------------------------------------------

#define BULK "bascule-bulk"

static void bulk(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql_app(io, BULK);
    cleanup_strbuf struct strbuf why = {0};
    int64_t rate = errand_number(io, "rate");
    if (!c)
        return;
    if (!errand_exec(c, "CREATE SCHEMA IF NOT EXISTS app", &why) ||
        !errand_exec(c, "CREATE TABLE IF NOT EXISTS app.bulk (n int, filler text)", &why)) {
        errand_no(io, "%s", strbuf_str(&why));
        return;
    }
    errand_ok(io, usec_now(), "rows are written on %s, %" PRId64 " kB/s", io->node, rate / 1024);
    // 10 pieces a second; a row is about 1 kB. What a piece takes longer than its turn is not made up for.
    cleanup_free char *sql =
        xasprintf("INSERT INTO app.bulk SELECT g, repeat('x', 1000) FROM generate_series(1, %" PRId64 ") g",
                  rate / 10240 > 0 ? rate / 10240 : 1);
    while (!errand_stopped(io, 100 * MSEC))
        if (!errand_exec(c, sql, NULL))
            return;
    (void)errand_exec(c, "SET lock_timeout = '2s'; DROP TABLE IF EXISTS app.bulk", NULL);
}

static void see_bulk(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 3 * SEC);
    cleanup_strbuf struct strbuf before = {0}, after = {0};
    if (!c)
        return;
    if (!errand_value(c, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn", &before) || errand_stopped(io, SEC) ||
        !errand_value(c, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn", &after)) {
        errand_no(io, "%s", strbuf_str(before.len ? &before : &after));
        return;
    }
    int64_t written = strtoll(strbuf_str(&after), NULL, 10) - strtoll(strbuf_str(&before), NULL, 10);
    int64_t wanted = errand_number(io, "rate") / 4; // the server may be slower than asked; a quarter is no accident
    if (written >= wanted)
        errand_ok(io, 0, "%" PRId64 " kB of WAL in a second", written / 1024);
    else
        errand_no(io, "only %" PRId64 " kB of WAL in a second", written / 1024);
}

static void see_no_bulk(struct errand_io *io) {
    see_nobody(io, COUNT(BULK));
}

static void describe_bulk(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out,
                "# on the application's node\npsql -h %s -U app app -c \"insert into app.bulk select g, repeat('x', "
                "1000) from generate_series(1, 1e6) g\"\n",
                f->nodes[0]);
}

static const struct errand_ops bulk_errands = {.inject = {ERRAND_APP, bulk},
                                               .verify = {ERRAND_TARGETS, see_bulk},
                                               .verify_healed = {ERRAND_TARGETS, see_no_bulk},
                                               .holds = true};
static const struct mechanism_param bulk_params[] = {
    {"rate", "size", NULL, "4MB", "bytes a second, as far as the server can"}, {0}};

const struct fault_ops traffic_bulk_load_fault = {
    .about = {.name = "traffic.bulk_load",
              .summary = "writes rows in bulk beside the application",
              .params = bulk_params},
    .mechanism = "INSERT ... SELECT into app.bulk, ten times a second, as the application's role from its node; "
                 "verified by the growth of the "
                 "WAL position. Healed: the table is dropped.",
    .still_works = "Everything; replicas and disk have more to do. storage: memory counts against the host's memory.",
    .exercises = "Lag by volume, checkpoints, slots that keep more WAL every minute.",
    .needs = "nothing",
    .check_node = check_node,
    ERRAND_PHASES(bulk_errands),
    .describe = describe_bulk,
};
