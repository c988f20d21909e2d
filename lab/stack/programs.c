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

// patroni/dcs/etcd3.py imports it, but Debian's package is content with the library of any other DCS.
static void find_driver(const char *root, char *ret) {
    static const char driver[] = "/usr/lib/python3/dist-packages/etcd";
    if (inside_exists(root, driver))
        (void)str_copy(ret, 256, driver);
}

static int complain(const struct program *programs, size_t n, const char *image, struct err *err) {
    cleanup_strbuf struct strbuf names = {0};
    cleanup_strbuf struct strbuf packages = {0};
    for (size_t i = 0; i < n; i++) {
        if (!programs[i].needed || *programs[i].path)
            continue;
        strbuf_addf(&names, "%s%s", names.len ? ", " : "", programs[i].name);
        if (!strstr(strbuf_str(&packages), programs[i].package))
            strbuf_addf(&packages, " %s", programs[i].package);
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

static int take_image(const char *name, struct stack_paths *ret, struct err *err) {
    struct image image;
    int r = image_find(name, &image, err);
    if (r < 0)
        return r;
    STR_COPY(ret->image, image.name);
    STR_COPY(ret->image_id, image.id);
    STR_COPY(ret->root, image.root);
    STR_COPY(ret->debian_version, image.debian_version);
    STR_COPY(ret->pg_version, image.postgresql);
    STR_COPY(ret->patroni_version, image.patroni);
    STR_COPY(ret->etcd_version, image.etcd);
    STR_COPY(ret->haproxy_version, image.haproxy);
    return 0;
}

static void read_debian_version(struct stack_paths *p) {
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read("/etc/debian_version", 64, &text, NULL) == 0)
        (void)snprintf(p->debian_version, sizeof p->debian_version, "%.*s", (int)strcspn(strbuf_str(&text), "\n"),
                       strbuf_str(&text));
}

// All that nodes of one image need together.
static int find_programs(const char *image, unsigned services, struct stack_paths *ret, struct err *err) {
    struct stack_paths found = {0};
    char postgres[256] = "", driver[256] = "";
    bool host = image_is_host(image), pg = services & SERVICE_POSTGRES, etcd = services & SERVICE_ETCD;
    int r = host ? 0 : take_image(image, &found, err);
    if (r < 0)
        return r;
    struct program programs[] = {
        {"PostgreSQL's server", "postgresql", "--version", postgres, found.pg_version, pg, .fd = -1},
        {"patroni", "patroni python3-etcd python3-psycopg2", "--version", found.patroni, found.patroni_version, pg,
         .fd = -1},
        {"etcd", "etcd-server", "--version", found.etcd, found.etcd_version, etcd, .fd = -1},
        {"etcdctl", "etcd-client", NULL, found.etcdctl, NULL, etcd || pg, .fd = -1},
        {"haproxy", "haproxy", "-v", found.haproxy, found.haproxy_version, services & SERVICE_HAPROXY, .fd = -1},
        {"Patroni's etcd driver", "python3-etcd", NULL, driver, NULL, pg && !host, .fd = -1},
        {"nft", "nftables", NULL, found.nft, NULL, host, .fd = -1},
    };
    find_postgresql(found.root, postgres);
    find_driver(found.root, driver);
    for (size_t i = 1; i < ARRAY_SIZE(programs); i++)
        if (programs[i].path != driver)
            find_in_path(found.root, programs[i].name, programs[i].path);
    r = complain(programs, ARRAY_SIZE(programs), found.image, err);
    if (r < 0)
        return r;
    if (host) {
        programs_ask(programs, ARRAY_SIZE(programs));
        read_debian_version(&found);
    }
    STR_COPY(found.pg_bin, postgres);
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
    // The network is the host's business (nft), whatever the nodes are made of.
    struct stack_paths network;
    int r = find_programs("host", 0, &network, err);
    for (size_t i = 0; i < t->nodes.n && r == 0; i++) {
        const char *image = topology_image(t, &t->nodes.items[i]);
        size_t same = 0;
        while (same < i && !str_eq(topology_image(t, &t->nodes.items[same]), image))
            same++;
        if (same < i)
            ret[i] = ret[same];
        else
            r = find_programs(image, services_of(t, image), &ret[i], err);
    }
    return r < 0 ? r : versions_check(t, ret, err);
}
