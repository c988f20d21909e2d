// SPDX-License-Identifier: PostgreSQL
#pragma once
// Images: root file systems of Debian releases that a node can have as its world (docs/images.md).
#include <limits.h>
#include <stdbool.h>

#include "lab/base/err.h"
#include "lab/base/str.h"

// One image: a read-only root file system of a Debian release, unpacked, owned by the user.
struct image {
    char name[64];           // "debian-13"
    char id[72];             // content id, "sha256:..."
    char release[64];        // PRETTY_NAME of its os-release, "Debian GNU/Linux 13 (trixie)"
    char debian_version[32]; // /etc/debian_version
    char root[PATH_MAX];     // absolute path of the unpacked tree: lower layer of a node's root
    char postgresql[32], patroni[32], etcd[32], haproxy[32]; // upstream versions from its dpkg status, "" = not in it
};

// Opens a complete image of this user by name. -ENOENT: there is none (the message names the command that builds it).
// Call it after sandbox_drop_root: whose images these are is read from HOME, XDG_DATA_HOME and BASCULE_IMAGES_DIR.
int image_find(const char *name, struct image *ret, struct err *err);

// NULL, "" or "host": the host's own file system.
bool image_is_host(const char *name);

// "PostgreSQL 17.5, Patroni 4.0.5, etcd 3.5.16, HAProxy 3.0.11", or "nothing of the PostgreSQL stack in it". Appends to out.
void image_versions_text(const struct image *im, struct strbuf *out);
