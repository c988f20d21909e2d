// SPDX-License-Identifier: PostgreSQL
// What a class looks at while a leader dies: the lease, armed watchdogs, the stopwatch with its phase, the fault.
#include <stdio.h>

#include "dashboard/views/parts.h"

enum { LABEL = 9 }; // column at which the content of a labelled row begins

static void label(struct canvas *c, struct rect area, int y, enum tone tone, const char *text) {
    (void)canvas_field(c, area, y, 1, LABEL - 2, tone, text);
}

void draw_lease(struct canvas *c, struct rect area, int y, const struct dash *d) {
    const struct model *m = d->model;
    char text[SHORT_MAX], ttl[SHORT_MAX];
    const struct ha_kind *kind = m->kind;
    label(c, area, y, TONE_STRONG, kind->has & HA_GRANT ? "Lease" : "Leader");
    if (!m->leader_known) {
        (void)canvas_text(c, area, y, LABEL, TONE_DIM, "%s", kind->unseen);
        return;
    }
    if (!*m->leader) {
        usec_t since = d->now > m->leader_changed ? d->now - m->leader_changed : 0;
        char nobody[160];
        int x = canvas_sign(c, area, y, LABEL, TONE_BAD, SIGN_BAD);
        (void)canvas_text(c, area, y, x + 1, TONE_BAD, "%s, for %s", model_nobody(m, nobody, sizeof nobody),
                          seconds_text(text, since));
        return;
    }
    int x = canvas_sign(c, area, y, LABEL, TONE_LEADER, SIGN_LEADER);
    x = canvas_text(c, area, y, x + 1, TONE_LEADER, "%s ", m->leader);
    if (!(kind->has & HA_GRANT)) {
        (void)canvas_text(c, area, y, x, TONE_DIM, "%s", kind->holds);
        return;
    }
    if (!m->lease_ttl || !m->lease_renewed) {
        (void)canvas_text(c, area, y, x, TONE_DIM, "%s; its lease has not been measured yet", kind->holds);
        return;
    }
    usec_t end = m->lease_renewed + m->lease_ttl, left = end > d->now ? end - d->now : 0;
    usec_t late =
        m->lease_ttl - (m->loop_wait < m->lease_ttl ? m->loop_wait : 0); // a healthy leader renews before this is gone
    bool overdue = m->loop_wait && left + SEC < late && !log_silence(d);
    enum tone tone = !left ? TONE_BAD : overdue ? TONE_WARN : TONE_GOOD;
    int width = area.cols >= 120 ? 60 : area.cols >= 70 ? 24 : 8;
    bar(c, area, y, x, width, tone, (double)left, (double)m->lease_ttl);
    x = canvas_text(c, area, y, x + width + 1, tone, "%s left", seconds_text(text, left));
    x = canvas_text(c, area, y, x + 1, TONE_PLAIN, "of %s", seconds_text(ttl, m->lease_ttl));
    if (!left)
        (void)canvas_text(c, area, y, x, TONE_BAD, ": expired, %s drops the key",
                          *m->kind->arbiters ? m->kind->arbiters : "the store");
    else if (overdue)
        (void)canvas_text(c, area, y, x, TONE_WARN, ": renewal is overdue");
}

// "n1 takes its power in 24.1 s unless its manager writes": its whole timeout is the bar.
static void draw_watchdog(struct canvas *c, struct rect area, int y, const struct dash *d, const struct model_node *n) {
    char text[SHORT_MAX];
    usec_t end = n->watchdog_last + n->watchdog_timeout, left = end > d->now ? end - d->now : 0;
    (void)canvas_text(c, area, y, 1, TONE_STRONG, "Watchdog");
    // The manager writes once per loop: more than a loop and a second without it is one that hangs.
    bool late = d->model->loop_wait && left + d->model->loop_wait + SEC < n->watchdog_timeout;
    enum tone tone = !left ? TONE_BAD : late ? TONE_WARN : TONE_GOOD;
    int width = area.cols >= 120 ? 60 : area.cols >= 70 ? 24 : 8;
    int x = canvas_text(c, area, y, LABEL + 2, TONE_PLAIN, "%s ", n->name); // under the holder's name of the lease
    bar(c, area, y, x, width, tone, (double)left, (double)n->watchdog_timeout);
    (void)canvas_text(c, area, y, x + width + 1, tone, left ? "%s until it cuts the power" : "%s left: power goes",
                      seconds_text(text, left));
}

int draw_watchdogs(struct canvas *c, struct rect area, int y, int most, const struct dash *d) {
    int rows = 0;
    for (size_t i = 0; i < d->model->n_nodes && rows < most; i++)
        if (d->model->nodes[i].watchdog_armed)
            draw_watchdog(c, area, y + rows++, d, &d->model->nodes[i]);
    return rows;
}

// "8.2 s of 20.5 - 27.0 s"
static int draw_bounds(struct canvas *c, struct rect area, int y, int x, const struct phase *p) {
    char took[SHORT_MAX], max[SHORT_MAX];
    usec_t t = p->duration;
    if (!p->bounded)
        return canvas_text(c, area, y, x, TONE_PLAIN, "%s", seconds_text(took, t));
    bool late = t > p->bound_max + SEC / 2;
    x = canvas_text(c, area, y, x, late ? TONE_WARN : TONE_PLAIN, "%s", seconds_text(took, t));
    x = canvas_text(c, area, y, x, TONE_DIM, " (law: %.1f - %s)", (double)p->bound_min / 1e6,
                    seconds_text(max, p->bound_max));
    if (late)
        x = canvas_text(c, area, y, x, TONE_WARN, " ! later than the law");
    return x;
}

static const char *phase_title(const struct recovery *r, int phase) {
    return phase == PHASE_NO_QUORUM ? "no quorum" : phase == PHASE_QUORUM_BACK ? "quorum back" : r->phases[phase].name;
}

static char *phase_words(const struct ha_kind *kind, int phase, char *buf, size_t size) {
    const struct ha_phase_words *w = &kind->phase;
    switch ((enum phase_kind)phase) {
    case PHASE_DEMOTE:
        (void)snprintf(buf, size, "%s can't renew the key: the leader gives up its writes", kind->title);
        break;
    case PHASE_NO_QUORUM:
        (void)snprintf(buf, size, "nobody can lead until %s has a quorum again", kind->arbiters);
        break;
    case PHASE_QUORUM_BACK:
        (void)snprintf(buf, size, "%s serves again: %s must come to its next loop", kind->arbiters, kind->title);
        break;
    case PHASE_DETECT:
        (void)snprintf(buf, size, "waiting until %s", w->gone);
        break;
    case PHASE_ELECT:
        (void)snprintf(buf, size, "%s", w->choosing);
        break;
    case PHASE_RETURN:
        (void)snprintf(buf, size, "the leader %s: its PostgreSQL must accept writes again", w->kept);
        break;
    case PHASE_PROMOTE:
        (void)snprintf(buf, size, "%s", w->promoting);
        break;
    case PHASE_REROUTE:
        (void)snprintf(buf, size, "PostgreSQL takes writes: the application must find it");
        break;
    case PHASE_REJOIN:
    case PHASE_COUNT:
        break;
    }
    return buf;
}

// Which chain an outage has: what is not in it is not drawn, what has not come yet is a dash.
static bool in_chain(const struct recovery *s, int phase) {
    if (s->phases[phase].present || phase == PHASE_REROUTE)
        return true;
    if (s->in_place) // whether it stopped at all is seen afterwards
        return false;
    if (s->no_quorum)
        return phase == PHASE_NO_QUORUM || phase == PHASE_PROMOTE ||
               (phase == PHASE_QUORUM_BACK && !s->phases[PHASE_DETECT].present);
    return (phase == PHASE_DETECT && !s->joined) || phase == PHASE_ELECT || phase == PHASE_PROMOTE;
}

// "detect 26.1 s > elect 2.1 s > [promote 0.3 s] > reroute -"; five phases have no room for units on a narrow screen
static void draw_chain(struct canvas *c, struct rect area, int y, const struct recovery *s) {
    int x = LABEL;
    bool narrow = s->no_quorum && area.cols < 100;
    const char *unit = narrow ? "" : " s";
    for (int i = 0; i < PHASE_REJOIN; i++) {
        const char *name = narrow && i == PHASE_QUORUM_BACK ? "back" : phase_title(s, i);
        const struct phase *p = &s->phases[i];
        if (!in_chain(s, i))
            continue;
        if (x > LABEL && (x = canvas_text(c, area, y, x, TONE_DIM, " ")))
            x = canvas_sign(c, area, y, x, TONE_DIM, SIGN_RIGHT) + 1;
        double took = (double)p->duration / 1e6;
        if (!p->present)
            x = canvas_text(c, area, y, x, TONE_DIM, "%s -", name);
        else if (i == s->current)
            x = canvas_text(c, area, y, x, TONE_STRONG, "[%s %.1f%s]", name, took, unit);
        else
            x = canvas_text(c, area, y, x, TONE_PLAIN, "%s %.1f%s", name, took, unit);
    }
}

// As much of it as there is room for.
static void draw_no_quorum(struct canvas *c, struct rect area, int y, int x, const char *arbiters) {
    char why[80], *end = why + snprintf(why, sizeof why, "; %s has no quorum", arbiters);
    if (x + (int)strlen(why) + 1 > area.cols)
        return;
    (void)str_copy(end, sizeof why - (size_t)(end - why), ": nobody can lead");
    if (x + (int)strlen(why) + 1 > area.cols)
        *end = '\0';
    (void)canvas_text(c, area, y, x, TONE_BAD, "%s", why);
}

static int draw_open(struct canvas *c, struct rect area, int y, int most, const struct dash *d,
                     const struct outage_story *s) {
    const struct recovery *r = &s->recovery;
    char text[SHORT_MAX];
    label(c, area, y, TONE_BAD, "OUTAGE");
    int x = canvas_sign(c, area, y, LABEL, TONE_BAD, SIGN_BAD);
    x = canvas_text(c, area, y, x + 1, TONE_BAD, "%s without an acknowledged write",
                    seconds_text(text, s->to - s->from));
    if (model_no_quorum(d->model))
        draw_no_quorum(c, area, y, x, d->model->kind->arbiters);
    if (most < 2)
        return 1;
    draw_chain(c, area, y + 1, r);
    if (most < 3 || r->current < 0)
        return 2;
    const struct phase *p = &r->phases[r->current];
    x = canvas_text(c, area, y + 2, LABEL, TONE_STRONG, "%s ", phase_title(r, r->current));
    (void)draw_bounds(c, area, y + 2, x, p);
    if (most < 4)
        return 3;
    char words[120] = "";
    (void)canvas_field(c, area, y + 3, LABEL, area.cols - LABEL - 1, TONE_DIM,
                       *p->why ? p->why : phase_words(d->model->kind, r->current, words, sizeof words));
    return 4;
}

static int draw_over(struct canvas *c, struct rect area, int y, int most, const struct dash *d,
                     const struct outage_story *s) {
    char text[SHORT_MAX], ago[SHORT_MAX];
    label(c, area, y, TONE_STRONG, "Outage");
    int x = canvas_sign(c, area, y, LABEL, TONE_GOOD, SIGN_GOOD);
    x = canvas_text(c, area, y, x + 1, TONE_PLAIN, "over: the last one took %s, writes are back since %s",
                    seconds_text(text, s->to - s->from), seconds_text(ago, d->now > s->to ? d->now - s->to : 0));
    if (d->history->felt.writes.n > 1)
        (void)canvas_text(c, area, y, x, TONE_DIM, " (%zu so far)", d->history->felt.writes.n);
    if (most < 2 || !s->cause)
        return 1;
    draw_chain(c, area, y + 1, &s->recovery);
    return 2;
}

int draw_outage(struct canvas *c, struct rect area, int y, int most, const struct dash *d) {
    const struct outage *o = last_outage(d->history);
    if (!o) {
        label(c, area, y, TONE_STRONG, "Outage");
        if (d->model->w_last_ok) {
            int x = canvas_sign(c, area, y, LABEL, TONE_GOOD, SIGN_GOOD);
            (void)canvas_text(c, area, y, x + 1, TONE_PLAIN, "none so far");
        } else {
            (void)canvas_text(c, area, y, LABEL, TONE_DIM, "the application has not written yet");
        }
        return 1;
    }
    struct outage_story s;
    outage_tell(d->model, d->history, o, d->now, &s);
    return s.open ? draw_open(c, area, y, most, d, &s) : draw_over(c, area, y, most, d, &s);
}

// ---- faults -------------------------------------------------------------------------------------------------------------
static const char *fault_state(const struct model_fault *f, enum tone *tone) {
    *tone = TONE_FAULT;
    switch (f->phase) {
    case FAULT_PHASE_ASKED:
        return "being injected";
    case FAULT_PHASE_EFFECTIVE:
        return "in force, being verified";
    case FAULT_PHASE_VERIFIED:
        return "in force, verified";
    case FAULT_PHASE_UNVERIFIED:
        *tone = TONE_BAD;
        return "NOT VERIFIED";
    case FAULT_PHASE_HEAL_ASKED:
        *tone = TONE_WARN;
        return "being healed";
    case FAULT_PHASE_HEAL_UNVERIFIED:
        *tone = TONE_BAD;
        return "healing NOT VERIFIED";
    case FAULT_PHASE_FAILED:
        *tone = TONE_BAD;
        return "injection FAILED";
    case FAULT_PHASE_NONE: // the model keeps none without a phase
    case FAULT_PHASE_UNKNOWN:
    case FAULT_PHASE_HEALED:
    case FAULT_PHASE_HEAL_VERIFIED:
        return NULL;
    }
    return NULL;
}

int draw_faults(struct canvas *c, struct rect area, int y, int most, const struct dash *d) {
    const struct model *m = d->model;
    int used = 0;
    size_t more = 0;
    char text[SHORT_MAX];
    for (size_t i = m->n_faults; i > 0; i--) {
        const struct model_fault *f = &m->faults[i - 1];
        enum tone tone;
        const char *state = fault_state(f, &tone);
        if (!state)
            continue;
        if (used == most) {
            more++;
            continue;
        }
        label(c, area, y + used, TONE_FAULT, used ? "" : "Fault");
        int x = canvas_sign(c, area, y + used, LABEL, tone, SIGN_FAULT);
        usec_t since = f->effective ? f->effective : f->asked;
        x = canvas_text(c, area, y + used, x + 1, tone, "%s on %s", f->mechanism, *f->nodes ? f->nodes : f->target);
        (void)canvas_text(c, area, y + used, x, TONE_PLAIN, ": %s, for %s  [%s]", state,
                          seconds_text(text, d->now > since ? d->now - since : 0), f->id);
        used++;
    }
    if (more)
        (void)canvas_text(c, area, y + used - 1, area.cols - 10, TONE_FAULT, " +%zu more", more);
    if (!used) {
        label(c, area, y, TONE_STRONG, "Fault");
        (void)canvas_text(c, area, y, LABEL, TONE_DIM, "none in force");
        used = 1;
    }
    return used;
}
