// SPDX-License-Identifier: PostgreSQL
// Mechanisms and their parameters, as the injector's catalogue describes them.
#include "lab/scenario/vocabulary/lookup.h"

#include "lab/record/old_names.h"
#include "lab/scenario/yaml/scalar.h"

const struct mechanism *vocabulary_find(const struct vocabulary *v, const char *name) {
    name = old_name_now(name);
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->mechanisms[i].name, name))
            return &v->mechanisms[i];
    return NULL;
}

const struct mechanism_param *mechanism_param_find(const struct mechanism *m, const char *name) {
    for (const struct mechanism_param *p = m->params; p && p->name; p++)
        if (str_eq(p->name, name))
            return p;
    return NULL;
}

void mechanism_words(const struct vocabulary *v, bool action, struct words *out) {
    for (size_t i = 0; i < v->n; i++)
        if (v->mechanisms[i].action == action)
            words_add(out, v->mechanisms[i].name);
}

static const char *nearest(const char *typed, const struct words *names) {
    cleanup_words struct words all = {0};
    VEC_FOREACH (&names->list, name) {
        words_add(&all, *name);
        if (old_name_then(*name))
            words_add(&all, old_name_then(*name));
    }
    const char *near = str_nearest(typed, words_all(&all));
    return near ? old_name_now(near) : NULL;
}

const char *vocabulary_nearest(const struct vocabulary *v, const char *typed) {
    cleanup_words struct words all = {0};
    mechanism_words(v, false, &all);
    mechanism_words(v, true, &all);
    return nearest(typed, &all);
}

const char *mechanism_hint(char buf[static HINT_MAX], const char *typed, const struct words *names) {
    const char *near = nearest(typed, names);
    return hint(buf, near ? near : "", (const char *const[]){near, NULL});
}

void mechanism_param_words(const struct mechanism *m, struct words *out) {
    for (const struct mechanism_param *p = m->params; p && p->name; p++)
        words_add(out, p->name);
}

// "TERM|KILL|..." holds the word?
static bool words_hold(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *p = words; p && *p; p = *p ? p + 1 : p) {
        size_t len = strcspn(p, "|");
        if (len == n && n > 0 && memcmp(p, word, n) == 0)
            return true;
        p += len;
        if (!*p)
            break;
    }
    return false;
}

static void complain_word(const struct mechanism_param *p, const char *value, struct strbuf *why) {
    cleanup_free char *copy = xstrdup(p->words ? p->words : "");
    cleanup_words struct words allowed = {0};
    char *save = NULL;
    for (char *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
        words_add(&allowed, w);
    strbuf_addf(why, "'%s' is not allowed for parameter '%s'%s; allowed: ", SHOWN(value), p->name,
                HINT(value, words_all(&allowed)));
    words_join(&allowed, why);
}

// Node names separated by commas, or one of the parameter's own words ("others").
static bool nodes_check(const struct mechanism_param *p, const char *value, const struct topology *t,
                        struct strbuf *why) {
    if (words_hold(p->words, value))
        return true;
    cleanup_free char *copy = xstrdup(value);
    char *save = NULL;
    size_t n = 0;
    for (char *name = strtok_r(copy, ", ", &save); name; name = strtok_r(NULL, ", ", &save), n++) {
        if (!t || topology_node(t, name))
            continue;
        cleanup_words struct words known = {0};
        for (size_t i = 0; i < t->nodes.n; i++)
            words_add(&known, t->nodes.items[i].name);
        strbuf_addf(why, "parameter '%s': there is no node '%s'%s; nodes: ", p->name, SHOWN(name),
                    HINT(name, words_all(&known)));
        words_join(&known, why);
        if (p->words)
            strbuf_addf(why, "; or one of %s", p->words);
        return false;
    }
    if (n == 0)
        strbuf_addf(why, "parameter '%s' names no node", p->name);
    return n > 0;
}

// Service paths separated by commas: the parameter's words, or a TCP port, 5433 or tcp/5433.
static bool paths_check(const struct mechanism_param *p, const char *value, struct strbuf *why) {
    cleanup_free char *copy = xstrdup(value);
    char *save = NULL;
    size_t n = 0;
    for (char *name = strtok_r(copy, ", []", &save); name; name = strtok_r(NULL, ", []", &save), n++) {
        const char *number = str_starts(name, "tcp/") ? name + 4 : name;
        char text[WHY_MAX] = "";
        int64_t port;
        if (words_hold(p->words, name))
            continue;
        if (*number >= '0' && *number <= '9' && scalar_count(number, &port, text) && port > 0 && port <= UINT16_MAX)
            continue;
        complain_word(p, name, why);
        strbuf_add(why, ", or a TCP port: 5433, tcp/5433");
        return false;
    }
    if (n == 0)
        strbuf_addf(why, "parameter '%s' names no service path", p->name);
    return n > 0;
}

// Lists of node names separated by '/', each name once: n1,n2/n3.
static bool groups_check(const struct mechanism_param *p, const char *value, const struct topology *t,
                         struct strbuf *why) {
    cleanup_free char *copy = xstrdup(value);
    cleanup_words struct words known = {0}, seen = {0};
    char *save = NULL;
    for (size_t i = 0; t && i < t->nodes.n; i++)
        words_add(&known, t->nodes.items[i].name);
    for (char *name = strtok_r(copy, "/, []", &save); name; name = strtok_r(NULL, "/, []", &save)) {
        if (t && !topology_node(t, name)) {
            strbuf_addf(why, "parameter '%s': there is no node '%s'%s; nodes: ", p->name, SHOWN(name),
                        HINT(name, words_all(&known)));
            words_join(&known, why);
            return false;
        }
        for (size_t i = 0; i < seen.list.n; i++)
            if (str_eq(seen.list.items[i], name)) {
                strbuf_addf(why, "parameter '%s': %s is in two groups", p->name, name);
                return false;
            }
        words_add(&seen, name);
    }
    return true;
}

bool mechanism_param_check(const struct mechanism_param *p, const char *value, const struct topology *t,
                           struct strbuf *why) {
    char text[WHY_MAX] = "";
    bool flag, ok = true;
    usec_t duration;
    int64_t number;
    uint64_t rate;
    double fraction;
    if (str_eq(p->kind, "word")) {
        if (words_hold(p->words, value))
            return true;
        complain_word(p, value, why);
        return false;
    }
    if (str_eq(p->kind, "nodes"))
        return nodes_check(p, value, t, why);
    if (str_eq(p->kind, "groups"))
        return groups_check(p, value, t, why);
    if (str_eq(p->kind, "paths"))
        return paths_check(p, value, why);
    if (str_eq(p->kind, "duration"))
        ok = scalar_duration(value, &duration, text);
    else if (str_eq(p->kind, "size"))
        ok = scalar_size(value, &number, text);
    else if (str_eq(p->kind, "count"))
        ok = scalar_count(value, &number, text);
    else if (str_eq(p->kind, "percent"))
        ok = scalar_percent(value, &fraction, text);
    else if (str_eq(p->kind, "rate"))
        ok = scalar_rate(value, &rate, text);
    else if (str_eq(p->kind, "bool"))
        ok = scalar_bool(value, &flag, text);
    if (!ok)
        strbuf_addf(why, "parameter '%s': %s", p->name, text);
    return ok;
}

// ---- by hand: `bascule inject` --------------------------------------------------------------------------------------

static int unknown_mechanism(const struct vocabulary *v, const char *name, struct err *err) {
    cleanup_words struct words all = {0};
    mechanism_words(v, false, &all);
    mechanism_words(v, true, &all);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&all, &list);
    return err_set(err, ENOENT, "unknown mechanism '%s'%s; there are: %s", SHOWN(name), MECHANISM_HINT(name, &all),
                   strbuf_str(&list));
}

static int unknown_param(const struct mechanism *m, const char *key, struct err *err) {
    cleanup_words struct words all = {0};
    mechanism_param_words(m, &all);
    if (all.list.n == 0)
        return err_set(err, EINVAL, "%s takes no parameters", m->name);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&all, &list);
    return err_set(err, EINVAL, "%s has no parameter '%s'%s; allowed: %s", m->name, SHOWN(key),
                   HINT(key, words_all(&all)), strbuf_str(&list));
}

static bool setting_has(const setting_list *list, const char *key) {
    for (size_t i = 0; list && i < list->n; i++)
        if (str_eq(list->items[i].key, key))
            return true;
    return false;
}

int mechanism_check_params(const struct vocabulary *v, const char *mechanism, const setting_list *params,
                           struct err *err) {
    const struct mechanism *m = vocabulary_find(v, mechanism);
    if (!m)
        return unknown_mechanism(v, mechanism, err);
    for (size_t i = 0; params && i < params->n; i++) {
        const struct mechanism_param *p = mechanism_param_find(m, params->items[i].key);
        cleanup_strbuf struct strbuf why = {0};
        if (!p)
            return unknown_param(m, params->items[i].key, err);
        if (!mechanism_param_check(p, params->items[i].value, NULL, &why))
            return err_set(err, EINVAL, "%s: %s", m->name, strbuf_str(&why));
    }
    for (const struct mechanism_param *p = m->params; p && p->name; p++)
        if (!p->fallback && !setting_has(params, p->name))
            return err_set(err, EINVAL, "%s needs the parameter '%s' (%s)", m->name, p->name,
                           p->words ? p->words : p->kind);
    return 0;
}
