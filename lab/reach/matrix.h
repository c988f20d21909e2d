// SPDX-License-Identifier: PostgreSQL
#pragma once
// The connectivity matrix: for every service path between two nodes, may a connection be made (intended: power, links
// and the cuts in force, of all traffic or of this path) and does a probe in the lab's own network get through (measured). Told as `link` events.
// Network faults are verified by their own probes (probe_net.h); this is what people look at, and what shows a cut that
// nobody asked us for.
#include "lab/reach/reach.h"

// A path needs frames both ways: a cut of one direction stops the connections of both.
struct matrix_link {
    int from, to; // indices into topology->nodes
    enum net_path path;
    bool known;     // the rest has been found out at least once
    bool intended;  // when measured
    bool measured;  // a probe came back; not since the fault in force was verified: false
    bool refused;   // ... with a reset: the host was reached, nobody listens on the port
    usec_t rtt;     // of the probe that came back
    usec_t differs; // run time since when measured is not what is intended; 0 = it is
};

// Probes begin at once and go on until matrix_free. `reach` is copied.
struct matrix;
int matrix_new(const struct reach *reach, struct matrix **ret, struct err *err);
void matrix_free(struct matrix *m);
// Shown every event of the lab: a fault that takes effect or is healed, and a node's power, make it look at once; a verified one closes its pairs.
void matrix_on_event(struct matrix *m, const struct event *ev);
const struct matrix_link *matrix_link(const struct matrix *m, size_t i); // NULL past the end; m may be NULL
