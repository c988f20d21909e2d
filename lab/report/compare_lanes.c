// SPDX-License-Identifier: PostgreSQL
// The recoveries of several runs, drawn over one time axis that begins with the fault.
#include "lab/report/compare_internal.h"
#include "lab/report/paint.h"

// When the fault that the phases belong to took effect: the zero of the common axis.
static bool fault_time(const struct measures *m, usec_t *ret) {
    if (m->cause.fault < 0 || (size_t)m->cause.fault >= m->faults.n)
        return false;
    const struct fault_measure *f = &m->faults.items[m->cause.fault];
    *ret = f->effective ? f->effective : f->asked;
    return true;
}

static usec_t phases_end(const struct measures *m, usec_t zero) {
    usec_t end = 0;
    for (int i = 0; i < PHASE_COUNT; i++) {
        const struct phase *p = &m->phases.list[i];
        if (p->present && p->start + p->duration > zero + end)
            end = p->start + p->duration - zero;
    }
    return end;
}

// One sign for each phase, the same in every run.
static char phase_sign(enum phase_kind phase) {
    switch (phase) {
    case PHASE_DEMOTE:
        return 'M';
    case PHASE_NO_QUORUM:
        return 'N';
    case PHASE_QUORUM_BACK:
        return 'Q';
    case PHASE_DETECT:
        return 'D';
    case PHASE_ELECT:
        return 'E';
    case PHASE_RETURN:
        return 'T';
    case PHASE_PROMOTE:
        return 'P';
    case PHASE_REROUTE:
        return 'R';
    case PHASE_REJOIN:
        return 'J';
    case PHASE_COUNT:
        break;
    }
    return '?';
}

// The phase that fills most of [from, to), or '.' for none.
static char phase_at(const struct measures *m, usec_t from, usec_t to) {
    usec_t best = 0;
    char c = '.';
    for (int i = 0; i < PHASE_COUNT; i++) {
        const struct phase *p = &m->phases.list[i];
        usec_t a = p->start > from ? p->start : from, b = p->start + p->duration < to ? p->start + p->duration : to;
        if (p->present && b > a && b - a > best)
            best = b - a, c = phase_sign((enum phase_kind)i);
    }
    return c;
}

static void put_legend(const compare_list *runs, struct strbuf *out) {
    strbuf_add(out, "  ");
    const char *comma = "";
    for (int p = 0; p < PHASE_COUNT; p++)
        for (size_t i = 0; i < runs->n; i++) {
            const struct phase *h = &runs->items[i].m->phases.list[p];
            if (!h->present)
                continue;
            strbuf_addf(out, "%s%c %s", comma, phase_sign((enum phase_kind)p), h->name);
            comma = ", ";
            break;
        }
    strbuf_addn(out, "\n", 1);
}

static void put_lane(const struct compare_run *run, char name, usec_t step, int columns, struct strbuf *out) {
    usec_t zero = 0;
    strbuf_addf(out, "  %c  ", name);
    if (!fault_time(run->m, &zero)) {
        strbuf_add(out, "no fault with phases\n");
        return;
    }
    usec_t end = phases_end(run->m, zero);
    for (int c = 0; c < columns && (usec_t)c * step < end; c++) {
        char sign = phase_at(run->m, zero + (usec_t)c * step, zero + (usec_t)(c + 1) * step);
        strbuf_addn(out, &sign, 1);
    }
    strbuf_addn(out, "\n", 1);
}

static usec_t step_for(usec_t longest, int columns) {
    static const usec_t steps[] = {50 * MSEC, 100 * MSEC, 200 * MSEC, 500 * MSEC, SEC,
                                   2 * SEC,   5 * SEC,    10 * SEC,   MINUTE};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (longest <= steps[i] * (usec_t)columns)
            return steps[i];
    return longest / (usec_t)columns + 1;
}

void compare_lanes(const compare_list *runs, const struct report_style *style, struct strbuf *out) {
    int columns = style->width - 8 > 40 ? style->width - 8 : 40;
    usec_t longest = 0, zero = 0;
    VEC_FOREACH (runs, r)
        if (fault_time(r->m, &zero) && phases_end(r->m, zero) > longest)
            longest = phases_end(r->m, zero);
    if (!longest)
        return;
    usec_t step = step_for(longest, columns);
    char text[USEC_TEXT_MAX];
    cleanup_strbuf struct strbuf head = {0};
    strbuf_addf(&head, "\nFrom the fault on, one sign is %s", usec_format(text, step));
    paint_add(out, style, PAINT_BOLD, strbuf_str(&head));
    strbuf_addn(out, "\n", 1);
    for (size_t i = 0; i < runs->n; i++)
        put_lane(&runs->items[i], compare_letter(i), step, columns, out);
    put_legend(runs, out);
}
