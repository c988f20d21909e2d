// SPDX-License-Identifier: PostgreSQL
#include "lab/scenario/config.h"

#include "lab/scenario/settings/settings.h"
#include "lab/scenario/settings/settings_table.h"
#include "lab/scenario/yaml/load.h"

struct draft {
    const struct ynode *runs_dir, *theme, *set;
};
static const struct field fields[] = {{"runs-dir", read_node, offsetof(struct draft, runs_dir), false},
                                      {"theme", read_node, offsetof(struct draft, theme), false},
                                      {"set", read_node, offsetof(struct draft, set), false},
                                      {0}};

// A relative path would mean another folder wherever one stands.
static void read_runs_dir(struct reader *r, const struct ynode *n, const char *home, struct config *c) {
    const char *text = text_of(r, n, "a folder such as ~/bascule-runs");
    if (!text)
        return;
    if (text[0] == '/')
        c->runs_dir = xstrdup(text);
    else if (str_starts(text, "~/") && !str_empty(home))
        c->runs_dir = xasprintf("%s/%s", home, text + 2);
    else if (str_starts(text, "~/"))
        complain(r, n->mark, "'%s': there is no home here; write a path that begins with '/'", SHOWN(text));
    else
        complain(r, n->mark, "'%s' would be another folder wherever you are; write a path that begins with '/' or '~/'",
                 SHOWN(text));
}

static void read_theme(struct reader *r, const struct ynode *n, struct config *c) {
    static const char *const words[] = {"auto", "dark", "light", NULL};
    const char *text = text_of(r, n, "a theme: auto, dark or light");
    for (size_t i = 0; text && words[i]; i++)
        if (str_eq(text, words[i])) {
            STR_COPY(c->theme, text);
            return;
        }
    if (text)
        complain(r, n->mark, "'%s' is no theme%s; allowed: auto, dark, light", SHOWN(text), HINT(text, words));
}

struct set_reader {
    struct reader *r;
    struct settings_to scrap; // settings are tried on it: their mistakes are told at their place
    setting_list *out;
};

static void read_setting(struct set_reader *s, const struct ynode *n, const char *name) {
    size_t before = s->r->d->errors;
    if (!*n->key || !text_of(s->r, n, "a value"))
        return;
    if (str_eq(name, "topology"))
        complain(s->r, n->key_mark, "a topology belongs to a scenario; say `--set topology=%s`", SHOWN(n->text));
    else if (str_starts(name, "node."))
        complain(s->r, n->key_mark, "'%s': other topologies have other nodes; say `--set %s=%s`", SHOWN(name),
                 SHOWN(name), SHOWN(n->text));
    else
        setting_apply(s->r, &s->scrap, n->key_mark, n->mark, name, n->text);
    if (s->r->d->errors == before)
        VEC_PUSH(s->out, ((struct setting){.key = xstrdup(name), .value = xstrdup(n->text)}));
}

// As in a scenario: "patroni.ttl: 20s", or nested.
static void read_set(struct reader *r, const struct ynode *map, struct config *c) {
    if (map->kind != YNODE_MAP) {
        complain_kind(r, map, "a mapping of settings such as {patroni.ttl: 20s}");
        return;
    }
    struct topology *topology = xcalloc(1, sizeof *topology);
    struct plan *plan = xcalloc(1, sizeof *plan);
    struct set_reader s = {.r = r, .scrap = {.topology = topology, .plan = plan}, .out = &c->set};
    for (size_t i = 0; i < map->items.n; i++) {
        const struct ynode *n = map->items.items[i];
        for (size_t k = 0; n->kind == YNODE_MAP && k < n->items.n; k++) {
            cleanup_free char *name = xasprintf("%s.%s", n->key, n->items.items[k]->key);
            read_setting(&s, n->items.items[k], name);
        }
        if (n->kind != YNODE_MAP)
            read_setting(&s, n, n->key);
    }
    topology_free(topology);
    plan_free(plan);
}

int config_load(const char *path, struct strbuf *ret, struct err *err) {
    return file_load(path, ret, err);
}

// Only comments and space? The text ends at `len`, not at a NUL.
static bool says_nothing(const char *text, size_t len) {
    bool comment = false;
    for (size_t i = 0; i < len; i++) {
        comment = text[i] == '#' || (comment && text[i] != '\n');
        if (!comment && !memchr(" \t\r\n", text[i], 4))
            return false;
    }
    return true;
}

int config_read_text(const char *path, const char *text, size_t len, const char *home, struct diags *d,
                     struct config *ret) {
    if (says_nothing(text, len))
        return 0;
    const struct read_options o = {0};
    struct reader r = {.file = path, .d = d, .o = &o};
    struct config c = {0};
    struct draft draft = {0};
    size_t before = d->errors;
    struct ynode *root = file_parse(&r, text, len);
    if (root)
        decode_fields(&r, root, "the configuration", fields, &draft);
    if (draft.runs_dir)
        read_runs_dir(&r, draft.runs_dir, home, &c);
    if (draft.theme)
        read_theme(&r, draft.theme, &c);
    if (draft.set)
        read_set(&r, draft.set, &c);
    ynode_free(root);
    if (d->errors > before || !root) {
        config_done(&c);
        return -EINVAL;
    }
    *ret = c;
    return 0;
}

void config_done(struct config *c) {
    free(c->runs_dir);
    VEC_FOREACH (&c->set, s) {
        free(s->key);
        free(s->value);
    }
    VEC_DONE(&c->set);
    *c = (struct config){0};
}

bool config_of_scenario(const char *setting) {
    for (size_t i = 0; i < setting_defs_n; i++)
        if (str_eq(setting_defs[i].name, setting))
            return setting_defs[i].place == IN_PLAN;
    return false;
}
