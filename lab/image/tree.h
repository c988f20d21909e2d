// SPDX-License-Identifier: PostgreSQL
#pragma once
// An unpacked tree as files of ours.
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/err.h"

// What no root file system for a node has: larger, or deeper, is refused before it is read for hours.
enum { TREE_GIB_MAX = 32, TREE_DEPTH_MAX = 256 };

// Every folder and file can be read and removed by its owner, and nothing is setuid or setgid: those programs would run as this
// user for anybody who can reach them, and in a node root is this user anyway. Sockets go. Device nodes can't be there.
// -EFBIG: more than TREE_GIB_MAX, as the sizes of its files say (one with holes may take less). -ENAMETOOLONG: too deep. -ECANCELED as
// soon as *stop (NULL = never).
int tree_normalise(const char *root, const volatile bool *stop, struct err *err);
int tree_too_large(struct err *err); // the sentence for more than TREE_GIB_MAX; -EFBIG
