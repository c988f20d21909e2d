// SPDX-License-Identifier: PostgreSQL
#pragma once
// What older programs called the events of today. Such lines are read for good and never written: the reader turns each into the event of
// today, so that no fold meets an old name.
#include "lab/record/event.h"

struct old_kind {
    const char *name;                   // in the log
    enum event_kind kind;               // what it is called today
    void (*complete)(struct event *ev); // adds what the old line did not need to say
};

// NULL: no older program wrote a kind of that name, which has n bytes.
const struct old_kind *event_old_kind(const char *name, size_t n);
