// SPDX-License-Identifier: PostgreSQL
// Faults and actions: which one, on whom, with which parameters.
#include "lab/scenario/steps/step_reader.h"
#include "lab/scenario/vocabulary/lookup.h"

static void read_target(const struct step_reader *s, const struct ynode *n) {
    struct selector sel;
    const char *text = text_of(s->r, n, "a node or a role");
    if (text && selector_read(s->r, mark_inside(n, 0), text, &sel))
        VEC_PUSH(&s->step->targets, sel);
}

static void read_targets(const struct step_reader *s, const struct ynode *n) {
    s->marks->target = n->mark;
    if (n->kind == YNODE_TEXT) {
        read_target(s, n);
        return;
    }
    if (n->kind != YNODE_LIST || n->items.n == 0) {
        complain_kind(s->r, n, "a node, a role, or a list of them");
        return;
    }
    for (size_t i = 0; i < n->items.n && i < NODES_MAX; i++)
        read_target(s, n->items.items[i]);
    if (n->items.n > NODES_MAX)
        complain(s->r, n->mark, "at most %d targets", NODES_MAX);
}

// A parameter's value as text: a scalar as it is, a list with commas, a list of lists with slashes between them.
static bool list_text(struct reader *r, const struct ynode *n, const char *between, struct strbuf *out) {
    for (size_t i = 0; i < n->items.n; i++) {
        const struct ynode *item = n->items.items[i];
        bool inner = item->kind == YNODE_LIST && *between == '/';
        const char *text = inner ? "" : text_of(r, item, "a value");
        if (!text)
            return false;
        strbuf_addf(out, "%s%s", i ? between : "", text);
        if (inner && !list_text(r, item, ",", out))
            return false;
    }
    return true;
}

static bool param_text(struct reader *r, const struct ynode *n, struct strbuf *out) {
    if (n->kind == YNODE_LIST)
        return list_text(r, n, n->items.n && n->items.items[0]->kind == YNODE_LIST ? "/" : ",", out);
    const char *text = text_of(r, n, "a value");
    strbuf_add(out, text ? text : "");
    return text != NULL;
}

static void add_param(const struct step_reader *s, const struct mechanism_param *p, const struct ynode *n) {
    cleanup_strbuf struct strbuf value = {0}, why = {0};
    if (!param_text(s->r, n, &value))
        return;
    if (!mechanism_param_check(p, strbuf_str(&value), s->r->t, &why))
        complain(s->r, n->mark, "%s", strbuf_str(&why));
    else
        VEC_PUSH(&s->step->params, ((struct setting){.key = xstrdup(p->name), .value = xstrdup(strbuf_str(&value))}));
}

static void complain_unknown_param(const struct step_reader *s, const struct mechanism *m, const struct ynode *n) {
    cleanup_words struct words all = {0};
    mechanism_param_words(m, &all);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&all, &list);
    if (all.list.n)
        complain(s->r, n->key_mark, "%s has no parameter '%s'%s; allowed: %s", m->name, SHOWN(n->key),
                 HINT(n->key, words_all(&all)), strbuf_str(&list));
    else
        complain(s->r, n->key_mark, "%s has no parameter '%s': it takes none", m->name, SHOWN(n->key));
}

static const char *param_value(const struct step *step, const char *name) {
    for (size_t i = 0; i < step->params.n; i++)
        if (str_eq(step->params.items[i].key, name))
            return step->params.items[i].value;
    return NULL;
}

static void read_params(const struct step_reader *s, const struct mechanism *m) {
    const struct ynode *with = s->draft->with;
    const struct mechanism_param *same_name = mechanism_param_find(m, "with");
    if (with && with->kind == YNODE_MAP) {
        for (size_t i = 0; i < with->items.n; i++) {
            const struct mechanism_param *p = mechanism_param_find(m, with->items.items[i]->key);
            if (p)
                add_param(s, p, with->items.items[i]);
            else if (*with->items.items[i]->key)
                complain_unknown_param(s, m, with->items.items[i]);
        }
    } else if (with && same_name) { // `with: [n2, n3]` for the parameter that is itself called "with"
        add_param(s, same_name, with);
    } else if (with) {
        complain_kind(s->r, with, "a mapping of parameters such as {signal: KILL}");
    }
    for (const struct mechanism_param *p = m->params; p && p->name; p++)
        if (!p->fallback && s->r->whole && !(with && (with->kind != YNODE_MAP || ynode_get(with, p->name))))
            complain(s->r, s->marks->step, "%s needs the parameter '%s' (%s)", m->name, p->name,
                     p->words ? p->words : p->kind);
}

// A service that no possible target runs can't be killed there.
static void check_service(const struct step_reader *s, const struct mechanism *m) {
    const struct topology *t = s->r->t;
    const char *service = param_value(s->step, "service");
    if (!service || !t)
        return;
    unsigned bit = service_asked(service);
    for (size_t i = 0; bit && i < s->step->targets.n; i++) {
        const struct selector *sel = &s->step->targets.items[i];
        unsigned nodes = selector_candidates(t, sel), fit = 0;
        for (size_t n = 0; n < t->nodes.n; n++)
            fit |= (nodes >> n & 1) && (t->nodes.items[n].services & bit);
        char who[NODE_NAME_MAX];
        selector_text(sel, who);
        if (!fit)
            complain(s->r, s->marks->target, "%s: '%s' never runs %s in topology '%s'", m->name, who, service, t->name);
    }
}

static void complain_mechanism(const struct step_reader *s, const struct ynode *n, bool action) {
    cleanup_words struct words own = {0};
    mechanism_words(s->r->o->vocabulary, action, &own);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&own, &list);
    complain(s->r, n->mark, "unknown %s '%s'%s; there are: %s", action ? "action" : "fault", SHOWN(n->text),
             MECHANISM_HINT(n->text, &own), own.list.n ? strbuf_str(&list) : "none");
}

static const struct mechanism *find_mechanism(const struct step_reader *s, const struct ynode *n, bool action) {
    const char *text = text_of(s->r, n, action ? "the name of an action" : "the name of a fault");
    const struct mechanism *m = text ? vocabulary_find(s->r->o->vocabulary, text) : NULL;
    if (m && m->action == action)
        return m;
    if (m)
        complain(s->r, n->key_mark,
                 action ? "%s is a fault: write 'inject: %s'" : "%s is an act of the administrator: write 'do: %s'",
                 m->name, m->name);
    else if (text)
        complain_mechanism(s, n, action);
    return NULL;
}

void step_read_mechanism(const struct step_reader *s, const struct ynode *n, bool action) {
    const struct draft *d = s->draft;
    const struct mechanism *m = find_mechanism(s, n, action);
    if (d->target)
        read_targets(s, d->target);
    if (d->duration)
        read_duration(s->r, d->duration, &s->step->duration);
    if (!m)
        return;
    (void)STR_COPY(s->step->mechanism, m->name);
    if (m->no_target && d->target)
        complain(s->r, d->target->key_mark, "%s takes no target", m->name);
    else if (!m->no_target && !d->target && s->r->whole)
        complain(s->r, s->marks->step, "%s needs a 'target': a node or a role such as leader", m->name);
    read_params(s, m);
    check_service(s, m);
}
