// SPDX-License-Identifier: PostgreSQL
#pragma once
// Is an image still what was made?
#include "lab/image/manifest.h"
#include "lab/image/store.h"

struct image_verdict {
    size_t changes; // 0 = intact
    uint64_t files, bytes;
    char expected[MANIFEST_ID_MAX], computed[MANIFEST_ID_MAX];
};
// Reads every file. Calls fn for each difference. -EBADMSG: the manifest itself is not the one that the id names.
int image_verify(const char *name, const struct image_ui *ui, manifest_change_fn *fn, void *arg,
                 struct image_verdict *ret, struct err *err);
