// SPDX-License-Identifier: PostgreSQL
// Maintenance of etcd, through its gateway or etcdctl: compaction, defragmentation, a snapshot, another leader.
#include <sys/stat.h>

#include "injector/dcs/faults.h"
#include "injector/dcs/snapshot.h"
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "lab/node/places.h"

static void compact(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    cleanup_json cJSON *status = errand_etcd("/v3/maintenance/status", "{}", &why);
    int64_t revision = etcd_revision(status);
    cleanup_free char *ask = xasprintf("{\"revision\":\"%" PRId64 "\",\"physical\":true}", revision);
    cleanup_json cJSON *answer = status ? errand_etcd("/v3/kv/compaction", ask, &why) : NULL;
    // Refused when somebody compacted further in the meantime: a no of etcd is the last word.
    if (answer)
        errand_ok(io, usec_now(), "history before revision %" PRId64 " is gone", revision);
    else if (status)
        errand_no(io, "%s", strbuf_str(&why));
    else
        errand_pass(io, "%s", strbuf_str(&why));
}

static void defragment(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    cleanup_json cJSON *before = errand_etcd("/v3/maintenance/status", "{}", &why);
    cleanup_json cJSON *answer = before ? errand_etcd("/v3/maintenance/defragment", "{}", &why) : NULL;
    cleanup_json cJSON *after = answer ? errand_etcd("/v3/maintenance/status", "{}", &why) : NULL;
    if (after)
        errand_ok(io, usec_now(), "database %" PRId64 " kB before, %" PRId64 " kB after",
                  etcd_number(before, "dbSize") / 1024, etcd_number(after, "dbSize") / 1024);
    else
        errand_no(io, "%s", strbuf_str(&why));
}

static void save(struct errand_io *io) {
    cleanup_strbuf struct strbuf out = {0};
    const char *argv[] = {"etcdctl", "--endpoints=http://127.0.0.1:2379", "snapshot", "save", DCS_SNAPSHOT, NULL};
    struct stat st;
    int status = errand_command(argv, 20 * SEC, &out);
    if (status == 0 && stat(DCS_SNAPSHOT, &st) == 0)
        errand_ok(io, usec_now(), "%s on %s, %lld bytes", DCS_SNAPSHOT, io->node, (long long)st.st_size);
    else
        errand_no(io, "etcdctl snapshot save gave %d: %s", status, strbuf_str(&out));
}

// The member that lives on a node, by its peer URL: its 64-bit id as a text of digits, "" = none.
static void find_member(const struct node_def *n, char id[24], struct strbuf *why) {
    const cJSON *m;
    cleanup_free char *url = xasprintf("http://%s:%d", n ? n->address : "", STACK_ETCD_PEER_PORT);
    cleanup_json cJSON *list = errand_etcd("/v3/cluster/member/list", "{}", why);
    id[0] = '\0';
    cJSON_ArrayForEach (m, cJSON_GetObjectItemCaseSensitive(list, "members")) {
        const cJSON *peer = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(m, "peerURLs"), 0);
        if (cJSON_IsString(peer) && str_eq(peer->valuestring, url))
            (void)str_copy(id, 24, json_str(m, "ID", ""));
    }
    if (list && !*id)
        strbuf_addf(why, "no member has the address %s", url);
}

// Asked at the leader only: MoveLeader is refused by every other member ("not leader"). It returns when the target leads in the
// old leader's eyes (etcdserver.moveLeader waits for it); this member's own status is the proof.
static void move_leader(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    char target[24];
    find_member(topology_node(io->world->topology, io->target), target, &why);
    cleanup_json cJSON *status = *target ? errand_etcd("/v3/maintenance/status", "{}", &why) : NULL;
    const char *leader = json_str(status, "leader", "0"),
               *self = json_str(cJSON_GetObjectItemCaseSensitive(status, "header"), "member_id", "?");
    if (!status) {
        errand_pass(io, "%s", strbuf_str(&why));
    } else if (str_eq(leader, target)) {
        errand_ok(io, 0, "member %s on %s leads already", target, io->target);
    } else if (!str_eq(leader, self)) {
        errand_pass(io, "the member on %s does not lead", io->node);
    } else {
        cleanup_free char *ask = xasprintf("{\"targetID\":\"%s\"}", target);
        cleanup_json cJSON *answer = errand_etcd("/v3/maintenance/transfer-leadership", ask, &why);
        cleanup_json cJSON *after = answer ? errand_etcd("/v3/maintenance/status", "{}", &why) : NULL;
        if (after && str_eq(json_str(after, "leader", "0"), target))
            errand_ok(io, usec_now(), "member %s on %s leads after %s on %s", target, io->target, self, io->node);
        else
            errand_no(io, "%s", after ? "etcd said yes, and the leader is another one" : strbuf_str(&why));
    }
}

static const struct action_row rows[] = {
    {.about =
         {.name = "dcs.compact", .action = true, .no_target = true, .summary = "throws etcd's history away, up to now"},
     .how = "Compaction at the current revision through etcd's gateway; watches that are further behind end.",
     .check = check_etcd_somewhere,
     .errand = {ERRAND_ETCD, compact}},
    {.about = {.name = "dcs.defragment", .action = true, .summary = "rewrites an etcd member's database without holes"},
     .how = "Defragment through the member's own gateway; it answers nobody meanwhile.",
     .check_node = check_runs_etcd,
     .errand = {ERRAND_TARGETS, defragment}},
    {.about = {.name = "dcs.save_snapshot",
               .action = true,
               .summary = "saves a snapshot of etcd on a member's disk, for dcs.restore_snapshot"},
     .how = "etcdctl snapshot save " DCS_SNAPSHOT ".",
     .check_node = check_runs_etcd,
     .errand = {ERRAND_TARGETS, save}},
    {.about = {.name = "dcs.move_leader",
               .action = true,
               .summary = "makes the target's etcd member the leader of etcd"},
     .how = "MoveLeader through the gateway of the member that leads, as `etcdctl move-leader ID`; done when that "
            "member names "
            "the new one.",
     .check_node = check_runs_etcd,
     .errand = {ERRAND_ETCD, move_leader}},
};
const struct action_table dcs_actions = {rows, ARRAY_SIZE(rows)};
