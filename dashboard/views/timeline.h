// SPDX-License-Identifier: PostgreSQL
#pragma once
// A stretch of time laid out over columns. Private to the timeline view.
#include "dashboard/views/parts.h"

enum { TIMELINE_LEFT = 12 };

struct span {
    usec_t from, to;
    int cols; // columns right of the labels
};
int span_col(const struct span *s, usec_t t); // column of a time; may lie outside

void timeline_node(struct canvas *c, struct rect area, int y, const struct span *s, const struct dash *d, size_t node);
void timeline_leaders(struct canvas *c, struct rect area, int y, const struct span *s, const struct dash *d);
void timeline_outages(struct canvas *c, struct rect area, int y, const struct span *s, const struct dash *d);
void timeline_writes(struct canvas *c, struct rect area, int y, const struct span *s, const struct dash *d);
void timeline_fault(struct canvas *c, struct rect area, int y, const struct span *s, const struct fault_band *f,
                    usec_t now);
int timeline_legend(struct canvas *c, struct rect area, int y, const struct dash *d); // returns rows used
