// SPDX-License-Identifier: PostgreSQL
#pragma once
// Folds the log of a run (and its ledger) into numbers and a verdict. Pure: the same log gives the same result on any machine.
// docs/measures.md defines each number; the definitions come from docs/ARCHITECTURE.md section "What is measured".
#include "lab/base/cluster.h"
#include "lab/base/vec.h"
#include "lab/failover/phase.h"
#include "lab/model/outages.h"
#include "lab/model/watch.h"
#include "lab/record/event.h"
#include "lab/record/ledger.h"
#include "lab/record/record_proof.h"

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_INVALID, VERDICT_SKIPPED, VERDICT_ERROR, VERDICT_KNOWN_DEFECT };
const char *verdict_name(enum verdict v);

struct write_counts {
    int64_t attempted, acknowledged, failed, unknown;
    int64_t lost;       // acknowledged, absent afterwards
    int64_t unexpected; // failed for certain, yet present
    int64_t duplicated;
    int64_t recovered; // unknown and present: legal
    int64_t
        local_only; // acknowledged with "canceling wait for synchronous replication": counted as unknown, not as acknowledged
    int64_t local_only_lost; // of these: absent afterwards, though somebody who reads no warnings was told "done"
    bool checked;            // a final read of the leader was possible; else lost etc. are not known
    bool from_ledger;        // counted from the ledger, else from client.tick alone
    char unchecked_why[128];
    usec_t lost_first, lost_last; // when the first and the last of the lost writes had been acknowledged
    int64_t foreign;              // rows that a standby holds and the leader lacks: its "streaming" is a lie
    char foreign_nodes[128];
    int64_t unreported; // rows that the ledger does not name, of an application whose end is not known: no finding
    char cut_why[128];  // why its end is not known; "" = it reported everything. A count of 0 is not known then
};

struct fault_measure {
    char id[EVENT_NAME_MAX], mechanism[EVENT_NAME_MAX], target[EVENT_NAME_MAX], nodes[128], detail[EVENT_TEXT_MAX];
    usec_t asked, effective, verified;        // run time, 0 = did not happen
    usec_t heal_asked, healed, heal_verified; // the same
    usec_t over;                              // healed, failed; of an act: done or failed. 0 = it goes on
    bool ok;                                  // verified
    bool effective_seen;                      // the effect's time was observed, not assumed
    bool action;                              // an administrator's act (patroni.switchover), not a fault
    char what[EVENT_TEXT_MAX];                // every detail the injector gave while injecting
    char params[EVENT_TEXT_MAX];              // "service=postgres process=backend"
};

struct expect_result {
    char kind[EVENT_NAME_MAX];   // "write_outage"; the implicit ones (unexpected_writes, split_brain) are here too
    char text[EVENT_TEXT_MAX];   // "the application could not write for 24.91 s (expected: write_outage <= 34s)"
    bool ok, known;              // known = false: it could not be judged, which is not a pass
    char defect[EVENT_NAME_MAX]; // failed, and this known defect explains it
    bool watched; // it says what happened, or did not, in [watched_from, watched_to]; else it needs no watching
    usec_t watched_from, watched_to, watched_hole; // and the longest hole in that; 0 = none
};

// What one node's ledger table held when the run was over, against what the final leader held.
struct node_contents {
    char node[NODE_NAME_MAX];
    bool read;     // whole; else why
    bool leader;   // the others are compared with this one
    bool primary;  // it was in no recovery when it was read
    char why[160]; // not read: the reason; read: why it has no row at all, "" = nothing to say
    int64_t rows, duplicates;
    int64_t only_here; // ids that no other node holds; -1 = not known (nobody else was read)
    int64_t absent;    // acknowledged writes that it lacks; -1 = not known (no ledger)
    int64_t foreign,
        missing; // rows that the leader lacks, rows of the leader that it lacks; -1 = the leader was not read
    bool behind; // it had not replayed all that the leader had when the reading began: what it lacks may come
    int64_t timeline;
    lsn_t lsn;         // standby: replayed
    int64_t ahead;     // bytes by which lsn was ahead of the leader's, which was asked for later; 0 = it was not
    bool diverged;     // by contents or by the order of positions, never by timeline numbers
    char because[160]; // diverged: the evidence
    int history;       // 1 = the leader's; the same number: the same rows, or the beginning of them; 0 = not read
};

// A standby was ahead of its leader: it had replayed WAL that the leader, asked later, had not written yet.
struct ahead_span {
    char node[NODE_NAME_MAX], leader[NODE_NAME_MAX];
    usec_t from, to;       // proven
    usec_t resolution;     // how much longer it may have been, both ends together
    lsn_t lsn, leader_lsn; // at the greatest distance
    enum { AHEAD_OPEN, AHEAD_OVERTAKEN, AHEAD_WENT_BACK, AHEAD_NEW_LEADER, AHEAD_UNSEEN } end;
    // OPEN: to the end of the run. OVERTAKEN: the leader wrote past it, the standby stayed. WENT_BACK: the standby was rewound or
    // rebuilt. NEW_LEADER: another leader, or itself. UNSEEN: one of the two was not seen any more.
};

struct defect_measure { // a known defect of the scenario
    char id[EVENT_NAME_MAX], software[EVENT_NAME_MAX], versions[EVENT_NAME_MAX], signature[EVENT_NAME_MAX];
    char reference[EVENT_TEXT_MAX], text[EVENT_TEXT_MAX], explains[EVENT_TEXT_MAX];
    bool always;
    bool seen; // its signature is in the log
    usec_t at;
    char node[NODE_NAME_MAX];     // seen: who did it
    char detail[160];             // seen: what was seen
    char version[EVENT_NAME_MAX]; // of the software on that node, "" = not recorded; not seen: the oldest of all nodes
    bool affected;                // that version is among `versions`
};

struct version_seen {
    char component[EVENT_NAME_MAX], version[EVENT_NAME_MAX];
    char nodes[EVENT_TEXT_MAX]; // "n1,n3" when nodes differ; "" = all that run it
};

struct measures {
    enum verdict verdict;
    char reason[EVENT_TEXT_MAX];
    bool outage;                     // there was one
    bool outage_open;                // writes had not come back when the workload ended; outage_end is that end
    usec_t outage_start, outage_end; // last acknowledged write before, first after which writes keep succeeding
    usec_t write_outage, recovery, resolution; // µs
    int outages;                               // how many there were: the one told above is the longest
    usec_t outages_total;                      // all of them together
    const struct outages *felt;                // every one of the run, before the first injection too
    const struct leadership *leadership;       // its history, until the lab was stopped
    usec_t read_outage;
    usec_t outage_threshold; // pauses up to this long are not called an outage
    usec_t hiccup; // longest pause after the first injection that was slow, not down; 0 = none above the threshold
    usec_t period, latency; // the write period and the usual latency of a write: together the resolution
    usec_t read_outage_start;
    usec_t cluster_outage, cluster_resolution; // the same as direct probes of every node saw it
    int64_t lag_bytes; // the farthest that a standby was seen behind its leader after the first injection; 0 = none
    usec_t lag_at;     // when
    char lag_node[NODE_NAME_MAX]; // and who
    usec_t rejoin;                // duration of the phase; 0 when nobody ever left
    bool rejoin_known;
    int cause;                // index in faults of the injection that the outage and the phases belong to; -1 = none
    bool leader_changed;      // another node took the leader key after the first injection
    int64_t attempts_missing; // writes that the clock asked for and the client never tried: it was stalled itself
    usec_t healthy_at;        // when the cluster was first healthy
    usec_t first_write, last_write; // first and last acknowledged write of the run
    char old_leader[NODE_NAME_MAX], new_leader[NODE_NAME_MAX];
    char phase_leader[NODE_NAME_MAX]; // who took the key in the phases: the last leader may be yet another one
    struct phase phases[PHASE_COUNT];
    struct write_counts writes;
    int64_t reads_ok, reads_failed;
    usec_t split_brain_min, split_brain_max; // proven and possible overlap of two nodes accepting writes
    bool split_brain_unknown;                // the record is damaged: the two above are 0
    char split_brain_nodes[128];
    double write_availability,
        read_availability; // percent of 100 ms buckets, from first write to the end of the workload
    VEC(struct fault_measure) faults;
    VEC(struct expect_result) expects;
    VEC(struct node_contents) contents; // one per PostgreSQL node of which the final read says something
    int diverged_nodes;
    char diverged_names[160];           // "n2 and n3"
    char diverged_text[EVENT_TEXT_MAX]; // the contents in one sentence; "" when nobody diverged
    watch_hole_list holes;              // when nobody watched, up to the end of the judged part
    VEC(struct ahead_span) aheads;      // longer than their resolution, in order of time
    VEC(struct defect_measure) defects;
    VEC(struct version_seen) versions;
    usec_t late_max;   // worst scheduling lateness during the run
    int noisy_seconds; // seconds with a 99th percentile of lateness above 100 ms
    bool noisy;
    bool no_end;                       // the log has no run.end
    const struct record_proof *record; // is the record whole? NULL = nobody has looked
    char kernel[EVENT_NAME_MAX];
    int64_t cpus, memory_mb;
    uint64_t seed;
    char scenario[EVENT_NAME_MAX], title[EVENT_TEXT_MAX], topology[EVENT_NAME_MAX], end_reason[EVENT_NAME_MAX],
        end_detail[EVENT_TEXT_MAX];
    usec_t ended; // run time of the last event
};

struct measure; // the fold
// Expectations come from the log too (expect events), so a report needs nothing but the run folder.
struct measure *measure_new(void);
void measure_event(struct measure *m, const struct event *ev);
void measure_ledger(struct measure *m, const struct ledger_record *r);
// Before measure_finish: whether the record is whole (lab/proof/); copied. A damaged one is never judged.
void measure_record(struct measure *m, const struct record_proof *record);
// Everything computed. The result is owned by m and lives until measure_free.
const struct measures *measure_finish(struct measure *m);
void measure_free(struct measure *m);
// "3599 acknowledged writes are lost; n2 and n3 follow another history", as far as that is proven. Appends to out; false: nothing to tell.
bool measure_loss_text(const struct measures *m, struct strbuf *out);
