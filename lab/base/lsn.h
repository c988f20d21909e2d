// SPDX-License-Identifier: PostgreSQL
#pragma once
// WAL positions. In memory a 64-bit number, in logs and reports PostgreSQL's own "X/X" form (src/backend/utils/adt/pg_lsn.c).
#include <stdbool.h>
#include <stdint.h>

typedef uint64_t lsn_t; // 0 = not known (PostgreSQL's InvalidXLogRecPtr)

#define LSN_TEXT_MAX 20
bool lsn_parse(const char *text, lsn_t *ret); // "0/5027FE0"; false and *ret untouched on anything else
char *lsn_format(char buf[static LSN_TEXT_MAX], lsn_t lsn);
