// SPDX-License-Identifier: PostgreSQL
#pragma once
// What `run` and `up` share: options of the lab, reading a plan with its diagnostics, the run folder, the launch.
#include "lab/cmd/cmd.h"
#include "lab/cmd/follow.h"
#include "lab/scenario/read.h"
#include "lab/supervisor/lab.h"

struct start_options {
    const char *runs_dir; // --runs-dir
    const char *lab;      // --lab
    setting_list set;     // --set key=value; before them those of the configuration file
    size_t defaults;      // how many of them are the file's
    uint64_t seed;        // --seed, 0 = choose one
    bool hold;            // --hold of `run`: the scenario stands before its first step
    bool cold;            // --cold: ignore prepared templates
};
// The argp child with those options; its input is a struct start_options.
extern const struct argp start_argp;
void start_options_done(struct start_options *o);

// Reads a scenario, prints its diagnostics to stderr. Returns NULL and sets *exit_code when it can't be run.
struct plan *start_read_scenario(const char *name, const struct start_options *o, struct strbuf *ret_text,
                                 int *exit_code);
// The same with the text in memory; path is for its messages and gives the plan its name.
struct plan *start_read_text(const char *path, const struct strbuf *text, const struct start_options *o,
                             int *exit_code);
// Can it be run? What the scenario needs of the stack; and of this host every fault's check, the programs, the name spaces. 0, or negative with the reason (then: skipped).
int start_check_host(const struct plan *plan, struct err *err);
// Makes the run folder (with a copy of the scenario's text, which may be NULL), and launches. run_dir gets the folder's path.
int start_lab(const struct plan *plan, const struct start_options *o, const char *scenario_text, bool scenario,
              bool keep, bool workload, struct strbuf *run_dir, struct lab_handle *ret, struct err *err);
// The exit code for a lab that did not start: a taken name or a bad folder is the user's to mend, the rest is ours.
int start_failed(const struct err *err);
// Leaves the lab standing when this process ends.
int start_detach(const struct lab_handle *lab, struct err *err);
// Ends what is left of a lab that we started: closes the lifeline, waits for the supervisor (at most 5 s, then SIGKILL; at
// most 10 s more for the kernel, with a word when that was not enough).
void start_close(struct lab_handle *lab);
