// SPDX-License-Identifier: PostgreSQL
#pragma once
// Traffic in the lab's network: pairs of nodes x direction x service paths, as a list of flows. A flow is what one rule of
// the switch can tell apart: source, destination and, for a service path, TCP and the port on one side. Probes and the
// connectivity matrix measure flows, network faults cut and impair them.
#include "lab/base/err.h"
#include "lab/base/str.h"
#include "lab/base/vec.h"
#include "lab/node/places.h"
#include "lab/record/words.h"
#include "lab/sandbox/switch.h"
#include "lab/topology/topology.h"

// A service path is directed by who connects: clients (any of these services), servers, port. sql and replication are the
// same port and told apart by who connects: a PostgreSQL node replicates, copies or rewinds, the application and HAProxy
// ask. A node that is both client of one and the other (HAProxy on a PostgreSQL node) can't be told apart by the switch:
// its frames are on both paths.
#define NET_PATHS(X)                                                                                                   \
    X(SQL, SERVICE_APP | SERVICE_HAPROXY, SERVICE_POSTGRES, STACK_PGPORT)                                              \
    X(REPLICATION, SERVICE_POSTGRES, SERVICE_POSTGRES, STACK_PGPORT)                                                   \
    X(REST, SERVICE_POSTGRES | SERVICE_HAPROXY, SERVICE_POSTGRES, STACK_PATRONI_PORT)                                  \
    X(ETCD_CLIENT, SERVICE_POSTGRES, SERVICE_ETCD, STACK_ETCD_PORT)                                                    \
    X(ETCD_PEER, SERVICE_ETCD, SERVICE_ETCD, STACK_ETCD_PEER_PORT)
enum net_path {
#define X(path, from, to, port) NET_PATH_##path,
    NET_PATHS(X)
#undef X
        NET_PATH_COUNT,            // how many have names
    NET_PATH_ALL = NET_PATH_COUNT, // every frame, ARP too
    NET_PATH_PORT                  // a TCP port given as a number
};
enum link_path net_path_word(enum net_path path); // its word in the log; LINK_PATH_NONE for NET_PATH_PORT
const char *net_path_name(enum net_path path);    // "etcd_client", "all", "tcp"
uint16_t net_path_port(enum net_path path);       // 0 for NET_PATH_ALL and NET_PATH_PORT
// May a connection on this path be made from client to server? Indices into t->nodes.
bool net_path_joins(const struct topology *t, enum net_path path, int client, int server);

// All IP (and ARP) frames from -> to, or those TCP segments that go to the port (requests) or come from it (answers).
// Made of frames, not of connections: an established connection is hit like a new one. What a node says to itself never
// crosses the switch: a node cut from every etcd still reaches its own member.
struct net_flow {
    int from, to; // indices into topology->nodes
    enum switch_side side;
    uint16_t port;      // host order; 0 without a side
    uint16_t over;      // only IP packets of more than so many bytes; 0 = all
    enum net_path path; // as which it was asked for; only for people
};
typedef VEC(struct net_flow) flow_list;

bool flow_same(const struct net_flow *a, const struct net_flow *b); // but for the path
// Is every frame of `inner` a frame of `outer`?
bool flow_covers(const struct net_flow *outer, const struct net_flow *inner);
bool flows_cover(const flow_list *outer, const struct net_flow *inner);
void flows_add(flow_list *l, const struct net_flow *f); // unless it is there
// The frames from -> to that belong to connections on `path` made by either of the two; port: for NET_PATH_PORT.
void flows_add_path(const struct topology *t, int from, int to, enum net_path path, uint16_t port, flow_list *out);
// The next word of a list "a, b" or "[a,b]", as people write nodes and paths, cut to fit; where to look for the one after it, or NULL at the end.
const char *flows_next_word(const char *at, char *word, size_t size);
// One list of paths ("etcd_client,etcd_peer", "all", "tcp/5433") for the frames from -> to. Appends to out.
int flows_add_paths(const struct topology *t, int from, int to, const char *paths, flow_list *out, struct err *err);
// "n1<->n2, n1->app", or per path: "etcd_client: n1<->e1, ...; rest: ...": at most eight pairs of each.
void flows_text(const struct topology *t, const flow_list *l, struct strbuf *out);
