// SPDX-License-Identifier: PostgreSQL
#pragma once
// A question in the last line: a text to edit, or yes/no.
#include "dashboard/dash.h"

// One key at a line being edited (UTF-8, no cursor movement). True = taken.
bool line_edit(char *text, size_t size, int key, bool function);

enum prompt_kind { PROMPT_NONE, PROMPT_FILTER, PROMPT_CONFIRM };
struct prompt {
    enum prompt_kind kind;
    char before[64];        // FILTER: what Esc brings back
    char question[120];     // CONFIRM
    struct request request; // CONFIRM: what a yes asks for
};
void prompt_filter(struct prompt *p, const struct dash *d);
void prompt_confirm(struct prompt *p, const struct request *r, const char *question);
// Every key belongs to an open prompt. A yes gives its request.
void prompt_key(struct prompt *p, struct dash *d, int key, bool function, struct request *ret);
// Draws it over the row; gives the column of the cursor.
int prompt_draw(const struct prompt *p, const struct dash *d, struct canvas *c, struct rect row);
