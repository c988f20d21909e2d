// SPDX-License-Identifier: PostgreSQL
#pragma once
// The SQL that probes send, and what their rows mean. Text in, struct out: no connection here.
#include <libpq-fe.h>
#include <stdbool.h>

#include "lab/base/lsn.h"
#include "lab/base/usec.h"
#include "lab/record/event.h"

extern const char *const SQL_ROLE;        // one row: struct sql_row
extern const char *const SQL_WRITE_SETUP; // once per cluster, on the primary
extern const char *const SQL_WRITE;       // a real, logged, acknowledged write
extern const char *const SQL_REPLICATION; // rows of pg_stat_replication and of pg_replication_slots

struct sql_row {
    bool in_recovery;
    bool has_table;   // of the write probe
    int64_t timeline; // 0 = not known
    lsn_t lsn, replayed;
};
bool sql_row_read(const PGresult *r, struct sql_row *ret); // false: not a row of SQL_ROLE

struct repl_row {
    bool slot; // else a standby
    char name[EVENT_NAME_MAX];
    char state[EVENT_NAME_MAX]; // of a slot: "active" or ""
    char sync_state[EVENT_NAME_MAX];
    lsn_t sent, flushed, replayed; // of a slot: sent = restart_lsn
    int64_t bytes;                 // behind the current position: lag, or WAL retained
};
bool repl_row_read(const PGresult *r, int row, struct repl_row *ret);

// "no server (socket missing)" rather than libpq's sentence with our path in it. Writes at most size bytes.
void sql_explain(const char *text, char *ret, size_t size);
// In English what a postmaster means that takes no connections (SQLSTATE 57P03): its language is that of lc_messages, no code tells
// starting from stopping, and folds and the model look for these words. Its own, when they are English; else by its status
// (node_postmaster_status).
const char *sql_refusal(const char *text, const char *status);
