// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the mechanisms on PostgreSQL share.
#include "injector/errand/errand.h"

// A login as the replication role over TCP on this node's loopback, with the password that every config.yml has: as errand_login.
const char *postgres_replication_login(char sqlstate[static 6], struct strbuf *why);
