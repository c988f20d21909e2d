// SPDX-License-Identifier: PostgreSQL
// Log lines that prove a step which nothing else shows, by the words of the daemon's version. Everything else that a daemon says stays in its log.
#include "lab/story/internal.h"

#define AGAIN (15 * SEC) // the same line of the same node: a daemon repeats itself, Patroni once per loop

enum mark_action { SAY, DEMOTES, DEMOTED_SELF, NO_DCS, PROMOTES };
static const struct mark {
    const char *service, *words;
    enum mark_action action;
    enum moment_weight weight;
    enum moment_mood mood;
    const char *before, *after; // the node stands between them
} marks[] = {
    // Patroni: patroni/ha.py, patroni/postgresql/rewind.py, patroni/postgresql/bootstrap.py; 2.1 to 4.x
    {"patroni", "demoting self", DEMOTES, TOLD_MAIN, MOOD_WARN, "Patroni on ", " demotes its PostgreSQL"},
    {"patroni", "demoted self", DEMOTED_SELF, TOLD_DETAIL, MOOD_NEUTRAL, "Patroni on ", " has demoted its PostgreSQL"},
    {"patroni", "promoted self to leader", PROMOTES, TOLD_DETAIL, MOOD_NEUTRAL, "Patroni on ",
     " promotes its PostgreSQL"},
    {"patroni", "Error communicating with DCS", NO_DCS, TOLD_EVENT, MOOD_WARN, "Patroni on ", " can't reach etcd"},
    {"patroni", "DCS is not accessible", NO_DCS, TOLD_EVENT, MOOD_WARN, "Patroni on ", " can't reach etcd"},
    {"patroni", "failsafe mode", SAY, TOLD_EVENT, MOOD_WARN, "Patroni on ", " acts in failsafe mode"},
    {"patroni", "running pg_rewind from", SAY, TOLD_EVENT, MOOD_NEUTRAL, "pg_rewind begins on ",
     ": what only this node wrote goes"},
    {"patroni", "pg_rewind exit code=0", SAY, TOLD_EVENT, MOOD_GOOD, "pg_rewind on ", " is done"},
    {"patroni", "pg_rewind exit code=", SAY, TOLD_MAIN, MOOD_BAD, "pg_rewind on ", " has failed"},
    {"patroni", "trying to bootstrap from", SAY, TOLD_EVENT, MOOD_NEUTRAL, "", " fetches a base backup anew"},
    {"patroni", "Removing data directory", SAY, TOLD_MAIN, MOOD_WARN, "Patroni removes the data directory of ", ""},
    {"patroni", "doing crash recovery", SAY, TOLD_EVENT, MOOD_NEUTRAL, "Patroni on ",
     " runs crash recovery in single-user mode"},
    {"patroni", "Watchdog device is not usable", SAY, TOLD_EVENT, MOOD_WARN, "Patroni on ",
     " may not lead: its watchdog is not usable"},
    {"patroni", "switchover: demoting myself", DEMOTES, TOLD_EVENT, MOOD_NEUTRAL, "Patroni on ",
     " gives its role up for a switchover"},
    {"patroni", "Could not activate", SAY, TOLD_EVENT, MOOD_WARN, "Patroni on ", " could not activate its watchdog"},
    // PostgreSQL: postmaster.c, xlogrecovery.c, syncrep.c
    {"postgresql", "PANIC:", SAY, TOLD_MAIN, MOOD_BAD, "PostgreSQL on ", " has panicked"},
    {"postgresql", "was terminated by signal", SAY, TOLD_EVENT, MOOD_BAD, "a process of PostgreSQL on ",
     " has crashed"},
    {"postgresql", "forked off current database system timeline", SAY, TOLD_MAIN, MOOD_BAD, "",
     " can't follow: the leader's timeline forked off before its own position"},
};

static const struct mark *find_mark(const char *service, const char *line) {
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (str_eq(service, marks[i].service) && strstr(line, marks[i].words))
            return &marks[i];
    return NULL;
}

bool story_line_marks_step(const char *service, const char *line) {
    return find_mark(service, line) != NULL;
}

static bool told_before(struct story *s, int node, int mark, usec_t t) {
    struct machine_told *m = &s->machine[node];
    size_t i = 0;
    while (i < m->n_marks && m->marks[i].mark != mark)
        i++;
    bool again = i < m->n_marks && t < m->marks[i].t + AGAIN;
    if (i == m->n_marks && i == MARKS)
        i = 0;
    else if (i == m->n_marks)
        m->n_marks++;
    m->marks[i] = (struct mark_told){mark, t};
    return again;
}

// "ERROR: Error communicating with DCS" without what stands before the words; text of pg_rewind and of PostgreSQL as it is.
static const char *said(const char *text) {
    static const char *const levels[] = {"INFO: ", "WARNING: ", "ERROR: "};
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
        if (str_starts(text, levels[i]))
            return text + strlen(levels[i]);
    return text;
}

// A line whose time of writing is not known is dated when it was read, up to a moment later: what it has caused was perhaps seen before.
static usec_t before_its_effect(struct story *s, int node, const struct event *ev) {
    usec_t t = ev->t;
    if (ev->u.LOG_LINE.read && ev->u.LOG_LINE.read != t)
        return t;
    const struct moment *fall = moment_find(s, s->pg[node].fall);
    usec_t since = fall && fall->error < fall->t ? fall->t - fall->error : 0;
    return fall && since < t && t < fall->t + SEC ? since : t;
}

static void demotes(struct story *s, int node, const struct mark *k, const struct event *ev) {
    struct patroni_told *p = &s->patroni[node];
    if (p->demoting || str_ends(ev->u.LOG_LINE.text, "in progress"))
        return;
    p->demoting = true;
    usec_t t = before_its_effect(s, node, ev), fell = s->pg[node].fell;
    bool done = fell && fell < t &&
                t < fell + 2 * SEC; // some demotions are logged when they are over (ha.py, immediate-nolock)
    struct moment *m = tell(s, t, MOMENT_PATRONI, k->weight, k->mood, ev->u.LOG_LINE.node, "%s%s%s", k->before,
                            ev->u.LOG_LINE.node, done ? " has demoted its PostgreSQL" : k->after);
    add_detail(m, "\"%s\"", said(ev->u.LOG_LINE.text));
}

static void no_dcs(struct story *s, int node, const struct mark *k, const struct event *ev) {
    struct patroni_told *p = &s->patroni[node];
    if (p->no_dcs)
        return;
    p->no_dcs = true;
    p->no_dcs_since = ev->t;
    usec_t t = before_its_effect(s, node, ev);
    (void)tell(s, t, MOMENT_PATRONI, k->weight, k->mood, ev->u.LOG_LINE.node, "%s%s%s", k->before, ev->u.LOG_LINE.node,
               k->after);
}

static void say(struct story *s, const struct mark *k, const struct event *ev) {
    struct moment *m = tell(s, ev->t, str_eq(k->service, "patroni") ? MOMENT_PATRONI : MOMENT_POSTGRES, k->weight,
                            k->mood, ev->u.LOG_LINE.node, "%s%s%s", k->before, ev->u.LOG_LINE.node, k->after);
    add_detail(m, "\"%s\"", said(ev->u.LOG_LINE.text));
}

void tell_log(struct story *s, const struct event *ev) {
    int node = story_node(s, ev->u.LOG_LINE.node);
    const struct mark *k = node >= 0 ? find_mark(ev->u.LOG_LINE.service, ev->u.LOG_LINE.text) : NULL;
    if (!k)
        return;
    if (k->action == DEMOTES) {
        demotes(s, node, k, ev);
    } else if (k->action == NO_DCS) {
        no_dcs(s, node, k, ev);
    } else {
        if (!told_before(s, node, (int)(k - marks), ev->t))
            say(s, k, ev);
        if (k->action == PROMOTES || k->action == DEMOTED_SELF)
            s->patroni[node].demoting = false;
    }
}
