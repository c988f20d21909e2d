// SPDX-License-Identifier: PostgreSQL
#pragma once
// The `params` text of a fault event, "service=postgres process=backend", for folds that must know what was hit.
#include <stdbool.h>
#include <stddef.h>

// Does the text say that parameter `key` has the value `value`? False when it says nothing of the key.
bool fault_params_are(const char *params, const char *key, const char *value);
// The value of parameter `key`, cut to fit. False, and ret empty, when the text says nothing of the key.
bool fault_params_get(const char *params, const char *key, char *ret, size_t size);
// A process fault that hit PostgreSQL's postmaster.
bool fault_params_postmaster(const char *params);
