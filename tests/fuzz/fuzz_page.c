// SPDX-License-Identifier: PostgreSQL
// Any log, ledger, plan and file into the HTML page. Its data block is JSON, and nothing in it ends the script element.
#include <cjson/cJSON.h>
#include <string.h>

#include "lab/base/json.h"
#include "lab/report/html.h"
#include "tests/fuzz/log_input.h"

struct folds {
    struct measure *measure;
    struct html_page *page;
};

static void apply(void *arg, const struct event *ev) {
    struct folds *f = arg;
    measure_event(f->measure, ev);
    html_page_event(f->page, ev);
}

static void operation(void *arg, const struct ledger_record *r) {
    struct folds *f = arg;
    measure_ledger(f->measure, r);
    html_page_ledger(f->page, r);
}

static void demand_data(const char *page) {
    const char *at = strstr(page, "type=\"application/json\"");
    const char *from = at ? strchr(at, '>') : NULL, *to = from ? strstr(from, "</script") : NULL;
    if (!to)
        abort();
    cleanup_free char *data = xstrndup(from + 1, (size_t)(to - from - 1));
    cleanup_json cJSON *j = cJSON_Parse(data);
    if (!j)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct folds f = {.measure = measure_new(), .page = html_page_new()};
    cleanup_free char *text = xstrndup((const char *)data, size);
    log_input(data, size, apply, &f);
    if (size % 4)
        log_input_ledger(data, size, operation, &f);
    html_page_plan(f.page, text);
    html_page_overrides(f.page, text);
    html_page_file(f.page, "n1", "/etc/patroni.yml", text);
    html_page_file(f.page, "", "scenario.yaml", text);
    cleanup_strbuf struct strbuf page = {0};
    html_page_write(f.page, measure_finish(f.measure), &page);
    demand_data(strbuf_str(&page));
    html_page_free(f.page);
    measure_free(f.measure);
    return 0;
}
