// SPDX-License-Identifier: PostgreSQL
// "inside": an outage or a recovery against the laws of its phases. The phases add up to the recovery, so the sum of their bounds bounds it. An outage that
// began later than the fault spans only the phases that were not over by then, and of the one in which it began it has what was left of its bounds:
//
//   fault |--- demote ---|-- no-quorum --|-- quorum-back --|- promote -|- reroute -| served
//                     outage |-------------------------------------------------------|
//
// A pause of the application from before the fault (at most a hiccup: lab/model/blame.h) has no law: it counts as measured, in both limits.
#include <stdio.h>

#include "lab/measure/fold.h"

#define NOT_KNOWN(l, ...) ((void)snprintf((l)->why, sizeof(l)->why, __VA_ARGS__), false)

static usec_t sum(usec_t a, usec_t b) {
    usec_t r = usec_add(a, b);
    return r < USEC_LONGEST ? r : USEC_LONGEST;
}

static usec_t end_of(const struct phase *p) {
    return p->start + p->duration;
}

static bool is_bounded(const struct phase *p, struct inside *ret) {
    return p->bounded || NOT_KNOWN(ret, "the phase %s has no bound (%.200s)", p->name,
                                   *p->why ? p->why : "no law speaks of this fault");
}

// What p adds to the limits of a time of which all before `cursor` is counted already.
static bool add_phase(const struct phase *p, usec_t cursor, struct inside *ret) {
    usec_t gone = usec_sub(cursor, p->start);
    if (!is_bounded(p, ret))
        return false;
    ret->min = sum(ret->min, usec_sub(p->bound_min, gone));
    ret->max = sum(ret->max, usec_sub(p->bound_max, gone));
    return true;
}

static bool add_phases(const struct measures *o, usec_t from, usec_t to, struct inside *ret) {
    usec_t cursor = from, error = o->phases.begin_error; // of the begin of the phase that is looked at
    bool any = false;
    for (int i = 0; i < PHASE_REJOIN; i++) {
        const struct phase *p = &o->phases.list[i];
        bool over = p->start < from && end_of(p) <= from;
        if (!p->present)
            continue;
        if (!over && end_of(p) > to)
            return NOT_KNOWN(ret, "the application was served again before the phase %s was over", p->name);
        if (!over && !any) {
            ret->min = ret->max = usec_sub(p->start, from);
            ret->error = sum(o->outage.resolution, error);
        }
        error = p->error;
        if (over)
            continue;
        if (!add_phase(p, cursor, ret))
            return false;
        any = true;
        cursor = end_of(p);
    }
    return (any && cursor >= to) || NOT_KNOWN(ret, "no phase led to the first acknowledged write");
}

// Of an outage that does not end the phases to come have no bound, and every upper limit fails; but where no law speaks at all, it can't be broken.
static bool judge_open(const struct measures *o, struct inside *ret) {
    bool any = false;
    for (int i = 0; i < PHASE_REJOIN; i++) {
        const struct phase *p = &o->phases.list[i];
        if (p->present && !is_bounded(p, ret))
            return false;
        any = any || p->present;
    }
    return any || NOT_KNOWN(ret, "no phase of it was seen to end");
}

void inside_measure(const struct measures *o, enum expect_kind kind, struct inside *ret) {
    *ret = (struct inside){0};
    if (kind != EXPECT_WRITE_OUTAGE && kind != EXPECT_RECOVERY) {
        (void)NOT_KNOWN(ret, "no law bounds it");
    } else if (!o->outage.present) {
        (void)NOT_KNOWN(ret, "there was no outage, and so no phase of it");
    } else if (o->cause.fault < 0) {
        (void)NOT_KNOWN(ret, "no fault and no act of the run explains the outage: there is nothing to count from");
    } else if (o->outage.open) {
        ret->known = judge_open(o, ret);
    } else {
        const struct fault_measure *f = &o->faults.items[o->cause.fault];
        usec_t bite = f->effective ? f->effective : f->asked;
        ret->known = ret->told = add_phases(o, kind == EXPECT_RECOVERY ? bite : o->outage.start, o->outage.end, ret);
    }
}
