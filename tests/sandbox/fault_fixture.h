// SPDX-License-Identifier: PostgreSQL
#pragma once
// A lab without daemons for the tests of faults: a switch, nodes n1, n2, n3 and app, and on n1..n3 two stand-in
// services that count: "patroni" (a shell and its child, each adding a byte to a file every 10 ms) and "etcd". Real
// namespaces, real packets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "injector/injector.h"
#include "injector/live.h"
#include "injector/net/net_cuts.h"

struct fixture {
    sd_event *loop;
    struct switch_net *sw;
    struct topology topology;
    struct fault_world world;
    struct injector *in;
    struct event_sink sink;
    VEC(struct event) events;
    bool own_disks;
    int starts; // calls of start_services
    // When set, start_services calls this instead of starting the stand-ins.
    int (*start)(struct fixture *x, const char *node, const char *service, struct err *err);
};

// Runs the tests inside a lab of their own as an unprivileged user; 77 with the reason when this host can't.
int fixture_main(int (*run)(void));
struct fixture *fixture_new(void);
struct fixture *fixture_new_disks(unsigned layer); // its nodes have disks of their own and this disk layer
void fixture_free(struct fixture *x);

enum { N1, N2, N3, APP };
struct node *fixture_node(struct fixture *x, int i);
void fixture_services(struct fixture *x, int i); // starts the two stand-ins
// The path of a file as the node sees it. Static buffer.
const char *fixture_path(struct fixture *x, int i, const char *path);
int64_t fixture_size(struct fixture *x, int i, const char *path); // bytes; -1 = not there

// "net.drop", "n1,n2", "with=n3 direction=out". Returns injector_inject's result.
int fixture_inject(struct fixture *x, const char *id, const char *mechanism, const char *nodes, const char *params);
// Runs the loop until the fault has an event of this phase (counted from the last fixture_forget); NULL after `within`.
const struct event *fixture_wait(struct fixture *x, const char *id, const char *phase, usec_t within);
const struct event *fixture_event(const struct fixture *x, const char *id, const char *phase);
const struct event *fixture_action(struct fixture *x, const char *id, usec_t within); // done or failed
void fixture_forget(struct fixture *x);
void fixture_run(struct fixture *x, usec_t time);
// Runs the loop until the node has said that the service ended (a process is gone from /proc before that); false when
// it did not within that time.
bool fixture_service_ends(struct fixture *x, int node, const char *service, usec_t within);
// Runs the loop until it is so; fails the test when it is not within 10 s.
#define FIXTURE_COMES(x, condition)                                                                                    \
    do {                                                                                                               \
        for (usec_t end_ = usec_now() + 10 * SEC; !(condition) && usec_now() < end_;)                                  \
            fixture_run(x, 10 * MSEC);                                                                                 \
        assert_true(condition);                                                                                        \
    } while (0)
// A service in the middle of a vfork: it sleeps in state D until its child's exec, which waits for a writer of a pipe.
// _goes_on opens that pipe and fails the test unless the service then writes to a file.
void fixture_vfork(struct fixture *x, int node, const char *service);
void fixture_vfork_goes_on(struct fixture *x, int node);
// Injects, expects "effective" and "verified"; heals, expects "healed" and "heal_verified". Prints details.
void must_verify(struct fixture *x, const char *id, const char *mechanism, const char *nodes, const char *params);
void must_heal(struct fixture *x, const char *id);

// ---- measured without the injector's own probes: TCP connections and datagrams between two nodes -------------------
struct wire {
    int a, b;   // an established TCP connection, a's end in the first node and b's in the second
    int ua, ub; // UDP sockets of both
    uint16_t pa, pb;
    const char *address_a, *address_b;
};
void wire_open(struct fixture *x, int from, int to, struct wire *l);
void wire_open_on(struct fixture *x, int from, int to, uint16_t port, struct wire *l); // the server's TCP port; 0 = any
void wire_close(struct wire *l);
bool tcp_passes(int from, int to, int within_ms); // a byte written at `from` is read at `to`
bool udp_passes(struct wire *l, bool forward, int within_ms);
// A listener on the port, on all addresses of the node; the caller closes.
int listens(struct fixture *x, int node, uint16_t port);
// A new connection: 0, or the errno that it ends with; ETIMEDOUT = nothing within that time. Runs the loop meanwhile.
int connects(struct fixture *x, int from, int to, uint16_t port, int within_ms);
bool both_pass(struct wire *l); // UDP, both directions
bool none_pass(struct wire *l);
