// SPDX-License-Identifier: PostgreSQL
#pragma once
// Whose is a folder that was there before us? In one that everybody may write to, others can put a link or a file of theirs where we are
// about to write, or a program where we are about to run one.
#include <stdbool.h>

#include "lab/base/err.h"

// 0 for a folder that only its owner and group can change, or that is not there yet. Else -EPERM with the reason and the way out: a link that
// another user made; a folder that everybody may write to, but for one with the sticky bit of root or our own (/tmp is such) where `shared`
// allows it.
int own_check_folder(const char *path, bool shared, struct err *err);
// Is this text of /proc/self/uid_map that of a user namespace inside the host's? The host's own maps every id to itself.
bool own_is_inner_map(const char *uid_map);
