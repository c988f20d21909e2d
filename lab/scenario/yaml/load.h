// SPDX-License-Identifier: PostgreSQL
#pragma once
// A file into a tree.
#include "lab/base/err.h"
#include "lab/scenario/yaml/decode.h"

// Appends the file's text to *ret. Only a regular file of at most YAML_BYTES_MAX is read, never a pipe or a device that would hang the
// reader. Returns 0, or a negative code with err set.
int file_load(const char *path, struct strbuf *ret, struct err *err);
// The tree of a text; complaints go to r. NULL when nothing of it is usable. Sets r->whole. The owner frees it with ynode_free.
struct ynode *file_parse(struct reader *r, const char *text, size_t len);
