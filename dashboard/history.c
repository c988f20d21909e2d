// SPDX-License-Identifier: PostgreSQL
// The fold over events that keeps the past. Memory is bounded: old entries go (history_fold.h says how many are kept).
#include "dashboard/history.h"

#include "dashboard/history_fold.h"
#include "lab/ha/ha.h"

struct history *history_new(void) {
    struct fold *f = xcalloc(1, sizeof *f);
    f->h.story = story_new();
    f->watch = watch_new();
    f->h.leadership.system = ha_find("");
    f->h.felt.most = f->h.leadership.most = KEEP_POINTS;
    return &f->h;
}

static void free_lists(struct history *h) {
    for (size_t i = 0; i < NODES_MAX; i++) {
        VEC_DONE(&h->lanes[i]);
        VEC_DONE(&h->arbiter_lanes[i]);
    }
    VEC_DONE(&h->faults);
    VEC_DONE(&h->acts);
    outages_done(&h->felt);
    leadership_done(&h->leadership);
    VEC_DONE(&h->ticks);
    VEC_DONE(&h->still);
    VEC_DONE(&h->branches);
    VEC_DONE(&h->steps);
    VEC_DONE(&h->links);
    VEC_DONE(&h->expects);
    VEC_DONE(&h->planned);
    strbuf_done(&h->lesson);
    VEC_DONE(&h->rows);
    VEC_DONE(&h->wal);
    VEC_DONE(&h->client_errors);
    VEC_DONE(&h->finals);
}

void history_free(struct history *h) {
    if (!h)
        return;
    struct fold *f = (struct fold *)h;
    VEC_FOREACH (&h->logs, entry)
        free(entry->text);
    VEC_FOREACH (&h->keys, key)
        free(key->value);
    story_free(h->story);
    watch_free(f->watch);
    VEC_DONE(&h->logs);
    VEC_DONE(&h->keys);
    free_lists(h);
    VEC_DONE(&f->asked);
    free(f);
}

static void apply_kind(struct fold *f, const struct model *m, const struct event *ev) {
    switch (ev->kind) {
    case EVENT_RUN_BEGIN:
    case EVENT_VERSION:
    case EVENT_LAB_STATE:
    case EVENT_RUN_END:
        fold_run(f, ev);
        break;
    case EVENT_STEP:
        fold_step(f, ev);
        break;
    case EVENT_STEP_NEXT:
    case EVENT_PLAN_STEP:
    case EVENT_LESSON:
        fold_plan(f, ev);
        break;
    case EVENT_EXPECT:
        fold_expect(f, ev);
        break;
    case EVENT_SQL:
        fold_branches(f, m, ev);
        fold_wal(f, m, ev);
        break;
    case EVENT_REPLICATION:
        fold_row(f, ev);
        break;
    case EVENT_AUTHORITY:
        fold_authority(f, m, ev);
        break;
    case EVENT_ENTRY:
        fold_entry(f, ev);
        break;
    case EVENT_CLIENT_TICK:
        fold_tick(f, ev);
        break;
    case EVENT_CLIENT_ERROR:
        fold_client_error(f, ev);
        break;
    case EVENT_FAULT:
        fold_fault_phase(f, ev);
        break;
    case EVENT_LINK:
        fold_link(f, ev);
        break;
    case EVENT_FINAL_READ:
        fold_final(f, ev);
        break;
    case EVENT_LOG_LINE:
        fold_log(f, ev);
        break;
    case EVENT_ACTION:
        fold_act(f, ev);
        break;
    case EVENT_TICK:
    case EVENT_CONFIG:
    case EVENT_NODE_INFO:
    case EVENT_NODE_POWER:
    case EVENT_MANAGER:
    case EVENT_GRANT:
    case EVENT_ARBITER:
    case EVENT_PROGRESS:
    case EVENT_WATCHDOG:
    case EVENT_SERVICE:
    case EVENT_SLOT:
    case EVENT_STORE_WATCH:
    case EVENT_PROXY:
    case EVENT_CLIENT_SERVER:
    case EVENT_RECORD_THINNED:
    case EVENT_COMMAND:
    case EVENT_FINAL_ROWS:
    case EVENT_NOISE:
    case EVENT_KNOWN_DEFECT:
    case EVENT_RECORD_SEAL:
    case EVENT_KIND_COUNT:
        break;
    }
}

void history_apply(struct history *h, const struct model *m, const struct event *ev) {
    struct fold *f = (struct fold *)h;
    if (ev->t > h->now)
        h->now = ev->t;
    apply_kind(f, m, ev);
    ha_leadership_event(&h->leadership, m, ev);
    outages_event(&h->felt, ev);
    fold_lanes(f, m, ev);
    story_event(f->h.story, ev);
}
