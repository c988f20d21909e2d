// SPDX-License-Identifier: PostgreSQL
#pragma once
// Since when the cluster is healthy: one fold for the story ("healthy again"), the measures (rejoin, healthy_at_ms) and the dashboard. What healthy and
// complete are is said by model_healthy and model_complete; the scenario's conditions, `bascule status`, the start of a lab and this fold ask these two and
// nobody else, so all of them turn at the same event.
//
//   healthy    the leader has power and accepts writes, nobody else does, every other powered PostgreSQL streams from it and is on its
//              timeline, nobody's history differs from its own (diverge.h), and the arbiters, where there are any, have a quorum
//   complete   healthy, every node has power, is registered (without a store: its manager answers) and answers, and in synchronous mode a standby is named
//   rejoined   healthy again, for good: no later lapse counts
//
// It turns at the time of the event that brought the last missing piece or took the first one away, and may have done so up to `error` earlier.
#include "lab/model/model.h"

// A lapse that leaves one writable leader and the quorum alone, lasts no longer than this and has no fault or act to explain it is a hiccup: a
// standby's answer or its row that was late. It is told nowhere and ends no rejoin.
#define HEALTH_HICCUP_MAX    (2 * SEC)
// pg_stat_replication is read as often while a standby is missing (lab/observe/sql_replication.c), and the arbiters as often (lab/observe/patroni/etcd_member.c).
#define HEALTH_ROWS_EVERY    (200 * MSEC)
#define HEALTH_MEMBERS_EVERY (500 * MSEC)

enum health_news {
    HEALTH_SAME,
    HEALTH_FIRST, // healthy for the first time
    HEALTH_LOST,  // since w->since; not yet known whether the lapse counts
    HEALTH_AGAIN, // after a lapse that counts, w->lapse
    HEALTH_HICCUP // after one that does not: as if it had never been
};
struct health_watch {
    bool healthy, ever;
    usec_t since, error; // of the present state
    usec_t lapse;        // when health was last lost, 0 = never
    bool counts;         // of the lapse that goes on: something else than a late standby, or a fault's or act's doing
    usec_t since_before, error_before; // private: what a hiccup is forgotten for
};
// m has seen ev. Call it with every event: what a lapse was about shows while it lasts.
enum health_news health_note(struct health_watch *w, const struct model *m, const struct event *ev);
