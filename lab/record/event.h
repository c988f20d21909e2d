// SPDX-License-Identifier: PostgreSQL
#pragma once
// The events of a run. Everything that happens becomes one event; the log of them is the only truth of a run, and the model,
// the engine, the measures, the report and the dashboard are folds over it. One table gives the C structs, the JSON writer
// and the JSON reader, so they can't drift apart. docs/events.md explains each kind for people.
//
// A line in events.jsonl: {"t":1234567,"ev":"authority","holder":"n1",...}; t is run time in µs. A line of a thinned record may stand for
// several observations that said the same: {"t":..,"ev":"sql","repeats":9,"pause":1000123,...} (lab/record/thin.h).
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/err.h"
#include "lab/base/lsn.h"
#include "lab/base/str.h"
#include "lab/base/usec.h"
#include "lab/record/words.h"

enum { EVENT_NAME_MAX = 64, EVENT_TEXT_MAX = 480 };

// Field types: N name (char[64]), S text (char[480]; longer text is cut), I int64_t, C a count (int64_t), U run time (usec_t), W a time of one of the
// host's clocks (usec_t), B bool, D double, L WAL position, R 64 bits that are no quantity, E(set) one word of a closed set (an enum of
// lab/record/words.h). A field with its zero value is left out of the JSON line; the reader gives zero for a missing one.
//
// Each number has a range; a line with one outside is broken, so that folds may add and subtract without fear:
//   t, U  0 to EVENT_TIME_MAX       ten years: no lab runs longer, and no sum of a few of them wraps
//   W     0 to EVENT_WALL_MAX       the year 2255
//   C     0 to EVENT_COUNT_MAX      2^53: what every JSON reader holds exactly. Sums of many: count_add (lab/base/count.h)
//   I, D  the same, below zero too
//   L     0 to EVENT_LSN_MAX        4 EiB of WAL: the difference of two fits an int64_t
#define EVENT_TIME_MAX  USEC_LONGEST
#define EVENT_WALL_MAX  (UINT64_C(1) << 53)
#define EVENT_COUNT_MAX (INT64_C(1) << 53)
#define EVENT_LSN_MAX   ((lsn_t)1 << 62)

// clang-format off
#define EVENT_FIELDS_RUN_BEGIN(F) /* first line of every log */ \
    F(N, scenario)   /* file name without folder and .yaml; "" for `bascule up` */ \
    F(S, title) \
    F(N, lab)        /* the lab's name */ \
    F(N, topology) \
    F(R, seed) \
    F(W, wall)       /* CLOCK_REALTIME µs since 1970 at run time 0 */ \
    F(W, mono)       /* CLOCK_MONOTONIC µs at run time 0 */ \
    F(N, program)    /* bascule's version */ \
    F(B, sealing)    /* whoever closes this record ends it with record.seal: without one it is cut or its writer was killed */ \
    F(N, kernel) \
    F(C, cpus) \
    F(C, memory_mb) \
    F(N, tcp_cc)     /* TCP congestion control in force */ \
    F(C, period_us)  /* the workload's write period: its share of the resolution */ \
    F(N, stack)      /* the system that manages the cluster (lab/ha/); "" = an old log: patroni */
#define EVENT_FIELDS_VERSION(F) F(N, component) F(N, version) F(N, node) /* "" = every node that runs it */
#define EVENT_FIELDS_NODE_INFO(F) /* once per node, at the beginning */ \
    F(N, node) F(N, address) \
    F(N, services)   /* what it runs: "postgres,patroni,etcd" (lab/base/cluster.h) */ \
    F(B, nofailover) \
    F(N, image)      /* what it is made of; "" = the host's own file system */ \
    F(C, number)     /* place in the topology, from 1: the ledger's number for it; 0 = an old log, in which the order of these lines says it */
#define EVENT_FIELDS_CONFIG(F) /* a setting as the live cluster reports it; key in "patroni.ttl" form */ \
    F(N, key) F(S, value) F(N, node) /* node "" = the whole cluster */
#define EVENT_FIELDS_PROGRESS(F) /* what the lab is doing, for people */ \
    F(E(progress_phase), phase) \
    F(S, text) \
    F(B, waiting)    /* true: nothing happens until this is met */
#define EVENT_FIELDS_LAB_STATE(F) F(E(lab_state), state) F(S, detail)
#define EVENT_FIELDS_NODE_POWER(F) F(N, node) F(B, on)
#define EVENT_FIELDS_WATCHDOG(F) /* the node's watchdog: hardware that takes the power when nobody writes to it in time */ \
    F(N, node) \
    F(E(watchdog_state), state) \
    F(U, timeout)    /* as the writer asked for */ \
    F(U, last)       /* the last write before this event */
#define EVENT_FIELDS_SERVICE(F) /* from the node's init: a service changed state */ \
    F(N, node) F(N, service) \
    F(E(service_state), state) \
    F(I, pid)        /* inside the node */ \
    F(I, status)     /* exit status, when exited */ \
    F(I, signal)     /* signal that ended it, when signalled */
#define EVENT_FIELDS_MANAGER(F) /* whoever manages the database on a node says how it is, asked out of band */ \
    F(N, node) \
    F(N, service)    /* the daemon that was asked: patroni (its REST API) */ \
    F(B, answered)   /* false: no answer within the probe's deadline; the rest is then zero and error says why */ \
    F(C, http)       /* Patroni only: status code of GET /patroni */ \
    F(E(manager_role), role) \
    F(N, state)      /* in the manager's own words; Patroni: running, starting, stopped, crashed, ... */ \
    F(I, timeline) F(L, lsn) F(L, replayed) \
    F(B, paused)     /* it takes no decision until it is resumed */ \
    F(B, pending_restart) \
    F(I, dcs_last_seen) /* Patroni only: wall clock seconds; 0 = not reported */ \
    F(C, latency_us) F(S, error)
#define EVENT_FIELDS_SQL(F) /* one direct probe of a PostgreSQL over its own socket: on every change, else once a second */ \
    F(N, node) \
    F(B, answered)   /* false: error says why (refused, starting up, no answer for 2 s) */ \
    F(B, in_recovery) \
    F(B, writable)   /* the probe's own write was acknowledged: true evidence, not a role */ \
    F(I, timeline)   /* of pg_walfile_name on a primary, of the WAL receiver's control data on a standby */ \
    F(L, lsn)        /* primary: pg_current_wal_lsn; standby: received */ \
    F(L, replayed)   /* standby only */ \
    F(U, lsn_asked)  /* when the question was sent whose answer gave lsn and replayed: they were read between then and t */ \
    F(C, latency_us) F(S, error) \
    F(U, asked)      /* when this probe was sent; t of the event is when the answer came */ \
    F(U, previous)   /* when the last probe with the earlier result was answered: previous..t brackets the change */
#define EVENT_FIELDS_REPLICATION(F) /* one row of pg_stat_replication, as seen on `node`; gone = row vanished */ \
    F(N, node) F(N, standby) F(N, state) F(N, sync_state) F(L, sent) F(L, flushed) F(L, replayed) F(I, lag_bytes) F(B, gone)
#define EVENT_FIELDS_SLOT(F) F(N, node) F(N, slot) F(B, active) F(L, restart) F(I, retained_bytes) F(B, gone)
#define EVENT_FIELDS_AUTHORITY(F) /* who may lead, as a voice says it that the cluster obeys */ \
    F(N, voice)      /* whose word it is: etcd (the leader key) */ \
    F(N, holder)     /* the node that may lead */ \
    F(B, gone)       /* nobody may: given up, deleted or expired */ \
    F(N, grant)      /* id of the grant that it ends with, "" = none */ \
    F(I, epoch)      /* another number each time it is given anew; the same = taken over without having been free; 0 = not known. etcd: the revision of the key's creation */ \
    F(I, revision)   /* rises with each word of this voice */ \
    F(B, initial)    /* found by the first read: it may have changed any time before */
#define EVENT_FIELDS_ENTRY(F) /* an entry of the cluster's shared store changed, but for the one that is the authority */ \
    F(N, store)      /* which: etcd (what lies under the cluster's prefix) */ \
    F(N, key)        /* in the manager's own words; Patroni: "members/n1", "sync", "status", "config", "history", "initialize", "failover", "failsafe" */ \
    F(B, gone)       /* deleted or expired */ \
    F(S, value) F(N, grant) /* id of the grant that it ends with, "" = none */ \
    F(I, revision) \
    F(I, created)    /* revision of its creation */ \
    F(B, initial)    /* from the first read, not a change */
#define EVENT_FIELDS_STORE_WATCH(F) /* does the observer still hear of changes in the store? */ \
    F(N, store) F(N, node) /* the member that the watch hangs on */ F(E(store_watch_state), state)
#define EVENT_FIELDS_GRANT(F) /* the time for which the authority to lead was given, where it is given for a time (etcd: the lease of the leader key): each renewal seen, and its loss */ \
    F(N, id) F(N, holder) \
    F(U, renewed)    /* best estimate of the last renewal */ \
    F(C, error_us)   /* the renewal lies in [renewed - error, renewed] */ \
    F(U, length)     /* it ends so long after a renewal */ \
    F(I, remaining_s) /* etcd only: as it answered */ \
    F(B, gone)
#define EVENT_FIELDS_ARBITER(F) /* one of those who decide by majority, asked out of band: on change, else every 5 s */ \
    F(N, node) \
    F(N, service)    /* the daemon that was asked: etcd */ \
    F(B, answered)   /* false: error says why */ \
    F(B, leads)      /* it is the leader of the arbiters, by its own word */ \
    F(I, term)       /* rises with each election */ \
    F(N, id) F(N, follows) /* its own id, and that of whom it takes for their leader; "" = it knows of none */ \
    F(C, db_bytes) F(I, raft_index) /* etcd only */ \
    F(S, error)
#define EVENT_FIELDS_LINK(F) /* connectivity of one directed pair on one service path: on change, else every 10 s */ \
    F(N, from) F(N, to) \
    F(E(link_path), path) /* all = any packet */ \
    F(B, intended)   /* no fault in force forbids it (power, link, cuts) */ \
    F(B, measured)   /* a probe in the lab's network got through just now */ \
    F(C, rtt_us)     /* of a probe that came back; 0 = one way, or nothing came */
#define EVENT_FIELDS_PROXY(F) /* HAProxy's view of a server, from its stats socket */ F(N, node) F(N, backend) F(N, server) F(N, state)
#define EVENT_FIELDS_CLIENT_TICK(F) /* the application's last 100 ms; nothing attempted and nothing finished: no event */ \
    F(U, from)       /* start of the bucket; its length is 100 ms, of merged ones event_tick_end says it */ \
    F(C, w_tried) F(C, w_ok) F(C, w_failed) F(C, w_unknown) /* writes; tried counts schedules in the bucket, the others completions */ \
    F(C, r_tried) F(C, r_ok) F(C, r_failed) \
    F(U, w_first_ok) F(U, w_last_ok)   /* completion times of the first and last acknowledged write of the bucket */ \
    F(U, w_first_ok_scheduled) F(U, w_last_ok_scheduled) /* when those two should have started */ \
    F(C, w_max_us) F(C, r_max_us)      /* worst latency, from schedule to completion */ \
    F(C, in_flight) \
    F(C, late_us)    /* by how much the application came late to a schedule of this bucket, at worst; below 100 ms: 0 */
#define EVENT_FIELDS_CLIENT_ERROR(F) /* a kind of error began or changed; not one per operation */ \
    F(E(client_phase), phase) \
    F(N, sqlstate) F(S, text) F(N, node)
#define EVENT_FIELDS_CLIENT_SERVER(F) /* the application's writer connected to a server */ \
    F(N, node) F(N, address) F(I, timeline) F(I, backend_pid)
#define EVENT_FIELDS_FAULT(F) \
    F(N, id)         /* the step's name, or "hand-1" for an injection by hand */ \
    F(N, mechanism)  /* process.kill, net.drop, ... */ \
    F(E(fault_phase), phase) \
    F(N, target)     /* as written: "leader" */ \
    F(S, nodes)      /* as resolved at that instant: "n2" or "n1,n3" */ \
    F(S, detail)     /* how it was verified, or why not */ \
    F(B, effective_seen) /* effective phase: t was observed, not assumed */ \
    F(S, params)     /* phases asked and failed: every parameter in force, defaults too: "service=postgres process=backend" */
#define EVENT_FIELDS_STEP(F) F(I, index) F(N, name) F(E(step_status), state) F(S, detail)
#define EVENT_FIELDS_STEP_NEXT(F) /* which step starts next, when that or what it would do to whom is another than before */ \
    F(I, index)      /* -1 = none is left */ \
    F(N, name) F(S, text) /* "net.drop on the leader, which is n2 now" */ \
    F(B, stands)     /* the scenario is held and nothing of it is under way */
#define EVENT_FIELDS_PLAN_STEP(F) /* one step of the scenario, at the beginning */ F(I, index) F(N, name) F(S, text) /* "net.drop on the leader" */
#define EVENT_FIELDS_LESSON(F) /* one line of the scenario's lesson, at the beginning, in order */ F(S, text)
#define EVENT_FIELDS_EXPECT(F) /* one expectation of the scenario (struct expect), at the beginning */ \
    F(I, index) F(E(expect_kind), kind) F(B, has_min) F(B, has_max) F(D, min) F(D, max) /* µs, count or percent */ \
    F(B, wanted) F(N, node) F(S, text) \
    F(B, inside)     /* inside the sum of the bounds of its phases, too */
#define EVENT_FIELDS_KNOWN_DEFECT(F) /* one known defect of the scenario (struct known_defect), at the beginning */ \
    F(N, id) F(N, software) /* a component of `version` */ F(N, versions) /* as lab/base/version.h reads it */ \
    F(S, reference) F(S, text) \
    F(E(defect_signature), signature) /* what must be seen in the log */ \
    F(S, explains)   /* kinds of expectations: "same_history, lost_writes" */ \
    F(B, always)     /* its absence on an affected version is a failure */
#define EVENT_FIELDS_COMMAND(F) F(N, verb) F(S, args) F(N, from)
#define EVENT_FIELDS_ACTION(F) F(N, id) F(N, action) F(E(action_phase), phase) F(S, detail)
#define EVENT_FIELDS_FINAL_ROWS(F) /* ids found in the ledger table, chunked: "1-2345,2350-9000" */ F(N, node) F(I, chunk) F(S, ranges)
#define EVENT_FIELDS_FINAL_READ(F) /* after all final.rows of a node */ \
    F(N, node) F(B, ok) F(B, leader) /* it was in no recovery */ F(C, rows) F(C, duplicates) F(C, chunks) F(I, timeline) \
    F(L, lsn)        /* standby: replayed; else pg_current_wal_lsn */ \
    F(U, lsn_asked) F(U, lsn_read) /* the position was read between these two: primaries are asked after all standbys */ \
    F(L, goal)       /* the leader's position when the reading began: a standby that replayed as much has all its rows */ \
    F(S, error)      /* not ok: why; ok: why there is no row at all, "" = nothing to say */
#define EVENT_FIELDS_NOISE(F) /* once a second: can this machine be believed? */ \
    F(C, late_max_us) F(C, late_p99_us) /* scheduling lateness of a 10 ms timer in the last second */ \
    F(I, steal_ms) F(D, cpu_some) /* PSI cpu some avg10 */ F(D, load1)
#define EVENT_FIELDS_LOG_LINE(F) /* a line of a daemon's log; t: when it was written, by its own stamp */ \
    F(N, node) F(N, service) F(E(line_level), level) F(S, text) \
    F(U, read)       /* when it was read. The same as t: it has no stamp, or its clock was shifted. 0: an old log, t is when it was read */
#define EVENT_FIELDS_RUN_END(F) F(E(end_reason), reason) F(S, detail)
#define EVENT_FIELDS_RECORD_THINNED(F) /* from here on lines that say the same are merged before they are written (lab/record/thin.h); both 0: no longer */ \
    F(U, ticks)      /* the longest time that one client.tick, or one record of the ledger, stands for */ \
    F(U, others)     /* and one line of an observation */
#define EVENT_FIELDS_RECORD_SEAL(F) /* closes a record: what lies before this line, and the files beside it (lab/record/digest.h) */ \
    F(C, lines) F(C, bytes) F(S, sha256)  /* of events.jsonl up to the end of the line before this one */ \
    F(C, lost)                            /* events that could not be written (full disk) */ \
    F(C, ledger_bytes) F(S, ledger_sha256) /* ledger.bin; "" = there is none */ \
    F(S, plan_sha256)                     /* plan.json */

// kind, name in the log
#define EVENT_KINDS(X) \
    X(RUN_BEGIN, "run.begin") X(VERSION, "version") X(NODE_INFO, "node.info") X(CONFIG, "config") \
    X(PROGRESS, "progress") X(LAB_STATE, "lab.state") X(NODE_POWER, "node.power") X(WATCHDOG, "watchdog") X(SERVICE, "service") \
    X(MANAGER, "manager") X(SQL, "sql") X(REPLICATION, "replication") X(SLOT, "slot") \
    X(AUTHORITY, "authority") X(ENTRY, "entry") X(STORE_WATCH, "store.watch") X(GRANT, "grant") X(ARBITER, "arbiter") X(LINK, "link") X(PROXY, "proxy") \
    X(CLIENT_TICK, "client.tick") X(CLIENT_ERROR, "client.error") X(CLIENT_SERVER, "client.server") \
    X(FAULT, "fault") X(STEP, "step") X(STEP_NEXT, "step.next") X(PLAN_STEP, "plan.step") X(LESSON, "lesson") X(EXPECT, "expect") X(KNOWN_DEFECT, "known_defect") \
    X(COMMAND, "command") X(ACTION, "action") X(FINAL_ROWS, "final.rows") X(FINAL_READ, "final.read") X(NOISE, "noise") X(LOG_LINE, "log") X(RUN_END, "run.end") \
    X(RECORD_THINNED, "record.thinned") X(RECORD_SEAL, "record.seal")

enum event_kind {
    EVENT_TICK = 0, // the engine's clock moved; never written to a log
#define X(kind, name) EVENT_##kind,
    EVENT_KINDS(X)
#undef X
    EVENT_KIND_COUNT
};

#define EVENT_TYPE_N(f) char f[EVENT_NAME_MAX];
#define EVENT_TYPE_S(f) char f[EVENT_TEXT_MAX];
#define EVENT_TYPE_I(f) int64_t f;
#define EVENT_TYPE_C(f) int64_t f;
#define EVENT_TYPE_U(f) usec_t f;
#define EVENT_TYPE_W(f) usec_t f;
#define EVENT_TYPE_B(f) bool f;
#define EVENT_TYPE_D(f) double f;
#define EVENT_TYPE_L(f) lsn_t f;
#define EVENT_TYPE_R(f) int64_t f;
#define EVENT_TYPE_E(set) enum set EVENT_TYPE_PLAIN // and (f) follows
#define EVENT_TYPE_PLAIN(f) f;
#define EVENT_MEMBER(type, f) EVENT_TYPE_##type(f)

struct event {
    usec_t t; // run time
    enum event_kind kind;
    int64_t repeats; // a merged line: how many more like this one lie between the line of its kind before and this; a count
    usec_t pause;    // and the longest time between two of them that follow each other
    union {   // member name = kind: ev.u.ENTRY.key
#define X(kind, name) struct { EVENT_FIELDS_##kind(EVENT_MEMBER) } kind;
        EVENT_KINDS(X)
#undef X
    } u;
};
// clang-format on

// "node.power"; "tick" for EVENT_TICK.
const char *event_kind_name(enum event_kind kind);

#define EVENT_BUCKET (100 * MSEC) // of a client.tick
// A server whose position stands still for so long, though there is more, is stuck: positions come once a second, and two that were late prove
// nothing. Whoever thins a record keeps what shows it (lab/record/thin.h), the model doubts a row of pg_stat_replication by it.
#define EVENT_STILL  (3 * SEC)
// The longest time without an acknowledged write that is no pause, for an application that writes once in `period` (docs/measures.md): max(3
// write periods, 100 ms). Whoever thins a record keeps what is longer, whoever looks for outages finds it.
usec_t event_longest_gap(usec_t period);

// Where the time ends of which a client.tick tells: 100 ms after its begin, and of a merged one at its t, at most EVENT_TICK_MAX after.
#define EVENT_TICK_MAX (60 * SEC)
usec_t event_tick_end(const struct event *tick);

// Makes an event one that the reader would take: numbers outside their range become the nearest inside (infinities and NaN: 0), bytes
// that are no UTF-8 become U+FFFD. For what comes from the world; the reader does not mend, it refuses.
void event_normalize(struct event *ev);

// Appends one line with its newline. Text that is not UTF-8 is repaired and numbers are brought into their range, never refused.
void event_to_json(const struct event *ev, struct strbuf *out);

// Reads one line (without or with newline). Unknown keys are ignored, an unknown kind gives -ENOENT (skip it: a newer
// program wrote it), anything malformed or outside its range -EINVAL with *ret untouched. Bytes that are no UTF-8 are repaired.
// Never crashes on any bytes. Returns how many of its fields hold a word that their set lacks, and read as ..._UNKNOWN: 0, as a rule.
int event_from_json(const char *line, size_t len, struct event *ret, struct err *err);

struct event_unknown { // a word that its set lacks
    enum event_kind kind;
    const char *field; // static
    char word[EVENT_NAME_MAX];
};
// The first of those words in a line for which event_from_json returned more than 0.
void event_unknown_word(const char *line, size_t len, struct event_unknown *ret);

// Where the rooms of the world send what they see. sink_emit stamps t == 0 with the current run time, and normalizes: a fold meets the
// same event live and read from the log.
struct event_sink {
    void (*emit)(void *arg, const struct event *ev); // must not keep ev
    void *arg;
    usec_t base; // CLOCK_MONOTONIC at run time 0
};
void sink_emit(const struct event_sink *sink, struct event *ev);
usec_t sink_now(const struct event_sink *sink); // run time now

// Declares a zeroed event of a kind: EVENT(ev, NODE_POWER, .node = "n1") is not possible for char arrays, hence STR_COPY after.
#define EVENT_NEW(k) ((struct event){.kind = EVENT_##k})
