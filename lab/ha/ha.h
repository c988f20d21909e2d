// SPDX-License-Identifier: PostgreSQL
#pragma once
// The systems that bascule knows, by name.
#include "lab/failover/system.h"
#include "lab/ha/kind/kind.h"

// In a file of its own (table.c), ends with NULL: a test that wants others defines them itself, as it does ha_kinds.
extern const struct ha_system *const ha_systems[];

// The system that run.begin names. One that this program does not know has no laws. Never NULL.
const struct ha_system *ha_find(const char *name);
// leadership_event, and from run.begin on in the words of the run's system.
void ha_leadership_event(struct leadership *l, const struct model *m, const struct event *ev);
