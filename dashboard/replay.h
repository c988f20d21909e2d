// SPDX-License-Identifier: PostgreSQL
#pragma once
// A recorded log as something to move about in: a cursor in run time, marks to jump to. What is shown is the fold of all lines up to
// the cursor. Going back is folding again from the first line; for a long log that takes a moment, so it is done in slices.
#include "dashboard/feed.h"

struct mark { // a moment worth jumping to
    usec_t t;
    char text[120];
};

struct replay {
    struct feed feed;
    struct event next; // read, not yet folded
    bool have_next;
    usec_t cursor;               // what is shown
    usec_t target;               // where the cursor is going
    usec_t end;                  // of the log
    struct feed_unclear unclear; // of the whole log
    bool cut;                    // its last line had no end
    VEC(struct mark) marks;
};

// Reads the log once, to find its end and its marks; the cursor stands at the beginning.
int replay_open(struct replay *r, const char *run_dir, struct err *err);
void replay_close(struct replay *r);
void replay_seek(struct replay *r, usec_t t); // clamped to the log; replay_run gets there
// Folds for at most `budget`. True when the cursor has arrived. *urgent (may be NULL) as feed_apply.
bool replay_run(struct replay *r, usec_t budget, bool *urgent);
// Folds exactly one more event and leaves the cursor at its time; NULL at the end.
const struct event *replay_step(struct replay *r);
// The next or previous mark from the cursor; NULL when there is none.
const struct mark *replay_mark(const struct replay *r, bool forward);
