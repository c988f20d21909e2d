// SPDX-License-Identifier: PostgreSQL
// dcs.remove_member: an etcd member is taken out of the cluster, and comes back as a new one with empty data. The removed etcd ends by
// itself (server/etcdserver: "the member has been permanently removed from the cluster").
//   heal: its data are thrown away -> member add -> initial-cluster-state: existing, without which it would found a cluster of its own
//         -> started -> it copies everything from the leader
#include "injector/dcs/faults.h"
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "lab/base/fs.h"
#include "lab/base/inside.h"
#include "lab/node/places.h"

static const char CONF[] = "/etc/etcd/etcd.conf.yml", DATA[] = "/var/lib/etcd/member";

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    (void)params;
    if (topology_count(t, SERVICE_ETCD) < 3)
        return err_set(err, EINVAL,
                       "dcs.remove_member needs three etcd members: of two neither may go; take topology patroni-3");
    return 0;
}

static bool member_id(const cJSON *list, const char *address, char id[24]) {
    const cJSON *m;
    cleanup_free char *url = xasprintf("http://%s:%d", address, STACK_ETCD_PEER_PORT);
    cJSON_ArrayForEach (m, cJSON_GetObjectItemCaseSensitive(list, "members")) {
        const cJSON *peer = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(m, "peerURLs"), 0);
        if (!cJSON_IsString(peer) || !str_eq(peer->valuestring, url))
            continue;
        (void)str_copy(id, 24, json_str(m, "ID", ""));
        return true;
    }
    return false;
}

static const char *target_address(const struct errand_io *io) {
    const struct node_def *n = topology_node(io->world->topology, io->target);
    return n ? n->address : "";
}

// NULL after errand_pass.
static cJSON *list_members(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    cJSON *list = errand_etcd("/v3/cluster/member/list", "{}", &why);
    if (!list)
        errand_pass(io, "%s", strbuf_str(&why));
    return list;
}

// etcd changes its members only while enough of them have been connected for 5 s (etcd server/etcdserver/server.go:
// HealthInterval, strict-reconfig-check). Right after one came back it says "unhealthy cluster", and is asked again. NULL
// after the errand's answer was given.
static cJSON *change_members(struct errand_io *io, const char *path, const char *ask) {
    for (usec_t end = usec_now() + 8 * SEC;;) {
        cleanup_strbuf struct strbuf why = {0};
        cJSON *answer = errand_etcd(path, ask, &why);
        if (answer)
            return answer;
        bool early = strstr(strbuf_str(&why), "unhealthy cluster");
        if (early && usec_now() < end && !errand_stopped(io, 250 * MSEC))
            continue;
        if (early) // another member would say the same
            errand_no(io, "%s, for 8 s: a member that does not stay connected?", strbuf_str(&why));
        else
            errand_pass(io, "%s", strbuf_str(&why));
        return NULL;
    }
}

static void drop_member(struct errand_io *io) {
    cleanup_json cJSON *list = list_members(io);
    char id[24];
    if (!list)
        return;
    if (!member_id(list, target_address(io), id)) {
        errand_no(io, "no member has the address %s", target_address(io));
        return;
    }
    cleanup_free char *ask = xasprintf("{\"ID\":\"%s\"}", id);
    cleanup_json cJSON *answer = change_members(io, "/v3/cluster/member/remove", ask);
    if (answer)
        errand_ok(io, usec_now(), "member %s removed, %d left", id,
                  cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "members")));
}

// It is gone from the list, and its etcd has ended or refuses.
static void see_removed(struct errand_io *io) {
    cleanup_json cJSON *list = list_members(io);
    char id[24];
    if (!list)
        return;
    if (member_id(list, target_address(io), id))
        errand_no(io, "it is still in the member list");
    else
        errand_ok(io, 0, "the member list of %s has %d members without it", io->node,
                  cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(list, "members")));
}

// A removed member ends when it has learned of it, some time after the list has forgotten it; replacing its data before that
// would leave it without an etcd. Out of reach (a network fault) it counts as ended, as nobody here can know better.
static void await_end(const struct errand_io *io) {
    cleanup_free char *url = xasprintf("http://%s:%d/health", target_address(io), STACK_ETCD_PORT);
    usec_t end = usec_now() + 10 * SEC;
    do {
        cleanup_strbuf struct strbuf body = {0};
        if (errand_http_url("GET", url, NULL, SEC, &body) == 0)
            return;
    } while (usec_now() < end && !errand_stopped(io, 100 * MSEC));
}

static void add_member(struct errand_io *io) {
    cleanup_json cJSON *list = list_members(io);
    char id[24];
    if (!list)
        return;
    if (member_id(list, target_address(io), id)) {
        errand_note(io, "same", "yes"); // never removed, or added already: its data are still good or never were
        errand_ok(io, 0, "it is a member");
        return;
    }
    await_end(io);
    cleanup_free char *ask = xasprintf("{\"peerURLs\":[\"http://%s:%d\"]}", target_address(io), STACK_ETCD_PEER_PORT);
    cleanup_json cJSON *answer = change_members(io, "/v3/cluster/member/add", ask);
    if (answer)
        errand_ok(io, usec_now(), "added again as %s, with no data yet",
                  json_str(cJSON_GetObjectItemCaseSensitive(answer, "member"), "ID", "?"));
}

// Blocking file work of a few small files in the lab's memory: data of a member are some hundred kB.
static int replace(struct fault *f, struct err *err) {
    struct fault_world *w = f->world;
    struct node *n = fault_world_node(w, f->nodes[0]);
    cleanup_strbuf struct strbuf conf = {0};
    static const char conf_file[] = "etcd/etcd.conf.yml";
    cleanup_free char *data = xasprintf("%s/member", node_etcd_dir(n));
    if (node_service_pid(n, "etcd") > 0)
        return 0;
    int r = fs_remove_tree(data, err);
    if (r >= 0)
        r = inside_read(node_etc_dir(n), conf_file, 1 << 20, &conf, err);
    if (r < 0)
        return r;
    const char *word = strstr(strbuf_str(&conf), "initial-cluster-state: new");
    if (word) {
        cleanup_strbuf struct strbuf changed = {0};
        strbuf_addn(&changed, conf.data, (size_t)(word - conf.data));
        strbuf_addf(&changed, "initial-cluster-state: existing%s", word + strlen("initial-cluster-state: new"));
        r = inside_write(node_etc_dir(n), conf_file, changed.data, changed.len, 0644, err);
    }
    return r < 0 ? r : w->start_services(w->arg, f->nodes[0], "etcd", err);
}

static void see_member(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    for (usec_t end = usec_now() + 20 * SEC; usec_now() < end && !errand_stopped(io, 100 * MSEC);) {
        strbuf_clear(&why);
        cleanup_json cJSON *status = errand_etcd("/v3/maintenance/status", "{}", &why);
        if (!status || etcd_number(status, "leader") == 0)
            continue;
        errand_ok(io, usec_now(), "the member on %s follows leader %s, revision %" PRId64, io->node,
                  json_str(status, "leader", "?"), etcd_revision(status));
        return;
    }
    errand_no(io, "the member on %s does not follow a leader: %s", io->node, strbuf_str(&why));
}

static void describe(const struct fault *f, struct strbuf *out) {
    strbuf_addf(
        out,
        "export ETCDCTL_API=3      # on a node with another member\n"
        "etcdctl member list; etcdctl member remove ID      # that of %s\n"
        "# to replace it: etcdctl member add %s --peer-urls=http://ADDRESS:2380, then on %s:\n"
        "#   rm -rf %s; sed -i 's/initial-cluster-state: new/initial-cluster-state: existing/' %s; start etcd\n",
        f->nodes[0], f->nodes[0], f->nodes[0], DATA, CONF);
}

static const struct errand_ops errands = {.inject = {ERRAND_OTHER_ETCD, drop_member},
                                          .verify = {ERRAND_OTHER_ETCD, see_removed},
                                          .heal = {ERRAND_OTHER_ETCD, add_member},
                                          .verify_healed = {ERRAND_TARGETS, see_member},
                                          .settle = replace};

const struct fault_ops dcs_remove_member_fault = {
    .about = {.name = "dcs.remove_member",
              .summary = "takes one member out of the etcd cluster; healed, it is replaced by an empty one"},
    .mechanism =
        "MemberRemove through another member; the removed etcd ends by itself. Verified by the member list. Healed: "
        "its data are "
        "thrown away, MemberAdd, initial-cluster-state: existing, started; verified when it follows the leader.",
    .still_works = "Two members are a majority of two: one more failure and etcd stands still.",
    .exercises = "Replacing a lost member in the right order; why an old name with an empty directory is refused; "
                 "quorum of 2, 3 and 4.",
    .needs = "nothing",
    .check = check,
    .check_node = check_runs_etcd,
    ERRAND_PHASES(errands),
    .describe = describe,
    .patience = 25 * SEC,
};
