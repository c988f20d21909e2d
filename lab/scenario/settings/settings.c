// SPDX-License-Identifier: PostgreSQL
// Values of settings into plan and topology, by the table in settings_table.c; postgresql.* is open and goes to PostgreSQL as it is.
#include "lab/scenario/settings/settings.h"

#include "lab/scenario/read.h"
#include "lab/scenario/settings/pg_parameters.h"
#include "lab/scenario/settings/settings_table.h"

static const struct setting_def *def_find(const char *name) {
    for (size_t i = 0; i < setting_defs_n; i++)
        if (str_eq(setting_defs[i].name, name))
            return &setting_defs[i];
    return NULL;
}

static bool def_fits(const struct setting_def *def, const struct settings_to *to) {
    return def->place == IN_PLAN ? to->plan != NULL : to->topology != NULL;
}

// ---- values ---------------------------------------------------------------------------------------------------------

static void list_set(setting_list *list, const char *key, const char *value) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i].key, key)) {
            free(list->items[i].value);
            list->items[i].value = xstrdup(value);
            return;
        }
    VEC_PUSH(list, ((struct setting){.key = xstrdup(key), .value = xstrdup(value)}));
}

static bool parse_duration(const struct setting_def *def, const char *text, int64_t *ret, char why[static WHY_MAX]) {
    double bare;
    usec_t usec;
    bool is_bare = scalar_number(text, &bare, why) && def->kind != KIND_DURATION && bare < 1e6;
    if (is_bare)
        usec = (usec_t)(bare * (def->kind == KIND_SECONDS ? 1e6 : 1e3));
    else if (!scalar_duration(text, &usec, why))
        return false;
    usec_t unit = def->kind == KIND_SECONDS ? SEC : def->kind == KIND_DURATION ? 1 : MSEC;
    if (usec % unit != 0) {
        (void)snprintf(why, WHY_MAX, "'%s': %s counts in whole %s", SHOWN(text), def->name,
                       unit == SEC ? "seconds" : "milliseconds");
        return false;
    }
    *ret = (int64_t)usec;
    return true;
}

static bool in_range(const struct setting_def *def, double value, const char *text, char why[static WHY_MAX]) {
    if (value >= (double)def->min && value <= (double)def->max)
        return true;
    char least[USEC_TEXT_MAX], most[USEC_TEXT_MAX];
    setting_bound_text(def, def->min, least);
    setting_bound_text(def, def->max, most);
    (void)snprintf(why, WHY_MAX, "%s %s is out of range: %s to %s", def->name, SHOWN(text), least, most);
    return false;
}

static bool choose(const char *what, const char *text, const char *const *words, unsigned *ret,
                   char why[static WHY_MAX]) {
    for (unsigned i = 0; words[i]; i++)
        if (str_eq(words[i], text)) {
            *ret = i;
            return true;
        }
    (void)snprintf(why, WHY_MAX, "'%s' is no %s%s; allowed: %s, %s%s%s", SHOWN(text), what, HINT(text, words), words[0],
                   words[1], words[2] ? ", " : "", words[2] ? words[2] : "");
    return false;
}

bool setting_watchdog(const char *text, enum watchdog_mode *ret, char why[static WHY_MAX]) {
    unsigned n = 0;
    if (!choose("watchdog mode", text, setting_words(KIND_WATCHDOG), &n, why))
        return false;
    *ret = WATCHDOG_OFF + n;
    return true;
}

// A folder's name in the image store, and a word on a command line.
bool setting_image(const char *text, char ret[static IMAGE_NAME_MAX], char why[static WHY_MAX]) {
    size_t n = strlen(text);
    if (n > 0 && n < IMAGE_NAME_MAX && strchr("abcdefghijklmnopqrstuvwxyz0123456789", *text) &&
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n) {
        (void)str_copy(ret, IMAGE_NAME_MAX, text);
        return true;
    }
    (void)snprintf(why, WHY_MAX,
                   "'%s' can't be the name of an image: host, or lower-case letters, digits, '-' and '.', such "
                   "as debian-13 (`bascule image list`)",
                   SHOWN(text));
    return false;
}

struct parsed {
    int64_t number;
    double rate;
    bool flag;
    unsigned choice;
    char image[IMAGE_NAME_MAX];
};

static bool parse(const struct setting_def *def, const char *text, struct parsed *v, char why[static WHY_MAX]) {
    switch (def->kind) {
    case KIND_SECONDS:
    case KIND_MILLIS:
    case KIND_DURATION:
    case KIND_WAIT:
        return parse_duration(def, text, &v->number, why) && in_range(def, (double)v->number, text, why);
    case KIND_SIZE:
        return scalar_size(text, &v->number, why) && in_range(def, (double)v->number, text, why);
    case KIND_COUNT:
        return scalar_count(text, &v->number, why) && in_range(def, (double)v->number, text, why);
    case KIND_BOOL:
        return scalar_bool(text, &v->flag, why);
    case KIND_RATE:
        return scalar_number(text, &v->rate, why) && in_range(def, v->rate, text, why);
    case KIND_ROUTE:
        return choose("route", text, setting_words(KIND_ROUTE), &v->choice, why);
    case KIND_STORAGE:
        return choose("storage", text, setting_words(KIND_STORAGE), &v->choice, why);
    case KIND_CLOCK:
        return choose("clock", text, setting_words(KIND_CLOCK), &v->choice, why);
    case KIND_WATCHDOG:
        return setting_watchdog(text, (enum watchdog_mode *)&v->choice, why);
    case KIND_IMAGE:
        return setting_image(text, v->image, why);
    case KIND_TEXT:
        return true;
    }
    return false;
}

static void store(const struct setting_def *def, const struct parsed *v, void *dst) {
    switch (def->kind) {
    case KIND_SECONDS:
    case KIND_MILLIS:
    case KIND_DURATION:
        *(usec_t *)dst = (usec_t)v->number;
        break;
    case KIND_SIZE:
        *(int64_t *)dst = v->number;
        break;
    case KIND_COUNT:
        *(int *)dst = (int)v->number;
        break;
    case KIND_BOOL:
        *(bool *)dst = v->flag;
        break;
    case KIND_RATE:
        *(double *)dst = v->rate;
        break;
    case KIND_ROUTE:
        *(enum route *)dst = (enum route)v->choice;
        break;
    case KIND_STORAGE:
        *(enum storage *)dst = (enum storage)v->choice;
        break;
    case KIND_CLOCK:
        *(enum clock_kind *)dst = (enum clock_kind)v->choice;
        break;
    case KIND_WATCHDOG:
        *(enum watchdog_mode *)dst = (enum watchdog_mode)v->choice;
        break;
    case KIND_IMAGE:
        (void)str_copy(dst, IMAGE_NAME_MAX, v->image);
        break;
    case KIND_TEXT:
    case KIND_WAIT: // only in lists
        break;
    }
}

// As the daemon's configuration wants it: etcd has no sizes with units, HAProxy no fractions.
static void store_text(const struct setting_def *def, const struct parsed *v, const char *text, setting_list *list) {
    const char *key = strchr(def->name, '.') + 1;
    char buf[32];
    if (def->kind == KIND_SIZE || def->kind == KIND_COUNT)
        (void)snprintf(buf, sizeof buf, "%" PRId64, v->number);
    else if (def->kind == KIND_BOOL)
        (void)snprintf(buf, sizeof buf, "%s", v->flag ? "true" : "false");
    else if (def->kind == KIND_WAIT && v->number % (int64_t)SEC == 0)
        (void)snprintf(buf, sizeof buf, "%" PRId64 "s", v->number / (int64_t)SEC);
    else if (def->kind == KIND_WAIT)
        (void)snprintf(buf, sizeof buf, "%" PRId64 "ms", v->number / 1000);
    else
        buf[0] = '\0';
    list_set(list, key, *buf ? buf : text);
}

// ---- names ----------------------------------------------------------------------------------------------------------

// What the stack must decide itself, or the node is not the node that the topology describes.
static const char *const postgresql_ours[] = {"listen_addresses",
                                              "port",
                                              "cluster_name",
                                              "data_directory",
                                              "config_file",
                                              "hba_file",
                                              "ident_file",
                                              "external_pid_file",
                                              "primary_conninfo",
                                              "primary_slot_name",
                                              "hot_standby",
                                              "wal_log_hints",
                                              "unix_socket_directories",
                                              "recovery_target_timeline",
                                              "synchronous_standby_names",
                                              NULL};

static bool holds(const char *const *words, const char *word) {
    for (; *words; words++)
        if (str_eq(*words, word))
            return true;
    return false;
}

static void postgresql_apply(struct reader *r, struct topology *t, struct mark key_at, const char *key,
                             const char *value) {
    if (holds(postgresql_ours, key)) {
        complain(r, key_at, "'%s' is set by Patroni or the lab itself and can't be chosen here", key);
        return;
    }
    if (!*key || strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") != strlen(key)) {
        complain(r, key_at, "'%s' is not the name of a PostgreSQL parameter", SHOWN(key));
        return;
    }
    if (!strchr(key, '.') && !holds(pg_parameters, key)) // with a point: a parameter of an extension
        warn(r, key_at, "PostgreSQL has no parameter '%s'%s; Patroni drops what it does not know", SHOWN(key),
             HINT(key, pg_parameters));
    list_set(&t->postgresql, key, value);
}

static void complain_unknown(struct reader *r, const struct settings_to *to, struct mark at, const char *name) {
    cleanup_words struct words known = {0}, near = {0};
    const char *dot = strchr(name, '.');
    size_t section = dot ? (size_t)(dot - name) + 1 : 0;
    for (size_t i = 0; i < setting_defs_n; i++) {
        if (!def_fits(&setting_defs[i], to))
            continue;
        words_add(&known, setting_defs[i].name);
        if (section && strncmp(setting_defs[i].name, name, section) == 0)
            words_add(&near, setting_defs[i].name);
    }
    cleanup_strbuf struct strbuf list = {0};
    if (near.list.n)
        words_join(&near, &list);
    else
        strbuf_addf(&list,
                    "patroni.*, postgresql.*, etcd.*, haproxy.*,%s node.NAME.image, storage, clock, image, "
                    "disk_faults,%s record.thin_after",
                    to->plan ? " workload.*," : "", to->plan ? " settle, observe, timeout," : "");
    complain(r, at, "unknown setting '%s'%s; allowed: %s", SHOWN(name), HINT(name, words_all(&known)),
             strbuf_str(&list));
}

// "n3.image": the one thing of a single node that may be set without a topology of its own.
static void node_apply(struct reader *r, struct topology *t, struct mark key_at, struct mark value_at, const char *key,
                       const char *value) {
    cleanup_words struct words names = {0};
    cleanup_strbuf struct strbuf list = {0};
    size_t n = strcspn(key, ".");
    char why[WHY_MAX];
    VEC_FOREACH (&t->nodes, node) {
        words_add(&names, node->name);
        if (strlen(node->name) != n || strncmp(node->name, key, n) != 0 || !str_eq(key + n, ".image"))
            continue;
        if (!setting_image(value, node->image, why))
            complain(r, value_at, "%s", why);
        return;
    }
    words_join(&names, &list);
    complain(r, key_at, "unknown setting 'node.%s'; allowed: node.NAME.image, with NAME one of %s", SHOWN(key),
             strbuf_str(&list));
}

void setting_apply(struct reader *r, const struct settings_to *to, struct mark key_at, struct mark value_at,
                   const char *dotted, const char *value) {
    if (str_starts(dotted, "postgresql.") && to->topology) {
        postgresql_apply(r, to->topology, key_at, dotted + strlen("postgresql."), value);
        return;
    }
    if (str_starts(dotted, "node.") && to->topology) {
        node_apply(r, to->topology, key_at, value_at, dotted + strlen("node."), value);
        return;
    }
    const struct setting_def *def = def_find(dotted);
    if (def && def->place == IN_PLAN && !to->plan) {
        complain(r, key_at,
                 "'%s' is a setting of scenarios: a topology has none such, nor has a lab without a scenario",
                 SHOWN(dotted));
        return;
    }
    if (!def || !def_fits(def, to)) {
        complain_unknown(r, to, key_at, dotted);
        return;
    }
    struct parsed v = {0};
    char why[WHY_MAX];
    if (!parse(def, value, &v, why))
        complain(r, value_at, "%s", why);
    else if (def->place == IN_ETCD || def->place == IN_HAPROXY)
        store_text(def, &v, value, def->place == IN_ETCD ? &to->topology->etcd : &to->topology->haproxy);
    else
        store(def, &v, (def->place == IN_PLAN ? (char *)to->plan : (char *)to->topology) + def->offset);
}

// ---- from a file ----------------------------------------------------------------------------------------------------

void settings_read_section(struct reader *r, const struct settings_to *to, const char *section,
                           const struct ynode *map) {
    if (map->kind == YNODE_NOTHING)
        return; // "etcd:" with nothing below is an empty section
    if (map->kind != YNODE_MAP) {
        complain_kind(r, map, "a mapping of settings (name: value)");
        return;
    }
    for (size_t i = 0; i < map->items.n; i++) {
        const struct ynode *value = map->items.items[i];
        cleanup_free char *dotted = xasprintf("%s.%s", section, value->key);
        if (*value->key && text_of(r, value, "a value"))
            setting_apply(r, to, value->key_mark, value->mark, dotted, value->text);
    }
}

void settings_read_set(struct reader *r, const struct settings_to *to, const struct ynode *map) {
    if (map->kind != YNODE_MAP) {
        complain_kind(r, map, "a mapping of settings such as {patroni.ttl: 20s}");
        return;
    }
    for (size_t i = 0; i < map->items.n; i++) {
        const struct ynode *value = map->items.items[i];
        if (value->kind == YNODE_MAP)
            settings_read_section(r, to, value->key, value);
        else if (*value->key && text_of(r, value, "a value"))
            setting_apply(r, to, value->key_mark, value->mark, value->key, value->text);
    }
}

void settings_override(struct reader *r, const struct settings_to *to) {
    const char *file = r->file;
    for (size_t i = 0; r->o->overrides && i < r->o->overrides->n; i++) {
        const struct setting *s = &r->o->overrides->items[i];
        if (str_eq(s->key, "topology"))
            continue;
        cleanup_free char *place = xasprintf("--set %s=%s", s->key, s->value);
        r->file = place;
        setting_apply(r, to, (struct mark){0, 0}, (struct mark){0, 0}, s->key, s->value);
        r->file = file;
    }
}
