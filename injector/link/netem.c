// SPDX-License-Identifier: PostgreSQL
// What a student would type on a kernel with netem.
#include "injector/link/link.h"

static void qdisc(const struct shape_rule *r, struct strbuf *out) {
    static const char *const dists[] = {"", " distribution normal", " distribution pareto"};
    double percent = r->p * 100, ms = (double)r->delay_ns / 1e6;
    switch (r->kind) {
    case SHAPE_DELAY:
        strbuf_addf(out, "netem delay %.4gms", ms);
        if (r->jitter_ns)
            strbuf_addf(out, " %.4gms%s", (double)r->jitter_ns / 1e6, dists[r->dist]);
        return;
    case SHAPE_LOSS:
        if (r->burst > 0) // p: good to bad, r: bad to good
            strbuf_addf(out, "netem loss gemodel %.4g%% %.4g%%", 100 * r->p / (r->burst * (1 - r->p)), 100 / r->burst);
        else
            strbuf_addf(out, "netem loss %.4g%%", percent);
        return;
    case SHAPE_CORRUPT:
        strbuf_addf(out, "netem corrupt %.4g%%", percent);
        return;
    case SHAPE_DUPLICATE:
        strbuf_addf(out, "netem duplicate %.4g%%", percent);
        return;
    case SHAPE_REORDER: // netem's reorder names those that are not delayed
        strbuf_addf(out, "netem delay %.4gms reorder %.4g%%", ms, 100 - percent);
        return;
    case SHAPE_RATE:
        strbuf_addf(out, "tbf rate %llubit burst 2kb latency %.4gms", (unsigned long long)r->bits_per_s,
                    (double)r->queue_ns / 1e6);
        return;
    case SHAPE_JAM:
        strbuf_add(out, "plug");
        return;
    case SHAPE_KINDS:
        return;
    }
}

static bool sends(const flow_list *flows, int node) {
    VEC_FOREACH (flows, f)
        if (f->from == node)
            return true;
    return false;
}

void link_netem(const struct topology *t, const struct shape_rule *r, const flow_list *flows, struct strbuf *out) {
    strbuf_add(out, "# with a kernel that has netem; here our relay does it between the nodes\n");
    for (int i = 0; i < (int)t->nodes.n; i++) {
        if (!sends(flows, i))
            continue;
        strbuf_addf(out, "# on %s (back: tc qdisc del dev eth0 root)\n", t->nodes.items[i].name);
        strbuf_add(out,
                   "tc qdisc add dev eth0 root handle 1: prio bands 4\ntc qdisc add dev eth0 parent 1:4 handle 4: ");
        qdisc(r, out);
        strbuf_add(out, r->kind == SHAPE_JAM
                            ? "   # let go: tc qdisc change dev eth0 parent 1:4 plug release_indefinite\n"
                            : "\n");
        VEC_FOREACH (flows, f) {
            if (f->from != i)
                continue;
            strbuf_addf(out, "tc filter add dev eth0 parent 1: protocol ip u32 match ip dst %s",
                        t->nodes.items[f->to].address);
            if (f->side != SWITCH_ANY_PORT)
                strbuf_addf(out, " match ip protocol 6 0xff match ip %s %u 0xffff",
                            f->side == SWITCH_TO_PORT ? "dport" : "sport", f->port);
            strbuf_add(out, " flowid 1:4\n");
        }
    }
}
