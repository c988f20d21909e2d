// SPDX-License-Identifier: PostgreSQL
#pragma once
// The story of a run: one list of moments, made in one place from the events alone. The lines of `bascule run`, the text report, the page and
// the dashboard print these moments, each with a filter by weight; none of them words anything itself.
//
// A moment enters the list when it becomes known, at its place in time: an outage is told 300 ms after its last acknowledged write and stands at
// that write. What was told may get a detail later ("2.1 s before its leader key expired").
#include "lab/base/cluster.h"
#include "lab/base/vec.h"
#include "lab/ha/kind/kind.h"
#include "lab/record/event.h"

// What a moment is about; the names are those of the page's data block.
// clang-format off
#define MOMENT_KINDS(X) \
    X(LAB, "lab") /* the lab itself: what it is doing, ready, broken, the end */ \
    X(HEALTHY, "healthy") /* every powered member streams from a leader that accepts writes (model_healthy) */ \
    X(KEY_TAKEN, "key-taken") /* the leader key has a holder, after it was free */ \
    X(KEY_GONE, "key-gone") /* it expired, was released or deleted */ \
    X(KEY_STOLEN, "key-stolen") /* another holder without the key having been free */ \
    X(ETCD, "etcd") /* etcd's leader */ \
    X(QUORUM_LOST, "quorum-lost") /* fewer than a majority of etcd's members answer */ \
    X(QUORUM_BACK, "quorum-back") \
    X(MANAGER, "manager") /* what the manager of a node did, by its log or its answers */ \
    X(DEMOTED, "demoted") /* a node that accepted writes accepts none any more, by the probe's own write */ \
    X(WRITABLE, "writable") /* a node accepts writes */ \
    X(POSTGRES, "postgres") /* any other state of a PostgreSQL: silent, standby, timeline, streaming */ \
    X(PROXY, "proxy") /* HAProxy's view of a server */ \
    X(SYNC, "sync") /* who is a synchronous standby, by the DCS */ \
    X(WRITES_STOP, "writes-stop") /* the application: at the last acknowledged write */ \
    X(WRITES_BACK, "writes-back") /* at the first one after which they keep succeeding */ \
    X(READS_STOP, "reads-stop") \
    X(READS_BACK, "reads-back") \
    X(APPLICATION, "application") /* connected, first and last write */ \
    X(FAULT_ASKED, "fault-asked") \
    X(FAULT, "fault") /* takes effect */ \
    X(FAULT_VERIFIED, "fault-verified") \
    X(FAULT_FAILED, "fault-failed") \
    X(HEAL_ASKED, "heal-asked") \
    X(HEALED, "healed") \
    X(ACT, "act") /* an administrator's act */ \
    X(BY_HAND, "by-hand") /* a person's command: hold, shell, ... */ \
    X(STEP, "step") /* of the scenario */ \
    X(SERVICE, "service") /* a daemon ended, or runs again */ \
    X(POWER, "power") \
    X(WATCHDOG, "watchdog") \
    X(SETTING, "setting") \
    X(AHEAD, "ahead") /* a standby ahead of its leader */ \
    X(DEFECT, "defect") \
    X(NOISE, "noise") \
    X(UNWATCHED, "unwatched") /* nobody looked from here on, for some time */
// clang-format on
enum moment_kind {
#define X(kind, name) MOMENT_##kind,
    MOMENT_KINDS(X)
#undef X
        MOMENT_KIND_COUNT
};
const char *moment_kind_name(enum moment_kind kind);

struct moment {
    usec_t t;     // run time at which it happened, as well as it is known
    usec_t error; // its resolution: it lies in [t - error, t]; 0 = exact, or no resolution was recorded
    enum moment_kind kind;
    enum moment_weight weight;
    enum moment_mood mood;
    char node[NODE_NAME_MAX]; // whose doing; "" = nobody's or several
    char *text;               // one sentence without its time
    char *detail;             // more of it, "" = nothing; never NULL
    usec_t told;              // run time of the event that made it known
    uint64_t id;              // counts from 1, in the order of telling
};

struct story;
struct story *story_new(void);
void story_free(struct story *s);
// Folds one event. Events come in the order of the log, which is nearly that of time.
void story_event(struct story *s, const struct event *ev);
// The log is over: tells what only its end makes certain (the last write; an outage that never ended). Call it once.
void story_finish(struct story *s);

// All moments in order of time. A story of more than STORY_MOST moments has forgotten its oldest details, then its oldest moments.
enum { STORY_MOST = 20000 };
size_t story_count(const struct story *s);
const struct moment *story_at(const struct story *s, size_t i);
// Those that the last story_event or story_finish made known, in the order of telling. A later call makes them invalid.
size_t story_news_count(const struct story *s);
const struct moment *story_news(const struct story *s, size_t i);

// The sentence with its resolution: "n1 accepts no writes any more (or up to 52 ms earlier)". Appends to out.
void moment_text(const struct moment *m, struct strbuf *out);

// Does this line of a daemon's log mark a step, by the same words that make a moment of it?
bool story_line_marks_step(const struct ha_kind *kind, const char *service, const char *line);

// Findings of the measures that no single event tells; worded and put into the list here, at their own time. What was told while it was so gets the
// final numbers.
void story_defect(struct story *s, usec_t t, const char *node, const char *id, const char *seen, const char *about,
                  const char *reference);
void story_ahead(struct story *s, usec_t t, const char *node, const char *leader, lsn_t replayed, lsn_t written);
// The ledger knows better than the ticks how exact the outage that begins at `from` is.
void story_outage_resolution(struct story *s, usec_t from, usec_t to, usec_t resolution);
// No fault and no act explains the outage that begins at `from` (lab/measure/cause.c).
void story_outage_unexplained(struct story *s, usec_t from);
