// SPDX-License-Identifier: PostgreSQL
// net.reset: connections that are established now are reset, once: as when a firewall or a NAT has lost its state. The
// happy path: the connections of the targets that belong to the paths are listed, then all of them destroyed; the kernel
// sends each peer a RST, which crosses the switch like any packet. Verified by both ends being gone and by a new connection
// being answered (half open, so that no daemon sees it). One-shot: there is nothing to heal.
#include <arpa/inet.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/fault/retry.h"
#include "injector/net/faults.h"
#include "injector/net/flow_params.h"
#include "injector/net/net_cuts.h"
#include "injector/net/tcp_flows.h"
#include "lab/reach/matrix_probe.h"

struct reset {
    flow_list flows;
    tcp_socket_list gone[NODES_MAX]; // by index in topology->nodes
    size_t n;
    int probe; // raw socket of the client of the first connection, -1 = none
    struct matrix_flow syn;
    bool answered, refused;
    usec_t asked_again;
    struct retry *retry;
    fault_phase_done done;
};

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    return flows_check(&net_reset_fault.about, t, params, err);
}

static int destroy_all(const struct fault *f, struct reset *s, usec_t *ret_first, usec_t *ret_last, struct err *err) {
    for (size_t i = 0; i < f->world->topology->nodes.n; i++) {
        if (!s->gone[i].n)
            continue;
        int r = tcp_sockets_destroy(node_ns(f->world->nodes[i], NODE_NS_NET), &s->gone[i], err);
        if (r < 0)
            return r;
        *ret_last = sink_now(f->world->sink);
        *ret_first = *ret_first ? *ret_first : *ret_last;
    }
    return 0;
}

static int find_all(const struct fault *f, struct reset *s, struct err *err) {
    int r = flows_select(f, &s->flows, err);
    for (size_t k = 0; r >= 0 && k < f->n_nodes; k++) {
        int i = fault_world_index(f->world, f->nodes[k]);
        r = node_is_on(f->world->nodes[i]) ? tcp_flows_find(f->world, &s->flows, i, &s->gone[i], err) : 0;
        s->n += s->gone[i].n;
    }
    if (r >= 0 && s->n == 0)
        return err_set(err, ENOENT, "%s has no connection of %s with %s to reset", f->target, fault_param(f, "path"),
                       fault_param(f, "with"));
    return r;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct reset *s = f->state ? f->state : (f->state = xcalloc(1, sizeof *s));
    struct err err = {0};
    usec_t first = 0, last = 0;
    s->probe = -1;
    int r = find_all(f, s, &err);
    if (r >= 0)
        r = destroy_all(f, s, &first, &last, &err);
    if (r < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    cleanup_strbuf struct strbuf text = {0};
    fault_nodes_text(f, &text);
    phase_ok(f, done, last, "%zu connections of %s reset, %.1f ms between the first node and the last", s->n,
             strbuf_str(&text), (double)(last - first) / 1000.0);
}

// ---- verify

// Is the connection, seen from this end, still there? `cookie` NULL: any cookie, for the peer's end.
static bool is_there(const tcp_socket_list *now, struct in_addr local, uint16_t local_port, struct in_addr remote,
                     uint16_t remote_port, const uint32_t *cookie) {
    VEC_FOREACH (now, s)
        if (s->local.s_addr == local.s_addr && s->local_port == local_port && s->remote.s_addr == remote.s_addr &&
            s->remote_port == remote_port && (!cookie || s->diag.id.idiag_cookie[0] == cookie[0]))
            return true;
    return false;
}

static size_t left_on_peers(const struct fault_world *w, const struct tcp_socket *s) {
    tcp_socket_list now = {0};
    int peer = tcp_flows_node(w->topology, s->remote);
    if (peer < 0 || !node_is_on(w->nodes[peer]) ||
        tcp_sockets_list(node_ns(w->nodes[peer], NODE_NS_NET), &now, NULL) < 0)
        return 0;
    size_t n = is_there(&now, s->remote, s->remote_port, s->local, s->local_port, NULL);
    VEC_DONE(&now);
    return n;
}

static size_t count_left(const struct fault *f, const struct reset *s) {
    size_t left = 0;
    for (size_t i = 0; i < f->world->topology->nodes.n; i++) {
        tcp_socket_list now = {0};
        if (s->gone[i].n && tcp_sockets_list(node_ns(f->world->nodes[i], NODE_NS_NET), &now, NULL) < 0)
            left++;
        VEC_FOREACH (&s->gone[i], g)
            left += is_there(&now, g->local, g->local_port, g->remote, g->remote_port, g->diag.id.idiag_cookie) ||
                    left_on_peers(f->world, g);
        VEC_DONE(&now);
    }
    return left;
}

// The first of the connections again, as its client would make it: who has the port that the paths name is the server.
static void plan_again(const struct fault *f, struct reset *s) {
    const struct fault_world *w = f->world;
    for (size_t i = 0; i < w->topology->nodes.n && s->probe < 0; i++) {
        if (!s->gone[i].n)
            continue;
        const struct tcp_socket *g = s->gone[i].items;
        int peer = tcp_flows_node(w->topology, g->remote);
        bool serves = g->local_port < g->remote_port; // services' ports lie below those that clients are given
        int client = serves ? peer : (int)i;
        struct net_flow request = {.from = client, .to = serves ? (int)i : peer, .side = SWITCH_TO_PORT};
        request.port = serves ? g->local_port : g->remote_port;
        if (!net_flow_open(w, &request))
            continue; // another fault holds it shut
        s->syn = (struct matrix_flow){.from = serves ? g->remote : g->local,
                                      .to = serves ? g->local : g->remote,
                                      .from_port = MATRIX_PORT_FIRST + MATRIX_PORT_COUNT - 1,
                                      .to_port = request.port,
                                      .seq = (uint32_t)usec_now()};
        s->probe = matrix_probe_open(w->nodes[client], w->topology->nodes.items[client].address, NULL);
    }
}

static void look_for_answer(struct reset *s) {
    struct matrix_answer a;
    while (s->probe >= 0 && matrix_probe_read(s->probe, &a))
        if (matrix_probe_answers(&a, &s->syn)) {
            s->answered = true;
            s->refused = a.refused;
        }
    if (s->probe < 0 || s->answered || usec_now() - s->asked_again < 100 * MSEC)
        return;
    s->asked_again = usec_now();
    matrix_probe_syn(s->probe, &s->syn);
}

static bool all_reset(void *arg) {
    struct fault *f = arg;
    struct reset *s = f->state;
    look_for_answer(s);
    return (s->probe < 0 || s->answered) && count_left(f, s) == 0;
}

static void on_over(void *arg, bool met) {
    struct fault *f = arg;
    struct reset *s = f->state;
    size_t left = met ? 0 : count_left(f, s);
    char server[INET_ADDRSTRLEN] = "";
    (void)inet_ntop(AF_INET, &s->syn.to, server, sizeof server);
    if (s->probe >= 0) {
        if (!s->answered)
            matrix_probe_rst(s->probe, &s->syn);
        (void)close(s->probe);
        s->probe = -1;
    } else if (met) {
        phase_ok(f, s->done, 0, "%zu connections are gone at both ends; a new one was not tried: the way is shut",
                 s->n);
        return;
    }
    if (left)
        phase_no(f, s->done, "%zu of %zu connections are still there", left, s->n);
    else if (!met || s->refused)
        phase_no(f, s->done, "the connections are gone, but a new one to %s:%u is %s", server, s->syn.to_port,
                 s->refused ? "refused" : "not answered");
    else
        phase_ok(f, s->done, 0, "%zu connections are gone at both ends; a new one to %s:%u is answered", s->n, server,
                 s->syn.to_port);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct reset *s = f->state;
    struct err err = {0};
    s->done = done;
    s->answered = s->refused = false;
    s->asked_again = 0;
    retry_stop(&s->retry);
    if (s->probe >= 0)
        (void)close(s->probe);
    s->probe = -1;
    plan_again(f, s);
    if (retry_start(f->world->loop, 5 * MSEC, 2 * SEC, all_reset, on_over, f, &s->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

// What a new connection finds by then is no matter of this fault any more.
static void verify_healed(struct fault *f, fault_phase_done done) {
    const struct reset *s = f->state;
    size_t left = s ? count_left(f, s) : 0;
    if (left)
        phase_no(f, done, "%zu of %zu connections are still there", left, s->n);
    else
        phase_ok(f, done, 0, "the connections that were reset are gone");
}

static void heal(struct fault *f, fault_phase_done done) {
    struct reset *s = f->state;
    if (s)
        retry_stop(&s->retry);
    phase_ok(f, done, 0, "it happened once: nothing to undo");
}

static void describe(const struct fault *f, struct strbuf *out) {
    flow_list flows = {0};
    struct err err = {0};
    if (flows_select(f, &flows, &err) < 0)
        VEC_CLEAR(&flows);
    VEC_FOREACH (&flows, flow) {
        const struct node_def *nodes = f->world->topology->nodes.items;
        bool target = false;
        for (size_t k = 0; k < f->n_nodes; k++)
            target = target || str_eq(f->nodes[k], nodes[flow->from].name);
        if (!target)
            continue;
        strbuf_addf(out, "ss -K dst %s", nodes[flow->to].address);
        if (flow->side != SWITCH_ANY_PORT)
            strbuf_addf(out, " %s = :%u", flow->side == SWITCH_TO_PORT ? "dport" : "sport", flow->port);
        strbuf_addf(out, "  # on %s\n", nodes[flow->from].name);
    }
    VEC_DONE(&flows);
}

static void done_with(struct fault *f) {
    struct reset *s = f->state;
    if (!s)
        return;
    retry_stop(&s->retry);
    if (s->probe >= 0)
        (void)close(s->probe);
    for (size_t i = 0; i < NODES_MAX; i++)
        VEC_DONE(&s->gone[i]);
    VEC_DONE(&s->flows);
    free(s);
    f->state = NULL;
}

static const struct mechanism_param params[] = {FLOWS_PARAM_WITH, FLOWS_PARAM_PATH, {0}};

const struct fault_ops net_reset_fault = {
    .about = {.name = "net.reset",
              .summary = "resets the connections that are established now, once",
              .params = params},
    .mechanism =
        "sock_diag's SOCK_DESTROY (ss -K) on each connection of the target that belongs to the paths: the kernel sends "
        "the peer a RST, the target's own process gets an error. It is done in the target's network namespace, from "
        "outside; no process there takes part.",
    .still_works = "Everything but those connections; new ones are made at once.",
    .exercises = "Reconnection: pools, replication and Patroni's etcd client after an error that is fast and clear.",
    .needs = "CONFIG_INET_DIAG_DESTROY in the kernel (distributions have it)",
    .check = check,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
};
