// SPDX-License-Identifier: PostgreSQL
#pragma once
// The outages that the application felt, of its writes and of its reads: one fold for those who watch (dashboard, live lines, story) and for the
// numbers of a finished run. docs/measures.md has the definition; in short:
//
//   pause     more than max(3 write periods, 100 ms) without an acknowledged write, from the first try on and as far as writes were tried
//   hiccup    a pause of up to 250 ms in which no write failed: slow, not down
//   outage    any other pause, and with it every pause above 250 ms that begins less than 1 s after one of its own above 250 ms has ended
//   reads     two or more buckets of 100 ms in which a read was tried and none was good, up to the next bucket with a good one
//
// A time in which the application itself stood still is part of the pause in which it lies: nobody knows better. That it stood still is told by
// lab/model/watch.h, and who makes a claim about the outage asks there.
//
// Two feeders. outages_event takes a log as it comes: beginnings and ends are the microseconds that client.tick names, for two acknowledgements of
// one bucket are closer than any pause; the last try is known to its bucket of 100 ms, and an outage that goes on is known when writes have been
// tried for more than 250 ms. A finished run knows more (lab/measure/outage.c): it feeds what the ticks and the ledger have together, in order of time,
// by the functions below. A line of a thinned record tells of a time without a pause, whose buckets were all alike (lab/record/thin.h). Pure.
#include "lab/base/vec.h"
#include "lab/record/event.h"

#define OUTAGES_BUCKET EVENT_BUCKET
#define OUTAGES_HICCUP (250 * MSEC) // the longest pause that may be one

struct outage {
    usec_t
        from; // the last acknowledged write before it; the first try, when there was none. Reads: the first bucket without a good one
    usec_t to;    // the first acknowledged write after it; reads: the bucket with a good one. USEC_NEVER = it goes on
    bool lasting; // one of its pauses was longer than a hiccup may be: what follows soon belongs to it
};
typedef VEC(struct outage) outage_list;

enum outage_turn {
    OUTAGE_BEGINS,
    OUTAGE_GOES_ON /* after it had ended */,
    OUTAGE_ENDS,
    OUTAGE_READS_STOP,
    OUTAGE_READS_BACK
};
struct outage_news {
    enum outage_turn turn;
    usec_t at, from; // of the turn; of the outage that it belongs to
    usec_t was;      // GOES_ON: where it had seemed to end
};

struct outages_pause {
    usec_t from, to;
};
enum { OUTAGES_SHORT = 32 }; // pauses of 100 ms and more, in the 2.75 s after which none can be proven bad any more

// Zeroed memory is an empty fold.
struct outages {
    size_t most;               // entries kept of each list, 0 = all; set by the owner, a fifth goes when it is reached
    usec_t period;             // between two writes: run.begin tells it; 0 = not known, the owner may say better
    outage_list writes, reads; // in order of their beginning
    VEC(struct outage_news) news; // what the last outages_event made known, in order of telling
    bool tried, served;           // a write was to start; one was acknowledged
    usec_t first_try, last_try;   // of the writes: a schedule, or the start of its bucket
    usec_t last_ok;               // the latest acknowledged write
    usec_t last_read_try;         // the latest bucket in which a read was tried
    usec_t hiccup; // the longest one that ended after the first injection (without one: of all), as far as it is judged
    // private
    usec_t over_at;                                   // the application was stopped; 0 = it was not
    usec_t bad_until;                                 // end of the latest bucket with a failed or unknown write
    struct outages_pause short_pauses[OUTAGES_SHORT]; // whose writes may yet turn out to have failed
    size_t n_short;
    usec_t injected; // when the first fault or act was asked for, 0 = not yet
    bool read_once, reads_bad;
    usec_t reads_from; // reads_bad: the first bucket without a good read
};
void outages_done(struct outages *o); // frees what it holds, and leaves an empty fold

// Every event of a log, in its order.
void outages_event(struct outages *o, const struct event *ev);

// The parts of a client.tick, for who has more than it: a write was to start; a bucket has failed or unknown writes; a write was acknowledged; a
// bucket had tries and good ones among its reads. run.begin and injections still come through outages_event. Each call adds to the news.
void outages_tried(struct outages *o, usec_t t);
void outages_bad(struct outages *o, usec_t bucket);
void outages_acked(struct outages *o, usec_t t);
void outages_unbroken(struct outages *o, usec_t t); // from the last acknowledged one to t without a pause
void outages_read(struct outages *o, usec_t bucket, bool tried, bool good);
// Nothing more comes: short pauses are judged, and one that lasted to the last try is told. Call it once.
void outages_finish(struct outages *o);

// The last outage of writes when it goes on, else NULL.
const struct outage *outages_open(const struct outages *o);
// The outage that begins at `from` begins with the first try: no write had been acknowledged before.
bool outages_unserved(const struct outages *o, usec_t from);
usec_t outages_threshold(const struct outages *o); // pauses up to this long are none
// Where the outage ends for somebody who asks at `now`: one that goes on lasts until now, and once the application has stopped, until its last try.
usec_t outages_until(const struct outages *o, const struct outage *x, usec_t now);
