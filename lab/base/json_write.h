// SPDX-License-Identifier: PostgreSQL
#pragma once
// Compact JSON, written piece by piece at the end of a text. Commas come by themselves: none after an opening bracket.
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/str.h"
#include "lab/base/usec.h"

// key: of a member of an object; NULL = an item of a list.
void json_begin(struct strbuf *out, const char *key, const char *bracket); // "{" or "["
void json_end(struct strbuf *out, const char *brackets);                   // "}", "]", or several at once: "}]"
void json_put_key(struct strbuf *out, const char *key);                    // its value is written by the caller
void json_put_text(struct strbuf *out, const char *key, const char *value);
void json_put_int(struct strbuf *out, const char *key, int64_t value);
void json_put_real(struct strbuf *out, const char *key, double value);
void json_put_bool(struct strbuf *out, const char *key, bool value);
void json_put_usec(struct strbuf *out, const char *key, usec_t t); // whole microseconds
void json_put_ms(struct strbuf *out, const char *key,
                 usec_t t); // milliseconds, with three decimals where they are not 0
void json_put_ms_or_null(struct strbuf *out, const char *key, usec_t t); // USEC_NEVER: null
