// SPDX-License-Identifier: PostgreSQL
#include "lab/ha/patroni/laws.h"

#include "lab/base/str.h"
#include "lab/record/fault_params.h"

#define RACE_TIMEOUT    (2 * SEC)
#define PROMOTE_MAX     (3 * SEC)
#define CONNECT_TIMEOUT (2 * SEC)

// Does a cut hit this service path (by name or by port)? A log without `path` is of a cut of all of them.
static bool cuts(const struct ha_fault *f, const char *path, const char *port) {
    char list[64];
    if (!fault_params_get(f->params, "path", list, sizeof list))
        return true;
    return str_list_has(list, "all") || str_list_has(list, path) || str_list_has(list, port) ||
           (str_starts(port, "tcp/") && str_list_has(list, port + 4));
}

static bool cuts_etcd_client(const struct ha_fault *f) {
    return cuts(f, "etcd_client", "tcp/2379");
}

static bool cuts_etcd_peer(const struct ha_fault *f) {
    return cuts(f, "etcd_peer", "tcp/2380");
}

static enum law law_of_cut(const struct ha_fault *f) {
    if (!cuts_etcd_client(f) && !cuts_etcd_peer(f))
        return LAW_NONE; // the lease is renewed as ever
    return cuts(f, "rest", "tcp/8008") ? LAW_LEASE_DROPPED : LAW_LEASE_REFUSED;
}

enum law law_of(const struct ha_fault *f) {
    const char *how = f->mechanism;
    if (patroni_names_leader(how))
        return LAW_RELEASE;
    if (!*f->leader || !str_list_has(f->nodes, f->leader))
        return LAW_NONE;
    if (str_eq(how, "net.drop"))
        return law_of_cut(f);
    if (str_eq(how, "node.power_off") || str_eq(how, "link.down") || str_eq(how, "node.freeze"))
        return LAW_LEASE_DROPPED;
    bool patroni = fault_params_are(f->params, "service", "patroni"), postmaster = fault_params_postmaster(f->params);
    if (str_eq(how, "process.kill"))
        return patroni ? LAW_LEASE_REFUSED : postmaster ? LAW_RESTART : LAW_NONE;
    if (str_eq(how, "process.pause") && patroni) // the kernel still takes the connection, nobody answers it
        return LAW_LEASE_DROPPED;
    if (str_eq(how, "process.stop"))
        return patroni ? LAW_RELEASE : postmaster ? LAW_RESTART : LAW_NONE;
    return LAW_NONE;
}

int law_etcd_leader_hit(const struct ha_fault *f, const char *etcd_leader) {
    // Killing or freezing Patroni alone leaves the node's etcd member at work.
    if (str_starts(f->mechanism, "process.") && !fault_params_are(f->params, "service", "etcd"))
        return 0;
    if (str_eq(f->mechanism, "net.drop") && !cuts_etcd_peer(f))
        return 0; // it still reaches the other members
    return *etcd_leader ? str_list_has(f->nodes, etcd_leader) : -1;
}

bool law_renews_once_more(const struct ha_fault *f) {
    return str_eq(f->mechanism, "net.drop") && fault_params_are(f->params, "direction", "in");
}

bool law_old_primary_lives(const struct ha_fault *f) {
    enum law law = law_of(f);
    return (law == LAW_LEASE_DROPPED || law == LAW_LEASE_REFUSED) && str_starts(f->mechanism, "process.");
}

static usec_t sum(usec_t a, usec_t b) {
    usec_t r = usec_add(a, b);
    return r < LAW_MAX ? r : LAW_MAX;
}

static usec_t times(usec_t a, usec_t n) {
    return n && a > LAW_MAX / n ? LAW_MAX : a * n;
}

static struct law_range range(usec_t min, usec_t max) {
    max = max < LAW_MAX ? max : LAW_MAX;
    return (struct law_range){min < max ? min : max, max};
}

struct law_lease law_lease_at(const struct renewal *last, usec_t fault, usec_t ttl, usec_t loop_wait) {
    struct law_lease l = {.ttl = ttl, .age_max = sum(loop_wait, LAW_SLACK)}; // the leader renews once per loop_wait
    if (last->seen) {
        l.age_min = usec_sub(fault, last->at);
        l.age_max = usec_sub(fault, usec_sub(last->at, last->error));
        l.ttl = last->ttl ? last->ttl : ttl;
        l.stands = l.age_min > sum(l.ttl, LAW_LEASE_SCAN + LAW_SLACK);
    }
    l.age_max = l.age_max < l.ttl ? l.age_max : l.ttl;
    l.age_min = l.age_min < l.age_max ? l.age_min : l.age_max;
    return l;
}

struct law_range law_detect_lease(const struct law_lease *l, int hit, usec_t election, usec_t once_more) {
    usec_t late = LAW_LEASE_SCAN + LAW_SLACK;
    struct law_range plain =
        range(usec_sub(l->ttl, l->age_max), sum(sum(usec_sub(l->ttl, l->age_min), once_more), late));
    // A follower starts an election 1 to 2 timeouts after the last heartbeat, which may be 0.1 s older than the fault.
    struct law_range moved =
        range(sum(usec_sub(times(election, 2), SEC / 10), l->ttl), sum(sum(times(election, 3), l->ttl), late));
    if (hit < 0) // one or the other
        return range(plain.min, plain.max > moved.max ? plain.max : moved.max);
    return hit ? moved : plain;
}

usec_t law_detect_anew(usec_t seen, usec_t ttl, usec_t election) {
    return sum(sum(seen, ttl), sum(election, LAW_LEASE_SCAN + LAW_SLACK));
}

struct law_range law_detect_restart(usec_t loop_wait, usec_t primary_start_timeout) {
    return range(0, sum(sum(times(loop_wait, 2), primary_start_timeout), LAW_SLACK));
}

struct law_range law_elect(enum law law, bool early) {
    if (law != LAW_LEASE_DROPPED)
        return (struct law_range){0, SEC + LAW_SLACK};
    // 0.1 s less than the timeout: the watch may have told us of the expiry a little after it told the candidates
    return (struct law_range){early ? 0 : RACE_TIMEOUT - SEC / 10, RACE_TIMEOUT + SEC + LAW_SLACK};
}

struct law_range law_elect_again(struct law_range first, size_t lost, usec_t loop_wait) {
    return range(first.min, sum(first.max, times(sum(loop_wait, LAW_SLACK), lost)));
}

struct law_range law_promote(void) {
    return (struct law_range){0, PROMOTE_MAX};
}

struct law_range law_promote_in_place(usec_t loop_wait) {
    return range(0, sum(loop_wait, LAW_RESTART_MAX));
}

struct law_range law_reroute(void) {
    return (struct law_range){0, CONNECT_TIMEOUT + SEC};
}

struct law_range law_demote(usec_t late, usec_t loop_wait, usec_t retry_timeout) {
    return range(0, sum(sum(late, loop_wait), sum(times(retry_timeout, 2), LAW_SLACK)));
}

struct law_range law_no_quorum(usec_t healed, usec_t election) {
    return range(healed, sum(sum(healed, times(election, 4)), LAW_ETCD_START + LAW_SLACK));
}

struct law_range law_quorum_back(usec_t loop_wait, usec_t retry_timeout) {
    return range(0, sum(sum(loop_wait, retry_timeout), LAW_SLACK));
}

bool law_quorum_ends_by_healing(const struct ha_fault *f) {
    if (str_starts(f->mechanism, "process."))
        return fault_params_are(f->params, "service", "etcd");
    return str_eq(f->mechanism, "net.drop") || str_eq(f->mechanism, "link.down");
}

usec_t law_quorum_seen_late(usec_t election) {
    return sum(times(election, 2), SEC);
}
