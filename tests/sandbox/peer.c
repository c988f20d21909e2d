// SPDX-License-Identifier: PostgreSQL
#include "tests/sandbox/peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

static int server_main(void *arg, int fd) {
    (void)arg;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PEER_PORT)};
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    CHECK(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    CHECK(bind(s, (struct sockaddr *)&any, sizeof any) == 0 && listen(s, 8) == 0 && send(fd, "r", 1, 0) == 1);
    int c = accept(s, NULL, NULL);
    CHECK(c >= 0 && send(c, "hello", 5, 0) == 5);
    for (;;)
        (void)poll(NULL, 0, -1); // never reads: what it is sent stays in its buffer
}

static enum peer_end look(int s, int within_ms) {
    char buf[16];
    (void)send(s, "x", 1, MSG_NOSIGNAL);
    struct pollfd p = {.fd = s, .events = POLLIN};
    if (poll(&p, 1, within_ms) == 0)
        return PEER_SILENT;
    return recv(s, buf, sizeof buf, 0) == 0 ? PEER_FIN : PEER_RESET;
}

static int watcher_main(void *arg, int fd) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PEER_PORT)};
    int s = socket(AF_INET, SOCK_STREAM, 0), within_ms;
    char hello[5];
    CHECK(inet_pton(AF_INET, arg, &to.sin_addr) == 1 && connect(s, (struct sockaddr *)&to, sizeof to) == 0);
    CHECK(recv(s, hello, 5, MSG_WAITALL) == 5 && send(fd, "c", 1, 0) == 1);
    while (recv(fd, &within_ms, sizeof within_ms, 0) == sizeof within_ms) {
        enum peer_end end = look(s, within_ms);
        CHECK(send(fd, &end, sizeof end, 0) == sizeof end);
    }
    return 0;
}

void peer_connect(struct node *server, struct node *watcher, struct peer_pair *ret) {
    static char address[NODE_NAME_MAX];
    char byte;
    (void)snprintf(address, sizeof address, "10.77.0.%s", node_name(server) + 1);
    CHECK_OK(node_run_function(server, server_main, NULL, &ret->server, &ret->server_fd, err));
    CHECK(recv(ret->server_fd, &byte, 1, 0) == 1);
    CHECK_OK(node_run_function(watcher, watcher_main, address, &ret->watcher, &ret->watcher_fd, err));
    CHECK(recv(ret->watcher_fd, &byte, 1, 0) == 1);
}

enum peer_end peer_seen(struct peer_pair *p, int within_ms) {
    enum peer_end end;
    CHECK(send(p->watcher_fd, &within_ms, sizeof within_ms, 0) == sizeof within_ms);
    CHECK(recv(p->watcher_fd, &end, sizeof end, 0) == sizeof end);
    return end;
}
