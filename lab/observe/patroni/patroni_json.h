// SPDX-License-Identifier: PostgreSQL
#pragma once
// Patroni's REST answers and its configuration key, decoded, whatever the version calls things. Text in, events out.
#include "lab/record/event.h"

// GET /patroni. Fills the fields that the answer tells; node, answered, http, latency_us are the caller's. False: not JSON.
bool patroni_read_state(const char *json, struct event *ev);

// The dynamic configuration (key "config", GET /config): calls fn once per scalar setting, in "patroni.ttl" form; settings under
// postgresql.parameters come as "postgresql.NAME". Patroni's own defaults stand in for those that decide timing and are missing.
bool patroni_read_config(const char *json, void (*fn)(void *arg, const char *key, const char *value), void *arg);
