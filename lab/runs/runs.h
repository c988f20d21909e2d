// SPDX-License-Identifier: PostgreSQL
#pragma once
// The recorded runs of a user: the folders below one parent, what each was, and which one a person means. Reads the file system
// and writes nothing but in runs_remove. What a run measured comes from its result.json, which was folded from its log; a run
// without one (it still runs, or was killed) is told as such and never guessed at.
#include <stdbool.h>

#include "lab/base/err.h"
#include "lab/base/str.h"
#include "lab/base/usec.h"
#include "lab/base/vec.h"
#include "lab/record/event.h"

struct run_entry {
    char *path; // the folder
    char *name; // its last part: "20261128-201500-leader-crash"
    // From run.begin, the first line of the log; "" and 0 when it is damaged.
    char scenario[EVENT_NAME_MAX], topology[EVENT_NAME_MAX], lab[EVENT_NAME_MAX];
    usec_t began; // CLOCK_REALTIME, µs since 1970
    bool live;    // a lab writes to its log at this moment
    // From result.json.
    bool
        judged; // there is one, and the events are still those that it was folded from, as far as can be told quickly: where
                // it has their hash, that is compared only when the log is shorter or newer
    bool changed;     // there is one, and they are not: its numbers are not taken
    char verdict[32]; // "" when not judged
    char *reason;     // "" when not judged
    double outage_ms; // -1 = not known
    double error_ms;  // the outage's resolution; -1 = not known
    int64_t lost;     // acknowledged writes that are gone; -1 = not known
};
typedef VEC(struct run_entry) run_entry_list;

// Every run below `parent`, oldest first: folders that hold an events.jsonl; anything else is passed over. A parent that does
// not exist has none. The caller frees with runs_done, after an error too.
int runs_list(const char *parent, run_entry_list *out, struct err *err);
void runs_done(run_entry_list *list);

// The run that a person means, appended to `out` as a path:
//   a folder with an events.jsonl in it, wherever it lies, or that file itself
//   "last"                 the newest run
//   a run's name, or the beginning of exactly one run's name
//   a scenario's name      its newest run
// -ENOENT with what was looked for, or -EINVAL with the names that the beginning fits.
int runs_find(const char *parent, const char *word, struct strbuf *out, struct err *err);

// Is the word a path and no name? A path is taken as it is, also that of a folder without a log: whoever reads it says what is wrong.
bool runs_is_path(const char *word);

// Removes a run folder and adds the bytes that its files took to *ret_bytes. -EBUSY while a lab writes to it.
int runs_remove(const struct run_entry *run, uint64_t *ret_bytes, struct err *err);

// Does a lab write to this log now? The writer holds a lock on it (flock(2)) that the kernel takes away with its last process.
bool runs_is_live(const char *events_path);
