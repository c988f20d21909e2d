// SPDX-License-Identifier: PostgreSQL
#pragma once
// Text from daemons and files is bytes until somebody has looked at it.
#include <stddef.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" // U+FFFD

// Length of the valid sequence at s (1 to 4, NUL counts as one), or 0. Overlong forms and surrogates are refused (RFC 3629,
// section 4). Never looks beyond the terminating NUL.
size_t utf8_len(const char *s);

// Makes text[size] valid in place: each byte that is none becomes U+FFFD, what has no room any more is cut off whole, and the rest
// of the array is zero.
void utf8_repair(char *text, size_t size);
