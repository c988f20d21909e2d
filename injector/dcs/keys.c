// SPDX-License-Identifier: PostgreSQL
// Faults on single keys of the cluster in etcd: deleted, overwritten, or their lease revoked. The proof is etcd's own history: a read
// at the revision of our change shows it, whatever Patroni has written a moment later.
#include "injector/dcs/faults.h"
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "lab/node/places.h"

static const usec_t BACK = 25 * SEC; // a loop of Patroni (10 s), an etcd request that is tried again, and some room

static char *full_key(const struct errand_io *io) {
    return xasprintf(STACK_PREFIX "%s", errand_param(io, "key"));
}

// What was there before: for the heal, and to tell.
static bool remember(struct errand_io *io, const char *key, struct etcd_entry *old) {
    cleanup_strbuf struct strbuf why = {0};
    if (!etcd_get(key, 0, old, &why)) {
        errand_pass(io, "%s", strbuf_str(&why));
        return false;
    }
    errand_note(io, "was", old->found ? "there" : "missing");
    errand_note(io, "leased", old->lease ? "yes" : "no");
    errand_note(io, "value", old->found ? old->value : "");
    return true;
}

static void note_revision(struct errand_io *io, int64_t revision) {
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, revision);
    errand_note(io, "revision", text);
}

static int64_t noted_revision(const struct errand_io *io) {
    const char *text = errand_noted(io, "revision");
    return text ? strtoll(text, NULL, 10) : 0;
}

static bool put(struct errand_io *io, const char *key, const char *value, int64_t *ret_revision) {
    cleanup_strbuf struct strbuf ask = {0}, why = {0};
    etcd_ask(&ask, key, value, NULL);
    cleanup_json cJSON *answer = errand_etcd("/v3/kv/put", strbuf_str(&ask), &why);
    if (!answer)
        errand_pass(io, "%s", strbuf_str(&why));
    else
        *ret_revision = etcd_revision(answer);
    return answer != NULL;
}

// ---- delete --------------------------------------------------------------------------------------------------------

static void delete_key(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf ask = {0}, why = {0};
    cleanup_entry struct etcd_entry old;
    if (!remember(io, key, &old))
        return;
    if (!old.found) {
        errand_no(io, "there is no key %s to delete", key);
        return;
    }
    etcd_ask(&ask, key, NULL, NULL);
    cleanup_json cJSON *answer = errand_etcd("/v3/kv/deleterange", strbuf_str(&ask), &why);
    if (!answer) {
        errand_pass(io, "%s", strbuf_str(&why));
        return;
    }
    if (etcd_number(answer, "deleted") < 1) {
        errand_no(io, "etcd deleted nothing: %s was gone already", key);
        return;
    }
    note_revision(io, etcd_revision(answer));
    errand_ok(io, usec_now(), "%s deleted at revision %" PRId64 "; it was %.80s", key, etcd_revision(answer),
              old.value);
}

static void see_gone(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf why = {0};
    cleanup_entry struct etcd_entry before = {0}, at = {0};
    int64_t revision = noted_revision(io);
    if (!etcd_get(key, revision - 1, &before, &why) || !etcd_get(key, revision, &at, &why))
        errand_pass(io, "%s", strbuf_str(&why));
    else if (before.found && !at.found)
        errand_ok(io, 0, "read back: %s is there at revision %" PRId64 " and not at %" PRId64, key, revision - 1,
                  revision);
    else
        errand_no(io, "read back: %s is %s at revision %" PRId64, key, at.found ? "still there" : "missing before",
                  revision);
}

// A key with a lease is somebody's claim: only its holder can make it again. Others are put back as they were.
static void put_back(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf why = {0};
    cleanup_entry struct etcd_entry now = {0};
    const char *value = errand_noted(io, "value"), *was = errand_noted(io, "was");
    int64_t revision = 0;
    if (!value || !was || str_eq(was, "missing"))
        errand_ok(io, 0, "nothing was deleted");
    else if (!etcd_get(key, 0, &now, &why))
        errand_pass(io, "%s", strbuf_str(&why));
    else if (now.found)
        errand_ok(io, 0, "Patroni has made it again: %.80s", now.value);
    else if (str_eq(errand_noted(io, "leased"), "yes"))
        errand_ok(io, 0, "it had a lease: Patroni makes it again, or nobody");
    else if (put(io, key, value, &revision))
        errand_ok(io, usec_now(), "put back at revision %" PRId64, revision);
}

static void see_back(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf why = {0};
    for (usec_t end = usec_now() + BACK;;) {
        cleanup_entry struct etcd_entry now = {0};
        if (!etcd_get(key, 0, &now, &why)) {
            errand_pass(io, "%s", strbuf_str(&why));
            return;
        }
        if (now.found || usec_now() >= end || errand_stopped(io, 50 * MSEC)) {
            if (now.found)
                errand_ok(io, 0, "%s is there: %.80s", key, now.value);
            else
                errand_no(io, "%s is still missing", key);
            return;
        }
    }
}

static void describe_delete(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out, "ETCDCTL_API=3 etcdctl del " STACK_PREFIX "%s      # on any node with etcd\n",
                fault_param(f, "key"));
}

static const struct errand_ops delete_errands = {.inject = {ERRAND_ETCD, delete_key},
                                                 .verify = {ERRAND_ETCD, see_gone},
                                                 .heal = {ERRAND_ETCD, put_back},
                                                 .verify_healed = {ERRAND_ETCD, see_back}};
static const struct mechanism_param delete_params[] = {{"key", "text", NULL, "leader",
                                                        "which key below " STACK_PREFIX
                                                        ": leader, initialize, config, sync, status, members/n2, ..."},
                                                       {0}};

const struct fault_ops dcs_delete_key_fault = {
    .about = {.name = "dcs.delete_key",
              .no_target = true,
              .summary = "deletes one of the cluster's keys in etcd",
              .params = delete_params},
    .mechanism = "DeleteRange through etcd's gateway; verified by reading the key at the revision before and at that "
                 "of the deletion. "
                 "Healed: Patroni makes it again, or the old value is put back when it had no lease.",
    .still_works = "Everything but the claim: PostgreSQL runs, Patronis answer each other. The leader usually takes "
                   "its key again at once.",
    .exercises = "What each key is for and who writes it; why deleting the leader key is no failover.",
    .needs = "nothing",
    .check = check_etcd_somewhere,
    ERRAND_PHASES(delete_errands),
    .describe = describe_delete,
    .patience = 30 * SEC,
};

// ---- revoke --------------------------------------------------------------------------------------------------------

static void revoke_lease(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf ask = {0}, why = {0};
    cleanup_entry struct etcd_entry old;
    if (!remember(io, key, &old))
        return;
    if (!old.found || !old.lease) {
        errand_no(io, "%s %s", key, old.found ? "has no lease" : "is not there");
        return;
    }
    strbuf_addf(&ask, "{\"ID\":\"%" PRIu64 "\"}", old.lease);
    cleanup_json cJSON *answer = errand_etcd("/v3/lease/revoke", strbuf_str(&ask), &why);
    if (!answer) {
        errand_pass(io, "%s", strbuf_str(&why));
        return;
    }
    note_revision(io, etcd_revision(answer));
    char id[24];
    (void)snprintf(id, sizeof id, "%" PRIu64, old.lease);
    errand_note(io, "lease", id);
    errand_ok(io, usec_now(), "lease %" PRIx64 " of %s (%.40s) revoked at revision %" PRId64, old.lease, key, old.value,
              etcd_revision(answer));
}

static void see_revoked(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf ask = {0}, why = {0};
    cleanup_entry struct etcd_entry at = {0};
    strbuf_addf(&ask, "{\"ID\":\"%s\"}", errand_noted(io, "lease") ? errand_noted(io, "lease") : "0");
    cleanup_json cJSON *ttl = errand_etcd("/v3/lease/timetolive", strbuf_str(&ask), &why);
    if (!ttl || !etcd_get(key, noted_revision(io), &at, &why))
        errand_pass(io, "%s", strbuf_str(&why));
    else if (etcd_number(ttl, "TTL") < 0 && !at.found)
        errand_ok(io, 0, "the lease is unknown to etcd, and %s was gone with it", key);
    else
        errand_no(io, "the lease has %" PRId64 " s left, %s is %s at that revision", etcd_number(ttl, "TTL"), key,
                  at.found ? "still there" : "gone");
}

static void describe_revoke(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out,
                "export ETCDCTL_API=3      # on any node with etcd\n"
                "etcdctl get " STACK_PREFIX "%s -w fields | grep Lease      # decimal\n"
                "etcdctl lease revoke $(printf '%%x' LEASE)\n",
                fault_param(f, "key"));
}

static const struct errand_ops revoke_errands = {.inject = {ERRAND_ETCD, revoke_lease},
                                                 .verify = {ERRAND_ETCD, see_revoked},
                                                 .verify_healed = {ERRAND_ETCD, see_back}};
static const struct mechanism_param revoke_params[] = {
    {"key", "text", NULL, "leader", "whose lease: leader, members/n2"}, {0}};

const struct fault_ops dcs_revoke_lease_fault = {
    .about = {.name = "dcs.revoke_lease",
              .no_target = true,
              .summary = "revokes the lease that one of the cluster's keys hangs on",
              .params = revoke_params},
    .mechanism = "LeaseRevoke through etcd's gateway: every key on the lease goes at once; verified by the lease being "
                 "unknown and the key "
                 "missing at that revision. Nothing to heal; Patroni must take a new lease.",
    .still_works = "PostgreSQL and Patroni run. The holder learns of it when it next renews (\"lease not found\") or "
                   "sees the key go.",
    .exercises = "Lease and key are two things; what Patroni does when its lease is gone under its feet.",
    .needs = "nothing",
    .check = check_etcd_somewhere,
    ERRAND_PHASES(revoke_errands),
    .describe = describe_revoke,
    .patience = 30 * SEC,
};

// ---- put -----------------------------------------------------------------------------------------------------------

static void put_key(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_entry struct etcd_entry old;
    int64_t revision;
    if (!remember(io, key, &old) || !put(io, key, errand_param(io, "value"), &revision))
        return;
    note_revision(io, revision);
    errand_ok(io, usec_now(), "%s put at revision %" PRId64 "; it was %.80s", key, revision,
              old.found ? old.value : "missing");
}

static void see_put(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf why = {0};
    cleanup_entry struct etcd_entry at = {0};
    if (!etcd_get(key, noted_revision(io), &at, &why))
        errand_pass(io, "%s", strbuf_str(&why));
    else if (at.found && str_eq(at.value, errand_param(io, "value")))
        errand_ok(io, 0, "read back at revision %" PRId64 ": %.80s", noted_revision(io), at.value);
    else
        errand_no(io, "read back at revision %" PRId64 ": %.80s", noted_revision(io), at.found ? at.value : "missing");
}

static void unput(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf ask = {0}, why = {0};
    const char *was = errand_noted(io, "was");
    int64_t revision;
    if (!was) {
        errand_ok(io, 0, "nothing was put");
    } else if (str_eq(was, "there")) {
        if (put(io, key, errand_noted(io, "value"), &revision))
            errand_ok(io, usec_now(), "the old value is back at revision %" PRId64, revision);
    } else {
        etcd_ask(&ask, key, NULL, NULL);
        cleanup_json cJSON *answer = errand_etcd("/v3/kv/deleterange", strbuf_str(&ask), &why);
        if (answer)
            errand_ok(io, usec_now(), "deleted, as it was before");
        else
            errand_pass(io, "%s", strbuf_str(&why));
    }
}

// Patronis that gave up because of the value are started again, as an administrator would.
static int start_patronis(struct fault *f, struct err *err) {
    struct fault_world *w = f->world;
    for (size_t i = 0; i < w->topology->nodes.n; i++) {
        struct node *n = w->nodes[i];
        if (!errand_ran_patroni(f, i) || !n || !node_is_on(n) || node_service_pid(n, "patroni") > 0)
            continue;
        int r = w->start_services(w->arg, node_name(n), "patroni", err);
        if (r < 0)
            return err_wrap(err, "start Patroni on %s again", node_name(n));
    }
    return 0;
}

static void see_unput(struct errand_io *io) {
    cleanup_free char *key = full_key(io);
    cleanup_strbuf struct strbuf why = {0};
    cleanup_entry struct etcd_entry now = {0};
    const char *was = errand_noted(io, "was");
    if (!etcd_get(key, 0, &now, &why))
        errand_pass(io, "%s", strbuf_str(&why));
    else if (!now.found || !str_eq(now.value, errand_param(io, "value")) || !was)
        errand_ok(io, 0, "%s is %.80s", key, now.found ? now.value : "missing, as before");
    else
        errand_no(io, "%s still has the wrong value", key);
}

static void describe_put(const struct fault *f, struct strbuf *out) {
    strbuf_addf(out, "ETCDCTL_API=3 etcdctl put " STACK_PREFIX "%s '%s'      # on any node with etcd\n",
                fault_param(f, "key"), fault_param(f, "value"));
}

static const struct errand_ops put_errands = {.inject = {ERRAND_ETCD, put_key},
                                              .verify = {ERRAND_ETCD, see_put},
                                              .heal = {ERRAND_ETCD, unput},
                                              .verify_healed = {ERRAND_ETCD, see_unput},
                                              .settle = start_patronis};
static const struct mechanism_param put_params[] = {
    {"key", "text", NULL, "initialize", "which key below " STACK_PREFIX ": initialize, config, sync, failover, ..."},
    {"value", "text", NULL, "7000000000000000001",
     "what is written; the default is a system identifier that no cluster here has"},
    {0}};

const struct fault_ops dcs_put_key_fault = {
    .about = {.name = "dcs.put_key",
              .no_target = true,
              .summary = "overwrites one of the cluster's keys in etcd",
              .params = put_params},
    .mechanism = "Put through etcd's gateway, read back at its revision. Healed: the old value is put back (or the key "
                 "deleted) and every "
                 "Patroni that ran before and has ended is started.",
    .still_works = "etcd is well, and so is PostgreSQL until Patroni believes the value: with `initialize` overwritten "
                   "every Patroni stops "
                   "PostgreSQL in good order and exits in its next loop.",
    .exercises = "What Patroni trusts; the system identifier; a total outage made by one key.",
    .needs = "nothing",
    .check = check_etcd_somewhere,
    ERRAND_PHASES(put_errands),
    .describe = describe_put,
    .patience = 30 * SEC,
};
