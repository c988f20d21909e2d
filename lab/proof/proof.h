// SPDX-License-Identifier: PostgreSQL
#pragma once
// Is a record whole? A seal says it: hashes of everything that was written. A record without one (its writer was killed, or is older
// than the seal) is judged by rules: what must be there when the rest is true. Pure. docs/decisions/record-proof.md.
#include "lab/record/digest.h"
#include "lab/record/ledger.h"
#include "lab/record/record_proof.h"
#include "lab/record/run.h"

struct proof;
struct proof *proof_new(void);
void proof_free(struct proof *p);
void proof_event(struct proof *p, const struct event *ev);
void proof_ledger(struct proof *p, const struct ledger_record *r);

// The run folder beside the events.
struct proof_folder {
    struct run_read_stats log; // of the reading whose events were given
    bool live;                 // somebody has the log open for writing
    bool alone;                // a log that was taken out of its folder: nothing beside it is asked for
    const char *plan;          // text of plan.json, NULL = there is none
    const struct digest *plan_digest, *ledger_digest; // NULL = there is no such file
};
// Judged. The result is owned by p and lives until proof_free.
const struct record_proof *proof_finish(struct proof *p, const struct proof_folder *folder);
