// SPDX-License-Identifier: PostgreSQL
// Any log on its way into a thinned record: no line is lost, none is invented, counts are kept, what comes out can be read back, and nothing is held
// after a flush.
#include "lab/base/count.h"
#include "lab/record/thin.h"
#include "tests/fuzz/log_input.h"

struct sums {
    int64_t lines, writes, reads;
};

struct both {
    struct thinner *th;
    struct sums in, out;
    usec_t after;
};

static void add(struct sums *s, const struct event *ev) {
    if (ev->kind == EVENT_RECORD_THINNED)
        return;
    s->lines = count_add(s->lines, count_add(ev->repeats, 1));
    if (ev->kind != EVENT_CLIENT_TICK)
        return;
    s->writes = count_add(s->writes, ev->u.CLIENT_TICK.w_ok);
    s->reads = count_add(s->reads, ev->u.CLIENT_TICK.r_ok);
}

static void written(void *arg, const struct event *ev) {
    struct both *b = arg;
    cleanup_strbuf struct strbuf line = {0};
    struct event again;
    event_to_json(ev, &line);
    if (event_from_json(strbuf_str(&line), line.len, &again, NULL) < 0 || again.kind != ev->kind ||
        again.repeats != ev->repeats)
        abort();
    add(&b->out, ev);
}

static void given(void *arg, const struct event *ev) {
    struct both *b = arg;
    struct event single = *ev; // nobody who makes events merges them
    single.repeats = 0;
    single.pause = 0;
    add(&b->in, &single);
    thin_event(b->th, &single);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct both b = {.after = (size % 5) * SEC};
    b.th = thin_new(b.after, written, &b);
    log_input(data, size, given, &b);
    if (size % 3 == 0)
        thin_watched(b.th, true);
    thin_flush(b.th);
    if (b.in.lines != b.out.lines || b.in.writes != b.out.writes || b.in.reads != b.out.reads)
        abort();
    thin_free(b.th);
    return 0;
}
