// SPDX-License-Identifier: PostgreSQL
#pragma once
// The field descriptors of every event kind, made from the table in event.h: what the JSON writer and reader walk
// along.
#include <stddef.h>

#include "lab/record/event.h"

enum event_field_type {
    EVENT_FIELD_N,
    EVENT_FIELD_S,
    EVENT_FIELD_I,
    EVENT_FIELD_U,
    EVENT_FIELD_B,
    EVENT_FIELD_D,
    EVENT_FIELD_L,
    EVENT_FIELD_C,
    EVENT_FIELD_W,
    EVENT_FIELD_R,
    EVENT_FIELD_E
};

struct event_field {
    const char *name;
    size_t name_len;
    enum event_field_type type;
    size_t offset; // from the start of struct event
    const struct word_set
        *words; // EVENT_FIELD_E: those that it may hold; the field is an unsigned number to who knows no more
};

// The fields of a kind in table order. NULL and *ret_n = 0 for EVENT_TICK and for numbers that are no kind.
const struct event_field *event_fields(enum event_kind kind, size_t *ret_n);
