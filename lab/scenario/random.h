// SPDX-License-Identifier: PostgreSQL
#pragma once
// Random mode: a scenario made of faults drawn by a seed. The result is an ordinary scenario file, so what was drawn can
// be read, repeated, cut down to the step that matters and kept.
#include "lab/base/err.h"
#include "lab/scenario/vocabulary/vocabulary.h"
#include "lab/topology/topology.h"

struct random_options {
    const char *topology_name; // as it is written into the scenario
    const struct topology *t;  // that topology: which node runs what
    const struct random_use *uses;
    size_t n_uses;
    // Can this host and topology do it? NULL = yes.
    bool (*usable)(void *arg, const char *mechanism, const setting_list *params);
    void *arg;
    uint64_t seed;   // same seed, options and uses: same text
    usec_t duration; // about how long the run is to be; rounds go on until it is over
};
enum { RANDOM_ROUNDS_MAX = 18 };          // a scenario file has at most 100 steps, a round at most 5
#define RANDOM_DURATION_MAX (12 * MINUTE) // 18 of the shortest rounds fill it

// Appends the scenario's text. Returns the number of rounds, or -ENOENT with the reason when no fault may be used here.
//
// A round: the cluster is complete; one to three faults on different nodes, side by side, at drawn times; all of them end;
// the cluster must become complete again by itself. Different nodes, because what is done to a service that another fault
// has just ended says nothing.
int random_scenario(const struct random_options *o, struct strbuf *out, struct err *err);
