// SPDX-License-Identifier: PostgreSQL
#pragma once
// What older programs called the events of today. Such lines are read for good and never written: the reader turns each into the event of
// today, so that no fold meets an old name.
#include "lab/record/event.h"

struct old_field {
    const char *then, *now; // names
    const char *adds;       // of then: true, for words that today's list has
    bool seconds;           // of then: a whole number of seconds, where it is a time in µs today
};

enum { OLD_FIELDS_MAX = 5 };

struct old_kind {
    const char *name;     // in the log; may be today's, of a kind that had other fields or other names in them
    enum event_kind kind; // as what it is read
    struct old_field fields[OLD_FIELDS_MAX]; // those whose names differ; ends where `then` is NULL
    void (*complete)(struct event *ev);      // makes today's event of what was read; may be NULL
};

// NULL: no older program wrote a kind of that name, which has n bytes.
const struct old_kind *event_old_kind(const char *name, size_t n);
// A field of such a line by its old name. NULL: it has the same name today, or is none.
const struct old_field *event_old_field(const struct old_kind *old, const char *name, size_t n);
