// SPDX-License-Identifier: PostgreSQL
#pragma once
// The rows of a matrix, as data, and what the runs of a row say together. Nothing here starts, reads or prints anything.
#include <sys/types.h>

#include "lab/base/json.h"
#include "lab/base/usec.h"
#include "lab/base/vec.h"
#include "lab/cli/cli.h"
#include "lab/image/image.h"

// One `bascule run`.
struct matrix_run {
    pid_t pid;
    int pidfd;
    usec_t started;
    bool ended;
    int code;              // its exit status
    char verdict[24];      // the word of result.json, "skipped", "bad file", "broken", or "not run"
    char reason[512];      // "" for a pass
    char folder[PATH_MAX]; // of its own; the run folder lies in it
    cJSON *result;         // NULL = it has none
};

// One row of the table: a scenario on an image.
struct matrix_cell {
    const char *scenario; // as the user named it
    char label[64];       // its bare name
    const char *image;    // "host", or an image's name
    struct image found;   // not for the host, not when there is none
    char missing[1024];   // why the image can't be used; "" = it can
    VEC(struct matrix_run) runs;
};

struct matrix {
    VEC(struct matrix_cell) cells;
    VEC(const char *) scenarios, images, settings; // borrowed
    const char *seed;                              // NULL = each run its own
    bool cold, json;
    unsigned long n_runs, jobs;
    char dir[PATH_MAX]; // below it one folder for each run
};

// A number over the runs of a cell; n = 0: none of them has it. error: the largest of their resolutions.
struct matrix_number {
    size_t n;
    double median, min, max, error; // ms
};
struct matrix_number matrix_outage(const struct matrix_cell *c);
struct matrix_number matrix_phase(const struct matrix_cell *c, const char *name);
// The largest count of lost writes; -1 = not known for any run.
int64_t matrix_lost(const struct matrix_cell *c);
// "pass", "fail", ..., or with several runs "4 pass, 1 invalid".
void matrix_verdict(const struct matrix_cell *c, struct strbuf *out);
const char *matrix_reason(const struct matrix_cell *c); // of the worst run
const char *matrix_version(const struct matrix_cell *c,
                           const char *component); // as a run saw it, else the image's record
int matrix_exit_code(const struct matrix_cell *c);
extern const char *const matrix_phases[]; // NULL-terminated
