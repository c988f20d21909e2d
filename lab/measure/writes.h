// SPDX-License-Identifier: PostgreSQL
#pragma once
// What became of the application's writes (docs/measures.md, "Writes"; writes.c).
#include "lab/base/usec.h"

struct write_counts {
    int64_t attempted, acknowledged, failed, unknown;
    int64_t lost;       // acknowledged, absent afterwards
    int64_t unexpected; // failed for certain, yet present
    int64_t duplicated;
    int64_t recovered; // unknown and present: legal
    int64_t
        local_only; // acknowledged with "canceling wait for synchronous replication": counted as unknown, not as acknowledged
    int64_t local_only_lost; // of these: absent afterwards, though somebody who reads no warnings was told "done"
    bool checked;            // a final read of the leader was possible; else lost etc. are not known
    bool from_ledger;        // counted from the ledger, else from client.tick alone
    char unchecked_why[128];
    usec_t lost_first, lost_last; // when the first and the last of the lost writes had been acknowledged
    int64_t foreign;              // rows that a standby holds and the leader lacks: its "streaming" is a lie
    char foreign_nodes[128];
    int64_t unreported; // rows that the ledger does not name, of an application whose end is not known: no finding
    char cut_why[128];  // why its end is not known; "" = it reported everything. A count of 0 is not known then
};
