// SPDX-License-Identifier: PostgreSQL
// net.partition: a partition as one word. The shape says who may still talk to whom; the rest is net.drop's: one
// transaction, all flows at the same instant.
#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/net/cut_fault.h"
#include "injector/net/faults.h"
#include "injector/net/flow_params.h"
#include "injector/net/partition.h"

static const char *param(const setting_list *params, const char *name) {
    return mechanism_param(&net_partition_fault.about, params, name);
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    const char *groups = param(params, "groups"), *shape = param(params, "shape");
    int r = partition_check_groups(t, groups, err);
    if (r >= 0 && !str_empty(groups) && !str_eq(shape, "split"))
        r = err_set(err, EINVAL, "groups are for shape split; %s makes its own", shape);
    if (r >= 0)
        r = flows_check(&net_partition_fault.about, t, params, err);
    struct partition p;
    struct partition_request q = {.shape = shape, .groups = "", .app = "both", .targets = 1};
    if (r >= 0 && (str_eq(shape, "ring") || str_eq(shape, "bridge"))) // do not depend on who the target is
        r = partition_make(t, &q, &p, err);
    return r < 0 ? err_wrap(err, "net.partition") : 0;
}

static int check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                      struct err *err) {
    (void)t, (void)params;
    if (node->services & (SERVICE_POSTGRES | SERVICE_ETCD))
        return 0;
    return err_set(err, EINVAL, "net.partition: %s is a client; its side is told by the parameter app", node->name);
}

static int make(const struct fault *f, struct partition_request *q, struct partition *p, struct err *err) {
    *q = (struct partition_request){
        .shape = fault_param(f, "shape"), .groups = fault_param(f, "groups"), .app = fault_param(f, "app")};
    for (size_t k = 0; k < f->n_nodes; k++) {
        int i = fault_world_index(f->world, f->nodes[k]);
        q->targets |= (uint16_t)(i >= 0 ? 1u << i : 0);
    }
    return partition_make(f->world->topology, q, p, err);
}

static int select_shape(const struct fault *f, flow_list *out, struct err *err) {
    struct partition_request q;
    struct partition p;
    int r = make(f, &q, &p, err), n = (int)f->world->topology->nodes.n;
    for (int i = 0; i < n; i++)
        for (int j = 0; r >= 0 && j < n; j++)
            if (pair_has(&p.cut, i, j))
                r = flows_add_paths(f->world->topology, i, j, fault_param(f, "path"), out, err);
    return r < 0 || out->n ? r : err_set(err, ENOENT, "nothing is parted: everybody is on one side");
}

static void inject(struct fault *f, fault_phase_done done) {
    struct partition_request q;
    struct partition p;
    struct err err = {0};
    int r = cut_fault_begin(f, sizeof(struct cut_fault), select_shape, &err);
    if (r >= 0)
        r = make(f, &q, &p, &err);
    usec_t began = usec_now();
    if (r >= 0)
        r = cut_fault_close(f, &err);
    if (r < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    usec_t effective = sink_now(f->world->sink);
    cleanup_strbuf struct strbuf text = {0};
    partition_text(f->world->topology, &q, &p, &text);
    phase_ok(f, done, effective, "%s; one transaction of %.2f ms cuts all of it at the same instant", strbuf_str(&text),
             (double)(usec_now() - began) / 1000.0);
}

static void describe(const struct fault *f, struct strbuf *out) {
    cut_fault_describe(f, select_shape, out);
}

static const struct mechanism_param params[] = {
    {"shape", "word", PARTITION_SHAPES, "split",
     "isolate (each target alone), split (the targets against the rest, or the groups), majority (the targets with as "
     "many "
     "others as make a majority of etcd and of PostgreSQL), minority (the targets with as many others as leave the "
     "rest a "
     "majority), bridge (the targets see all, the others are two halves), ring (each sees its two neighbours in the "
     "topology's order)"},
    {"groups", "groups", NULL, "",
     "shape split: lists of node names, [[n1, n2], [n3]], by hand n1,n2/n3; nodes that none names are one more group"},
    {"app", "word", PARTITION_APP, NULL,
     "where the application and a HAProxy of its own are: with the target, with the others, in the largest group "
     "(majority), seeing both sides, or none"},
    FLOWS_PARAM_PATH,
    {0}};

const struct fault_ops net_partition_fault = {
    .about = {.name = "net.partition",
              .summary = "parts the cluster into groups that don't reach each other",
              .params = params},
    .mechanism =
        "Every pair of nodes that the shape keeps apart, both ways, goes into the switch's sets in one nf_tables "
        "transaction.",
    .still_works =
        "Everything inside each side. A side with an etcd majority elects; one without has etcd members that know "
        "no leader.",
    .exercises =
        "Quorum, the minority's read-only leader, split brain, and what a client sees that is on the wrong side.",
    .needs = "nothing",
    .check = check,
    .check_node = check_node,
    .inject = inject,
    .verify = cut_fault_verify,
    .heal = cut_fault_heal,
    .verify_healed = cut_fault_verify_healed,
    .describe = describe,
    .done = cut_fault_done,
};
