// SPDX-License-Identifier: PostgreSQL
#pragma once
// What a root file system says about itself: os-release(5), /etc/debian_version, /var/lib/dpkg/status. The parsers are pure.
#include "lab/image/image.h"

// Fills release. "" when PRETTY_NAME is not there.
void os_parse_release(const char *text, struct image *im);
// Fills postgresql, patroni, etcd, haproxy from packages whose status is "install ok installed".
void os_parse_status(const char *text, struct image *im);
// Debian's version without epoch and revision, and without what a repacked source adds ("1:3.5.16+ds-4" is 3.5.16).
void os_upstream_version(const char *version, char *ret, size_t size);
// Reads all of it from below `root`. -ENOENT: this is no root file system (it has no os-release).
int os_read(const char *root, struct image *im, struct err *err);
