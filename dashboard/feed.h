// SPDX-License-Identifier: PostgreSQL
#pragma once
// An event log read as it grows, and folded into what the screens show. A line that is not whole yet waits for its end; what can't be
// understood is counted. Nothing here waits: at the end of the file the reader says so.
#include "dashboard/history.h"
#include "lab/base/err.h"
#include "lab/model/model.h"
#include "lab/record/event.h"

// Lines of a log that were not understood, or not altogether: damage, or a newer bascule wrote them.
struct feed_unclear {
    int64_t broken;            // no events at all: skipped
    int64_t kinds;             // events of a kind that this program does not know: skipped
    int64_t words;             // events with a word that its set lacks: shown as far as they are understood
    struct event_unknown word; // the first of those
};
int64_t feed_unclear_lines(const struct feed_unclear *u); // how many in all
// In one line, for people: "2 lines of this log are broken; 1 holds a word that this program does not know ('mended' as phase of fault)".
// All understood: nothing. Appends to out.
void feed_unclear_text(const struct feed_unclear *u, struct strbuf *out);

struct feed {
    int fd;
    char *data; // a block of the file; [at, have) is not looked at yet
    size_t at, have;
    bool overlong; // inside a line that can't be an event: dropped up to its newline
    int64_t events;
    struct feed_unclear unclear;
    struct model *model;
    struct history *history;
    usec_t latest; // the latest time of any event so far: lines are only nearly in order of time
    // what the loop must know beyond the screens
    usec_t mono; // CLOCK_MONOTONIC at run time 0; 0 = run.begin was not seen
    bool ended;  // run.end was seen
    bool held;   // a trainer holds the scenario
};

// run_dir: a run folder, or a log file. feed_close copes with a feed that was never opened.
int feed_open(struct feed *f, const char *run_dir, struct err *err);
void feed_close(struct feed *f);
void feed_rewind(struct feed *f); // forgets everything, begins again at the first line

// The next event: 1, or 0 when there is none for now, or -errno.
int feed_pull(struct feed *f, struct event *ret);
// Folds it. True when it is news that must not wait for the next frame (a node died, a fault bites, writes work again).
bool feed_apply(struct feed *f, const struct event *ev);

enum feed_news { FEED_NOTHING = 0, FEED_NEWS = 1, FEED_URGENT = 2, FEED_MORE = 4 };
// Pulls and folds for at most `budget` (a key must be answered meanwhile). FEED_MORE: there is more to read. Negative: -errno.
int feed_follow(struct feed *f, usec_t budget);
