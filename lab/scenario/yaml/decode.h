// SPDX-License-Identifier: PostgreSQL
#pragma once
// The table-driven decoder: what a mapping may hold stands in a table of fields; unknown keys, wrong kinds and missing
// values are complained about in one place.
#include "lab/base/hint.h"
#include "lab/base/usec.h"
#include "lab/scenario/yaml/diag.h"
#include "lab/scenario/yaml/tree.h"

struct read_options; // lab/scenario/read.h
struct topology;     // lab/topology/topology.h

// One file being read. Every complaint goes through it.
struct reader {
    const char *file; // for the messages
    struct diags *d;
    // For those who read a scenario; this room looks at neither. Borrowed.
    const struct read_options *o;
    const struct topology *t; // once it is known; NULL = unknown, names can't be judged
    bool whole;               // false: the syntax broke, so "missing" may mean "below the break"
    bool by_hand;             // `file` is a name from the command line: paths are not relative to its folder
    int depth;                // of `from:` in topologies
};

enum { COMPLAINTS_MAX = 200 }; // of one reading: beyond this the file is something else

void complain(struct reader *r, struct mark at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void warn(struct reader *r, struct mark at, const char *fmt, ...) PRINTF_LIKE(3, 4);
// What is written where something else was expected: "expected a duration ..., found a list".
void complain_kind(struct reader *r, const struct ynode *n, const char *expected);

struct field {
    const char *key;
    void (*read)(struct reader *r, const struct ynode *value, void *dst); // complains by itself
    size_t offset;                                                        // of dst in the struct that is filled
    bool required;
};
// Fills base from map, in the order of the table (which ends with a NULL key). `what` names the place: "a step".
void decode_fields(struct reader *r, const struct ynode *map, const char *what, const struct field *fields, void *base);

// Readers for tables. dst as said; on a complaint it stays untouched.
void read_text(struct reader *r, const struct ynode *n, void *dst);     // char *, replaces
void read_node(struct reader *r, const struct ynode *n, void *dst);     // const struct ynode *: looked at later
void read_duration(struct reader *r, const struct ynode *n, void *dst); // usec_t

// The text of a scalar, or NULL after a complaint that names what was expected.
const char *text_of(struct reader *r, const struct ynode *n, const char *expected);
// Place of a byte inside a scalar's text; the scalar's start when the file writes it another way (folded, escaped).
struct mark mark_inside(const struct ynode *n, size_t byte);
