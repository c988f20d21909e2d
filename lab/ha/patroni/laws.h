// SPDX-License-Identifier: PostgreSQL
#pragma once
// The laws of a failover: which of them a fault on the leader's node obeys, and the best and worst case of each phase.
// Numbers only, pure; bounds.c judges by them. With A the
// age of the leader's lease when the fault bit:
//
//   lease path   node dead or cut off, Patroni killed or frozen: nobody renews the lease.
//     detect   ttl - A, then etcd's scan for expired leases, every 0.5 s (etcd server/lease/lessor.go)
//              with the etcd leader on the same node: a new one is elected first (1 to 2 election timeouts) and renews
//              every lease to ttl + one election timeout (lessor.Promote)
//     elect    each candidate asks every member GET /patroni with a timeout of 2 s (ha.py, fetch_node_status): an address
//              that swallows packets costs these 2 s, one that refuses costs nothing
//     promote  0 to 3 s: pg_promote and the end of recovery
//   restart      postmaster killed, Patroni alive: seen within one HA loop, then start and crash recovery
//   release      switchover or a stopped Patroni: the key is given back after the shutdown checkpoint, whose length no law
//                knows
//
// LAW_SLACK covers what is no law: raft's commit, the watch, a busy machine's scheduling.
//
// Whatever the input, a range is 0 <= min <= max <= LAW_MAX: sums stop at it, differences at 0. LAW_MAX is ten years, which is also the
// longest time that a record may tell (lab/record/event.h): no phase can last longer, so a range that ends there forbids nothing.
#include <stdbool.h>
#include <stddef.h>

#include "lab/base/usec.h"
#include "lab/failover/system.h"

#define LAW_MAX        USEC_LONGEST
#define LAW_SLACK      (SEC / 2)
#define LAW_LEASE_SCAN (SEC / 2)

enum law { LAW_NONE, LAW_LEASE_DROPPED, LAW_LEASE_REFUSED, LAW_RESTART, LAW_RELEASE };

struct law_lease {           // the leader's lease when the fault bit
    usec_t ttl;              // 0 = not known: no bound
    usec_t age_min, age_max; // age_min <= age_max <= ttl
    // Not renewed for longer than its ttl, and yet the key was there: etcd had no quorum, and without one no lease ends.
    bool stands;
};
struct law_range {
    usec_t min, max;
};

enum law law_of(const struct ha_fault *f);
bool patroni_names_leader(const char *mechanism); // as struct ha_system has it
// Did etcd's leader (its node's name, "" = not known) lose its followers by it? 1 yes, 0 no, -1 not known.
int law_etcd_leader_hit(const struct ha_fault *f, const char *etcd_leader);
// Who hears nothing is heard: the next keepalive, on a connection that stands, still reaches etcd and counts.
bool law_renews_once_more(const struct ha_fault *f);

// Patroni alone was hit: PostgreSQL goes on, and the application leaves it when it is demoted, not when another is promoted.
bool law_old_primary_lives(const struct ha_fault *f);

// The lease at `fault`. ttl and loop_wait are the settings in force, 0 = not known: they serve where no renewal was seen.
struct law_lease law_lease_at(const struct renewal *last, usec_t fault, usec_t ttl, usec_t loop_wait);

// hit: of law_etcd_leader_hit; election: etcd's --election-timeout; once_more: loop_wait when the fault renews once more, else 0
struct law_range law_detect_lease(const struct law_lease *l, int hit, usec_t election, usec_t once_more);
// The most when etcd changed its leader again later: `seen` after the fault, and every lease was restarted then.
usec_t law_detect_anew(usec_t seen, usec_t ttl, usec_t election);
struct law_range law_detect_restart(usec_t loop_wait, usec_t primary_start_timeout);
struct law_range law_elect(enum law law,
                           bool early); // early: somebody may answer before the 2 s are over, or nobody is asked
// The bound when so many races were won by nobody: each is run again a loop_wait later.
struct law_range law_elect_again(struct law_range first, size_t lost, usec_t loop_wait);
#define LAW_BUSY      (3 * SEC)     // what HA_SAID_BUSY may add to the first race
#define LAW_LAST_RACE (3 * SEC / 2) // so long before a race is won its loser may say so: no race that nobody won

// etcd lost its quorum, and the leader gives its writes up by itself.
//   demote       an HA loop begins within loop_wait (patroni/__main__.py, schedule_next_run); reading the cluster and renewing the lock are each tried for
//                retry_timeout (dcs/etcd.py, Retry(deadline=retry_timeout)), one after the other; then "demoting self because DCS is not accessible"
//                (ha.py, _handle_dcs_error). An etcd that refuses at once makes it as short as nothing. late: how long after the fault etcd still served.
//   no-quorum    whoever mends etcd: known from the healing on. It starts, and elects after 1 to 2 election timeouts (raft.go, resetRandomizedElectionTimeout);
//                a split vote costs one more round
//   quorum-back  the next HA loop, or the one that still tries: it ends with touch_member (ha.py, run_cycle)
struct law_range law_demote(usec_t late, usec_t loop_wait, usec_t retry_timeout);
struct law_range law_no_quorum(usec_t healed,
                               usec_t election); // healed: from the phase's begin to the end of the fault
struct law_range law_quorum_back(usec_t loop_wait, usec_t retry_timeout);
// Does etcd serve again by itself once the fault is healed? Its processes were hit, or the way to them; a machine must boot first, data must be mended.
bool law_quorum_ends_by_healing(const struct ha_fault *f);
// A quorum that was seen to be lost no later than this after the fault was lost by it: its leader steps down after one to two election timeouts, members are
// asked twice a second.
usec_t law_quorum_seen_late(usec_t election);
#define LAW_ETCD_START (2 * SEC) // the process, its data read; 0.3 s on an idle machine

struct law_range law_promote(void);
struct law_range law_promote_in_place(usec_t loop_wait); // restarted where it was
struct law_range law_reroute(void); // by libpq; none with an HAProxy or while the old primary lives
#define LAW_RESTART_MAX (5 * SEC)   // start, crash recovery of a lab's small database, promotion (1.5-2.5 s when idle)
