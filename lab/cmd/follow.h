// SPDX-License-Identifier: PostgreSQL
#pragma once
// Following a lab from the command that started it: reads its event log as it grows and prints what it means.
#include "lab/cmd/cmd.h"
#include "lab/report/report.h"
#include "lab/supervisor/lab.h"

enum follow_end {
    FOLLOW_READY, // lab.state ready (only when asked for)
    FOLLOW_ENDED, // run.end was written and the record sealed (or the supervisor gone: the disk was full)
    FOLLOW_DIED,  // the supervisor is gone without run.end
    FOLLOW_HUNG,  // it has shown no sign of life for a minute; that was said. It is the caller's to end (start_close)
};
struct follow_options {
    const struct lab_handle *lab;
    const char *run_dir;
    bool until_ready;
    bool quiet; // print nothing
    struct report_style style;
};
// Returns how it ended. detail (may be NULL) gets the reason of a broken lab. Ctrl-C: first asks the lab to heal and end, a
// second one ends it at once.
enum follow_end follow_lab(const struct follow_options *o, char *detail, size_t size);
// Has somebody interrupted (SIGINT, SIGTERM) the lab that was followed last?
bool follow_interrupted(void);
