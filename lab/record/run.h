// SPDX-License-Identifier: PostgreSQL
#pragma once
// The run folder and its event log. Layout (docs/measures.md):
//   events.jsonl  ledger.bin  result.json  scenario.yaml  plan.json  nodes/NAME/{etc,log}/...
#include "lab/base/err.h"
#include "lab/record/event.h"

// Default parent of run folders: $BASCULE_RUNS_DIR, else $XDG_STATE_HOME/bascule/runs, else ~/.local/state/bascule/runs.
int run_default_dir(struct strbuf *out, struct err *err);
// Creates PARENT/YYYYMMDD-HHMMSS-NAME (with -2, -3 ... when it exists). Checks that it is writable and that at least
// `need_bytes` are free. Appends the path to out.
int run_folder_create(const char *parent, const char *name, uint64_t need_bytes, struct strbuf *out, struct err *err);

// The writer: one write(2) per event, O_APPEND, so a reader gets everything up to the last whole line even after kill -9.
struct run_log;
int run_log_create(const char *path, struct run_log **ret, struct err *err);
// -ENOSPC, -EDQUOT and -EFBIG are returned once, as soon as the disk refuses more room: this event is written then, and so will be the next
// RESERVE_LOG bytes (reserve.h). Other errors are returned once, then counted.
int run_log_write(struct run_log *log, const struct event *ev, struct err *err);
int64_t run_log_room(const struct run_log *log); // bytes that are free in its file system, or -errno
// Writes record.seal: a line that says how many lines and bytes lie before it, and their hash, together with what the run folder's
// ledger and plan hold now. Call it when no other process writes to these any more; the log may go on after it (a lab that is kept).
// Returns what run_log_write returns.
int run_log_seal(struct run_log *log, const char *run_dir, usec_t now, struct err *err);
void run_log_close(struct run_log *log);

// The reader: calls fn for each whole line that holds an event, in order; lines of an unknown kind or broken are counted and skipped. A line with a
// word that its set lacks (lab/record/words.h) is an event with ..._UNKNOWN in it, and counted.
// A seal that is true and stands behind run.end closes the record: what a kept lab wrote after it is not read.
enum run_seal {
    RUN_SEAL_NONE,  // no record.seal was met
    RUN_SEAL_TRUE,  // every byte before the last one is as it was written
    RUN_SEAL_FALSE, // a record.seal says something else than what lies before it
};
struct run_read_stats {
    int64_t events, skipped, broken, empty;
    int64_t unknown;                                    // events with a word that this program does not know
    int64_t first_skipped, first_broken, first_unknown; // line numbers, from 1; 0 = none
    struct event_unknown word;                          // the first of those words
    bool cut;                                           // the last line had no newline
    enum run_seal seal;
    bool after;           // something lies behind the last seal
    struct event at;      // that seal, as read: what was written and what the files beside it held; valid unless NONE
    int64_t lines, bytes; // that lie before it
};
// Opens a log for reading; refuses at once what can be none: a pipe or a device, a folder, a file with no begin of an event in its first
// 256 kB. Returns the descriptor, which the caller closes.
int run_log_open(const char *path, struct err *err);
int run_log_read(const char *path, bool (*fn)(void *arg, const struct event *ev), void *arg, struct run_read_stats *ret,
                 struct err *err);
