// SPDX-License-Identifier: PostgreSQL
#include "lab/record/event.h"

static const char *const kind_names[EVENT_KIND_COUNT] = {[EVENT_TICK] = "tick",
#define X(kind, name) [EVENT_##kind] = name,
                                                         EVENT_KINDS(X)
#undef X
};

const char *event_kind_name(enum event_kind kind) {
    return (unsigned)kind < EVENT_KIND_COUNT ? kind_names[kind] : "?";
}

usec_t event_longest_gap(usec_t period) {
    return 3 * period > EVENT_BUCKET ? 3 * period : EVENT_BUCKET; // two acknowledgements of one bucket are closer
}

usec_t event_tick_end(const struct event *tick) {
    const usec_t bucket = EVENT_BUCKET;
    usec_t from = tick->u.CLIENT_TICK.from;
    if (!tick->repeats || tick->t <= from + bucket)
        return from + bucket;
    return tick->t < from + EVENT_TICK_MAX ? tick->t : from + EVENT_TICK_MAX;
}
