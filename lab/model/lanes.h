// SPDX-License-Identifier: PostgreSQL
#pragma once
// What each node was, from when to when: the lanes of every timeline (dashboard and page). A fold over the model, pure like it.
#include "lab/base/vec.h"
#include "lab/model/model.h"

// PostgreSQL's lane
// clang-format off
#define LANES(X) \
    X(OFF, "off") \
    X(UNKNOWN, "unknown") \
    X(STARTING, "starting") \
    X(DOWN, "postgres down") \
    X(REPLICA, "replica") \
    X(STANDBY_ALONE, "standby, not streaming") \
    X(LEADER, "leader") \
    X(WRITABLE_WITHOUT_KEY, kind->alone.state) /* takes writes and does not lead */ \
    X(LEADER_NOT_WRITABLE, kind->stuck) \
    X(UNWATCHED, "not watched") /* the past only: nobody looked */
// clang-format on
enum lane {
#define X(name, text) LANE_##name,
    LANES(X)
#undef X
};
// In the words of the system that manages the cluster: the two that speak of leadership are called as it calls them.
const char *lane_name(const struct ha_kind *kind, enum lane lane);

// An arbiter's lane
#define ARBITER_LANES(X)                                                                                               \
    X(OFF, "off")                                                                                                      \
    X(UNKNOWN, "unknown")                                                                                              \
    X(DOWN, "no answer")                                                                                               \
    X(LEADERLESS, "knows no leader") X(FOLLOWER, "follower") X(LEADER, "leader") X(UNWATCHED, "not watched")
enum arbiter_lane {
#define X(name, text) ARBITER_LANE_##name,
    ARBITER_LANES(X)
#undef X
};
const char *arbiter_lane_name(enum arbiter_lane lane);
// The same for people who read it beside the lanes of PostgreSQL: who leads is said with the arbiters' name. Returns buf.
char *arbiter_lane_words(const struct ha_kind *kind, enum arbiter_lane lane, char *buf, size_t size);

struct segment {
    usec_t from, to; // to = USEC_NEVER: still
    enum lane lane;
};
typedef VEC(struct segment) segment_list;

// What a node is now, as far as the model knows.
enum lane lane_of(const struct model *m, const struct model_node *n);
enum arbiter_lane arbiter_lane_of(const struct model_node *n);
// Notes at time t that the lane is `lane`: closes the last segment and opens another when that is news. Times never run back:
// an event that is told late changes the lane from the end of what is known.
void segment_note(segment_list *l, usec_t t, enum lane lane);
// Nobody watched from `from` to `to`, the end of what is known: the lane there is `unwatched`, and what it was goes on after it.
void segment_hole(segment_list *l, usec_t from, usec_t to, enum lane unwatched);
// The same for a stretch anywhere in the past: whatever the lane was in it is not known.
void segment_carve(segment_list *l, usec_t from, usec_t to, enum lane unwatched);
// segment_hole in all lanes of n nodes, when the event says that the observer stood still (watch_standstill); nothing else does anything.
void lanes_standstill(segment_list *lanes, segment_list *arbiters, size_t n, const struct event *ev);
