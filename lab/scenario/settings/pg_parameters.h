// SPDX-License-Identifier: PostgreSQL
#pragma once
// Names of PostgreSQL's parameters, to warn about a mistyped one. Not complete for every version: a warning, never an error.
extern const char *const pg_parameters[]; // ends with NULL
