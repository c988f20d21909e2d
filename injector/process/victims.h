// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which processes a process fault hits, found the moment it is injected.
#include "injector/fault/fault.h"
#include "injector/process/process.h"

struct victim {
    struct node *node;
    struct process process;
    char what[32]; // "postmaster", "walsender", "etcd"
};
typedef VEC(struct victim) victim_list;

// The processes that the fault's parameters service and process mean, on every node of the fault. Fails with the reason
// when one of the nodes is off or has none; *out is then empty. walsender: all of them; backend: one, the application's
// if it has one.
int victims_find(const struct fault *f, victim_list *out, struct err *err);
// Each victim's descendants too (for a pause of the tree, or to see the children of a killed postmaster die). Appends
// to out.
int victims_with_children(const victim_list *roots, victim_list *out, struct err *err);
bool victims_any_alive(const victim_list *l);
// "postmaster 1234 on n1, postmaster 99 on n2": at most the first four, then "and 11 more".
void victims_text(const victim_list *l, struct strbuf *out);
