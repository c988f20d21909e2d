// SPDX-License-Identifier: PostgreSQL
#pragma once
// Making images: from Debian's packages or from a tar; and a tar from an image.
#include "lab/image/sources.h"
#include "lab/image/store.h"
#include "lab/image/worker.h"

struct build_request {
    const char *name, *suite;
    const char *mirror;          // NULL = what the host's apt uses
    const char *const *packages; // added to recipe_packages, NULL-terminated, may be NULL
    bool bare;                   // recipe_packages are left out
};
// While still root, if root: the guardian that will run mmdebstrap. Then give up root.
int build_start(const struct build_request *q, struct worker *ret, struct err *err);
// The rest: lock, unpack, commit. The worker is stopped on every way out. mmdebstrap's own words go to DIR/.last-build.log.
int build_finish(const struct build_request *q, struct worker *w, const struct image_ui *ui, struct image_info *ret,
                 struct err *err);

// name NULL: "debian-N" from the tree's own debian_version, else its os-release says.
int import_tar(const char *file, const char *name, const struct image_ui *ui, struct image_info *ret, struct err *err);
// Owners are root in it; compressed as the file's name says (.tar.gz, .tar.xz, .tar.zst). The file appears when it is complete.
int export_tar(const char *name, const char *file, const struct image_ui *ui, struct err *err);
