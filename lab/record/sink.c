// SPDX-License-Identifier: PostgreSQL
#include "lab/record/event.h"

usec_t sink_now(const struct event_sink *sink) {
    usec_t now = usec_now();
    return now > sink->base ? now - sink->base : 0;
}

void sink_emit(const struct event_sink *sink, struct event *ev) {
    if (ev->t == 0)
        ev->t = sink_now(sink);
    event_normalize(ev);
    sink->emit(sink->arg, ev);
}
