// SPDX-License-Identifier: PostgreSQL
#pragma once
// Targets in a scenario file.
#include "lab/plan/selector.h"
#include "lab/scenario/yaml/decode.h"

// Reads the text at n (or a word of it, at `at`). False after a complaint. Complains too when no node of the topology
// can ever be meant (no replica in a cluster of one, no sync standby without synchronous_mode).
bool selector_read(struct reader *r, struct mark at, const char *text, struct selector *ret);

// May this node be called "app" or "proxy"? Those two words are roles, but also the natural names.
bool node_name_fits(const char *name, unsigned services);
