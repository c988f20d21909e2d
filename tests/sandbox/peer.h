// SPDX-License-Identifier: PostgreSQL
#pragma once
// A TCP connection between two nodes, watched from the side that stays.
#include "tests/sandbox/fixture.h"

enum { PEER_PORT = 7800 };

enum peer_end { PEER_SILENT, PEER_FIN, PEER_RESET }; // what the watcher sees of the other side

struct peer_pair {
    pid_t server, watcher; // processes of a node each, in the lab's pid namespace
    int server_fd, watcher_fd;
};
// A server (a service of its node that accepts one connection and keeps it) and a watcher on the other node, connected.
void peer_connect(struct node *server, struct node *watcher, struct peer_pair *ret);
// What the watcher sees within that time, having sent a byte.
enum peer_end peer_seen(struct peer_pair *p, int within_ms);
