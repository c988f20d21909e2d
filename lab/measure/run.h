// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the run was, and how it ended (fold.c).
#include "lab/record/event.h"
#include "lab/record/record_proof.h"

struct measured_run {
    char scenario[EVENT_NAME_MAX], title[EVENT_TEXT_MAX], topology[EVENT_NAME_MAX];
    uint64_t seed;
    char kernel[EVENT_NAME_MAX]; // of the host
    int64_t cpus, memory_mb;
    usec_t ended; // run time of the last event
    bool no_end;  // the log has no run.end; else:
    enum end_reason end_reason;
    char end_detail[EVENT_TEXT_MAX];
    const struct record_proof *record; // is the record whole? NULL = nobody has looked
};
