// SPDX-License-Identifier: PostgreSQL
// Any log, and a ledger made of its last bytes, into numbers, a verdict, the text report, result.json and a comparison of two runs. What
// is printed as JSON is JSON; a range is in its order; whatever is said in a terminal has no control characters but our own.
#include <cjson/cJSON.h>

#include "lab/base/json.h"
#include "lab/base/plain.h"
#include "lab/ha/patroni/laws.h"
#include "lab/proof/proof.h"
#include "lab/report/compare.h"
#include "lab/report/report.h"
#include "tests/fuzz/log_input.h"

struct folds {
    struct measure *measure;
    struct proof *proof;
    struct story *story;
    struct compare_run run;
};

static void apply(void *arg, const struct event *ev) {
    struct folds *f = arg;
    measure_event(f->measure, ev);
    proof_event(f->proof, ev);
    story_event(f->story, ev);
    compare_take(&f->run, ev);
}

static void operation(void *arg, const struct ledger_record *r) {
    struct folds *f = arg;
    measure_ledger(f->measure, r);
    proof_ledger(f->proof, r);
}

static void demand_json(const struct strbuf *text) {
    cleanup_json cJSON *j = cJSON_Parse(strbuf_str(text));
    if (!j)
        abort();
}

static void demand_printable(const struct strbuf *text) {
    cleanup_strbuf struct strbuf plain = {0};
    plain_add(&plain, strbuf_str(text), text->len, true);
    if (!str_eq(strbuf_str(&plain), strbuf_str(text)) || strchr(strbuf_str(text), '\t'))
        abort();
}

static void demand_order(const struct measures *o) {
    for (int i = 0; i < PHASE_COUNT; i++)
        if (o->phases.list[i].bounded &&
            (o->phases.list[i].bound_min > o->phases.list[i].bound_max || o->phases.list[i].bound_max > LAW_MAX))
            abort();
    if (o->split_brain.min > o->split_brain.max)
        abort();
    VEC_FOREACH (&o->expects, e)
        if ((e->ok && !e->known) || e->law_min > e->law_max || e->law_max > LAW_MAX || (e->inside && e->ok && !e->law))
            abort(); // a law that is not known is never kept
}

static void print(const struct measures *o, const struct folds *f, size_t size) {
    cleanup_strbuf struct strbuf text = {0}, json = {0}, line = {0}, both = {0}, differ = {0};
    const struct report_style style = {.utf8 = size % 2, .width = size % 3 ? 80 : 40};
    compare_list runs = {0};
    report_text(o, f->story, "run", &style, &text);
    report_line(o, &style, &line);
    report_json(o, &json);
    VEC_PUSH(&runs, f->run);
    VEC_PUSH(&runs, f->run);
    compare_text(&runs, &style, &both);
    compare_json(&runs, &differ);
    demand_json(&json);
    demand_json(&differ);
    demand_printable(&text);
    demand_printable(&line);
    demand_printable(&both);
    VEC_DONE(&runs);
}

// Without a seal, with any bytes as its plan or a plan of the right form: the rules run, and what they say fits the list.
static void prove(struct folds *f, const uint8_t *data, size_t size) {
    static const char plan[] =
        "{\"name\":\"\",\"seed\":1,\"topology\":{\"name\":\"t\",\"nodes\":[{\"name\":\"n1\",\"services\":[\"postgres\","
        "1]},7]},"
        "\"steps\":[{\"name\":\"crash\",\"kind\":\"inject\"},null],\"expect\":[{\"kind\":\"rejoin\",\"max\":1e300,"
        "\"inside\":true},[]],"
        "\"known_defects\":[{\"id\":\"x\"},\"y\"]}";
    cleanup_free char *any = xstrndup((const char *)data, size);
    struct digest digest;
    digest_begin(&digest);
    struct proof_folder folder = {.log = {.seal = (enum run_seal)(size % 3), .broken = (int64_t)(size % 5)},
                                  .plan = size % 7 == 0   ? NULL
                                          : size % 7 == 1 ? any
                                                          : plan,
                                  .live = size % 11 == 0,
                                  .ledger_digest = size % 2 ? &digest : NULL};
    const struct record_proof *proof = proof_finish(f->proof, &folder);
    if (proof->complete != (proof->missing.n == 0))
        abort();
    measure_record(f->measure, proof);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct folds f = {.measure = measure_new(), .proof = proof_new(), .story = story_new(), .run = {.name = "a"}};
    log_input(data, size, apply, &f);
    if (size % 4)
        log_input_ledger(data, size, operation, &f);
    prove(&f, data, size);
    const struct measures *o = measure_finish(f.measure);
    demand_order(o);
    report_end_story(f.story, o);
    f.run.m = o;
    print(o, &f, size);
    VEC_DONE(&f.run.settings);
    story_free(f.story);
    measure_free(f.measure);
    proof_free(f.proof);
    return 0;
}
