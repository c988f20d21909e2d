// SPDX-License-Identifier: PostgreSQL
#pragma once
// Text from outside (logs, names, images, other users' labs) as plain text: nothing in it commands a terminal or turns the direction of
// reading. One rule for the report, the page, the dashboard and every message.
#include <stdbool.h>
#include <uchar.h>

#include "lab/base/str.h"

// False: C0 and C1 controls, DEL, the marks, embeddings and isolates that turn the direction of text (UAX #9), line and paragraph separator.
bool plain_is_safe(char32_t ch);
// Appends text[0..n). '?' stands for what is not safe, for a byte that is no UTF-8 and, unless utf8, for whatever is beyond ASCII.
// Newline and tab are kept.
void plain_add(struct strbuf *out, const char *text, size_t n, bool utf8);
// Of text that goes on: as many bytes at its end as may begin a character that is not whole yet, 0 to 3.
size_t plain_unfinished(const char *text, size_t n);
