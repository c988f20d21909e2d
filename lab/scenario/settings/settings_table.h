// SPDX-License-Identifier: PostgreSQL
#pragma once
// The table of settings, for the reader of settings and for those who list them. Private to the room; settings_about in read.h is
// for others.
#include "lab/base/usec.h"

enum setting_kind {
    KIND_SECONDS,  // Patroni: whole seconds, bare numbers allowed
    KIND_MILLIS,   // etcd: bare numbers are ms
    KIND_DURATION, // a unit is needed
    KIND_SIZE,
    KIND_COUNT,
    KIND_BOOL,
    KIND_RATE, // double, per second
    KIND_ROUTE,
    KIND_STORAGE,
    KIND_CLOCK,
    KIND_WATCHDOG,
    KIND_IMAGE,
    KIND_TEXT,
    KIND_WAIT, // HAProxy: a duration of whole milliseconds, kept as text
};
enum setting_place { IN_TOPOLOGY, IN_PLAN, IN_ETCD, IN_HAPROXY }; // the last two: text in a list

struct setting_def {
    const char *name; // "patroni.ttl"
    enum setting_kind kind;
    enum setting_place place;
    size_t offset;
    int64_t min, max; // µs, bytes or a count
};

extern const struct setting_def setting_defs[];
extern const size_t setting_defs_n;

// The words that a kind of choice allows, ends with NULL; NULL for kinds that are no choice. Static.
const char *const *setting_words(enum setting_kind kind);
// A bound of the table for people: "20 ms", "5000". Returns buf.
char *setting_bound_text(const struct setting_def *def, int64_t bound, char buf[static USEC_TEXT_MAX]);
