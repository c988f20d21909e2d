// SPDX-License-Identifier: PostgreSQL
// Log lines that prove a step which nothing else shows, by the words of the daemon's version: PostgreSQL's stand here, those of the manager in
// its struct ha_kind. Everything else that a daemon says stays in its log.
#include "lab/story/internal.h"

#define AGAIN (15 * SEC) // the same line of the same node: a daemon repeats itself, Patroni once per loop

// PostgreSQL's: postmaster.c, xlogrecovery.c, syncrep.c. Those of the manager are the system's.
static const struct log_mark postgres_marks[] = {
    {"PANIC:", LOG_SAYS, TOLD_MAIN, MOOD_BAD, "PostgreSQL on ", " has panicked"},
    {"was terminated by signal", LOG_SAYS, TOLD_EVENT, MOOD_BAD, "a process of PostgreSQL on ", " has crashed"},
    {"forked off current database system timeline", LOG_SAYS, TOLD_MAIN, MOOD_BAD, "",
     " can't follow: the leader's timeline forked off before its own position"},
    {.words = NULL},
};

static const struct log_mark *marks_of(const struct ha_kind *kind, const char *service) {
    static const struct log_mark none[] = {{.words = NULL}};
    return str_eq(service, "postgresql")                   ? postgres_marks
           : str_eq(service, kind->manager) && kind->marks ? kind->marks
                                                           : none;
}

static const struct log_mark *find_mark(const struct ha_kind *kind, const char *service, const char *line) {
    for (const struct log_mark *k = marks_of(kind, service); k->words; k++)
        if (strstr(line, k->words))
            return k;
    return NULL;
}

bool story_line_marks_step(const struct ha_kind *kind, const char *service, const char *line) {
    return find_mark(kind, service, line) != NULL;
}

static bool told_before(struct story *s, int node, const struct log_mark *mark, usec_t t) {
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

static void demotes(struct story *s, int node, const struct log_mark *k, const struct event *ev) {
    struct patroni_told *p = &s->patroni[node];
    if (p->demoting || str_ends(ev->u.LOG_LINE.text, "in progress"))
        return;
    p->demoting = true;
    usec_t t = before_its_effect(s, node, ev), fell = s->pg[node].fell;
    bool done = fell && fell < t &&
                t < fell + 2 * SEC; // some demotions are logged when they are over (ha.py, immediate-nolock)
    struct moment *m = tell(s, t, MOMENT_MANAGER, k->weight, k->mood, ev->u.LOG_LINE.node, "%s%s%s", k->before,
                            ev->u.LOG_LINE.node, done ? " has demoted its PostgreSQL" : k->after);
    add_detail(m, "\"%s\"", said(ev->u.LOG_LINE.text));
}

static void no_dcs(struct story *s, int node, const struct log_mark *k, const struct event *ev) {
    struct patroni_told *p = &s->patroni[node];
    if (p->no_dcs)
        return;
    p->no_dcs = true;
    p->no_dcs_since = ev->t;
    usec_t t = before_its_effect(s, node, ev);
    (void)tell(s, t, MOMENT_MANAGER, k->weight, k->mood, ev->u.LOG_LINE.node, "%s%s%s", k->before, ev->u.LOG_LINE.node,
               k->after);
}

static void say(struct story *s, const struct log_mark *k, const struct event *ev) {
    bool postgres = str_eq(ev->u.LOG_LINE.service, "postgresql");
    struct moment *m = tell(s, ev->t, postgres ? MOMENT_POSTGRES : MOMENT_MANAGER, k->weight, k->mood,
                            ev->u.LOG_LINE.node, "%s%s%s", k->before, ev->u.LOG_LINE.node, k->after);
    add_detail(m, "\"%s\"", said(ev->u.LOG_LINE.text));
}

void tell_log(struct story *s, const struct event *ev) {
    int node = story_node(s, ev->u.LOG_LINE.node);
    const struct log_mark *k =
        node >= 0 ? find_mark(s->model->kind, ev->u.LOG_LINE.service, ev->u.LOG_LINE.text) : NULL;
    if (!k)
        return;
    if (k->step == LOG_DEMOTES) {
        demotes(s, node, k, ev);
    } else if (k->step == LOG_NO_STORE) {
        no_dcs(s, node, k, ev);
    } else {
        if (!told_before(s, node, k, ev->t))
            say(s, k, ev);
        if (k->step == LOG_PROMOTES || k->step == LOG_DEMOTED)
            s->patroni[node].demoting = false;
    }
}
