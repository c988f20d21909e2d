// SPDX-License-Identifier: PostgreSQL
#pragma once
// Trains of numbered packets over flows, each direction and port on its own, stamped by the sender and by the receiver's
// kernel: what the shaper's faults are verified with. UDP datagrams, or for a flow of a TCP port segments that belong to
// no connection (net/segment.h). Small, few, and never outside of the lab's namespaces.
#include "injector/fault/fault.h"
#include "lab/reach/flows.h"

struct train_plan {
    unsigned packets; // per flow
    usec_t every;     // between two of a flow; 0 = all at once
    usec_t linger;    // how long to listen after the last
    unsigned payload; // bytes
    bool early;       // stop as soon as all have arrived
};
enum { TRAIN_PAYLOAD_MIN = 64, TRAIN_PAYLOAD_MAX = 1400 };

struct train_result {                      // of one flow
    unsigned sent, arrived, twice, late;   // late: after a packet with a higher number
    unsigned broken;                       // arrived with a payload that is not what was sent
    uint64_t least_ns, median_ns, most_ns; // one way
    double bits_per_s; // between the first and the last arrival, as counted on the wire; 0 = cannot say
};

struct train;
// Sends and listens; done(arg) is called once from the loop. The flows are copied; results go by their places.
int train_run(const struct fault_world *w, const flow_list *flows, const struct train_plan *plan,
              void (*done)(void *arg), void *arg, struct train **ret, struct err *err);
void train_free(struct train *t); // NULL is fine; drops what is under way
const struct train_result *train_result(struct train *t, size_t flow);
