// SPDX-License-Identifier: PostgreSQL
// postgres.archive_failing: archive_command fails from now on. By ALTER SYSTEM: postgresql.auto.conf wins over what Patroni writes.
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/postgres/faults.h"

static void break_it(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 5 * SEC);
    cleanup_strbuf struct strbuf v = {0}, n = {0}, why = {0};
    if (!c)
        return;
    if (!errand_value(c, "SHOW archive_mode", &v) || str_eq(strbuf_str(&v), "off")) {
        errand_no(io,
                  "archive_mode is off on %s: nothing is archived that could fail (topology or `set`: "
                  "postgresql.archive_mode: on)",
                  io->node);
        return;
    }
    (void)errand_value(c, "SELECT failed_count FROM pg_stat_archiver", &n);
    errand_note(io, "failed", strbuf_str(&n));
    if (errand_exec(c, "ALTER SYSTEM SET archive_command = 'false'", &why) &&
        errand_exec(c, "SELECT pg_reload_conf()", &why))
        errand_ok(io, usec_now(), "archive_command = 'false' on %s", io->node);
    else
        errand_no(io, "%s", strbuf_str(&why));
}

// A segment is finished now, so that there is something to archive; the archiver is told at once.
static bool archiver_moves(const struct errand_io *io, PGconn *c, const char *sql, struct strbuf *v) {
    (void)errand_exec(c, "SELECT pg_logical_emit_message(false, 'bascule', 'x'), pg_switch_wal()", NULL);
    return errand_value_becomes(io, c, sql, "t", 12 * SEC, v);
}

static void see_failing(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql_primary(io, 5 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    const char *before = errand_noted(io, "failed");
    cleanup_free char *sql =
        xasprintf("SELECT failed_count > %s FROM pg_stat_archiver", before && *before ? before : "0");
    if (archiver_moves(io, c, sql, &v)) {
        strbuf_clear(&v);
        (void)errand_value(c, "SELECT failed_count || ' failures, last of ' || last_failed_wal FROM pg_stat_archiver",
                           &v);
        errand_ok(io, 0, "pg_stat_archiver: %s", strbuf_str(&v));
    } else {
        errand_no(io, "pg_stat_archiver shows no new failure");
    }
}

static void mend(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 5 * SEC);
    cleanup_strbuf struct strbuf why = {0};
    if (!c)
        return;
    if (errand_exec(c, "ALTER SYSTEM RESET archive_command", &why) && errand_exec(c, "SELECT pg_reload_conf()", &why))
        errand_ok(io, usec_now(), "archive_command as before");
    else
        errand_no(io, "%s", strbuf_str(&why));
}

static void see_archived(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 5 * SEC);
    cleanup_strbuf struct strbuf v = {0}, n = {0}, rec = {0};
    if (!c)
        return;
    if (errand_value(c, "SELECT pg_is_in_recovery()", &rec) && str_eq(strbuf_str(&rec), "t")) {
        errand_ok(io, 0, "%s is a standby now and archives nothing; its archive_command is as before", io->node);
        return;
    }
    (void)errand_value(c, "SELECT archived_count FROM pg_stat_archiver", &n);
    cleanup_free char *sql =
        xasprintf("SELECT archived_count > %s FROM pg_stat_archiver", n.len ? strbuf_str(&n) : "0");
    if (archiver_moves(io, c, sql, &v))
        errand_ok(io, usec_now(), "a segment was archived");
    else
        errand_no(io, "no segment was archived within 12 s (does archive_command work without the fault?)");
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    (void)params;
    for (size_t i = 0; i < t->postgresql.n; i++)
        if (str_eq(t->postgresql.items[i].key, "archive_mode") && !str_eq(t->postgresql.items[i].value, "off"))
            return 0;
    return err_set(
        err, EINVAL,
        "postgres.archive_failing needs an archive: set postgresql.archive_mode: on and postgresql.archive_command "
        "(`true` will do) in the scenario or with --set");
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out, "# in psql on %s\nALTER SYSTEM SET archive_command = 'false'; SELECT pg_reload_conf();\n",
                f->nodes[0]);
}

static const struct errand_ops errands = {.inject = {ERRAND_TARGETS, break_it},
                                          .verify = {ERRAND_TARGETS, see_failing},
                                          .heal = {ERRAND_TARGETS, mend},
                                          .verify_healed = {ERRAND_TARGETS, see_archived}};

const struct fault_ops postgres_archive_failing_fault = {
    .about = {.name = "postgres.archive_failing", .summary = "lets the archive command fail"},
    .mechanism = "ALTER SYSTEM SET archive_command = 'false'; verified by failed_count of pg_stat_archiver after a WAL "
                 "switch. Healed: reset; "
                 "verified by a segment that was archived.",
    .still_works = "Everything, until pg_wal has filled the disk: a segment that is not archived is not removed. "
                   "Backups end here.",
    .exercises = "pg_stat_archiver, archive_status/*.ready; a backup that can't be restored to today.",
    .needs = "nothing",
    .check = check,
    .check_node = check_runs_postgres,
    ERRAND_PHASES(errands),
    .describe = describe,
};
