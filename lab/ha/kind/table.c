// SPDX-License-Identifier: PostgreSQL
// Nothing but the list: a program that brings its own links that instead.
#include "lab/ha/kind/kind.h"

#include <stddef.h>

const struct ha_kind *const ha_kinds[] = {&ha_kind_patroni, NULL};
