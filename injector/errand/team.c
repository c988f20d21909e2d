// SPDX-License-Identifier: PostgreSQL
// The processes of one phase. On each target at once: the phase is over when all have answered. In turn: the next node is asked
// when the one before passed; if all pass, the phase fails with the words of all of them.
#include "injector/errand/process.h"
#include "lab/node/places.h"

static void end(struct team *t, bool ok) {
    void (*done)(void *, bool, usec_t, const char *) = STEAL(t->done);
    if (!done)
        return;
    cleanup_strbuf struct strbuf text = t->text;
    t->text = (struct strbuf){0};
    done(t->arg, ok, t->effective, strbuf_str(&text)); // it may begin the next phase with this team
}

static void begin_next(struct team *t);

static void keep_note(struct team *t, const char *node, const char *key, const char *text) {
    cleanup_free char *name = xasprintf("%s %s", node, key);
    VEC_FOREACH (&t->notes, old)
        if (str_eq(old->key, name)) {
            free(old->value);
            old->value = xstrdup(text);
            return;
        }
    VEC_PUSH(&t->notes, ((struct setting){.key = STEAL(name), .value = xstrdup(text)}));
}

static void answer(struct team *t, size_t i, enum errand_word word, usec_t when, const char *text) {
    bool ok = word == ERRAND_OK;
    t->answered++;
    if (word != ERRAND_PASS && t->in_turn)
        strbuf_clear(&t->text);
    strbuf_add(&t->text, t->text.len ? "; " : "");
    if (t->n > 1 && !t->in_turn)
        strbuf_addf(&t->text, "%s: ", t->nodes[i]);
    strbuf_add(&t->text, text);
    t->effective = when > t->effective ? when : t->effective;
    if (t->in_turn) {
        if (word == ERRAND_PASS)
            begin_next(t);
        else
            end(t, ok);
        return;
    }
    t->failed = t->failed || !ok;
    if (t->answered == t->n)
        end(t, !t->failed);
}

static void on_said(void *arg, struct errand *e, enum errand_word word, usec_t when, const char *key,
                    const char *text) {
    struct team *t = arg;
    size_t i = 0;
    while (i < t->running.n && t->running.items[i] != e)
        i++;
    if (i == t->running.n || i >= t->n)
        return;
    if (word == ERRAND_NOTE)
        keep_note(t, t->nodes[i], key, text);
    else if (word != ERRAND_GONE && t->done)
        answer(t, i, word, when, text);
}

static void begin_one(struct team *t, size_t i) {
    struct err err = {0};
    struct errand *e = NULL;
    struct errand_order o = {.world = t->world,
                             .at = t->at[i],
                             .node = t->nodes[i],
                             .target = t->target,
                             .about = t->about,
                             .params = t->params,
                             .notes = &t->notes,
                             .fn = t->fn,
                             .said = on_said,
                             .arg = t};
    int r = errand_start(&o, &e, &err);
    VEC_PUSH(&t->running, e); // NULL keeps the numbers of the others
    if (r < 0)
        answer(t, i, ERRAND_PASS, 0, err.msg);
}

static void begin_next(struct team *t) {
    if (t->next < t->n)
        begin_one(t, t->next++);
    else
        end(t, false);
}

static bool is_target(char (*targets)[NODE_NAME_MAX], size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(targets[i], name))
            return true;
    return false;
}

static bool can_run_on(const struct team *t, size_t i, enum errand_where where, char (*targets)[NODE_NAME_MAX],
                       size_t n) {
    const struct node_def *def = &t->world->topology->nodes.items[i];
    struct node *node = t->world->nodes[i];
    if (!node || !node_is_on(node))
        return false;
    if (where == ERRAND_ETCD || where == ERRAND_OTHER_ETCD)
        return (def->services & SERVICE_ETCD) && node_service_pid(node, "etcd") > 0 &&
               !(where == ERRAND_OTHER_ETCD && is_target(targets, n, def->name));
    if (where == ERRAND_PATRONI)
        return (def->services & SERVICE_POSTGRES) && node_service_pid(node, "patroni") > 0;
    return (def->services & SERVICE_POSTGRES) && node_postmaster_pid(node, STACK_PGDATA) > 0;
}

static const char *app_node(const struct topology *t) {
    VEC_FOREACH (&t->nodes, n)
        if (n->services & SERVICE_APP)
            return n->name;
    return "";
}

static void add(struct team *t, const char *at, const char *node) {
    STR_COPY(t->at[t->n], at);
    STR_COPY(t->nodes[t->n++], node);
}

static void choose(struct team *t, enum errand_where where, char (*targets)[NODE_NAME_MAX], size_t n) {
    t->n = t->next = t->answered = 0;
    t->in_turn = where != ERRAND_TARGETS && where != ERRAND_APP && where != ERRAND_ALL_ETCD;
    for (size_t i = 0; where == ERRAND_ALL_ETCD && i < t->world->topology->nodes.n; i++) {
        const struct node_def *d = &t->world->topology->nodes.items[i];
        if ((d->services & SERVICE_ETCD) && t->world->nodes[i] && node_is_on(t->world->nodes[i]))
            add(t, d->name, d->name);
    }
    for (size_t i = 0; !t->in_turn && where != ERRAND_ALL_ETCD && i < n; i++)
        add(t, where == ERRAND_APP ? app_node(t->world->topology) : targets[i], targets[i]);
    for (size_t i = 0; t->in_turn && i < t->world->topology->nodes.n; i++)
        if (can_run_on(t, i, where, targets, n))
            add(t, t->world->topology->nodes.items[i].name, t->world->topology->nodes.items[i].name);
}

void team_start(struct team *t, const struct errand_phase *phase, char (*targets)[NODE_NAME_MAX], size_t n_targets) {
    t->fn = phase->fn;
    t->failed = false;
    t->effective = 0;
    strbuf_clear(&t->text);
    STR_COPY(t->target, n_targets ? targets[0] : "");
    choose(t, phase->where, targets, n_targets);
    if (t->n == 0) {
        strbuf_add(&t->text, phase->where == ERRAND_PRIMARY ? "no node runs PostgreSQL now"
                                                            : "no node runs what has to be asked");
        end(t, false);
    } else if (t->in_turn) {
        begin_next(t);
    } else {
        for (size_t i = 0; i < t->n && t->done; i++)
            begin_one(t, i);
    }
}

void team_stop(struct team *t) {
    VEC_FOREACH (&t->running, e)
        if (*e)
            errand_stop(*e);
}

bool team_ended(const struct team *t) {
    VEC_FOREACH (&t->running, e)
        if (*e && !errand_over(*e))
            return false;
    return true;
}

void team_clear(struct team *t) {
    t->done = NULL;
    VEC_FOREACH (&t->running, e)
        errand_free(*e);
    VEC_CLEAR(&t->running);
}

void team_done(struct team *t) {
    team_clear(t);
    VEC_DONE(&t->running);
    VEC_FOREACH (&t->notes, s) {
        free(s->key);
        free(s->value);
    }
    VEC_DONE(&t->notes);
    strbuf_done(&t->text);
}
