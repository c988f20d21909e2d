// SPDX-License-Identifier: PostgreSQL
#pragma once
// Between the supervisor and the application's process (the same program, forked: the same layout). To the application: struct message_to_app.
// From it: a struct event up to and including the member of its kind; EVENT_TICK = "that was all".
#include "lab/record/event.h"

enum {
    MESSAGE_LEDGER = 'L' /* carries the ledger's fd */,
    MESSAGE_STOP = 'S',
    MESSAGE_RATE = 'R' /* with the rate */,
    MESSAGE_MERGE = 'M' /* with the resolution */
};

struct message_to_app {
    char what;
    double writes_per_s; // MESSAGE_RATE
    usec_t merge;        // MESSAGE_MERGE
};

static inline size_t message_size(enum event_kind kind) {
    size_t head = offsetof(struct event, u);
    if (kind == EVENT_CLIENT_TICK)
        return head + sizeof((struct event *)0)->u.CLIENT_TICK;
    if (kind == EVENT_CLIENT_ERROR)
        return head + sizeof((struct event *)0)->u.CLIENT_ERROR;
    if (kind == EVENT_CLIENT_SERVER)
        return head + sizeof((struct event *)0)->u.CLIENT_SERVER;
    if (kind == EVENT_LAB_STATE)
        return head + sizeof((struct event *)0)->u.LAB_STATE;
    return head;
}
