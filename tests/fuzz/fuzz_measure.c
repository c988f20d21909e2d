// SPDX-License-Identifier: PostgreSQL
// Any log, and a ledger made of its last bytes, into numbers, a verdict, the text report, result.json and a comparison of two runs. What
// is printed as JSON is JSON; a range is in its order; whatever is said in a terminal has no control characters but our own.
#include <cjson/cJSON.h>

#include "lab/base/json.h"
#include "lab/base/plain.h"
#include "lab/measure/laws.h"
#include "lab/report/compare.h"
#include "lab/report/report.h"
#include "tests/fuzz/log_input.h"

struct folds {
    struct measure *measure;
    struct story *story;
    struct compare_run run;
};

static void apply(void *arg, const struct event *ev) {
    struct folds *f = arg;
    measure_event(f->measure, ev);
    story_event(f->story, ev);
    compare_take(&f->run, ev);
}

static void operation(void *arg, const struct ledger_record *r) {
    measure_ledger(arg, r);
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
        if (o->phases[i].bounded &&
            (o->phases[i].bound_min > o->phases[i].bound_max || o->phases[i].bound_max > LAW_MAX))
            abort();
    if (o->split_brain_min > o->split_brain_max)
        abort();
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct folds f = {.measure = measure_new(), .story = story_new(), .run = {.name = "a"}};
    log_input(data, size, apply, &f);
    if (size % 4)
        log_input_ledger(data, size, operation, f.measure);
    const struct measures *o = measure_finish(f.measure);
    demand_order(o);
    report_end_story(f.story, o);
    f.run.m = o;
    print(o, &f, size);
    VEC_DONE(&f.run.settings);
    story_free(f.story);
    measure_free(f.measure);
    return 0;
}
