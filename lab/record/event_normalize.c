// SPDX-License-Identifier: PostgreSQL
#include <math.h>

#include "lab/base/utf8.h"
#include "lab/record/event_fields.h"

static uint64_t at_most(uint64_t v, uint64_t max) {
    return v < max ? v : max;
}

static int64_t within(int64_t v, int64_t min) {
    return v > EVENT_COUNT_MAX ? EVENT_COUNT_MAX : v < min ? min : v;
}

static double number(double v) {
    const double max = (double)EVENT_COUNT_MAX;
    return !isfinite(v) ? 0 : v > max ? max : v < -max ? -max : v;
}

static void normalize(const struct event_field *f, void *at) {
    switch (f->type) {
    case EVENT_FIELD_N:
        return utf8_repair(at, EVENT_NAME_MAX);
    case EVENT_FIELD_S:
        return utf8_repair(at, EVENT_TEXT_MAX);
    case EVENT_FIELD_I:
        *(int64_t *)at = within(*(int64_t *)at, -EVENT_COUNT_MAX);
        return;
    case EVENT_FIELD_C:
        *(int64_t *)at = within(*(int64_t *)at, 0);
        return;
    case EVENT_FIELD_U:
        *(usec_t *)at = at_most(*(usec_t *)at, EVENT_TIME_MAX);
        return;
    case EVENT_FIELD_W:
        *(usec_t *)at = at_most(*(usec_t *)at, EVENT_WALL_MAX);
        return;
    case EVENT_FIELD_D:
        *(double *)at = number(*(double *)at);
        return;
    case EVENT_FIELD_L:
        *(lsn_t *)at = at_most(*(lsn_t *)at, EVENT_LSN_MAX);
        return;
    case EVENT_FIELD_E:
        *(unsigned *)at = (unsigned)at_most(*(unsigned *)at, f->words->n - 1);
        return;
    case EVENT_FIELD_B:
    case EVENT_FIELD_R:
        return;
    }
}

void event_normalize(struct event *ev) {
    size_t n;
    const struct event_field *fields = event_fields(ev->kind, &n);
    ev->t = at_most(ev->t, EVENT_TIME_MAX);
    ev->repeats = within(ev->repeats, 0);
    ev->pause = ev->repeats ? at_most(ev->pause, EVENT_TIME_MAX) : 0;
    for (size_t i = 0; i < n; i++)
        normalize(&fields[i], (char *)ev + fields[i].offset);
}
