// SPDX-License-Identifier: PostgreSQL
#include "lab/observe/sql_row.h"

#include <stdlib.h>

// The timeline of a primary is that of the WAL file it writes: pg_control_checkpoint() shows the old one until the next
// checkpoint. On a standby it is what its WAL receiver received; without a receiver the control file's word, which may be older
// (sql.c keeps the highest seen on a connection). pg_walfile_name fails in recovery, hence CASE.
const char *const SQL_ROLE =
    "SELECT r, CASE WHEN r THEN coalesce((SELECT received_tli FROM pg_stat_get_wal_receiver()),"
    " (SELECT greatest(c.timeline_id, m.min_recovery_end_timeline) FROM pg_control_checkpoint() c, "
    "pg_control_recovery() m))"
    " ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,"
    " CASE WHEN r THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,"
    " CASE WHEN r THEN pg_last_wal_replay_lsn() END, to_regclass('bascule.probe') IS NOT NULL"
    " FROM (SELECT pg_is_in_recovery() OFFSET 0) AS s(r)";

// One string is one transaction. The fill factor leaves room for HOT updates: the table never grows and no index changes.
const char *const SQL_WRITE_SETUP =
    "CREATE SCHEMA IF NOT EXISTS bascule;"
    "CREATE TABLE IF NOT EXISTS bascule.probe (id int PRIMARY KEY, n bigint NOT NULL, at timestamptz NOT NULL)"
    " WITH (fillfactor = 10);"
    "COMMENT ON SCHEMA bascule IS 'written by the lab''s observer to see whether this server acknowledges writes';"
    "INSERT INTO bascule.probe VALUES (1, 0, clock_timestamp()) ON CONFLICT DO NOTHING";
const char *const SQL_WRITE = "UPDATE bascule.probe SET n = n + 1, at = clock_timestamp() WHERE id = 1";

const char *const SQL_REPLICATION =
    "SELECT 'r', application_name, state, sync_state, sent_lsn, flush_lsn, replay_lsn,"
    " pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint FROM pg_stat_replication"
    " UNION ALL SELECT 's', slot_name, CASE WHEN active THEN 'active' ELSE '' END, '', restart_lsn, NULL, NULL,"
    " pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots";

static bool truth(const PGresult *r, int row, int col) {
    return PQgetvalue(r, row, col)[0] == 't';
}

static lsn_t position(const PGresult *r, int row, int col) {
    lsn_t lsn = 0;
    (void)lsn_parse(PQgetvalue(r, row, col), &lsn); // NULL is "" and stays 0
    return lsn;
}

bool sql_row_read(const PGresult *r, struct sql_row *ret) {
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1 || PQnfields(r) != 5)
        return false;
    *ret = (struct sql_row){.in_recovery = truth(r, 0, 0),
                            .timeline = strtoll(PQgetvalue(r, 0, 1), NULL, 10),
                            .lsn = position(r, 0, 2),
                            .replayed = position(r, 0, 3),
                            .has_table = truth(r, 0, 4)};
    return true;
}

bool repl_row_read(const PGresult *r, int row, struct repl_row *ret) {
    if (PQnfields(r) != 8 || row >= PQntuples(r))
        return false;
    *ret = (struct repl_row){.slot = PQgetvalue(r, row, 0)[0] == 's',
                             .sent = position(r, row, 4),
                             .flushed = position(r, row, 5),
                             .replayed = position(r, row, 6),
                             .bytes = strtoll(PQgetvalue(r, row, 7), NULL, 10)};
    STR_COPY(ret->name, PQgetvalue(r, row, 1));
    STR_COPY(ret->state, PQgetvalue(r, row, 2));
    STR_COPY(ret->sync_state, PQgetvalue(r, row, 3));
    return true;
}

void sql_explain(const char *text, char *ret, size_t size) {
    const char *said = text;
    if (strstr(text, "No such file or directory"))
        said = "no server (no socket)";
    else if (strstr(text, "Connection refused"))
        said = "refused: no server listens";
    else if (strstr(text, "server closed the connection unexpectedly"))
        said = "the server closed the connection";
    (void)str_copy(ret, size, said);
}

const char *sql_refusal(const char *text, const char *status) {
    if (str_starts(text, "the database system is"))
        return text;
    if (str_eq(status, "stopping"))
        return "the database system is shutting down";
    if (str_eq(status, "starting"))
        return "the database system is starting up";
    // postmaster.c writes no new status when it starts again after the crash of a process.
    if (str_eq(status, "ready") || str_eq(status, "standby"))
        return "the database system is in recovery mode";
    return "it takes no connections now (57P03), and whether it starts or stops is not known";
}
