// SPDX-License-Identifier: PostgreSQL
#pragma once
// When was a line of a daemon's log written? Its own stamp says so in the zone of the daemon, which need not be ours and may have a
// daylight-saving hour. Pure.
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/usec.h"

struct log_stamp {
    int64_t wall;    // µs since 1970 as if it were UTC
    usec_t fraction; // what its last digit stands for: a millisecond, a second
};
// Reads the stamp of Patroni ("2026-11-28 10:00:00,123 "), PostgreSQL's %m and %t ("2026-11-28 10:00:00.123 CET "), etcd's text ("2026-11-28
// 10:00:00.123456 I |", "raft2026/11/28 10:00:00 INFO") and etcd's JSON ("ts":"2026-11-28T10:00:00.123+0100"). False: there is none.
bool log_stamp_read(const char *line, struct log_stamp *ret);

// Its place on another clock: `now` there is `wall_now` (µs since 1970, UTC). *ret <= now is the latest moment that the stamp allows, so that
// nothing is told before its cause. Zones differ from UTC by quarters of an hour: what the stamp is off beyond the last quarter is how
// long ago it was. False: the line would be older than LOG_STAMP_OLDEST, so its clock is wrong.
bool log_stamp_place(const struct log_stamp *s, int64_t wall_now, usec_t now, usec_t *ret);
#define LOG_STAMP_OLDEST (10 * MINUTE) // between the writing and the reading: a stopped supervisor, a frozen logger
