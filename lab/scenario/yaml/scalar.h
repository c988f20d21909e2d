// SPDX-License-Identifier: PostgreSQL
#pragma once
// Values with units, written as text: a duration, a size, a count. Each function returns true and fills *ret, or returns false and
// says in `why` what was expected; *ret is then untouched. They are for the injector, too: a fault's parameters are such texts.
#include "lab/base/usec.h"

enum { WHY_MAX = 160 };
bool scalar_duration(const char *text, usec_t *ret, char why[static WHY_MAX]);
bool scalar_size(const char *text, int64_t *ret, char why[static WHY_MAX]); // "16MB", "1 GiB", "1048576": 1024-based
bool scalar_count(const char *text, int64_t *ret, char why[static WHY_MAX]);
bool scalar_number(const char *text, double *ret, char why[static WHY_MAX]);  // decimal, no sign, no exponent
bool scalar_percent(const char *text, double *ret, char why[static WHY_MAX]); // "90%"
bool scalar_bool(const char *text, bool *ret, char why[static WHY_MAX]); // true/false, yes/no, on/off as in YAML 1.1
bool scalar_rate(const char *text, uint64_t *ret, char why[static WHY_MAX]);
