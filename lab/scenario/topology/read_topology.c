// SPDX-License-Identifier: PostgreSQL
// Topologies: a file of its own, or a mapping inside a scenario. `from: NAME` takes another topology first; what stands
// beside it changes nodes by name and settings by key.
#include <dirent.h>

#include "lab/scenario/read.h"
#include "lab/scenario/settings/settings.h"
#include "lab/scenario/stacks.h"
#include "lab/scenario/topology/read_topology.h"
#include "lab/scenario/yaml/load.h"

enum { FROM_DEPTH_MAX = 4 };

// Patroni's own defaults (patroni/config.py, __DEFAULT_CONFIG) and etcd's (--heartbeat-interval, --election-timeout).
static struct topology *topology_new(const char *name) {
    struct topology *t = xcalloc(1, sizeof *t);
    t->name = xstrdup(name);
    t->title = xstrdup("");
    t->stack = xstrdup(HA_FIRST);
    t->patroni = (struct patroni_settings){.ttl = 30 * SEC,
                                           .loop_wait = 10 * SEC,
                                           .retry_timeout = 10 * SEC,
                                           .maximum_lag_on_failover = 1048576,
                                           .primary_start_timeout = 300 * SEC,
                                           .synchronous_node_count = 1,
                                           .use_slots = true,
                                           .safety_margin = 5 * SEC};
    t->etcd_heartbeat = 100 * MSEC;
    t->thin_after = 10 * MINUTE;
    t->etcd_election = SEC;
    return t;
}

// ---- the mapping ----------------------------------------------------------------------------------------------------

struct topology_draft {
    const struct ynode *from, *title, *stack, *nodes, *patroni, *postgresql, *etcd, *haproxy, *storage, *clock, *image,
        *disk_faults;
};
#define NODE_FIELD(name)                                                                                               \
    { #name, read_node, offsetof(struct topology_draft, name), false }
static const struct field topology_fields[] = {NODE_FIELD(from),
                                               NODE_FIELD(title),
                                               NODE_FIELD(stack),
                                               NODE_FIELD(nodes),
                                               NODE_FIELD(patroni),
                                               NODE_FIELD(postgresql),
                                               NODE_FIELD(etcd),
                                               NODE_FIELD(haproxy),
                                               NODE_FIELD(storage),
                                               NODE_FIELD(clock),
                                               NODE_FIELD(image),
                                               NODE_FIELD(disk_faults),
                                               {0}};

static void read_sections(struct reader *r, struct topology *t, const struct topology_draft *draft) {
    const struct settings_to to = {.topology = t};
    const struct {
        const char *name;
        const struct ynode *map;
    } sections[] = {{"patroni", draft->patroni},
                    {"postgresql", draft->postgresql},
                    {"etcd", draft->etcd},
                    {"haproxy", draft->haproxy}};
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        if (sections[i].map)
            settings_read_section(r, &to, sections[i].name, sections[i].map);
    if (draft->disk_faults && text_of(r, draft->disk_faults, "yes or no"))
        setting_apply(r, &to, draft->disk_faults->mark, draft->disk_faults->mark, "disk_faults",
                      draft->disk_faults->text);
    if (draft->storage && text_of(r, draft->storage, "memory or disk"))
        setting_apply(r, &to, draft->storage->mark, draft->storage->mark, "storage", draft->storage->text);
    if (draft->clock && text_of(r, draft->clock, "host or adjustable"))
        setting_apply(r, &to, draft->clock->mark, draft->clock->mark, "clock", draft->clock->text);
    if (draft->image && text_of(r, draft->image, "host, or the name of an image such as debian-13"))
        setting_apply(r, &to, draft->image->mark, draft->image->mark, "image", draft->image->text);
}

static struct topology *topology_base(struct reader *r, const struct ynode *from, const char *default_name) {
    if (!from)
        return topology_new(default_name);
    const char *name = text_of(r, from, "the name of a topology");
    return name ? topology_load(r, from->mark, name) : NULL;
}

static void read_stack(struct reader *r, const struct ynode *n, struct topology *t) {
    const char *name = text_of(r, n, "the name of a stack");
    if (name && stack_named(r, name, n->mark))
        read_text(r, n, &t->stack);
}

static struct topology *topology_from_map(struct reader *r, const struct ynode *map, const char *default_name) {
    struct topology_draft draft = {0};
    decode_fields(r, map, "a topology", topology_fields, &draft);
    struct topology *t = topology_base(r, draft.from, default_name);
    bool based = t != NULL;
    if (!t)
        t = topology_new(default_name); // go on for the sake of the other complaints
    if (draft.title)
        read_text(r, draft.title, &t->title);
    if (draft.stack)
        read_stack(r, draft.stack, t);
    size_t before = r->d->errors;
    if (draft.nodes)
        topology_read_nodes(r, t, draft.nodes);
    else if (!draft.from && r->whole)
        complain(r, map->mark, "a topology needs 'nodes', or 'from' to build upon another one");
    bool usable = based && r->d->errors == before && r->whole && t->nodes.n > 0;
    read_sections(r, t, &draft);
    if (usable)
        return t;
    topology_free(t);
    return NULL;
}

struct topology *topology_from_node(struct reader *r, const struct ynode *n, const char *default_name) {
    if (n->kind == YNODE_MAP)
        return topology_from_map(r, n, default_name);
    const char *name = text_of(r, n, "the name of a topology, or a mapping");
    return name ? topology_load(r, n->mark, name) : NULL;
}

void topology_check(struct reader *r, const struct topology *t, struct mark at) {
    const struct patroni_settings *p = &t->patroni;
    // patroni/config.py, _validate_and_adjust_timeouts, from 3.2.0 on; 3.0.2 runs with whatever it is given.
    if (p->loop_wait + 2 * p->retry_timeout > p->ttl)
        warn(r, at,
             "loop_wait + 2 * retry_timeout is %" PRIu64 " s, more than ttl (%" PRIu64
             " s): a leader without DCS may still write when its key expires; Patroni 3.2 and later lower them",
             (p->loop_wait + 2 * p->retry_timeout) / SEC, p->ttl / SEC);
    if (p->synchronous_mode_strict && !p->synchronous_mode)
        warn(r, at, "patroni.synchronous_mode_strict has no effect without synchronous_mode");
    for (size_t i = 0; i < t->nodes.n; i++) {
        enum watchdog_mode mode = topology_watchdog(t, &t->nodes.items[i]);
        // patroni/watchdog/base.py, timing_slack
        if (mode != WATCHDOG_OFF && p->safety_margin + p->loop_wait > p->ttl)
            warn(r, at, "%s: ttl - safety_margin is less than loop_wait: Patroni does not use its watchdog%s",
                 t->nodes.items[i].name, mode == WATCHDOG_REQUIRED ? ", and requires it: it never leads" : "");
    }
    if (t->etcd_election < 5 * t->etcd_heartbeat) // etcd refuses to start: embed/config.go, Validate
        complain(r, at,
                 "etcd.election-timeout must be at least five times etcd.heartbeat-interval, or etcd will not start");
}

// ---- files ----------------------------------------------------------------------------------------------------------

static bool is_path(const char *name) {
    return strchr(name, '/') || str_ends(name, ".yaml");
}

static void free_words(struct words *w) {
    for (size_t i = 0; i < w->list.n; i++)
        free((char *)w->list.items[i]);
    words_done(w);
}

static int word_compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void complain_no_topology(struct reader *r, struct mark at, const char *name) {
    __attribute__((cleanup(free_words))) struct words all = {0};
    cleanup_dir DIR *dir = r->o->topology_dir ? opendir(r->o->topology_dir) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (str_ends(e->d_name, ".yaml") && e->d_name[0] != '.')
            words_add(&all, xstrndup(e->d_name, strlen(e->d_name) - strlen(".yaml")));
    VEC_SORT(&all.list, word_compare);
    cleanup_strbuf struct strbuf list = {0};
    words_join(&all, &list);
    complain(r, at, "there is no topology '%s'%s; there are: %s", SHOWN(name), HINT(name, words_all(&all)),
             all.list.n ? strbuf_str(&list) : "none");
}

// Path of the topology's file, or NULL after a complaint.
static char *topology_path(struct reader *r, struct mark at, const char *name) {
    const char *slash = strrchr(r->file, '/');
    if (is_path(name) && (name[0] == '/' || !slash || r->by_hand))
        return xstrdup(name);
    if (is_path(name))
        return xasprintf("%.*s/%s", (int)(slash - r->file), r->file, name);
    cleanup_free char *path = xasprintf("%s/%s.yaml", r->o->topology_dir ? r->o->topology_dir : ".", name);
    if (*name && strlen(name) < 128 && access(path, F_OK) == 0)
        return STEAL(path);
    complain_no_topology(r, at, name);
    return NULL;
}

static char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    char *name = xstrdup(slash ? slash + 1 : path);
    if (str_ends(name, ".yaml"))
        name[strlen(name) - strlen(".yaml")] = '\0';
    return name;
}

static struct topology *read_file(struct reader *parent, const char *path, const struct strbuf *text) {
    struct reader r = {.file = path, .d = parent->d, .o = parent->o, .depth = parent->depth + 1};
    struct ynode *root = file_parse(&r, strbuf_str(text), text->len);
    if (!root)
        return NULL;
    cleanup_free char *name = base_name(path);
    struct topology *t = NULL;
    if (root->kind == YNODE_MAP)
        t = topology_from_map(&r, root, name);
    else
        complain_kind(&r, root, "a topology: a mapping with title, nodes, patroni, ...");
    if (t) {
        free(t->name);
        t->name = STEAL(name);
    }
    ynode_free(root);
    return t;
}

struct topology *topology_load(struct reader *r, struct mark at, const char *name) {
    struct err err = {0};
    if (r->depth >= FROM_DEPTH_MAX) {
        complain(r, at, "topologies build upon each other more than %d deep (does one name itself in 'from'?)",
                 FROM_DEPTH_MAX);
        return NULL;
    }
    cleanup_free char *path = topology_path(r, at, name);
    if (!path)
        return NULL;
    cleanup_strbuf struct strbuf text = {0};
    if (file_load(path, &text, &err) < 0) {
        complain(r, at, "%s", err.msg);
        return NULL;
    }
    return read_file(r, path, &text);
}

int topology_read(const char *name_or_path, const struct read_options *o, struct diags *d, struct topology **ret,
                  struct err *err) {
    size_t before = d->errors;
    cleanup_strbuf struct strbuf text = {0};
    if (is_path(name_or_path) && file_load(name_or_path, &text, err) < 0)
        return -err->code;
    struct reader r = {.file = name_or_path, .d = d, .o = o, .whole = true, .by_hand = true};
    struct topology *t = topology_load(&r, (struct mark){0, 0}, name_or_path);
    if (t) {
        settings_override(&r, &(struct settings_to){.topology = t});
        topology_check(&r, t, (struct mark){0, 0});
        topology_fit_replication(&r, t, (struct mark){0, 0});
    }
    if (d->errors > before || !t) {
        topology_free(t);
        return -EINVAL;
    }
    *ret = t;
    return 0;
}
