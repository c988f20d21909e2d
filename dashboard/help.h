// SPDX-License-Identifier: PostgreSQL
#pragma once
// The help screen, made from the table of keys and the view's own words.
#include "dashboard/dash.h"

// Draws from line *top on, and corrects *top when that is beyond the end.
void help_draw(struct canvas *c, struct rect area, const struct view_ops *view, bool replay, int *top);
