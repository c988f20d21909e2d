// SPDX-License-Identifier: PostgreSQL
// link.down: the cable is pulled. Peers see silence; the node itself sees its carrier go, so its kernel fails fast
// where a dropped frame would hang. The happy path: the switch's port goes down, the node's eth0 shows no carrier,
// probes are silent. A node that is off keeps its port down whatever we heal: its link comes up with its power.
#include "injector/fault/phases.h"
#include "injector/net/faults.h"
#include "injector/net/flow_params.h"
#include "injector/net/net_check.h"
#include "injector/net/net_cuts.h"
#include "lab/reach/probe_socket.h"

struct link {
    flow_list flows;
    bool held[NODES_MAX]; // by index in topology->nodes: our count is in world->cuts
    struct net_check *check;
    fault_phase_done done;
};

static int put_down(struct fault *f, struct link *l, int i, struct err *err) {
    int r = switch_port_set(f->world->sw, f->world->topology->nodes.items[i].name, false, err);
    if (r < 0)
        return r;
    l->held[i] = true;
    f->world->cuts->link_down[i]++;
    return 0;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct link *l = f->state ? f->state : (f->state = xcalloc(1, sizeof *l));
    struct err err = {0};
    for (size_t k = 0; k < f->n_nodes; k++)
        if (!node_is_on(fault_world_node(f->world, f->nodes[k]))) {
            phase_no(f, done, "%s is powered off: its link is down already", f->nodes[k]);
            return;
        }
    VEC_CLEAR(&l->flows);
    flows_around(f, &l->flows);
    if (net_check_begin(f->world, &l->flows, &l->check, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    usec_t first = 0;
    f->touched = true;
    for (size_t k = 0; k < f->n_nodes; k++) {
        if (put_down(f, l, fault_world_index(f->world, f->nodes[k]), &err) < 0) {
            phase_no(f, done, "%s", err.msg);
            return;
        }
        first = k == 0 ? sink_now(f->world->sink) : first;
    }
    usec_t last = sink_now(f->world->sink);
    cleanup_strbuf struct strbuf text = {0};
    fault_nodes_text(f, &text);
    spread_text(f->n_nodes, first, last, &text);
    phase_ok(f, done, last, "the switch port is down: %s", strbuf_str(&text));
}

// The carrier of every target, asked inside its own namespace. NULL = as wanted, else the node that is not.
static const char *carrier_differs(const struct fault *f, bool wanted, struct err *err) {
    for (size_t k = 0; k < f->n_nodes; k++) {
        bool up;
        if (!node_is_on(fault_world_node(f->world, f->nodes[k])))
            continue;
        if (wanted && f->world->cuts->link_down[fault_world_index(f->world, f->nodes[k])])
            continue; // another fault holds it
        if (probe_carrier(fault_world_node(f->world, f->nodes[k]), &up, err) < 0 || up != wanted)
            return f->nodes[k];
    }
    return NULL;
}

static void on_check(void *arg, bool ok, const char *text) {
    struct fault *f = arg;
    struct link *l = f->state;
    const char *other = NULL;
    if (f->healing && ok && (other = carrier_differs(f, true, NULL))) {
        phase_no(f, l->done, "eth0 of %s still has no carrier", other);
        return;
    }
    if (ok)
        phase_ok(f, l->done, 0, "eth0 has %s carrier; %s", f->healing ? "its" : "no", text);
    else
        phase_no(f, l->done, "%s", text);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct link *l = f->state;
    struct err err = {0};
    const char *other = carrier_differs(f, false, &err);
    if (other) {
        phase_no(f, done, "eth0 of %s still has a carrier%s%s", other, err.code ? ": " : "", err.msg);
        return;
    }
    l->done = done;
    net_check_silence(l->check, on_check, f);
}

static int put_up(struct fault *f, struct link *l, int i, struct err *err) {
    if (l->held[i] && f->world->cuts->link_down[i])
        f->world->cuts->link_down[i]--;
    l->held[i] = false;
    if (f->world->cuts->link_down[i] || !node_is_on(f->world->nodes[i]))
        return 0; // another fault's, or it comes up with the node's power
    return switch_port_set(f->world->sw, f->world->topology->nodes.items[i].name, true, err);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct link *l = f->state;
    struct err err = {0};
    if (!l) {
        phase_ok(f, done, 0, "no link was touched");
        return;
    }
    net_check_free(STEAL(l->check));
    for (size_t k = f->n_nodes; k-- > 0;)
        if (put_up(f, l, fault_world_index(f->world, f->nodes[k]), &err) < 0) {
            phase_no(f, done, "%s", err.msg);
            return;
        }
    phase_ok(f, done, sink_now(f->world->sink), "the switch port is up again, unless another fault holds it down");
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct link *l = f->state;
    struct err err = {0};
    l->done = done;
    net_check_free(STEAL(l->check));
    if (net_check_open(f->world, &l->flows, 5 * SEC, on_check, f, &l->check, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_add(out, "# on the switch; back: up\n");
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out, "ip link set h-%s down\n", f->nodes[k]);
}

static void done_with(struct fault *f) {
    struct link *l = f->state;
    if (l) {
        net_check_free(l->check);
        VEC_DONE(&l->flows);
    }
    free(l);
    f->state = NULL;
}

const struct fault_ops link_down_fault = {
    .about = {.name = "link.down", .summary = "pulls the node's network cable: the carrier goes"},
    .mechanism = "The switch's port of the node is set down over netlink; the node's eth0 loses its carrier.",
    .still_works =
        "Everything inside the node, loopback included. Its own sends fail at once instead of hanging: not the same "
        "as net.drop.",
    .exercises = "Fast error against silent loss: how differently daemons react to the two.",
    .needs = "nothing",
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
};
