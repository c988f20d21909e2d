// SPDX-License-Identifier: PostgreSQL
// The phases of the recovery from the injection that the run's outage belongs to (lab/failover/phase.h), their bounds, and what only a finished run can tell
// of them: how well the fault's own time is known, and when the cluster was whole again.
#include "lab/measure/fold.h"

// The fault's own time may be known only to lie between its order and its effect.
static void add_fault_error(struct measure *m, const struct fault_measure *f) {
    usec_t error = f->effective && f->effective_seen     ? 0
                   : f->effective > f->asked && f->asked ? f->effective - f->asked
                                                         : 0;
    m->out.phases.begin_error = error;
    for (int i = 0; i < PHASE_REJOIN; i++)
        if (m->out.phases.list[i].present) {
            m->out.phases.list[i].error += error;
            return;
        }
}

// Rejoined: healthy again and for good (lab/model/health.h). It can be waited for from the moment at which writes were back, or from the fault's healing
// when that came later.
static void link_rejoin(struct measure *m, const struct fault_measure *f, usec_t start, usec_t cursor) {
    const struct health_change *last = m->healths.n ? &m->healths.items[m->healths.n - 1] : NULL;
    if (!last || !last->healthy || (m->out.outage.present && m->out.outage.open))
        return;
    m->out.phases.rejoin_known = true;
    if (last->t <= start) // nobody ever left: there is nothing to rejoin
        return;
    usec_t from = f->healed > cursor && f->healed <= last->t ? f->healed : cursor;
    usec_t end = last->t > from ? last->t : from; // healthy before the first write was back: nothing left to wait for
    struct phase *p = &m->out.phases.list[PHASE_REJOIN];
    *p = (struct phase){.present = true, .name = p->name, .start = from, .duration = end - from, .error = last->error};
    m->out.phases.rejoin = p->duration;
}

static void tell_bounds(struct measure *m, const struct fault_measure *f, const struct recovery *r) {
    struct measures *o = &m->out;
    const struct bound_case c = {
        .fault = {f->mechanism, f->params, f->nodes, o->cause.old_leader},
        .id = f->id,
        .asked = f->asked,
        .bite = f->effective ? f->effective : f->asked,
        .healed = f->healed ? f->healed : USEC_NEVER,
        .now = o->run.ended,
        .no_quorum = r->no_quorum,
        .quorum_lost = r->quorum_lost,
    };
    m->leadership.system->bounds(&m->leadership, m->model, &c, o->phases.list);
}

void phases_measure(struct measure *m) {
    struct measures *o = &m->out;
    struct recovery r;
#define X(kind, text) o->phases.list[PHASE_##kind].name = text;
    PHASES(X)
#undef X
    if (o->cause.fault < 0)
        return;
    const struct fault_measure *f = &o->faults.items[o->cause.fault];
    const struct recovery_case asked = {
        .start = f->effective ? f->effective : f->asked,
        .now = o->run.ended,
        .served = o->outage.present && !o->outage.open,
        .end = o->outage.end,
        .pause = o->outage.length,
        .resolution = o->outage.resolution,
    };
    recovery_tell(&m->leadership, &asked, &r);
    memcpy(o->phases.list, r.phases, sizeof o->phases.list);
    STR_COPY(o->phases.leader, r.leader);
    add_fault_error(m, f);
    link_rejoin(m, f, asked.start, r.cursor);
    tell_bounds(m, f, &r);
}
