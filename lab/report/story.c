// SPDX-License-Identifier: PostgreSQL
#include "lab/report/story.h"

#include <stdio.h>

static struct moment *add(moment_list *l, usec_t t, const char *text) {
    int order = (int)l->n;
    struct moment *n = VEC_ADD(l);
    n->t = t;
    n->order = order;
    STR_COPY(n->text, text);
    return n;
}

static void tell_fault(const struct fault_measure *f, moment_list *out) {
    usec_t at = f->effective ? f->effective : f->asked;
    char text[EVENT_TEXT_MAX];
    const char *who = *f->nodes ? f->nodes : "?";
    if (*f->target && !str_eq(f->target, f->nodes))
        (void)snprintf(text, sizeof text, "%s%s on %s, which is %s", f->action ? "act: " : "fault: ", f->mechanism,
                       f->target, who);
    else if (*f->nodes || *f->target)
        (void)snprintf(text, sizeof text, "%s%s on %s", f->action ? "act: " : "fault: ", f->mechanism,
                       *f->target ? f->target : who);
    else
        (void)snprintf(text, sizeof text, "%s%s", f->action ? "act: " : "fault: ", f->mechanism);
    struct moment *n = add(out, at, text);
    n->bad = true;
    const char *how = f->action ? f->ok ? "done" : "NOT DONE" : f->ok ? "verified" : "NOT VERIFIED";
    (void)snprintf(n->detail, sizeof n->detail, "%s%s%.440s", how, *f->detail ? ": " : "", f->detail);
    if (f->healed) {
        (void)snprintf(text, sizeof text, "healed: %s", f->mechanism);
        (void)add(out, f->healed, text);
    }
}

static void tell_phases(const struct measures *m, moment_list *out) {
    const struct phase *p = m->phases;
    const char *taker = *m->phase_leader ? m->phase_leader : m->new_leader;
    char text[EVENT_TEXT_MAX];
    if (p[PHASE_DETECT].present) {
        (void)snprintf(text, sizeof text, "%s's leader key is gone", *m->old_leader ? m->old_leader : "the");
        (void)add(out, p[PHASE_DETECT].start + p[PHASE_DETECT].duration,
                  *m->old_leader ? text : "the leader key is gone");
    }
    if (p[PHASE_ELECT].present) {
        (void)snprintf(text, sizeof text, "%s takes the leader key", taker);
        (void)add(out, p[PHASE_ELECT].start + p[PHASE_ELECT].duration, text);
    }
    if (p[PHASE_PROMOTE].present) {
        (void)snprintf(text, sizeof text, "%s accepts writes%s", taker, p[PHASE_ELECT].present ? "" : " again");
        (void)add(out, p[PHASE_PROMOTE].start + p[PHASE_PROMOTE].duration, text);
    }
    if (p[PHASE_REJOIN].present)
        (void)add(out, p[PHASE_REJOIN].start + p[PHASE_REJOIN].duration, "every powered member is streaming again");
}

static void tell_writes(const struct measures *m, moment_list *out) {
    if (m->first_write)
        (void)add(out, m->first_write, "first acknowledged write of the run");
    if (m->outage) {
        add(out, m->outage_start, "last acknowledged write before the outage")->bad = true;
        (void)add(out, m->outage_end,
                  m->outage_open ? "writes were still failing when the application stopped"
                                 : "first acknowledged write after the outage");
    }
    if (m->last_write && (!m->outage || m->last_write > m->outage_start))
        (void)add(out, m->last_write, "last acknowledged write of the run");
}

static void tell_defects(const struct measures *m, moment_list *out) {
    VEC_FOREACH (&m->defects, d) {
        if (!d->seen)
            continue;
        struct moment *n = add(out, d->at, d->detail);
        n->bad = true;
        (void)snprintf(n->detail, sizeof n->detail, "the signature of %s: %.400s", d->id, d->text);
    }
}

static void tell_aheads(const struct measures *m, moment_list *out) {
    char text[EVENT_TEXT_MAX], here[LSN_TEXT_MAX], there[LSN_TEXT_MAX];
    VEC_FOREACH (&m->aheads, s) {
        (void)snprintf(text, sizeof text, "%s is ahead of its leader %s: replayed to %s, written to %s", s->node,
                       s->leader, lsn_format(here, s->lsn), lsn_format(there, s->leader_lsn));
        add(out, s->from, text)->bad = true;
    }
}

static int by_time(const void *a, const void *b) {
    const struct moment *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->order - y->order;
}

void story_tell(const struct measures *m, moment_list *out) {
    char text[EVENT_TEXT_MAX];
    if (m->healthy_at) {
        (void)snprintf(text, sizeof text, "healthy: every member streams%s%s", *m->old_leader ? ", the leader is " : "",
                       m->old_leader);
        (void)add(out, m->healthy_at, text);
    }
    VEC_FOREACH (&m->faults, f)
        tell_fault(f, out);
    tell_phases(m, out);
    tell_writes(m, out);
    tell_defects(m, out);
    tell_aheads(m, out);
    if (out->n)
        qsort(out->items, out->n, sizeof *out->items, by_time);
}
