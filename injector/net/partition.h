// SPDX-License-Identifier: PostgreSQL
#pragma once
// Shapes of partitions: who may still talk to whom. The members are the nodes of the cluster (PostgreSQL, etcd); clients
// (the application, a HAProxy of its own) are on the side that is chosen for them.
#include "lab/base/err.h"
#include "lab/reach/pairs.h"

#define PARTITION_SHAPES "isolate|split|majority|minority|bridge|ring"
#define PARTITION_APP    "target|others|majority|both|none"

struct partition_request {
    const char *shape, *groups, *app; // as the parameters say; groups "" = none
    uint16_t targets;                 // bits of the nodes that the fault was aimed at
};
struct partition {
    uint8_t group[NODES_MAX]; // of the members, from 0; the targets' side is the first
    unsigned n_groups;        // 0 = the shape has none (bridge, ring)
    struct pair_set cut;      // directed pairs that may not talk
};
int partition_make(const struct topology *t, const struct partition_request *r, struct partition *ret, struct err *err);
// "n1 app | n2 n3": the groups, or what the shape is.
void partition_text(const struct topology *t, const struct partition_request *r, const struct partition *p,
                    struct strbuf *out);
// "n1,n2/n3" or "[n1,n2],[n3]": names known nodes, none twice. For check.
int partition_check_groups(const struct topology *t, const char *groups, struct err *err);
