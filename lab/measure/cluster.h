// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the observer's own probes saw of the cluster, without drivers and proxies (docs/measures.md, "The write outage", cluster outage;
// cluster.c).
#include "lab/base/cluster.h"
#include "lab/base/usec.h"

struct measured_cluster {
    usec_t outage;     // the longest time in which no node accepted the observer's write
    usec_t resolution; // of it
    usec_t healthy_at; // when the cluster was first healthy; 0 = never
};

struct measured_lag { // the farthest that a standby was seen behind its leader after the first injection
    int64_t bytes;    // 0 = none
    usec_t at;
    char node[NODE_NAME_MAX];
};
