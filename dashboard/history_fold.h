// SPDX-License-Identifier: PostgreSQL
#pragma once
// Private to the fold: what it must remember between two events, and its parts by theme.
#include "dashboard/history.h"
#include "lab/model/watch.h"

// A lab may be up for weeks. These are the most entries kept; a fifth is dropped at once, so that dropping costs nothing per event.
enum {
    KEEP_LINES = 20000,  // logs
    KEEP_TICKS = 360000, // 10 h of 100 ms
    KEEP_SEGMENTS = 20000,
    KEEP_POINTS = 20000,   // of leadership, outages, positions
    KEEP_KEYS = 512,       // keys, steps, rows: what is there now
    KEEP_LESSON = 1 << 16, // bytes
};

struct fold {
    struct history h; // first: the address of the one is that of the other
    struct watch *watch;
    VEC(struct fault_band) asked; // injections that are under way: no band yet
    struct {                      // last seen of each node as a standby: where its next timeline branches off
        int64_t timeline;
        lsn_t lsn;
    } standby[NODES_MAX];
};

// Makes room when the list is full: the oldest fifth goes. `drop` (may be NULL) frees what an item owns.
#define TRIM_OLDEST(v, most, drop)                                                                                     \
    do {                                                                                                               \
        if ((v)->n >= (size_t)(most)) {                                                                                \
            VEC_BELIEVE(v);                                                                                            \
            size_t trim_n = (v)->n / 5 + 1;                                                                            \
            for (size_t trim_i = 0; trim_i < trim_n; trim_i++)                                                         \
                drop(&(v)->items[trim_i]);                                                                             \
            memmove((v)->items, (v)->items + trim_n, ((v)->n - trim_n) * sizeof *(v)->items);                          \
            (v)->n -= trim_n;                                                                                          \
        }                                                                                                              \
    } while (0)
#define TRIM_NOTHING(item) ((void)(item))

void fold_lanes(struct fold *f, const struct model *m, const struct event *ev);
void fold_tick(struct fold *f, const struct event *ev);
void fold_client_error(struct fold *f, const struct event *ev);
void fold_final(struct fold *f, const struct event *ev);
void fold_fault_phase(struct fold *f, const struct event *ev);
void fold_act(struct fold *f, const struct event *ev);
void fold_link(struct fold *f, const struct event *ev);
void fold_authority(struct fold *f, const struct model *m, const struct event *ev);
void fold_entry(struct fold *f, const struct event *ev);
void fold_branches(struct fold *f, const struct model *m, const struct event *ev);
void fold_log(struct fold *f, const struct event *ev);
void fold_run(struct fold *f, const struct event *ev); // begin, version, state, settings, end
void fold_step(struct fold *f, const struct event *ev);
void fold_plan(struct fold *f, const struct event *ev);
void fold_expect(struct fold *f, const struct event *ev);
void fold_row(struct fold *f, const struct event *ev);
void fold_wal(struct fold *f, const struct model *m, const struct event *ev);
