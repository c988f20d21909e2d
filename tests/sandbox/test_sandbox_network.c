// SPDX-License-Identifier: PostgreSQL
// The network between nodes: they reach each other by name, and each fault of the switch bites and heals.
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/sandbox/fixture.h"

enum { PORT = 7777, SILENCE_MS = 300 }; // a living peer answers in under a millisecond here

static struct sockaddr_in address_of(const char *node) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    CHECK(getaddrinfo(node, NULL, &hints, &list) == 0); // by the node's own /etc/hosts
    a.sin_addr = ((struct sockaddr_in *)(void *)list->ai_addr)->sin_addr;
    freeaddrinfo(list);
    return a;
}

// Sends back whatever comes, TCP and UDP, until it is killed.
static int echo_main(void *arg, int fd) {
    (void)arg;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), one = 1, peers[16];
    size_t n = 0;
    CHECK(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    CHECK(bind(tcp, (struct sockaddr *)&any, sizeof any) == 0 && listen(tcp, 8) == 0);
    CHECK(bind(udp, (struct sockaddr *)&any, sizeof any) == 0);
    CHECK(send(fd, "r", 1, 0) == 1);
    for (;;) {
        struct pollfd p[18] = {{.fd = tcp, .events = POLLIN}, {.fd = udp, .events = POLLIN}};
        for (size_t i = 0; i < n; i++)
            p[2 + i] = (struct pollfd){.fd = peers[i], .events = POLLIN};
        CHECK(poll(p, 2 + n, -1) > 0);
        char buf[256];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        if (p[1].revents) {
            ssize_t got = recvfrom(udp, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);
            if (got > 0)
                (void)sendto(udp, buf, (size_t)got, 0, (struct sockaddr *)&from, len);
        }
        for (size_t i = 0; i < n; i++) {
            ssize_t got = p[2 + i].revents ? recv(peers[i], buf, sizeof buf, 0) : 0;
            if (got > 0)
                (void)send(peers[i], buf, (size_t)got, MSG_NOSIGNAL);
        }
        if (p[0].revents && n < ARRAY_SIZE(peers))
            peers[n++] = accept(tcp, NULL, NULL);
    }
}

static pid_t start_echo(struct node *n) {
    pid_t pid;
    int fd;
    char ready;
    CHECK_OK(node_run_function(n, echo_main, NULL, &pid, &fd, err));
    CHECK(recv(fd, &ready, 1, 0) == 1);
    return pid;
}

// 0 = the node answers, 1 = silence, 2 = it refuses or resets.
static int ask_main(void *arg, int fd) {
    (void)fd;
    struct sockaddr_in to = address_of(arg);
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(s, (struct sockaddr *)&to, sizeof to);
    struct pollfd p = {.fd = s, .events = POLLOUT};
    if (poll(&p, 1, SILENCE_MS) == 0)
        return 1;
    int error = 0;
    socklen_t len = sizeof error;
    CHECK(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
    if (error)
        return 2;
    CHECK(send(s, "x", 1, MSG_NOSIGNAL) == 1);
    p.events = POLLIN;
    return poll(&p, 1, SILENCE_MS) == 0 ? 1 : recv(s, &error, 1, 0) == 1 ? 0 : 2;
}

static int ask(struct lab *lab, struct node *from, const char *to) {
    char name[NODE_NAME_MAX];
    STR_COPY(name, to);
    return in_node(lab, from, ask_main, name);
}

// A datagram from one node to another, does it arrive? (Direction by direction: TCP alone can't tell.)
static int receive_main(void *arg, int fd) {
    (void)arg;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT + 1)};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(s, (struct sockaddr *)&any, sizeof any) == 0 && send(fd, "r", 1, 0) == 1);
    struct pollfd p = {.fd = s, .events = POLLIN};
    return poll(&p, 1, SILENCE_MS) == 1 ? 0 : 1;
}

static int send_main(void *arg, int fd) {
    (void)fd;
    struct sockaddr_in to = address_of(arg);
    to.sin_port = htons(PORT + 1);
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    return sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof to) == 1 ? 0 : 3;
}

static bool datagram_arrives(struct lab *lab, struct node *from, struct node *to) {
    pid_t pid;
    int fd, status;
    char ready, name[NODE_NAME_MAX];
    CHECK_OK(node_run_function(to, receive_main, NULL, &pid, &fd, err));
    CHECK(recv(fd, &ready, 1, 0) == 1);
    STR_COPY(name, node_name(to));
    CHECK(in_node(lab, from, send_main, name) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    (void)close(fd);
    return WEXITSTATUS(status) == 0;
}

static void reach_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 3, true);
    for (size_t i = 0; i < 3; i++)
        (void)start_echo(lab->nodes[i]);
    CHECK(ask(lab, lab->nodes[0], "n2") == 0 && ask(lab, lab->nodes[1], "n3") == 0 &&
          ask(lab, lab->nodes[2], "n1") == 0);
    CHECK(ask(lab, lab->nodes[0], "n1") == 0); // and itself
}
static void nodes_reach_each_other_by_name(void **state) {
    (void)state;
    in_lab(reach_body, NULL);
}

static void port_body(struct lab *lab, void *arg) {
    (void)arg;
    bool up = false;
    lab_nodes(lab, 3, true);
    for (size_t i = 0; i < 3; i++)
        (void)start_echo(lab->nodes[i]);
    CHECK_OK(switch_port_set(lab->sw, "n2", false, err));
    CHECK_OK(switch_port_get(lab->sw, "n2", &up, err));
    CHECK(!up);
    CHECK(ask(lab, lab->nodes[0], "n2") == 1 && ask(lab, lab->nodes[1], "n1") == 1);
    CHECK(ask(lab, lab->nodes[0], "n3") == 0); // the others are not touched
    CHECK_OK(switch_port_set(lab->sw, "n2", true, err));
    CHECK(ask(lab, lab->nodes[0], "n2") == 0 && ask(lab, lab->nodes[1], "n1") == 0);
    for (int i = 0; i < 10; i++) { // up means up, not soon
        CHECK_OK(switch_port_set(lab->sw, "n2", false, err));
        CHECK_OK(switch_port_set(lab->sw, "n2", true, err));
        CHECK(ask(lab, lab->nodes[0], "n2") == 0);
    }
}
static void a_port_taken_down_is_silence_and_comes_back(void **state) {
    (void)state;
    in_lab(port_body, NULL);
}

static void cut_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 3, true);
    struct node *a = lab->nodes[0], *b = lab->nodes[1], *c = lab->nodes[2];
    CHECK(datagram_arrives(lab, a, b) && datagram_arrives(lab, b, a));
    struct switch_cut cut = {.from = "n1", .to = "n2"};
    CHECK_OK(switch_set_cuts(lab->sw, &cut, 1, err));
    CHECK(!datagram_arrives(lab, a, b));
    CHECK(datagram_arrives(lab, b, a) && datagram_arrives(lab, a, c) && datagram_arrives(lab, c, b));
    CHECK_OK(switch_set_cuts(lab->sw, NULL, 0, err));
    CHECK(datagram_arrives(lab, a, b));
}
static void a_cut_bites_in_one_direction_only_and_heals(void **state) {
    (void)state;
    in_lab(cut_body, NULL);
}

static void isolate_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 3, true);
    for (size_t i = 0; i < 3; i++)
        (void)start_echo(lab->nodes[i]);
    const struct switch_cut cuts[] = {
        {.from = "n1", .to = "n2"}, {.from = "n2", .to = "n1"}, {.from = "n1", .to = "n3"}, {.from = "n3", .to = "n1"}};
    for (int i = 0; i < 3; i++) { // again and again: the set is replaced, never added to
        CHECK_OK(switch_set_cuts(lab->sw, cuts, ARRAY_SIZE(cuts), err));
        CHECK(ask(lab, lab->nodes[1], "n1") == 1 && ask(lab, lab->nodes[2], "n1") == 1 &&
              ask(lab, lab->nodes[1], "n3") == 0);
        CHECK(ask(lab, lab->nodes[0], "n1") == 0); // its own loopback is not the network
        CHECK_OK(switch_set_cuts(lab->sw, NULL, 0, err));
        CHECK(ask(lab, lab->nodes[1], "n1") == 0);
    }
}
static void an_isolated_node_hears_nobody_and_the_others_go_on(void **state) {
    (void)state;
    in_lab(isolate_body, NULL);
}

static void wrong_body(struct lab *lab, void *arg) {
    (void)arg;
    struct err err = {0};
    struct switch_cut cut = {.from = "n1", .to = "nobody"};
    lab_nodes(lab, 1, false);
    CHECK(switch_set_cuts(lab->sw, &cut, 1, &err) == -ENOENT && strstr(err.msg, "nobody"));
    CHECK(switch_port_set(lab->sw, "nobody", true, &err) == -ENOENT);
    CHECK(switch_attach(lab->sw, "n1", "10.77.0.9", node_ns(lab->nodes[0], NODE_NS_NET), &err) == -EEXIST);
    CHECK(switch_attach(lab->sw, "x", "10.77.0", node_ns(lab->nodes[0], NODE_NS_NET), &err) == -EINVAL);
}
static void an_unknown_node_is_refused_by_name(void **state) {
    (void)state;
    in_lab(wrong_body, NULL);
}

SANDBOX_TEST_MAIN(cmocka_unit_test(nodes_reach_each_other_by_name),
                  cmocka_unit_test(a_port_taken_down_is_silence_and_comes_back),
                  cmocka_unit_test(a_cut_bites_in_one_direction_only_and_heals),
                  cmocka_unit_test(an_isolated_node_hears_nobody_and_the_others_go_on),
                  cmocka_unit_test(an_unknown_node_is_refused_by_name))
