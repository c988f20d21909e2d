// SPDX-License-Identifier: PostgreSQL
#pragma once
// Between etcd.c (keys), etcd_member.c (status of each member) and etcd_lease.c (age of the leader's lease).
#include "lab/observe/patroni/dcs_json.h"
#include "lab/observe/patroni/patroni.h"

struct etcd_member {
    struct etcd *etcd;
    struct watched *w;
    // status
    bool asking;
    struct http_request *status_request;
    usec_t status_asked, status_next;
    struct dcs_status status; // last answer
    bool answered, told_any;
    struct dcs_status told;
    bool told_answered;
    usec_t told_at;
    // watch
    struct http_request *watch_request;
    struct line_splitter lines;
    bool connected; // "created" was seen
    bool broken;    // end it on the next turn (not from inside its own chunk)
    usec_t watch_next;
};

struct lease {
    struct http_request *request;
    struct etcd_member *asked_of;
    size_t turn; // which member next
    usec_t asked, next;
    uint64_t id; // 0 = no leader key
    char holder[EVENT_NAME_MAX];
    usec_t lo, hi;     // the last renewal lies in [lo, hi]; hi 0 = not known yet
    usec_t told_error; // width as last told
    int64_t remaining, granted;
    usec_t last_ok; // time at which the last answer was asked
    bool gone_told;
    bool settled; // hi does not move any more
};

struct known_key {
    char key[EVENT_NAME_MAX];
    int64_t revision;
    bool seen; // in the re-read under way
};

struct etcd {
    struct observer *o;
    VEC(struct etcd_member) members; // fixed once made
    struct http_request *range_request;
    size_t range_turn;
    usec_t range_next;
    bool read_once; // the first read succeeded
    bool read_needed;
    int64_t revision; // everything up to it was told
    uint64_t cluster;
    VEC(struct known_key) known;
    struct lease lease;
};

// etcd_member.c
void members_turn(struct etcd *e, usec_t now);
bool member_leads_somewhere(const struct etcd_member *m); // answers and knows a leader
// A member that answers, round robin from *turn; NULL = none.
struct etcd_member *member_pick(struct etcd *e, size_t *turn);

// etcd_lease.c
void lease_key(struct etcd *e, const struct dcs_kv *kv); // the leader key changed
void lease_hint(struct etcd *e, usec_t now);             // the leader wrote its status: it has just renewed
void lease_turn(struct etcd *e, usec_t now);
// The interval for the last renewal, given an answer. Pure: [lo, hi] as known before, in place.
// remaining: whole seconds, cut; asked..answered: when the server looked.
enum lease_change { LEASE_SAME, LEASE_NARROWED, LEASE_RENEWED };
enum lease_change lease_learn(usec_t *lo, usec_t *hi, usec_t last_asked, usec_t asked, usec_t answered, int64_t granted,
                              int64_t remaining);
