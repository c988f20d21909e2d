// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the mechanisms on PostgreSQL share.
#include "injector/catalogue.h"
#include "injector/errand/errand.h"

// A login as the replication role over TCP on this node's loopback, with the password that every config.yml has.
// True = it succeeded; text has the server's words when it did not.
bool postgres_replication_login(struct strbuf *text);
