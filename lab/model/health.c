// SPDX-License-Identifier: PostgreSQL
#include "lab/model/health.h"

#include "lab/model/blame.h"
#include "lab/model/fold.h"

// How much earlier than at its event it may have turned: nobody looked since the answer before.
static usec_t resolution(const struct event *ev) {
    switch (ev->kind) {
    case EVENT_SQL:
        return ev->u.SQL.previous && ev->u.SQL.previous < ev->t ? ev->t - ev->u.SQL.previous : 0;
    case EVENT_REPLICATION:
        return HEALTH_ROWS_EVERY;
    case EVENT_ARBITER:
        return HEALTH_MEMBERS_EVERY;
    default: // the DCS is watched, power is switched by the lab
        return 0;
    }
}

static bool is_serious(const struct model *m, usec_t t) {
    return !facts_one_writer_leads(m) || model_no_quorum(m) || model_divergence(m, NULL, 0) != DOUBT_NONE ||
           model_explains(m, "", t);
}

static enum health_news turn_healthy(struct health_watch *w, usec_t t, usec_t error) {
    bool first = !w->ever, counts = w->counts || t > w->lapse + HEALTH_HICCUP_MAX;
    w->healthy = w->ever = true;
    if (!first && !counts) {
        w->since = w->since_before, w->error = w->error_before;
        return HEALTH_HICCUP;
    }
    w->since = t, w->error = error;
    return first ? HEALTH_FIRST : HEALTH_AGAIN;
}

enum health_news health_note(struct health_watch *w, const struct model *m, const struct event *ev) {
    // An event that is told late does not turn the clock back: what it shows is true from then on.
    usec_t t = ev->t > w->since ? ev->t : w->since;
    bool now = model_healthy(m, NULL, 0);
    if (w->healthy && !now) {
        w->since_before = w->since, w->error_before = w->error;
        *w = (struct health_watch){.ever = true,
                                   .since = t,
                                   .error = resolution(ev),
                                   .lapse = t,
                                   .counts = is_serious(m, t),
                                   .since_before = w->since_before,
                                   .error_before = w->error_before};
        return HEALTH_LOST;
    }
    if (!w->healthy && now)
        return turn_healthy(w, t, resolution(ev));
    if (!now && w->ever)
        w->counts |= is_serious(m, t);
    return HEALTH_SAME;
}
