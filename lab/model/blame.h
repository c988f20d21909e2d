// SPDX-License-Identifier: PostgreSQL
#pragma once
// Whose doing is it? One rule for the story ("no fault and no act of this run explains it"), the measures (the fault that an outage belongs to), the
// dashboard and the hiccups of health: a fault or act may explain what happens from its order until BLAME_AFTERMATH after it was over.
#include "lab/model/model.h"

// What a healing or an act has set in motion: daemons that start and end, members that are restarted or rewound.
#define BLAME_AFTERMATH (10 * SEC)

// An effect is seen a moment after it bites: somewhere between the order and the sighting, so one that was ordered by t and seen this much later had
// bitten by t.
#define BLAME_SEEN_LATE (100 * MSEC)
// Had a fault or act, ordered at `asked` (0 = not told), seen to take effect at `effect` (0 = not yet, or never), bitten by t?
bool blame_has_bitten(usec_t asked, usec_t effect, usec_t t);

// A fault or act ordered at `asked`, over (healed, failed; of an act: done) at `over`, USEC_NEVER = it goes on: may what happens at t be its doing?
bool blame_covers(usec_t asked, usec_t over, usec_t t);
// Up to this much a pause of the application is slow, not down (docs/measures.md): what bites within it after the last acknowledged write still made the outage.
#define BLAME_HICCUP (250 * MSEC)
struct blame_candidate {
    usec_t asked, effect; // 0 = not told
    usec_t until; // the last moment that may be its doing: over + BLAME_AFTERMATH, or later by a law; USEC_NEVER = any
};
// Whose doing is an outage from `began`, known to `resolution`, to `ended` (USEC_NEVER: it goes on)? The latest one that had bitten by then and may explain
// it, else the first that bit in it within a hiccup after its begin. -1 = nobody's.
int blame_choose(const struct blame_candidate *c, size_t n, usec_t began, usec_t ended, usec_t resolution);
// May what is seen at t be the doing of a fault of the run on `node` ("" = any node), of an act, which does not say whom it concerns, or of the
// node's watchdog? t is not before the model's last event.
bool model_explains(const struct model *m, const char *node, usec_t t);
