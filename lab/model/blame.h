// SPDX-License-Identifier: PostgreSQL
#pragma once
// Whose doing is it? One rule for the story ("no fault and no act of this run explains it"), the measures (the fault that an outage belongs to), the
// dashboard and the hiccups of health: a fault or act may explain what happens from its order until BLAME_AFTERMATH after it was over.
#include "lab/model/model.h"

// What a healing or an act has set in motion: daemons that start and end, members that are restarted or rewound.
#define BLAME_AFTERMATH (10 * SEC)

// A fault or act ordered at `asked`, over (healed, failed; of an act: done) at `over`, USEC_NEVER = it goes on: may what happens at t be its doing?
bool blame_covers(usec_t asked, usec_t over, usec_t t);
// May what is seen at t be the doing of a fault of the run on `node` ("" = any node), of an act, which does not say whom it concerns, or of the
// node's watchdog? t is not before the model's last event.
bool model_explains(const struct model *m, const char *node, usec_t t);
