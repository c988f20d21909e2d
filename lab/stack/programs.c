// SPDX-License-Identifier: PostgreSQL
// Which programs each node has, and their versions: the host's, or those of its image. Nodes of one image share the answer.
#include <glob.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/base/inside.h"
#include "lab/image/image.h"
#include "lab/node/node.h"
#include "lab/stack/programs.h"
#include "lab/stack/versions.h"

// Where a login looks; on the host what PATH says comes first. Links of an image are followed inside it (/usr/bin/etcd may be one to
// /usr/lib/...).
static void find_in_path(const char *root, const char *name, char *ret) {
    const char *path = *root ? NULL : getenv("PATH");
    cleanup_free char *copy =
        xasprintf("%s:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", path ? path : "");
    char *save = NULL;
    for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
        cleanup_free char *file = xasprintf("%s/%s", dir, name);
        bool there = *root ? inside_exists(root, file) : access(file, X_OK) == 0;
        there = there && (*root || !node_hides(dir)); // ~/bin is of no use: nodes don't see it
        if (*dir == '/' && strlen(file) < 256 && there) {
            (void)str_copy(ret, 256, file);
            return;
        }
    }
}

// The newest of /usr/lib/postgresql/*/bin, by number: 9.6 is older than 15.
static void find_postgresql(const char *root, char *ret) {
    glob_t g;
    double newest = 0;
    cleanup_free char *pattern = xasprintf("%s" VERSIONS_PG_ROOT "/*/bin/postgres", root);
    size_t before = strlen(root);
    if (glob(pattern, 0, NULL, &g) != 0)
        return;
    for (size_t i = 0; i < g.gl_pathc; i++) {
        const char *path = g.gl_pathv[i] + before;
        double version = strtod(path + strlen(VERSIONS_PG_ROOT "/"), NULL);
        if (version <= newest || strlen(path) >= 256 ||
            !inside_exists(root, path)) // through a link it may be the host's
            continue;
        newest = version;
        (void)str_copy(ret, 256, path);
    }
    globfree(&g);
}

static int complain(const struct wanted *programs, size_t n, const char *image, struct err *err) {
    cleanup_strbuf struct strbuf names = {0};
    cleanup_strbuf struct strbuf packages = {0};
    for (size_t i = 0; i < n; i++) {
        const struct stack_program *p = programs[i].program;
        if (!programs[i].needed || *programs[i].path)
            continue;
        strbuf_addf(&names, "%s%s", names.len ? ", " : "", p->what);
        if (!strstr(strbuf_str(&packages), p->package))
            strbuf_addf(&packages, " %s", p->package);
    }
    if (names.len == 0)
        return 0;
    if (*image)
        return err_set(err, ENOENT, "not in image '%s': %s; its nodes need them (packages%s): choose another image",
                       image, strbuf_str(&names), strbuf_str(&packages));
    return err_set(err, ENOENT,
                   "not installed here: %s. Install them with `tools/install-deps --run` (of the Debian package: "
                   "/usr/share/bascule/install-deps), which starts no service; or: apt-get install%s",
                   strbuf_str(&names), strbuf_str(&packages));
}

static int take_image(const char *name, struct image *image, struct stack_paths *ret, struct err *err) {
    int r = image_find(name, image, err);
    if (r < 0)
        return r;
    STR_COPY(ret->image, image->name);
    STR_COPY(ret->image_id, image->id);
    STR_COPY(ret->root, image->root);
    STR_COPY(ret->debian_version, image->debian_version);
    return 0;
}

static void read_debian_version(struct stack_paths *p) {
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read("/etc/debian_version", 64, &text, NULL) == 0)
        (void)snprintf(p->debian_version, sizeof p->debian_version, "%.*s", (int)strcspn(strbuf_str(&text), "\n"),
                       strbuf_str(&text));
}

// ---- of every system
static const struct stack_program postgresql = {.name = "postgres",
                                                .what = "PostgreSQL's server",
                                                .title = "PostgreSQL",
                                                .package = "postgresql",
                                                .option = "--version",
                                                .services = SERVICE_POSTGRES};
static const struct stack_program common[] = {
    {.name = "haproxy",
     .what = "haproxy",
     .title = "HAProxy",
     .package = "haproxy",
     .option = "-v",
     .services = SERVICE_HAPROXY},
    // The network is the host's business, whatever the nodes are made of.
    {.name = "nft", .what = "nft", .package = "nftables", .where = PROGRAM_HOST_ONLY},
};

static void want(struct wanted *list, size_t *n, const struct stack_program *p, const char *image, unsigned services) {
    bool host = image_is_host(image);
    bool here = p->where == PROGRAM_ANYWHERE || (p->where == PROGRAM_HOST_ONLY) == host;
    list[(*n)++] = (struct wanted){.program = p, .needed = here && (!p->services || p->services & services), .fd = -1};
}

static size_t list_programs(const struct stack_ops *ops, const char *image, unsigned services,
                            struct wanted list[static STACK_PROGRAMS_MAX]) {
    size_t n = 0;
    want(list, &n, &postgresql, image, services);
    for (size_t i = 0; i < ops->n_programs && n + ARRAY_SIZE(common) < STACK_PROGRAMS_MAX; i++)
        want(list, &n, &ops->programs[i], image, services);
    for (size_t i = 0; i < ARRAY_SIZE(common); i++)
        want(list, &n, &common[i], image, services);
    return n;
}

static void find_one(const char *root, struct wanted *w) {
    const struct stack_program *p = w->program;
    if (p == &postgresql)
        find_postgresql(root, w->path);
    else if (!p->place)
        find_in_path(root, p->name, w->path);
    else if (inside_exists(root, p->place))
        STR_COPY(w->path, p->place);
}

// What an image's package list says; its programs would need its libraries to be asked.
static const char *image_version(const struct image *image, const char *program) {
    const char *const known[][2] = {{"postgres", image->postgresql},
                                    {"patroni", image->patroni},
                                    {"etcd", image->etcd},
                                    {"haproxy", image->haproxy}};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (str_eq(known[i][0], program))
            return known[i][1];
    return "";
}

static void keep(const struct wanted *w, struct stack_paths *ret) {
    if (!*w->path && !*w->version)
        return;
    struct stack_found *f = &ret->found[ret->n_found++];
    *f = (struct stack_found){.services = w->program->services};
    STR_COPY(f->name, w->program->name);
    STR_COPY(f->title, w->program->title ? w->program->title : "");
    STR_COPY(f->path, w->path);
    STR_COPY(f->version, w->version);
}

// All that nodes of one image need together.
static int find_programs(const struct stack_ops *ops, const char *image, unsigned services, struct stack_paths *ret,
                         struct err *err) {
    struct stack_paths found = {0};
    struct image info = {0};
    struct wanted list[STACK_PROGRAMS_MAX];
    bool host = image_is_host(image);
    int r = host ? 0 : take_image(image, &info, &found, err);
    if (r < 0)
        return r;
    size_t n = list_programs(ops, image, services, list);
    for (size_t i = 0; i < n; i++)
        find_one(found.root, &list[i]);
    r = complain(list, n, found.image, err);
    if (r < 0)
        return r;
    if (host) {
        programs_ask(list, n);
        read_debian_version(&found);
    }
    for (size_t i = 0; i < n; i++) {
        if (!host)
            STR_COPY(list[i].version, image_version(&info, list[i].program->name));
        keep(&list[i], &found);
    }
    STR_COPY(found.pg_bin, list[0].path);
    char *slash = strrchr(found.pg_bin, '/');
    if (slash)
        *slash = '\0';
    *ret = found;
    return 0;
}

static unsigned services_of(const struct topology *t, const char *image) {
    unsigned services = 0;
    VEC_FOREACH (&t->nodes, n)
        if (str_eq(topology_image(t, n), image))
            services |= n->services;
    return services;
}

int stack_find_programs(const struct topology *t, struct stack_paths ret[static NODES_MAX], struct err *err) {
    const struct stack_ops *ops = stack_ops_find(t->stack, err);
    if (!ops)
        return -EINVAL;
    struct stack_paths network; // nft
    int r = find_programs(ops, "host", 0, &network, err);
    for (size_t i = 0; i < t->nodes.n && r == 0; i++) {
        const char *image = topology_image(t, &t->nodes.items[i]);
        size_t same = 0;
        while (same < i && !str_eq(topology_image(t, &t->nodes.items[same]), image))
            same++;
        if (same < i)
            ret[i] = ret[same];
        else
            r = find_programs(ops, image, services_of(t, image), &ret[i], err);
    }
    return r < 0 ? r : versions_check(ops, t, ret, err);
}
