// SPDX-License-Identifier: PostgreSQL
#pragma once
// The ledger of client operations: ledger.bin in the run folder, a 16-byte header and one 48-byte record per finished operation,
// native byte order, appended by the workload's process with write(2) in batches of at most 100 ms. A record cut in half at the
// end (kill -9) is ignored by the reader. An operation that was invoked and never finished is written as UNKNOWN at the end;
// those missing altogether (kill -9) are accounted for by client.tick.
//
// In a thinned record (lab/record/thin.h) one record stands for many operations that ended the same way (ledger_merge): their ids are all
// there, their times are those of the first and the last.
#include <stdio.h>

#include "lab/base/err.h"
#include "lab/base/usec.h"
#include "lab/record/reserve.h"

enum ledger_op { LEDGER_BROKEN = 0 /* made by the reader, see ledger_read */, LEDGER_WRITE = 1, LEDGER_READ = 2 };
enum ledger_result { LEDGER_OK = 1, LEDGER_FAILED = 2, LEDGER_UNKNOWN = 3 };

struct ledger_record {
    uint64_t id;        // writes: the unique id in table app.ledger, from 1, dense; reads: 0
    uint64_t scheduled; // run time µs: when it should have started
    uint64_t invoked;   // when it was sent (0 = never got that far)
    uint64_t returned;  // when the outcome was known
    char sqlstate[6];   // of a failure; "" = none or from the network
    uint8_t op, result;
    uint8_t node;  // index in the topology + 1 of the server that took it; 0 = not known
    uint8_t phase; // where it failed: enum ledger_phase
    uint8_t flags; // LEDGER_FLAG_*
    uint8_t reserved;
    uint32_t more; // how many operations beyond the one it stands for; see ledger_merge
};
_Static_assert(sizeof(struct ledger_record) == 48, "the ledger's record is 48 bytes");
enum ledger_phase { LEDGER_PHASE_NONE, LEDGER_PHASE_CONNECT, LEDGER_PHASE_STATEMENT, LEDGER_PHASE_TIMEOUT };
enum {
    LEDGER_FLAG_LOCAL_ONLY = 1
}; // acknowledged with WARNING "canceling wait for synchronous replication": visible, not durable

enum { LEDGER_MORE_MAX = UINT16_MAX };

#define LEDGER_MAGIC     "BASCLED2"
#define LEDGER_MAGIC_OLD "BASCLED1"                                // without `more`
int ledger_create(const char *path, int *ret_fd, struct err *err); // writes the header

// The writer's end, in the process that appends. Begin with {.fd = fd}.
struct ledger_writer {
    int fd; // -1 = none; owned
    uint64_t size;
    struct reserve reserve;
    bool failed; // a write failed: nothing is written any more, for a piece of a record would shift all that follow
};
// Appends n records. -ENOSPC, -EDQUOT, -EFBIG once when the disk refuses more room (these records are written, and so will be the next
// RESERVE_LEDGER bytes), or the error of a write that failed, once; 0 otherwise.
int ledger_append(struct ledger_writer *w, const struct ledger_record *records, size_t n);
void ledger_close(struct ledger_writer *w);
// Merges finished operations, none of them merged yet, in place and returns how many records are left. One record stands for those of the
// same outcome, server, phase and SQLSTATE; writes, when their ids follow each other (id to id + more) and none of them came back more than
// `pause` before or after all the others. Its `scheduled` is their earliest schedule, `invoked` their first *return* and `returned` the last.
size_t ledger_merge(struct ledger_record *records, size_t n, usec_t pause);
// Reads all whole records; fn returns false to stop. A record that can't be ours (an operation, result, phase or flag that does not exist, a
// time beyond USEC_LONGEST, an sqlstate of other characters) reaches fn as LEDGER_BROKEN with everything else zero. Returns the number of all
// whole records or negative.
int64_t ledger_read(const char *path, bool (*fn)(void *arg, const struct ledger_record *r), void *arg, struct err *err);
