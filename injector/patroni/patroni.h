// SPDX-License-Identifier: PostgreSQL
#pragma once
// The actions of this folder, and words about Patroni's REST API that several files need.
#include "injector/errand/action.h"

extern const struct action_table patroni_actions;

// The path of `path` in a JSON object of nested ones: "postgresql.parameters.max_connections". NULL = not there.
const cJSON *patroni_config_find(const cJSON *config, const char *path);
// {"a":{"b":VALUE}} for "a.b". value as patronictl edit-config reads it: JSON when it is that (60, true, null), else text; "" = null.
void patroni_config_patch(struct strbuf *out, const char *path, const char *value);
// PATCH /config through this node. False after errand_pass or errand_no.
bool patroni_patch(struct errand_io *io, const char *json);
// GET of this node's Patroni as an object; NULL = no answer that is JSON. Patroni answers 503 with an object as well.
cJSON *patroni_get(const char *path, usec_t deadline);
// Waits until every member that answers has applied this: its GET /patroni says so. What was seen comes in text.
bool patroni_all(const struct errand_io *io, bool (*is)(const cJSON *status, void *arg), void *arg, usec_t within,
                 struct strbuf *text);
