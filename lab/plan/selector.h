// SPDX-License-Identifier: PostgreSQL
#pragma once
// Targets: a node's name or a role. A role is resolved at injection (lab/engine/target.h); here only what a text means, and whether
// any node of a topology could ever have the role.
#include "lab/base/err.h"
#include "lab/plan/plan.h"

// What the text means. False, with the reason appended to why, when it is neither a role nor a node, or when no node of the topology
// can ever be meant (no replica in a cluster of one, no sync standby without synchronous_mode). t may be NULL: any word that is no
// role is then taken for the name of a node.
bool selector_find(const char *text, const struct topology *t, struct selector *ret, struct strbuf *why);
// The same for a text of the command line: 0, or -ENOENT with the reason.
int selector_parse(const char *text, const struct topology *t, struct selector *ret, struct err *err);

// Nodes that the selector could mean, one bit per index in t->nodes. 0 = none ever.
unsigned selector_candidates(const struct topology *t, const struct selector *s);
// Nodes that could ever have the role.
unsigned role_candidates(const struct topology *t, enum condition_role role);
