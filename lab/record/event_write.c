// SPDX-License-Identifier: PostgreSQL
// One event to one line: {"t":1234567,"ev":"authority","holder":"n1"}. Fields with their zero value are left out.
#include <math.h>
#include <stdio.h>

#include "lab/base/json.h"
#include "lab/record/event_fields.h"

// JSON readers hold numbers as doubles: beyond 2^53 64 bits are written as a string, or jq and cJSON would round them.
static void add_bits(struct strbuf *out, int64_t v) {
    const char *quote = v > EVENT_COUNT_MAX || v < -EVENT_COUNT_MAX ? "\"" : "";
    strbuf_addf(out, "%s%" PRId64 "%s", quote, v, quote);
}

// The shortest of 15 or 17 digits that reads back as the same double. A program that called setlocale(3) may get a
// decimal comma from printf: JSON wants a point.
static void add_double(struct strbuf *out, double v) {
    char text[40];
    char *end;
    (void)snprintf(text, sizeof text, "%.15g", v);
    double back = strtod(text, &end); // same locale as the printf above
    if (back < v || back > v)
        (void)snprintf(text, sizeof text, "%.17g", v);
    for (char *p = text; *p; p++)
        if (*p == ',')
            *p = '.';
    strbuf_add(out, text);
}

static void add_key(struct strbuf *out, const struct event_field *f) {
    strbuf_addn(out, ",\"", 2);
    strbuf_addn(out, f->name, f->name_len);
    strbuf_addn(out, "\":", 2);
}

static void add_field(struct strbuf *out, const struct event_field *f, const void *at) {
    char lsn[LSN_TEXT_MAX];
    switch (f->type) {
    case EVENT_FIELD_N:
    case EVENT_FIELD_S:
        if (*(const char *)at)
            add_key(out, f), json_quote(out, at);
        return;
    case EVENT_FIELD_I:
    case EVENT_FIELD_C:
    case EVENT_FIELD_R:
        if (*(const int64_t *)at)
            add_key(out, f), add_bits(out, *(const int64_t *)at);
        return;
    case EVENT_FIELD_U:
    case EVENT_FIELD_W:
        if (*(const usec_t *)at)
            add_key(out, f), strbuf_addf(out, "%" PRIu64, *(const usec_t *)at);
        return;
    case EVENT_FIELD_B:
        if (*(const bool *)at)
            add_key(out, f), strbuf_addn(out, "true", 4);
        return;
    case EVENT_FIELD_D:
        if (fpclassify(*(const double *)at) != FP_ZERO)
            add_key(out, f), add_double(out, *(const double *)at);
        return;
    case EVENT_FIELD_L:
        if (*(const lsn_t *)at)
            add_key(out, f), json_quote(out, lsn_format(lsn, *(const lsn_t *)at));
        return;
    case EVENT_FIELD_E:
        if (*(const unsigned *)at)
            add_key(out, f), json_quote(out, word_set_name(f->words, *(const unsigned *)at));
        return;
    }
}

void event_to_json(const struct event *given, struct strbuf *out) {
    size_t n;
    struct event normal = *given, *ev = &normal;
    event_normalize(ev);
    const struct event_field *fields = event_fields(ev->kind, &n);
    if (!fields) // a tick is the engine's own and never leaves it
        return;
    strbuf_addf(out, "{\"t\":%" PRIu64 ",\"ev\":\"%s\"", ev->t, event_kind_name(ev->kind));
    if (ev->repeats)
        strbuf_addf(out, ",\"repeats\":%" PRId64 ",\"pause\":%" PRIu64, ev->repeats, ev->pause);
    for (size_t i = 0; i < n; i++)
        add_field(out, &fields[i], (const char *)ev + fields[i].offset);
    strbuf_addn(out, "}\n", 2);
}
