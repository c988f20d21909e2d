// SPDX-License-Identifier: PostgreSQL
#pragma once
// HAProxy's "show stat" (management.txt, section 9.1): a header line "# pxname,svname,...,status,..." and a line per server.
#include "lab/record/event.h"

struct proxy_server {
    char backend[EVENT_NAME_MAX], server[EVENT_NAME_MAX], state[EVENT_NAME_MAX];
};
void proxy_csv_read(const char *csv, void (*fn)(void *arg, const struct proxy_server *s), void *arg);
