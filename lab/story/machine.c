// SPDX-License-Identifier: PostgreSQL
// Machines and their daemons: what ended, and whether a fault explains it. The init of a node tells every daemon's end; one on a node that no fault and
// no act concerns was somebody else's doing: a person's inside the node, or the daemon's own.
#include <stdio.h>

#include "lab/story/internal.h"

enum { MANAGER };
static const char *const daemons[] = {
    [MANAGER] = NULL, "etcd", "haproxy", "postgres"}; // the manager's name is the system's

static int daemon_index(const struct story *s, const char *service) {
    for (size_t i = 0; i < ARRAY_SIZE(daemons); i++)
        if (str_eq(service, i == MANAGER ? s->model->kind->manager : daemons[i]))
            return (int)i;
    return -1;
}

static void say_unexplained(const struct story *s, int node, struct moment *m) {
    add_detail(m, STORY_UNEXPLAINED "%s", s->machine[node].entered ? "; somebody was inside the machine" : "");
}

static void tell_ended(struct story *s, int node, const struct event *ev, const char *what) {
    char how[64];
    bool postgres = str_eq(what, "postgres"), killed = ev->u.SERVICE.state == SERVICE_STATE_SIGNALLED;
    bool alone = story_unexplained(s, node) && s->ready;
    if (killed)
        (void)snprintf(how, sizeof how, "killed by signal %" PRId64, ev->u.SERVICE.signal);
    else
        (void)snprintf(how, sizeof how, "exited with status %" PRId64, ev->u.SERVICE.status);
    usec_t fault = s->machine[node].process_fault;
    bool said = fault && ev->t < fault + SEC; // the fault's own moment tells whom it killed
    if (postgres && !killed)                  // Patroni's own stops and starts leave such processes to the init
        return;
    struct moment *m = tell(s, ev->t, MOMENT_SERVICE,
                            alone  ? TOLD_MAIN
                            : said ? TOLD_DETAIL
                                   : TOLD_EVENT,
                            alone ? MOOD_BAD : MOOD_WARN, ev->u.SERVICE.node, "%s on %s has ended: %s",
                            postgres ? "a process of PostgreSQL" : what, ev->u.SERVICE.node, how);
    if (alone)
        say_unexplained(s, node, m);
}

static void on_service(struct story *s, int node, const struct event *ev) {
    const char *name = ev->u.SERVICE.service;
    int which = daemon_index(s, name);
    struct machine_told *m = &s->machine[node];
    if (which < 0)
        return;
    if (ev->u.SERVICE.state != SERVICE_STATE_STARTED) {
        fault_bites_by(s, node, ev->t);
        if (!m->power_off)
            tell_ended(s, node, ev, name);
        m->ended[which] = true;
        return;
    }
    if (m->ran[which] && m->ended[which])
        (void)tell(s, ev->t, MOMENT_SERVICE, TOLD_EVENT, MOOD_NEUTRAL, ev->u.SERVICE.node, "%s on %s runs again", name,
                   ev->u.SERVICE.node);
    m->ran[which] = true;
    m->ended[which] = false;
}

static void on_power(struct story *s, int node, const struct event *ev) {
    struct machine_told *m = &s->machine[node];
    const char *name = ev->u.NODE_POWER.node;
    bool alone = story_unexplained(s, node) && s->ready;
    bool said = m->power_fault && ev->t < m->power_fault + SEC; // the fault's own moment says it
    if (ev->u.NODE_POWER.on) {
        if (m->power_off)
            (void)tell(s, ev->t, MOMENT_POWER, TOLD_EVENT, MOOD_NEUTRAL, name, "%s has power again", name);
        m->power_off = 0;
        return;
    }
    struct moment *told = tell(s, ev->t, MOMENT_POWER,
                               alone  ? TOLD_MAIN
                               : said ? TOLD_DETAIL
                                      : TOLD_EVENT,
                               alone ? MOOD_BAD : MOOD_WARN, name, "%s has no power any more", name);
    if (alone)
        say_unexplained(s, node, told);
    fault_bites_by(s, node, ev->t);
    m->power_off = ev->t;
    for (size_t i = 0; i < ARRAY_SIZE(m->ended); i++)
        m->ended[i] = m->ran[i];
    postgres_power(s, node);
    s->patroni[node] = (struct patroni_told){0};
}

static void on_watchdog(struct story *s, const struct event *ev) {
    const char *node = ev->u.WATCHDOG.node;
    double timeout = (double)ev->u.WATCHDOG.timeout / 1e6;
    switch (ev->u.WATCHDOG.state) {
    case WATCHDOG_STATE_EXPIRED:
        (void)tell(s, ev->t, MOMENT_WATCHDOG, TOLD_MAIN, MOOD_BAD, node,
                   "the watchdog of %s has expired and takes its power: nobody wrote to it for %.0f s", node, timeout);
        break;
    case WATCHDOG_STATE_KEPT:
        break;
    case WATCHDOG_STATE_NONE:
    case WATCHDOG_STATE_UNKNOWN:
    case WATCHDOG_STATE_ARMED:
    case WATCHDOG_STATE_DISARMED:
        (void)tell(s, ev->t, MOMENT_WATCHDOG, TOLD_DETAIL, MOOD_NEUTRAL, node, "the watchdog of %s is %s", node,
                   watchdog_state_name(ev->u.WATCHDOG.state));
        break;
    }
}

void tell_machine(struct story *s, const struct event *ev) {
    const char *name = ev->kind == EVENT_SERVICE      ? ev->u.SERVICE.node
                       : ev->kind == EVENT_NODE_POWER ? ev->u.NODE_POWER.node
                                                      : ev->u.WATCHDOG.node;
    int node = story_node(s, name);
    if (node < 0)
        return;
    if (ev->kind == EVENT_SERVICE)
        on_service(s, node, ev);
    else if (ev->kind == EVENT_NODE_POWER)
        on_power(s, node, ev);
    else
        on_watchdog(s, ev);
}

// ---- the manager ------------------------------------------------------------------------------------------------------

#define SILENCE (2 * SEC) // it is asked once a second

static void manager_silent(struct story *s, int node, const struct event *ev) {
    struct patroni_told *p = &s->patroni[node];
    if (!p->silent_since)
        p->silent_since = ev->t;
    if (!p->answered || ev->t < p->silent_since + SILENCE)
        return;
    p->answered = false;
    if (s->machine[node].ended[MANAGER]) // its end was told
        return;
    struct moment *m =
        tell(s, p->silent_since, MOMENT_MANAGER, TOLD_EVENT, MOOD_WARN, ev->u.MANAGER.node,
             "%s on %s does not answer%s", s->model->kind->title, ev->u.MANAGER.node, s->model->kind->api);
    add_detail(m, "%s", ev->u.MANAGER.error);
}

void tell_manager(struct story *s, const struct event *ev) {
    int node = story_node(s, ev->u.MANAGER.node);
    if (node < 0 || s->machine[node].power_off)
        return;
    struct patroni_told *p = &s->patroni[node];
    if (!ev->u.MANAGER.answered) {
        manager_silent(s, node, ev);
        return;
    }
    if (p->known && !p->answered)
        (void)tell(s, ev->t, MOMENT_MANAGER, TOLD_EVENT, MOOD_NEUTRAL, ev->u.MANAGER.node, "%s on %s answers again",
                   s->model->kind->title, ev->u.MANAGER.node);
    p->known = p->answered = true;
    p->silent_since = 0;
}
