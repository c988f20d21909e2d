// SPDX-License-Identifier: PostgreSQL
// Any log through the folds of a living lab: the model with its named facts, and the lines of `bascule run`. No crash, and every
// fact has its reason in words.
#include "lab/base/plain.h"
#include "lab/model/model.h"
#include "lab/report/report.h"
#include "tests/fuzz/log_input.h"

struct folds {
    struct model *model;
    struct report_live *live;
    struct strbuf out;
    size_t events;
    bool colour;
};

static void ask(struct model *m) {
    char why[160];
    if (m->leader_disputed && *m->leader && !(m->kind->has & HA_AUTHORITY))
        abort();
    if (!*model_nobody(m, why, sizeof why))
        abort();
    (void)model_healthy(m, why, sizeof why);
    (void)model_complete(m, why, sizeof why);
    (void)model_quorum(m);
    (void)model_leader(m);
    for (size_t i = 0; i < m->n_nodes; i++) {
        const struct model_node *n = &m->nodes[i];
        int up = model_node_up(n);
        if (up < -1 || up > 1 || (model_is_replica(m, n) && model_leader(m) == n))
            abort();
        (void)model_is_sync_standby(m, n);
    }
}

static void demand_plain(const struct strbuf *text) {
    cleanup_strbuf struct strbuf plain = {0};
    plain_add(&plain, strbuf_str(text), text->len, true);
    if (!str_eq(strbuf_str(&plain), strbuf_str(text)))
        abort();
}

static void apply(void *arg, const struct event *ev) {
    struct folds *f = arg;
    model_apply(f->model, ev);
    if (f->events++ % 8 == 0)
        ask(f->model);
    strbuf_clear(&f->out);
    report_live_event(f->live, ev, &f->out);
    if (!f->colour)
        demand_plain(&f->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct report_style style = {.colour = size % 2, .utf8 = size % 3 != 0, .width = size % 5 ? 80 : 40};
    struct folds f = {.model = model_new(), .live = report_live_new(&style), .colour = style.colour};
    log_input(data, size, apply, &f);
    report_live_free(f.live);
    model_free(f.model);
    strbuf_done(&f.out);
    return 0;
}
