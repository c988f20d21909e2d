// SPDX-License-Identifier: PostgreSQL
#pragma once
// Small helpers over cJSON. Numbers in cJSON are doubles: LSNs, ids beyond 2^53 and nanoseconds travel as strings.
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/str.h"

static inline void cleanup_json_fn(cJSON **j) {
    cJSON_Delete(*j);
}
#define cleanup_json __attribute__((cleanup(cleanup_json_fn)))

// Case-sensitive getters; a missing key or another type gives the fallback. Strings are borrowed from the object.
const char *json_str(const cJSON *o, const char *key, const char *fallback);
int64_t json_int(const cJSON *o, const char *key, int64_t fallback);
int64_t json_whole(const cJSON *v,
                   int64_t fallback); // of an item: a number that an int64_t holds, without its fraction
double json_num(const cJSON *o, const char *key, double fallback);
bool json_bool(const cJSON *o, const char *key, bool fallback);
// Appends s as a JSON string with quotes. Bytes that are not UTF-8 become U+FFFD: the output is always valid JSON.
void json_quote(struct strbuf *out, const char *s);
