// SPDX-License-Identifier: PostgreSQL
// postgres.promote: a replica is promoted behind Patroni's back. Patroni notices in its next loop and demotes it, but its WAL has left the
// cluster's history; pg_rewind may find nothing to do and leave it behind for good, hence healed by a fresh copy.
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/patroni/patroni.h"
#include "injector/postgres/faults.h"
#include "lab/node/places.h"

#define STREAMS "SELECT pg_is_in_recovery() AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming')"

static void promote(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 20 * SEC);
    cleanup_strbuf struct strbuf v = {0}, rec = {0};
    if (!c)
        return;
    if (!errand_value(c, "SELECT pg_is_in_recovery()", &rec) || !str_eq(strbuf_str(&rec), "t"))
        errand_no(io, "PostgreSQL on %s is no standby: there is nothing to promote", io->node);
    else if (!errand_value(c, "SELECT pg_promote(true, 15)", &v) || !str_eq(strbuf_str(&v), "t"))
        errand_no(io, "pg_promote: %s", strbuf_str(&v));
    else
        errand_ok(io, usec_now(), "pg_promote() on %s returned", io->node);
}

// A write of our own is the proof; should Patroni have been quicker, the server's log of it is the new timeline.
static void see_promoted(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 5 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (errand_value(c, "SELECT pg_is_in_recovery() || ' ' || pg_walfile_name(pg_current_wal_lsn())", &v) &&
        str_starts(strbuf_str(&v), "false"))
        errand_ok(io, 0, "not in recovery, writes WAL %s", strbuf_str(&v) + strlen("false "));
    else
        errand_no(io, "it is in recovery (again): %s", strbuf_str(&v));
}

static bool streams(const struct errand_io *io, usec_t within) {
    for (usec_t end = usec_now() + within;;) {
        struct errand_io quiet = *io; // its refusals are no answers of ours
        quiet.told = true;
        cleanup_pq PGconn *c = errand_sql(&quiet, "bascule-fault", 3 * SEC);
        cleanup_strbuf struct strbuf v = {0};
        if (c && errand_value(c, STREAMS, &v) && str_eq(strbuf_str(&v), "t"))
            return true;
        if (usec_now() >= end || errand_stopped(io, 200 * MSEC))
            return false;
    }
}

// Streaming may be an honest return (pg_rewind worked): then no copy is needed.
static void copy_anew(struct errand_io *io) {
    cleanup_strbuf struct strbuf answer = {0};
    if (streams(io, 0)) {
        errand_ok(io, usec_now(), "it streams already: Patroni brought it back");
        return;
    }
    int status = errand_http("POST", STACK_PATRONI_PORT, "/reinitialize", "{\"force\":true}", 15 * SEC, &answer);
    if (status == 200)
        errand_ok(io, usec_now(), "POST /reinitialize: %s", strbuf_str(&answer));
    else
        errand_no(io, "POST /reinitialize: HTTP %d %s", status, strbuf_str(&answer));
}

static void see_streaming(struct errand_io *io) {
    if (streams(io, 70 * SEC))
        errand_ok(io, usec_now(), "in recovery, streaming");
    else
        errand_no(io, "PostgreSQL on %s does not stream", io->node);
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    (void)params;
    return topology_count(t, SERVICE_POSTGRES) > 1
               ? 0
               : err_set(err, EINVAL, "postgres.promote needs a replica; this topology has none");
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out, "# in psql on %s\nSELECT pg_promote();\n", f->nodes[0]);
}

static const struct errand_ops errands = {.inject = {ERRAND_TARGETS, promote},
                                          .verify = {ERRAND_TARGETS, see_promoted},
                                          .heal = {ERRAND_TARGETS, copy_anew},
                                          .verify_healed = {ERRAND_TARGETS, see_streaming}};

const struct fault_ops postgres_promote_fault = {
    .about = {.name = "postgres.promote", .summary = "promotes a replica behind Patroni's back"},
    .mechanism = "pg_promote() over the node's socket; verified by pg_is_in_recovery and the timeline it writes. "
                 "Healed: a fresh copy by "
                 "POST /reinitialize, unless it streams already; verified by its WAL receiver.",
    .still_works = "The leader keeps its key and takes writes; so does the promoted one, until its Patroni looks at it "
                   "(loop_wait).",
    .exercises = "Two writable servers; who ends it and when; why pg_rewind may find nothing to do; which column tells "
                 "the truth.",
    .needs = "nothing",
    .check = check,
    .check_node = check_runs_postgres,
    ERRAND_PHASES(errands),
    .describe = describe,
    .patience = 80 * SEC,
};
