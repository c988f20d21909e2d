// SPDX-License-Identifier: PostgreSQL
#pragma once
// The systems that bascule knows, by name.
#include "lab/failover/system.h"

#define HA_FIRST "patroni" // what a log runs that does not say it: there was no other

// The system that run.begin names. One that this program does not know has no laws and no words; its title says so. Never NULL.
const struct ha_system *ha_find(const char *name);
// leadership_event, and from run.begin on in the words of the run's system.
void ha_leadership_event(struct leadership *l, const struct model *m, const struct event *ev);
