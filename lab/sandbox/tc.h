// SPDX-License-Identifier: PostgreSQL
#pragma once
// Traffic control over rtnetlink. Private to lab/sandbox.
#include <netinet/in.h>

#include "lab/sandbox/link.h"

// A pair of virtual links in the socket's namespace, both up, in no bridge.
int tc_add_pair(struct nl_sock *sk, const char *a, const char *b, struct err *err);
int tc_add_clsact(struct nl_sock *sk, const char *link, struct err *err); // there already is fine
struct tc_redirect {
    const char *link;        // frames that leave here ...
    struct in_addr src, dst; // ... between these (0.0.0.0 = any dst) ...
    int into;                // ... leave there instead
    uint16_t pref;           // the filter's number on this link
};
int tc_redirect_add(struct nl_sock *sk, const struct tc_redirect *r, struct err *err);
int tc_redirect_delete(struct nl_sock *sk, const struct tc_redirect *r, struct err *err); // gone already is fine
int tc_link_index(struct nl_sock *sk, const char *name, struct err *err);
