// SPDX-License-Identifier: PostgreSQL
// One table of every setting that bascule knows. A bare number has the unit that the daemon itself gives it (Patroni: seconds, etcd
// and HAProxy: milliseconds), as in the files people copy from.
#include "lab/scenario/settings/settings_table.h"

#include "lab/scenario/read.h"

#define AT(member)      IN_TOPOLOGY, offsetof(struct topology, member)
#define PLAN_AT(member) IN_PLAN, offsetof(struct plan, member)
#define SECONDS         INT64_C(1000000)
#define ANY_COUNT       0, 1000000000
#define ANY_SIZE        0, INT64_C(1) << 50

const struct setting_def setting_defs[] = {
    {"patroni.ttl", KIND_SECONDS, AT(patroni.ttl), SECONDS, 3600 * SECONDS},
    {"patroni.loop_wait", KIND_SECONDS, AT(patroni.loop_wait), SECONDS, 3600 * SECONDS},
    {"patroni.retry_timeout", KIND_SECONDS, AT(patroni.retry_timeout), SECONDS, 3600 * SECONDS},
    {"patroni.maximum_lag_on_failover", KIND_SIZE, AT(patroni.maximum_lag_on_failover), ANY_SIZE},
    {"patroni.primary_start_timeout", KIND_SECONDS, AT(patroni.primary_start_timeout), 0, 86400 * SECONDS},
    {"patroni.synchronous_mode", KIND_BOOL, AT(patroni.synchronous_mode), 0, 0},
    {"patroni.synchronous_mode_strict", KIND_BOOL, AT(patroni.synchronous_mode_strict), 0, 0},
    {"patroni.synchronous_node_count", KIND_COUNT, AT(patroni.synchronous_node_count), 1, NODES_MAX},
    {"patroni.failsafe_mode", KIND_BOOL, AT(patroni.failsafe_mode), 0, 0},
    {"patroni.check_timeline", KIND_BOOL, AT(patroni.check_timeline), 0, 0},
    {"patroni.use_pg_rewind", KIND_BOOL, AT(patroni.use_pg_rewind), 0, 0},
    {"patroni.use_slots", KIND_BOOL, AT(patroni.use_slots), 0, 0},
    {"patroni.watchdog", KIND_WATCHDOG, AT(patroni.watchdog), 0, 0},
    {"patroni.safety_margin", KIND_SECONDS, AT(patroni.safety_margin), 0, 3600 * SECONDS},
    {"etcd.heartbeat-interval", KIND_MILLIS, AT(etcd_heartbeat), 1000, 60 * SECONDS},
    {"etcd.election-timeout", KIND_MILLIS, AT(etcd_election), 5000, 50 * SECONDS}, // etcd's own upper limit
    {"etcd.snapshot-count", KIND_COUNT, IN_ETCD, 0, ANY_COUNT},
    {"etcd.max-snapshots", KIND_COUNT, IN_ETCD, 0, ANY_COUNT},
    {"etcd.max-wals", KIND_COUNT, IN_ETCD, 0, ANY_COUNT},
    {"etcd.max-txn-ops", KIND_COUNT, IN_ETCD, 0, ANY_COUNT},
    {"etcd.max-request-bytes", KIND_SIZE, IN_ETCD, 0, ANY_SIZE},
    {"etcd.quota-backend-bytes", KIND_SIZE, IN_ETCD, 0, ANY_SIZE},
    {"etcd.backend-batch-limit", KIND_COUNT, IN_ETCD, 0, ANY_COUNT},
    {"etcd.auto-compaction-mode", KIND_TEXT, IN_ETCD, 0, 0, 0},
    {"etcd.auto-compaction-retention", KIND_TEXT, IN_ETCD, 0, 0, 0},
    {"etcd.pre-vote", KIND_BOOL, IN_ETCD, 0, 0, 0},
    {"etcd.enable-v2", KIND_BOOL, IN_ETCD, 0, 0, 0},
    {"etcd.strict-reconfig-check", KIND_BOOL, IN_ETCD, 0, 0, 0},
    {"etcd.log-level", KIND_TEXT, IN_ETCD, 0, 0, 0},
    {"haproxy.inter", KIND_WAIT, IN_HAPROXY, 0, 1000, 3600 * SECONDS},
    {"haproxy.fastinter", KIND_WAIT, IN_HAPROXY, 0, 1000, 3600 * SECONDS},
    {"haproxy.downinter", KIND_WAIT, IN_HAPROXY, 0, 1000, 3600 * SECONDS},
    {"haproxy.rise", KIND_COUNT, IN_HAPROXY, 0, 1, 1000},
    {"haproxy.fall", KIND_COUNT, IN_HAPROXY, 0, 1, 1000},
    {"storage", KIND_STORAGE, AT(storage), 0, 0},
    {"clock", KIND_CLOCK, AT(clock), 0, 0},
    {"image", KIND_IMAGE, AT(image), 0, 0},
    {"disk_faults", KIND_BOOL, AT(disk_faults), 0, 0},
    {"workload.writes", KIND_RATE, PLAN_AT(workload.writes_per_s), 0, 5000},
    {"workload.reads", KIND_RATE, PLAN_AT(workload.reads_per_s), 0, 1000},
    {"workload.route", KIND_ROUTE, PLAN_AT(workload.route), 0, 0},
    {"workload.deadline", KIND_DURATION, PLAN_AT(workload.deadline), 50000, 60 * SECONDS},
    {"workload.connect_timeout", KIND_DURATION, PLAN_AT(workload.connect_timeout), 50000, 60 * SECONDS},
    {"settle", KIND_DURATION, PLAN_AT(settle), 0, 600 * SECONDS},
    {"observe", KIND_DURATION, PLAN_AT(observe), 0, 3600 * SECONDS},
    {"timeout", KIND_DURATION, PLAN_AT(timeout), SECONDS, 86400 * SECONDS},
    {"record.thin_after", KIND_DURATION, AT(thin_after), 0, 86400 * SECONDS},
};
const size_t setting_defs_n = ARRAY_SIZE(setting_defs);

const char *const *setting_words(enum setting_kind kind) {
    static const char *const routes[] = {"multi_host", "haproxy", NULL}, *const storages[] = {"memory", "disk", NULL};
    static const char *const clocks[] = {"host", "adjustable", NULL};
    static const char *const modes[] = {"off", "automatic", "required", NULL}; // of Patroni's watchdog, config.py
    static const char *const bools[] = {"true", "false", NULL};
    switch (kind) {
    case KIND_BOOL:
        return bools;
    case KIND_ROUTE:
        return routes;
    case KIND_STORAGE:
        return storages;
    case KIND_CLOCK:
        return clocks;
    case KIND_WATCHDOG:
        return modes;
    default:
        return NULL;
    }
}

char *setting_bound_text(const struct setting_def *def, int64_t bound, char buf[static USEC_TEXT_MAX]) {
    if (def->kind == KIND_COUNT || def->kind == KIND_RATE || def->kind == KIND_SIZE)
        (void)snprintf(buf, USEC_TEXT_MAX, "%" PRId64, bound);
    else
        (void)usec_format(buf, (usec_t)bound);
    return buf;
}

// ---- for people ----------------------------------------------------------------------------------------------------

static const char *kind_words(enum setting_kind kind) {
    switch (kind) {
    case KIND_SECONDS:
        return "time in whole seconds";
    case KIND_MILLIS:
        return "time, a bare number is ms";
    case KIND_WAIT:
        return "time, a bare number is ms";
    case KIND_DURATION:
        return "time with its unit";
    case KIND_SIZE:
        return "size such as 16MB";
    case KIND_COUNT:
        return "whole number";
    case KIND_RATE:
        return "number a second";
    case KIND_IMAGE:
        return "name of an image";
    default:
        return "text";
    }
}

size_t settings_count(void) {
    return setting_defs_n;
}

void setting_about(size_t i, struct setting_about *ret) {
    const struct setting_def *def = &setting_defs[i];
    char least[USEC_TEXT_MAX], most[USEC_TEXT_MAX];
    *ret = (struct setting_about){.name = def->name, .words = setting_words(def->kind)};
    size_t n = 0;
    for (const char *const *w = ret->words; w && *w; w++)
        n += (size_t)snprintf(ret->values + n, sizeof ret->values - n, "%s%s", n ? ", " : "", *w);
    bool open_end =
        def->kind == KIND_SIZE || (def->kind == KIND_COUNT && def->max >= 1000000000); // ANY_SIZE, ANY_COUNT
    if (!ret->words && def->max && !open_end)
        (void)snprintf(ret->values, sizeof ret->values, "%s, %s to %s", kind_words(def->kind),
                       setting_bound_text(def, def->min, least), setting_bound_text(def, def->max, most));
    else if (!ret->words)
        STR_COPY(ret->values, kind_words(def->kind));
}
