// SPDX-License-Identifier: PostgreSQL
#include "lab/image/os.h"

#include <ctype.h>

#include "lab/base/fs.h"
#include "lab/base/inside.h"
#include "lab/base/str.h"

enum { RELEASE_MAX = 64 << 10, STATUS_MAX = 64 << 20 };

void os_parse_release(const char *text, struct image *im) {
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        if (strncmp(p, "PRETTY_NAME=", 12) == 0) {
            cleanup_free char *value = xstrndup(p + 12, n - 12);
            size_t len = strlen(value);
            bool quoted = len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value;
            if (quoted)
                value[len - 1] = '\0';
            STR_COPY(im->release, value + quoted);
        }
        p += n + (p[n] != '\0');
    }
}

void os_upstream_version(const char *version, char *ret, size_t size) {
    const char *colon = strchr(version, ':');
    cleanup_free char *v = xstrdup(colon ? colon + 1 : version);
    char *revision = strrchr(v, '-');
    if (revision)
        *revision = '\0';
    v[strcspn(v, "+")] = '\0'; // "+ds1", "+dfsg"; a "~rc1" stays: it is another version
    (void)str_copy(ret, size, v);
}

// Which of our components a package is. postgresql-NN: the server, and nothing of its -client, -jit or -plpython.
static char *component_of(struct image *im, const char *package, unsigned *ret_major) {
    *ret_major = 0;
    if (str_eq(package, "patroni"))
        return im->patroni;
    if (str_eq(package, "etcd-server"))
        return im->etcd;
    if (str_eq(package, "haproxy"))
        return im->haproxy;
    if (!str_starts(package, "postgresql-") || !isdigit((unsigned char)package[11]))
        return NULL;
    char *end;
    unsigned long major = strtoul(package + 11, &end, 10);
    *ret_major = (unsigned)major;
    return *end || major > 999 ? NULL : im->postgresql;
}

struct package {
    char name[128], version[128];
    bool installed;
};

static void take_package(const struct package *p, struct image *im, unsigned *newest) {
    unsigned major = 0;
    char *where = p->installed ? component_of(im, p->name, &major) : NULL;
    if (!where || (where == im->postgresql && major < *newest))
        return;
    if (where == im->postgresql)
        *newest = major;
    os_upstream_version(p->version, where, sizeof im->patroni);
}

static bool field(const char *line, size_t n, const char *name, char *ret, size_t size) {
    size_t len = strlen(name);
    if (n < len || strncmp(line, name, len) != 0)
        return false;
    cleanup_free char *value = xstrndup(line + len, n - len);
    (void)str_copy(ret, size, value + strspn(value, " \t"));
    return true;
}

void os_parse_status(const char *text, struct image *im) {
    struct package p = {0};
    unsigned newest = 0;
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        char status[64];
        if (n == 0) {
            take_package(&p, im, &newest);
            p = (struct package){0};
        } else if (!field(at, n, "Package:", p.name, sizeof p.name) &&
                   !field(at, n, "Version:", p.version, sizeof p.version) &&
                   field(at, n, "Status:", status, sizeof status)) {
            p.installed = str_ends(status, " ok installed");
        }
        at += n + (at[n] != '\0');
    }
    take_package(&p, im, &newest);
}

int os_read(const char *root, struct image *im, struct err *err) {
    cleanup_strbuf struct strbuf release = {0}, version = {0}, status = {0};
    // /etc/os-release is a link to the other on Debian.
    if (inside_read(root, "usr/lib/os-release", RELEASE_MAX, &release, NULL) < 0 &&
        inside_read(root, "etc/os-release", RELEASE_MAX, &release, NULL) < 0)
        return err_set(err, ENOENT,
                       "this is no root file system: it has neither usr/lib/os-release nor etc/os-release at its top");
    os_parse_release(strbuf_str(&release), im);
    if (inside_read(root, "etc/debian_version", RELEASE_MAX, &version, NULL) == 0) {
        cleanup_free char *line = xstrndup(strbuf_str(&version), strcspn(strbuf_str(&version), "\r\n"));
        STR_COPY(im->debian_version, line);
    }
    if (inside_read(root, "var/lib/dpkg/status", STATUS_MAX, &status, NULL) == 0)
        os_parse_status(strbuf_str(&status), im);
    return 0;
}
