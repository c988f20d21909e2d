// SPDX-License-Identifier: PostgreSQL
// dcs.nospace: the alarm that etcd raises when its quota is reached (etcd 3.4, server/etcdserver/apply.go: applierV3Capped refuses Put
// and LeaseGrant while it is on; renewals and deletions pass). Here it is armed through the maintenance API, with the same effect and
// without filling a disk; a real quota is etcd.quota-backend-bytes in a topology.
#include "injector/dcs/faults.h"
#include "injector/errand/errand.h"
#include "injector/fault/check.h"

static const char PROBE[] = "/bascule/probe"; // outside of the cluster's prefix

static cJSON *alarm_call(const char *action, const char *member, struct strbuf *why) {
    cleanup_free char *ask = xasprintf("{\"action\":\"%s\",\"memberID\":\"%s\",\"alarm\":\"NOSPACE\"}", action, member);
    return errand_etcd("/v3/maintenance/alarm", ask, why);
}

// Is a write refused? 1 yes, 0 no, -1 no answer. why has etcd's words.
static int probe(struct strbuf *why) {
    cleanup_strbuf struct strbuf ask = {0}, drop = {0};
    etcd_ask(&ask, PROBE, "x", NULL);
    cleanup_json cJSON *answer = errand_etcd("/v3/kv/put", strbuf_str(&ask), why);
    if (!answer)
        return strstr(strbuf_str(why), "space exceeded") ? 1 : -1;
    etcd_ask(&drop, PROBE, NULL, NULL);
    cleanup_json cJSON *dropped = errand_etcd("/v3/kv/deleterange", strbuf_str(&drop), why);
    return dropped ? 0 : -1;
}

static void arm(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    cleanup_json cJSON *status = errand_etcd("/v3/maintenance/status", "{}", &why);
    const char *member = json_str(cJSON_GetObjectItemCaseSensitive(status, "header"), "member_id", "0");
    cleanup_json cJSON *answer = status ? alarm_call("ACTIVATE", member, &why) : NULL;
    if (answer)
        errand_ok(io, usec_now(), "NOSPACE armed for the member on %s", io->node);
    else
        errand_pass(io, "%s", strbuf_str(&why));
}

static void see_refusal(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    int refused = probe(&why);
    if (refused == 1)
        errand_ok(io, 0, "a put of ours was refused: %s", strbuf_str(&why));
    else if (refused == 0)
        errand_no(io, "a put of ours was accepted: the alarm does not bite");
    else
        errand_pass(io, "%s", strbuf_str(&why));
}

static void disarm(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    cleanup_json cJSON *list = alarm_call("GET", "0", &why);
    const cJSON *a;
    size_t n = 0;
    cJSON_ArrayForEach (a, cJSON_GetObjectItemCaseSensitive(list, "alarms")) {
        cleanup_json cJSON *answer = alarm_call("DEACTIVATE", json_str(a, "memberID", "0"), &why);
        if (!answer)
            break;
        n++;
    }
    if (why.len)
        errand_pass(io, "%s", strbuf_str(&why));
    else
        errand_ok(io, usec_now(), "%zu alarm%s disarmed", n, n == 1 ? "" : "s");
}

static void see_accepted(struct errand_io *io) {
    cleanup_strbuf struct strbuf why = {0};
    cleanup_json cJSON *list = alarm_call("GET", "0", &why);
    int refused = list ? probe(&why) : -1;
    int left = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(list, "alarms"));
    if (refused < 0)
        errand_pass(io, "%s", strbuf_str(&why));
    else if (refused || left)
        errand_no(io, "%d alarms are left, a put of ours is %s", left, refused ? "refused" : "accepted");
    else
        errand_ok(io, 0, "no alarm, and a put of ours was accepted");
}

static void describe(const struct fault *f, struct strbuf *out) {
    (void)f;
    strbuf_add(out, "# on a node with etcd\n"
                    "curl -s http://127.0.0.1:2379/v3/maintenance/alarm -d "
                    "'{\"action\":\"ACTIVATE\",\"alarm\":\"NOSPACE\",\"memberID\":ID}'\n"
                    "ETCDCTL_API=3 etcdctl alarm list      # undo: etcdctl alarm disarm\n");
}

static const struct errand_ops errands = {.inject = {ERRAND_ETCD, arm},
                                          .verify = {ERRAND_ETCD, see_refusal},
                                          .heal = {ERRAND_ETCD, disarm},
                                          .verify_healed = {ERRAND_ETCD, see_accepted}};

const struct fault_ops dcs_nospace_fault = {
    .about = {.name = "dcs.nospace",
              .no_target = true,
              .summary = "puts etcd under the alarm of a reached quota: it takes no new keys"},
    .mechanism = "Alarm ACTIVATE NOSPACE through etcd's maintenance API, as etcd itself raises it at its quota; "
                 "verified by a put of ours "
                 "that is refused. Healed: every alarm is disarmed, and a put is accepted.",
    .still_works = "Lease renewals, reads and deletions: the leader keeps its key and all looks well. Nobody can "
                   "take a key, though.",
    .exercises = "A time bomb: no failover, no switchover, no new settings; what a monitor of the DCS must look at.",
    .needs = "nothing",
    .check = check_etcd_somewhere,
    ERRAND_PHASES(errands),
    .describe = describe,
};
