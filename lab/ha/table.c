// SPDX-License-Identifier: PostgreSQL
// Nothing but the list: a program that brings its own links that instead.
#include "lab/ha/ha.h"
#include "lab/ha/patroni/patroni.h"

const struct ha_system *const ha_systems[] = {&patroni_system, NULL};
