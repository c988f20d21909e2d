// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the mechanisms on PostgreSQL share.
#include "lab/base/str.h"

// A login as the replication role over TCP on this node's loopback, with the password that every config.yml has: as errand_login (injector/errand/errand.h).
const char *postgres_replication_login(char sqlstate[static 6], struct strbuf *why);
