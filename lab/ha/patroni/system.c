// SPDX-License-Identifier: PostgreSQL
#include "lab/base/str.h"
#include "lab/ha/kind/kind.h"
#include "lab/ha/patroni/bounds.h"
#include "lab/ha/patroni/patroni.h"
#include "lab/model/blame.h"

// What a candidate's Patroni logs when it did not become leader (ha.py, process_unhealthy_cluster): it stood back in a race,
// "i am not the healthiest node" (it saw another member ahead, too much lag, no watchdog that it may use), "I am not
// allowed to promote" (a tag), "after trying and failing to obtain lock" (etcd refused, or another one was faster); or it
// can't reach etcd: then there is no race; or it was busy: on its way to a race a replica's HA loop may still be asking the old
// leader's PostgreSQL whether it is in recovery, for up to 3 s when that is silent, and does not hear meanwhile that the key
// is gone (postgresql/rewind.py, check_leader_is_not_in_recovery: connect_timeout=3; "Exception when working with leader").
static enum ha_said said(const char *service, const char *line, const char **ret_words) {
    static const struct {
        const char *words;
        enum ha_said said;
    } known[] = {
        {"Error communicating with DCS", HA_SAID_NO_DCS},
        {"Exception when working with leader", HA_SAID_BUSY},
        {"i am not the healthiest node", HA_SAID_LOST},
        {"I am not allowed to promote", HA_SAID_LOST},
        {"after trying and failing to obtain lock", HA_SAID_LOST},
    };
    for (size_t i = 0; str_eq(service, "patroni") && i < ARRAY_SIZE(known); i++)
        if (strstr(line, known[i].words)) {
            if (ret_words)
                *ret_words = known[i].words;
            return known[i].said;
        }
    return HA_SAID_NOTHING;
}

bool patroni_names_leader(const char *mechanism) {
    return str_eq(mechanism, "cluster.switchover") || str_eq(mechanism, "cluster.failover");
}

static enum ha_effect effect(const struct ha_fault *f) {
    switch (law_of(f)) {
    case LAW_NONE:
        return HA_NONE;
    case LAW_RESTART:
        return HA_RESTARTS;
    case LAW_LEASE_DROPPED:
    case LAW_LEASE_REFUSED:
    case LAW_RELEASE:
        return HA_LOSES;
    }
    return HA_NONE;
}

// As long as the lease runs that it kept from being renewed.
static usec_t explains_until(const struct ha_fault *f, usec_t bite, usec_t over, const struct leadership *l) {
    enum law law = law_of(f);
    usec_t until = usec_add(over, BLAME_AFTERMATH), ttl = leadership_setting(l, "patroni.ttl", bite, SEC, 0),
           lease = usec_add(bite, usec_add(ttl, LAW_LEASE_SCAN + LAW_SLACK));
    return (law == LAW_LEASE_DROPPED || law == LAW_LEASE_REFUSED) && lease > until ? lease : until;
}

static const char *lease_words(const char *mechanism) {
    if (str_eq(mechanism, "node.power_off"))
        return "the lease of a dead leader";
    if (str_eq(mechanism, "node.freeze"))
        return "the lease of a frozen leader";
    if (str_eq(mechanism, "process.pause"))
        return "the lease of a leader whose Patroni was frozen";
    if (str_eq(mechanism, "process.kill"))
        return "the lease of a leader whose Patroni was dead";
    return "the lease of a leader that was cut off";
}

static const char *waited_for(const struct ha_fault *f) {
    switch (law_of(f)) {
    case LAW_LEASE_DROPPED:
    case LAW_LEASE_REFUSED:
        return lease_words(f->mechanism);
    case LAW_RESTART:
        return "Patroni to give the dead PostgreSQL up";
    case LAW_RELEASE:
        return "the old leader to shut down and give its key back";
    case LAW_NONE:
        break;
    }
    return "the leader key to become free";
}

const struct ha_system patroni_system = {
    .kind = &ha_kind_patroni,
    .said = said,
    .names_leader = patroni_names_leader,
    .effect = effect,
    .explains_until = explains_until,
    .waited_for = waited_for,
    .bounds = patroni_bounds,
};
