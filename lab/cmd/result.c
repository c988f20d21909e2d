// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/result.h"

#include <signal.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/record/run.h"
#include "lab/report/report.h"
#include "lab/runs/runs.h"

enum { PLAN_MAX = 4 * 1024 * 1024 };

struct folds {
    struct measure *measure; // NULL = nobody wants it
    struct proof *proof;
    struct story *story; // NULL = nobody wants it
};

static bool take_event(void *arg, const struct event *ev) {
    struct folds *f = arg;
    if (f->measure)
        measure_event(f->measure, ev);
    proof_event(f->proof, ev);
    if (f->story)
        story_event(f->story, ev);
    return true;
}

static bool take_operation(void *arg, const struct ledger_record *r) {
    struct folds *f = arg;
    if (f->measure)
        measure_ledger(f->measure, r);
    proof_ledger(f->proof, r);
    return true;
}

// Reads a record into the folds and judges it. `live` is asked before the log is read: a lab that ends meanwhile has sealed it.
static int read_record(const char *run_dir, struct folds *f, const struct record_proof **ret, struct err *err) {
    cleanup_free char *events = xasprintf("%s/events.jsonl", run_dir), *ledger = xasprintf("%s/ledger.bin", run_dir),
                      *plan = xasprintf("%s/plan.json", run_dir);
    cleanup_strbuf struct strbuf text = {0};
    struct digest of_plan, of_ledger;
    struct proof_folder folder = {.live = runs_is_live(events)};
    int r = run_log_read(events, take_event, f, &folder.log, err);
    if (r == 0 && folder.log.events == 0)
        r = err_set(err, ENODATA, "%s holds no event", events);
    if (r < 0)
        return r;
    struct err refused = {0};
    if (access(ledger, F_OK) == 0 && ledger_read(ledger, take_operation, f, f->measure ? err : &refused) < 0) {
        if (f->measure)
            return -EIO;
        proof_ledger(f->proof,
                     &(struct ledger_record){.op = LEDGER_BROKEN}); // a damage like any other for who needs no numbers
    }
    if (fs_read_file(plan, PLAN_MAX, &text, NULL) == 0)
        folder.plan = strbuf_str(&text);
    if (digest_file(plan, &of_plan, NULL) == 0)
        folder.plan_digest = &of_plan;
    if (digest_file(ledger, &of_ledger, NULL) == 0)
        folder.ledger_digest = &of_ledger;
    *ret = proof_finish(f->proof, &folder);
    return 0;
}

static int read_log_alone(const char *path, struct folds *f, const struct record_proof **ret, struct err *err) {
    struct proof_folder folder = {.live = runs_is_live(path), .alone = true};
    int r = run_log_read(path, take_event, f, &folder.log, err);
    if (r == 0)
        *ret = proof_finish(f->proof, &folder);
    return r;
}

int result_prove(const char *run, struct proof **ret, const struct record_proof **ret_record, struct err *err) {
    struct stat st;
    struct folds f = {.proof = proof_new()};
    const char *slash = strrchr(run, '/');
    cleanup_free char *parent = slash > run ? xstrndup(run, (size_t)(slash - run)) : xstrdup(slash ? "/" : ".");
    int r;
    if (stat(run, &st) < 0 || S_ISDIR(st.st_mode))
        r = read_record(run, &f, ret_record, err);
    else if (str_eq(slash ? slash + 1 : run, "events.jsonl"))
        r = read_record(parent, &f, ret_record, err);
    else
        r = read_log_alone(run, &f, ret_record, err);
    if (r < 0)
        proof_free(f.proof);
    else
        *ret = f.proof;
    return r;
}

int result_fold(const char *run_dir, struct measure **ret, const struct measures **ret_measures,
                struct story **ret_story, struct err *err) {
    struct stat st;
    if (stat(run_dir, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(err, ENOTDIR, "'%s' is no run folder: that is the folder with events.jsonl in it", run_dir);
    struct folds f = {.measure = measure_new(), .proof = proof_new(), .story = ret_story ? story_new() : NULL};
    const struct record_proof *record;
    int r = read_record(run_dir, &f, &record, err);
    if (r == 0)
        measure_record(f.measure, record);
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

// Writes result.json into the run folder.
static int result_write(const char *run_dir, const struct measures *m, struct err *err) {
    cleanup_strbuf struct strbuf json = {0};
    report_json(m, &json);
    cleanup_free char *path = xasprintf("%s/result.json", run_dir);
    return fs_write_atomic(path, strbuf_str(&json), json.len, 0644, err);
}

void result_keep(const char *run_dir, const struct measures *m) {
    struct err err = {0};
    (void)signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is told like a full disk
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
