// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/result.h"

#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/proof/proof.h"
#include "lab/record/run.h"
#include "lab/report/report.h"
#include "lab/runs/runs.h"

enum { PLAN_MAX = 4 * 1024 * 1024 };

struct folds {
    struct measure *measure;
    struct proof *proof;
    struct story *story; // NULL = nobody wants it
};

static bool take_event(void *arg, const struct event *ev) {
    struct folds *f = arg;
    measure_event(f->measure, ev);
    proof_event(f->proof, ev);
    if (f->story)
        story_event(f->story, ev);
    return true;
}

static bool take_operation(void *arg, const struct ledger_record *r) {
    struct folds *f = arg;
    measure_ledger(f->measure, r);
    proof_ledger(f->proof, r);
    return true;
}

// Whether the record is whole, into the measures. `live` was asked before the log was read: a lab that ended meanwhile has sealed it.
static void prove(const char *run_dir, bool live, const struct run_read_stats *stats, struct folds *f) {
    cleanup_free char *ledger = xasprintf("%s/ledger.bin", run_dir), *plan = xasprintf("%s/plan.json", run_dir);
    cleanup_strbuf struct strbuf text = {0};
    struct digest of_plan, of_ledger;
    struct proof_folder folder = {.log = *stats, .live = live};
    if (fs_read_file(plan, PLAN_MAX, &text, NULL) == 0)
        folder.plan = strbuf_str(&text);
    if (digest_file(plan, &of_plan, NULL) == 0)
        folder.plan_digest = &of_plan;
    if (digest_file(ledger, &of_ledger, NULL) == 0)
        folder.ledger_digest = &of_ledger;
    measure_record(f->measure, proof_finish(f->proof, &folder));
}

int result_fold(const char *run_dir, struct measure **ret, const struct measures **ret_measures,
                struct story **ret_story, struct err *err) {
    cleanup_free char *events = xasprintf("%s/events.jsonl", run_dir), *ledger = xasprintf("%s/ledger.bin", run_dir);
    struct stat st;
    if (stat(run_dir, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(err, ENOTDIR, "'%s' is no run folder: that is the folder with events.jsonl in it", run_dir);
    bool live = runs_is_live(events);
    struct folds f = {.measure = measure_new(), .proof = proof_new(), .story = ret_story ? story_new() : NULL};
    struct run_read_stats stats = {0};
    int r = run_log_read(events, take_event, &f, &stats, err);
    if (r == 0 && stats.events == 0)
        r = err_set(err, ENODATA, "%s holds no event", events);
    if (r == 0 && access(ledger, F_OK) == 0 && ledger_read(ledger, take_operation, &f, err) < 0)
        r = -EIO;
    if (r == 0)
        prove(run_dir, live, &stats, &f);
    proof_free(f.proof);
    if (r < 0) {
        measure_free(f.measure);
        story_free(f.story);
        return r;
    }
    *ret = f.measure;
    *ret_measures = measure_finish(f.measure);
    if (ret_story) {
        report_end_story(f.story, *ret_measures);
        *ret_story = f.story;
    }
    return 0;
}

int result_write(const char *run_dir, const struct measures *m, struct err *err) {
    cleanup_strbuf struct strbuf json = {0};
    report_json(m, &json);
    cleanup_free char *path = xasprintf("%s/result.json", run_dir);
    return fs_write_atomic(path, strbuf_str(&json), json.len, 0644, err);
}

void result_keep(const char *run_dir, const struct measures *m) {
    struct err err = {0};
    cleanup_free char *page = xasprintf("%s/report.html", run_dir);
    if (result_write(run_dir, m, &err) < 0)
        log_warn("%s", err.msg);
    if (result_write_page(run_dir, m, page, &err) < 0)
        log_warn("%s", err.msg);
}

int result_exit_code(enum verdict v) {
    switch (v) {
    case VERDICT_PASS:
        return EXIT_PASS;
    case VERDICT_FAIL:
        return EXIT_EXPECTATION;
    case VERDICT_ERROR:
        return EXIT_BROKEN;
    case VERDICT_KNOWN_DEFECT:
        return EXIT_KNOWN_DEFECT;
    case VERDICT_INVALID:
    case VERDICT_SKIPPED:
        return EXIT_SKIPPED;
    }
    return EXIT_BROKEN;
}
