// SPDX-License-Identifier: PostgreSQL
#pragma once
// How large a cluster can be, and what its machines run: what every room takes for granted, from the log's folds to the switch.
#include <stddef.h>

enum { NODE_NAME_MAX = 32, NODES_MAX = 16, ADDRESS_MAX = 16 };

// What a machine can run, in the order in which it is told: name, its word in scenarios and logs, its bit, and the service that it comes with
// (0: a topology asks for it). Where a scenario says postgres Patroni runs, too.
#define SERVICES(X)                                                                                                    \
    X(POSTGRES, "postgres", 1, 0)                                                                                      \
    X(PATRONI, "patroni", 16, SERVICE_POSTGRES)                                                                        \
    X(ETCD, "etcd", 2, 0)                                                                                              \
    X(HAPROXY, "haproxy", 4, 0)                                                                                        \
    X(APP, "app", 8, 0)

enum service {
#define X(name, word, bit, with) SERVICE_##name = (bit),
    SERVICES(X)
#undef X
};

// By duty, for rooms that know no system: who decides by majority who may lead, and who starts and stops PostgreSQL on its node.
enum { SERVICES_ARBITER = SERVICE_ETCD, SERVICES_MANAGER = SERVICE_PATRONI };

struct service_word {
    const char *word;
    unsigned bit, with; // bits of enum service; with: what brings it, 0 = nothing does
};

enum {
#define X(name, word, bit, with) +1
    SERVICE_COUNT = SERVICES(X)
#undef X
};
extern const struct service_word service_words[SERVICE_COUNT];

// Bits of enum service. Sets of them are told as "postgres,patroni,etcd".
unsigned service_asked(const char *word);      // what a topology says to have that service; 0 = no such word
unsigned services_whole(unsigned asked);       // with what comes with them
unsigned services_read(const char *list);      // words of others, which a newer program wrote, are skipped
const char *services_first(unsigned services); // the word of the first of them, "" = none of them is known
void services_text(unsigned services, char *dst, size_t size); // cut to fit; 64 bytes hold all of them
