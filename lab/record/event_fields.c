// SPDX-License-Identifier: PostgreSQL
#include "lab/record/event_fields.h"

// The field macros of event.h don't say which kind they belong to. Inside a function a typedef can: `here` is the
// struct of that kind, so one FIELD macro serves all of them and a forgotten field is impossible.
#define FIELD(t, f)                                                                                                    \
    {#f, sizeof #f - 1, EVENT_FIELD_##t, offsetof(struct event, u) + offsetof(here, f), EVENT_WORDS_##t},
// clang-format off
#define EVENT_FIELD_E(set) EVENT_FIELD_E // of a field of type E(set); the name alone stays the enum's
#define EVENT_WORDS_E(set) &set##_words
#define EVENT_WORDS_N NULL
#define EVENT_WORDS_S NULL
#define EVENT_WORDS_I NULL
#define EVENT_WORDS_C NULL
#define EVENT_WORDS_U NULL
#define EVENT_WORDS_W NULL
#define EVENT_WORDS_B NULL
#define EVENT_WORDS_D NULL
#define EVENT_WORDS_L NULL
#define EVENT_WORDS_R NULL
#define X(kind, text)                                                                                                  \
    static const struct event_field *fields_of_##kind(size_t *ret_n) {                                                 \
        typedef __typeof__(((struct event *)NULL)->u.kind) here;                                                       \
        static const struct event_field fields[] = {EVENT_FIELDS_##kind(FIELD)};                                       \
        *ret_n = ARRAY_SIZE(fields);                                                                                   \
        return fields;                                                                                                 \
    }
// clang-format on
EVENT_KINDS(X)
#undef X

const struct event_field *event_fields(enum event_kind kind, size_t *ret_n) {
    *ret_n = 0;
    switch (kind) {
#define X(kind, text)                                                                                                  \
    case EVENT_##kind:                                                                                                 \
        return fields_of_##kind(ret_n);
        EVENT_KINDS(X)
#undef X
    case EVENT_TICK:
    case EVENT_KIND_COUNT:
        break;
    }
    return NULL;
}
