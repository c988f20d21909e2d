// SPDX-License-Identifier: PostgreSQL
#pragma once
// An unpacked tree as files of ours.
#include "lab/base/err.h"

// Every folder and file can be read and removed by its owner, and nothing is setuid or setgid: those programs would run as this
// user for anybody who can reach them, and in a node root is this user anyway. Sockets go. Device nodes can't be there.
int tree_normalise(const char *root, struct err *err);
// fs_remove_tree, also when folders in it are read-only (a tree whose unpacking was interrupted).
int tree_remove(const char *path, struct err *err);
