// SPDX-License-Identifier: PostgreSQL
#include "lab/image/recipe.h"

#include "lab/base/str.h"
#include "lab/image/image.h"

static const struct recipe recipes[] = {
    {"debian-12", "bookworm"},
    {"debian-13", "trixie"},
    {"debian-14", "forky"},
    {"debian-sid", "sid"},
};

const char *const recipe_packages[] = {
    // the stack; python3-etcd: patroni/dcs/etcd3.py imports it, but the package is content with any other DCS's library
    "postgresql", "patroni", "python3-etcd", "python3-psycopg2", "etcd-server", "etcd-client", "haproxy",
    // what the commands that `bascule faults` shows need, typed by hand on a node
    "iproute2", "nftables", "iputils-ping", "procps", "psmisc", "curl",
    // a machine to work on
    "less", "nano", NULL};

int recipe_check_name(const char *name, struct err *err) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
    if (n == 0 || name[n] || n > 63 || strchr(".-_", name[0]))
        return err_set(err, EINVAL,
                       "'%s' is no name for an image: 1 to 63 lower case letters, digits, '.', '-' or '_', the first a "
                       "letter or digit",
                       name);
    if (image_is_host(name))
        return err_set(err, EINVAL, "'host' means the host's own file system; choose another name for an image");
    if (str_starts(name, "sha256-"))
        return err_set(err, EINVAL, "'%s': names that begin with sha256- are kept for content; choose another", name);
    return 0;
}

const struct recipe *recipe_find(const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(recipes); i++)
        if (str_eq(recipes[i].name, name))
            return &recipes[i];
    return NULL;
}

int recipe_check_suite(const char *suite, struct err *err) {
    size_t n = strspn(suite, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-/");
    if (n == 0 || suite[n] || n > 63 || suite[0] == '-')
        return err_set(err, EINVAL, "'%s' is no suite; it is a release's code name, e.g. trixie", suite);
    return 0;
}

int recipe_check_package(const char *package, struct err *err) {
    size_t n = strspn(package, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.:~=/_");
    if (n < 2 || package[n] || strchr("+-.:~=/_", package[0]))
        return err_set(err, EINVAL, "'%s' is no package name", package);
    return 0;
}

bool image_is_host(const char *name) {
    return str_empty(name) || str_eq(name, "host");
}
