// SPDX-License-Identifier: PostgreSQL
// The daemons' log lines.
#include "dashboard/history_fold.h"

static void drop_log(struct log_entry *e) {
    free(e->text);
}

void fold_log(struct fold *f, const struct event *ev) {
    struct history *h = &f->h;
    TRIM_OLDEST(&h->logs, KEEP_LINES, drop_log);
    (void)VEC_ADD(&h->logs);
    size_t i = h->logs.n - 1;
    for (; i > 0 && h->logs.items[i - 1].t > ev->t; i--) // lines of several nodes come a little out of order
        h->logs.items[i] = h->logs.items[i - 1];
    struct log_entry *e = &h->logs.items[i];
    memset(e, 0, sizeof *e);
    e->t = ev->t;
    STR_COPY(e->node, ev->u.LOG_LINE.node);
    STR_COPY(e->service, ev->u.LOG_LINE.service);
    e->level = ev->u.LOG_LINE.level;
    e->text = xstrdup(ev->u.LOG_LINE.text);
}
