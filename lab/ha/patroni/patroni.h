// SPDX-License-Identifier: PostgreSQL
#pragma once
// Patroni with etcd.
#include "lab/failover/system.h"

extern const struct ha_system patroni_system;
