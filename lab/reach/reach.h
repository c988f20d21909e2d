// SPDX-License-Identifier: PostgreSQL
#pragma once
// The lab's network as an observer is given it. Filled from above: whoever cuts says what should get through, the observers
// of this room measure what does. Values are copied, what the pointers lead to is borrowed for as long as the observer lives.
#include <systemd/sd-event.h>

#include "lab/node/node.h"
#include "lab/reach/flows.h"
#include "lab/record/event.h"

struct reach {
    sd_event *loop;
    const struct event_sink *sink;
    const struct topology *topology;
    struct node *const *nodes; // by index in topology->nodes
    // Should a frame of this flow get through: both nodes on, links up, nothing in force that holds it?
    bool (*open)(const void *arg, const struct net_flow *flow);
    // Is a frame of this flow cut, and its sender told so with a TCP reset in the receiver's name?
    bool (*resets)(const void *arg, const struct net_flow *flow);
    const void *arg;
};
