// SPDX-License-Identifier: PostgreSQL
#pragma once
// The dashboard as a program: `bascule top` and `bascule replay`. One loop, one thread. It reads the event log; what it asks of the lab
// goes out as a child process, the same `bascule inject` that people type, so that nothing the lab does can hold the screen up.
#include "dashboard/dash.h"
#include "dashboard/theme.h"
#include "lab/record/record_proof.h"
#include "lab/scenario/vocabulary/vocabulary.h"

struct tui_options {
    const char *run_dir;
    const char *lab; // to whom requests go; NULL = nobody (a replay, or a run that is over)
    int pidfd;       // readable when the supervisor has ended; -1 = it has already, or this is a replay
    bool ascii, readonly;
    enum theme theme;
    const char *view; // name of the first view; NULL = the first
    double speed;     // replay
    usec_t at;        // replay: where it begins, at rest, when at_given
    bool at_given;
    const struct vocabulary *vocabulary; // for the menu of faults
    const struct record_proof *record;   // of a run that is over: is it whole? NULL = nobody asked; borrowed
};
// Returns 0 when the user left, the signal's number when a signal ended it (the terminal is in order), or negative with err.
int tui_top(const struct tui_options *o, struct err *err);
int tui_replay(const struct tui_options *o, struct err *err);

struct tui_text_options {
    const char *run_dir, *view; // view NULL = the first
    int rows, cols;
    bool ascii, tones;
    const struct record_proof *record; // as in tui_options
    usec_t at, every; // every: frames from the beginning to the end; 0 = one frame at `at` (USEC_NEVER: the end)
};
// The same frames as text.
int tui_text(const struct tui_text_options *o, struct strbuf *out, struct err *err);
// "cluster, network, ...": the names that tui_view takes, in the order of the F keys. Appends to out.
void tui_view_names(struct strbuf *out);
// Index of a view, or -EINVAL with the names in err. NULL = 0.
int tui_view(const char *name, struct err *err);
