// SPDX-License-Identifier: PostgreSQL
#include "lab/model/ahead.h"

void ahead_standby(struct ahead_watch *w, usec_t t, lsn_t lsn) {
    w->before = w->last;
    w->last = (struct ahead_position){t, lsn};
}

void ahead_no_standby(struct ahead_watch *w, usec_t t, bool primary) {
    w->last = w->before = (struct ahead_position){0};
    if (primary)
        w->clear = t;
}

const struct ahead_position *ahead_pair(const struct ahead_watch *w, usec_t asked) {
    const struct ahead_position *p = w->last.t && w->last.t <= asked ? &w->last : &w->before;
    return p->t && p->t <= asked && p->lsn ? p : NULL;
}

static void open_stretch(struct ahead_watch *w, const char *leader, usec_t t) {
    w->open = true;
    w->from = w->to = t;
    w->maybe_from = w->clear < t ? w->clear : t;
    w->standby = w->primary = (struct ahead_position){0};
    STR_COPY(w->leader, leader);
}

enum ahead_found ahead_compare(struct ahead_watch *w, const char *leader, usec_t asked, lsn_t lsn) {
    const struct ahead_position *p = ahead_pair(w, asked);
    if (!p || !lsn)
        return AHEAD_NOT_KNOWN;
    if (p->lsn <= lsn) {
        w->clear = p->t;
        return AHEAD_REFUTED;
    }
    if (!w->open)
        open_stretch(w, leader, asked);
    w->to = asked > w->to ? asked : w->to;
    w->kept = p->lsn;
    if (!w->standby.lsn || p->lsn - lsn > w->standby.lsn - w->primary.lsn) {
        w->standby = *p;
        w->primary = (struct ahead_position){asked, lsn};
    }
    return AHEAD_PROVEN;
}
