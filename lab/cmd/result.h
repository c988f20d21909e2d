// SPDX-License-Identifier: PostgreSQL
#pragma once
// From a run folder to its numbers: used at the end of `bascule run` and by `bascule report`.
#include "lab/cmd/cmd.h"
#include "lab/measure/measure.h"
#include "lab/proof/proof.h"
#include "lab/story/story.h"

// Reads events.jsonl and ledger.bin. The caller frees with measure_free. *ret_measures lives as long as *ret. ret_story (may be NULL) gets the run's
// story, ended; the caller frees it with story_free.
int result_fold(const char *run_dir, struct measure **ret, const struct measures **ret_measures,
                struct story **ret_story, struct err *err);
// Is the record whole? `run` is a run folder, or a log: one called events.jsonl is judged with its folder, any other by itself. The caller frees *ret with
// proof_free, and *ret_record lives as long.
int result_prove(const char *run, struct proof **ret, const struct record_proof **ret_record, struct err *err);
// The run as one HTML page (lab/report/html.h): appended to out, or written to a file.
int result_page(const char *run_dir, const struct measures *m, struct strbuf *out, struct err *err);
int result_write_page(const char *run_dir, const struct measures *m, const char *path, struct err *err);
// Both into the run folder, as result.json and report.html, for whoever comes later. One that can't be written is warned of, no more.
void result_keep(const char *run_dir, const struct measures *m);
int result_exit_code(enum verdict v);
