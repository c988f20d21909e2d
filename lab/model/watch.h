// SPDX-License-Identifier: PostgreSQL
#pragma once
// When did nobody look? A fold over the events that keeps the holes: the times in which a probe that should have looked did not. What
// happened inside a hole is not known, and nothing may be called absent for it. Pure.
//
// A probe that looked and got no answer has watched: silence is an observation. A machine without power needs no watching.
//
// The thresholds, and why a busy machine does not pass them (90 records, 11,500 s, two cores at a load of 20 to 37: a timer was late by 0.85 s in
// one record and by at most 0.51 s in the others; no hole but those that were made on purpose):
//   observer     its loop stood still for WATCH_STILL, by the lateness of its own 20 ms timer (noise). Less is noise, and measured as such
//   postgres     no word of a node's PostgreSQL for WATCH_SQL. The probe speaks once a second, a question may go unanswered for 2 s
//                before that is told, 1 s is for the rest (a new connection, the scheduler)
//   application  it came to its own schedule late by WATCH_STILL (client.tick, late_us): it tried nothing, so its silence is no outage
//
// In a thinned record (lab/record/thin.h) a merged line names the longest pause between the probes that it stands for: that is what is judged.
// What follows the last line is a hole only when it is longer by the time that one line may stand for.
#include "lab/base/cluster.h"
#include "lab/base/vec.h"
#include "lab/record/event.h"

#define WATCH_STILL SEC
#define WATCH_SQL   (4 * SEC)
#define WATCH_NOISE (3 * SEC) // noise is told once a second: when nothing came for so long, its lines are missing

#define WATCH_SOURCES(X)                                                                                               \
    X(OBSERVER, "observer")       /* every probe of the cluster: they share one loop */                                \
    X(POSTGRES, "postgres")       /* the SQL probe of one node */                                                      \
    X(APPLICATION, "application") /* the client's attempts */
enum watch_source {
#define X(name, text) WATCH_##name,
    WATCH_SOURCES(X)
#undef X
        WATCH_SOURCE_COUNT
};
const char *watch_source_name(enum watch_source s);

struct watch_hole {
    enum watch_source source;
    char node[NODE_NAME_MAX]; // POSTGRES: whose; else ""
    usec_t from, to;          // run time
};
typedef VEC(struct watch_hole) watch_hole_list;

struct watch; // the fold
struct watch *watch_new(void);
void watch_free(struct watch *w);
void watch_event(struct watch *w, const struct event *ev);
// The hole that the last event made known, or longer; NULL: none. Valid until the next event.
const struct watch_hole *watch_told(const struct watch *w);
// Appends every hole up to `until` in order of its beginning: those that are over, and those that have lasted to `until`. Silence of one
// PostgreSQL that the observer's own standstill explains is not named again. The caller owns the list.
void watch_list(const struct watch *w, usec_t until, watch_hole_list *out);

// Does this event say that the observer stood still, and from when to when?
bool watch_standstill(const struct event *ev, usec_t *from, usec_t *to);

// "nobody watched n1's PostgreSQL from 12.3 s to 32.1 s". Returns buf.
char *watch_words(const struct watch_hole *h, char *buf, size_t size);
