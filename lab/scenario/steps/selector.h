// SPDX-License-Identifier: PostgreSQL
#pragma once
// Targets: a node's name or a role. A role is resolved at injection; here only whether any node could ever have it.
#include "lab/plan/plan.h"
#include "lab/scenario/yaml/decode.h"

// Reads the text at n (or a word of it, at `at`). False after a complaint. Complains too when no node of the topology
// can ever be meant (no replica in a cluster of one, no sync standby without synchronous_mode).
bool selector_read(struct reader *r, struct mark at, const char *text, struct selector *ret);

// Nodes that the selector could mean, one bit per index in t->nodes. 0 = none ever.
unsigned selector_candidates(const struct topology *t, const struct selector *s);
// Nodes that could ever have the role.
unsigned role_candidates(const struct topology *t, enum condition_role role);
// May this node be called "app" or "proxy"? Those two words are roles, but also the natural names.
bool node_name_fits(const char *name, unsigned services);
