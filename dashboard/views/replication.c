// SPDX-License-Identifier: PostgreSQL
// Who streams from whom and how far behind, what the slots hold back, and how PostgreSQL's timelines branched.
#include "dashboard/views/parts.h"

struct replication {
    struct scroll rows;
};

static void *replication_open(void) {
    return xcalloc(1, sizeof(struct replication));
}

// ---- standbys: every member but the leader, with the row of the leader's pg_stat_replication if there is one -------------------
struct standbys {
    const struct dash *d;
    size_t index[NODES_MAX], n;
};

static void list_standbys(struct standbys *l, const struct dash *d) {
    *l = (struct standbys){.d = d};
    for (size_t i = 0; i < d->model->n_nodes; i++) {
        const struct model_node *n = &d->model->nodes[i];
        if ((n->services & SERVICE_POSTGRES) && !(*d->model->leader && str_eq(n->name, d->model->leader)))
            l->index[l->n++] = i;
    }
}

static const struct row_entry *row_of(const struct dash *d, const char *standby) {
    VEC_FOREACH (&d->history->rows, r)
        if (str_eq(r->node, d->model->leader) && str_eq(r->standby, standby))
            return r;
    return NULL;
}

enum { COL_NODE, COL_STATE, COL_SYNC, COL_TL, COL_SENT, COL_FLUSHED, COL_REPLAYED, COL_LAG, COL_TIME };
static const struct column columns[] = {
    [COL_NODE] = {"STANDBY", 7, 0, false},       [COL_STATE] = {"STATE", 11, 0, false},
    [COL_SYNC] = {"SYNC", 7, 0, false},          [COL_TL] = {"TL", 2, 2, true},
    [COL_SENT] = {"SENT", 10, 1, false},         [COL_FLUSHED] = {"FLUSHED", 10, 1, false},
    [COL_REPLAYED] = {"REPLAYED", 10, 0, false}, [COL_LAG] = {"LAG", 8, 0, true},
    [COL_TIME] = {"BEHIND", 8, 0, true},
};

static void cell_lsn(struct piece *p, lsn_t lsn) {
    char text[LSN_TEXT_MAX];
    piece_set(p, lsn ? TONE_PLAIN : TONE_DIM, -1, "%s", lsn ? lsn_format(text, lsn) : "-");
}

// A row is told now and then, the standby's own answer once a second: what it has replayed was sent and flushed before.
static lsn_t at_least(lsn_t told, lsn_t proven) {
    return told > proven ? told : proven;
}

static void cell_sync(const struct model *m, const struct model_node *n, struct piece *p) {
    if (model_is_sync_standby(m, n))
        piece_set(p, TONE_GOOD, SIGN_SYNC, "sync");
    else if (*n->sync_state)
        piece_set(p, TONE_PLAIN, SIGN_REPLICA, "%s", n->sync_state);
    else
        piece_set(p, TONE_DIM, -1, "-");
}

static void cell_behind(const struct dash *d, const struct model_node *n, struct piece *p) {
    usec_t behind;
    char text[SHORT_MAX];
    if (n->lag_bytes == 0)
        piece_set(p, TONE_GOOD, -1, "0 s");
    else if (n->lag_bytes > 0 && history_lag_time(d->history, n->replayed, d->now, &behind))
        piece_set(p, behind > 10 * SEC ? TONE_WARN : TONE_PLAIN, -1, behind < SEC ? "< 1 s" : "~%s",
                  seconds_text(text, behind));
    else
        piece_set(p, TONE_DIM, -1, "?");
}

static void standby_cell(const void *arg, size_t row, int column, struct piece *p) {
    const struct standbys *l = arg;
    const struct model_node *n = &l->d->model->nodes[l->index[row]];
    const struct row_entry *r = row_of(l->d, n->name);
    switch (column) {
    case COL_NODE:
        piece_set(p, TONE_STRONG, -1, "%s", n->name);
        break;
    case COL_STATE:
        words_postgres(l->d->model, n, p);
        if (r && n->pg_answered && !str_eq(r->state, "streaming"))
            piece_set(p, TONE_WARN, SIGN_WARN, "%s", r->state);
        break;
    case COL_SYNC:
        cell_sync(l->d->model, n, p);
        break;
    case COL_TL:
        piece_set(p, TONE_PLAIN, -1, n->timeline ? "%" PRId64 : "-", n->timeline);
        break;
    case COL_SENT:
        cell_lsn(p, r ? at_least(at_least(r->sent, n->lsn), n->replayed) : 0);
        break;
    case COL_FLUSHED:
        cell_lsn(p, r ? at_least(r->flushed, n->replayed) : 0);
        break;
    case COL_REPLAYED:
        cell_lsn(p, n->replayed ? n->replayed : r ? r->replayed : 0);
        break;
    case COL_LAG:
        words_lag(n, p);
        break;
    case COL_TIME:
        cell_behind(l->d, n, p);
        break;
    default:
        break;
    }
}

static int draw_leader(struct canvas *c, struct rect area, const struct dash *d) {
    const struct model_node *n = model_leader(d->model);
    char lsn[LSN_TEXT_MAX];
    (void)canvas_field(c, area, 0, 1, 8, TONE_STRONG, "Leader");
    if (!n) {
        int x = canvas_sign(c, area, 0, 9, TONE_BAD, SIGN_BAD);
        (void)canvas_text(c, area, 0, x + 1, TONE_BAD, "nobody: the standbys have nothing to stream from");
        return 1;
    }
    int x = canvas_sign(c, area, 0, 9, TONE_LEADER, SIGN_LEADER);
    x = canvas_text(c, area, 0, x + 1, TONE_LEADER, "%s", n->name);
    const char *mode = d->model->synchronous_mode ? "synchronous" : "asynchronous";
    if (n->pg_answered)
        (void)canvas_text(c, area, 0, x, TONE_PLAIN, ", timeline %" PRId64 ", written up to %s; replication: %s",
                          n->timeline, n->lsn ? lsn_format(lsn, n->lsn) : "?", mode);
    else
        (void)canvas_text(c, area, 0, x, TONE_BAD, " %s but does not answer; replication: %s",
                          d->model->kind->has & HA_AUTHORITY ? "holds the key" : d->model->kind->holds, mode);
    return 1;
}

// ---- slots --------------------------------------------------------------------------------------------------------------
enum { SCOL_NODE, SCOL_SLOT, SCOL_STATE, SCOL_BYTES, SCOL_TOLD };
static const struct column slot_columns[] = {
    [SCOL_NODE] = {"ON", 7, 0, false},      [SCOL_SLOT] = {"SLOT", 20, 0, false},
    [SCOL_STATE] = {"STATE", 12, 0, false}, [SCOL_BYTES] = {"HOLDS BACK", 10, 0, true},
    [SCOL_TOLD] = {"CHANGED", 14, 0, true},
};

static void slot_cell(const void *arg, size_t row, int column, struct piece *p) {
    const struct dash *d = arg;
    const struct model_slot *s = &d->model->slots.items[row];
    char text[SHORT_MAX];
    if (column == SCOL_NODE)
        piece_set(p, TONE_PLAIN, -1, "%s", s->node);
    else if (column == SCOL_SLOT)
        piece_set(p, TONE_STRONG, -1, "%s", s->slot);
    else if (column == SCOL_STATE)
        piece_set(p, s->active ? TONE_GOOD : TONE_WARN, s->active ? SIGN_GOOD : SIGN_WARN, "%s",
                  s->active ? "in use" : "unused");
    else if (column == SCOL_BYTES)
        piece_set(p, !s->active && s->retained_bytes > 0 ? TONE_WARN : TONE_PLAIN, -1, "%s",
                  bytes_text(text, s->retained_bytes));
    else
        piece_set(p, TONE_DIM, -1, "%s ago", seconds_text(text, d->now > s->t ? d->now - s->t : 0));
}

// ---- timelines ------------------------------------------------------------------------------------------------------------
static int depth_of(const struct history *h, const struct branch *b) {
    int depth = 0;
    for (size_t guard = 0; b && b->parent && guard < h->branches.n; guard++) {
        const struct branch *up = NULL;
        VEC_FOREACH (&h->branches, x)
            if (x->timeline == b->parent)
                up = x;
        b = up;
        depth += up != NULL;
    }
    return depth;
}

static void draw_branches(struct canvas *c, struct rect area, const struct dash *d) {
    const struct history *h = d->history;
    int y = 0;
    if (!h->branches.n)
        (void)canvas_text(c, area, y, 1, TONE_DIM, "no writable node has been seen yet");
    size_t first = h->branches.n > (size_t)(area.rows > 0 ? area.rows : 0) ? h->branches.n - (size_t)area.rows : 0;
    for (size_t i = first; i < h->branches.n && y < area.rows; i++, y++) {
        const struct branch *b = &h->branches.items[i];
        char lsn[LSN_TEXT_MAX], stamp[SHORT_MAX];
        int depth = depth_of(h, b);
        depth = depth > 20 ? 20 : depth;
        int x = 1 + depth * 2;
        if (depth)
            (void)canvas_text(c, area, y, x - 2, TONE_DIM, "└");
        bool current = model_leader(d->model) && model_leader(d->model)->timeline == b->timeline;
        x = canvas_text(c, area, y, x, current ? TONE_LEADER : TONE_PLAIN, "timeline %" PRId64 ": %s", b->timeline,
                        b->node);
        x = canvas_text(c, area, y, x, TONE_DIM, " from %s s", stamp_text(stamp, b->t) + strspn(stamp, " "));
        if (b->parent)
            x = canvas_text(c, area, y, x, TONE_DIM, ", left timeline %" PRId64 " at %s", b->parent,
                            b->at ? lsn_format(lsn, b->at) : "?");
        if (current)
            (void)canvas_text(c, area, y, x, TONE_LEADER, " (now)");
    }
}

static void replication_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    (void)view;
    const struct history *h = d->history;
    struct standbys l;
    list_standbys(&l, d);
    int y = draw_leader(c, area, d);
    heading(c, area, y++, "Standbys", NULL);
    y += (int)table_draw(c, rect_rows(area, y, (int)l.n + 1), columns, (int)ARRAY_SIZE(columns), l.n, 0, SIZE_MAX,
                         standby_cell, &l) +
         1;
    int branches = (int)h->branches.n < 1 ? 1 : (int)h->branches.n > 6 ? 6 : (int)h->branches.n;
    int room = area.rows - y - branches - 3;
    heading(c, area, y++, "Slots", "an unused slot keeps WAL for who may return");
    size_t slots = d->model->slots.n;
    size_t first = slots > (size_t)(room > 0 ? room : 0) ? slots - (size_t)(room > 0 ? room : 0) : 0;
    if (slots)
        y += (int)table_draw(c, rect_rows(area, y, room + 1 > 0 ? room + 1 : 0), slot_columns,
                             (int)ARRAY_SIZE(slot_columns), slots, first, SIZE_MAX, slot_cell, d) +
             1;
    else
        (void)canvas_text(c, area, y++, 1, TONE_DIM, "none seen");
    heading(c, area, y++, "Timelines of PostgreSQL", "a new one at every promotion");
    draw_branches(c, rect_rows(area, y, -1), d);
}

static bool replication_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)view, (void)d, (void)key, (void)ret;
    return false;
}

const struct view_ops view_replication = {
    .name = "replication",
    .title = "Replication",
    .tab = "Replicas",
    .letter = 'R',
    .open = replication_open,
    .draw = replication_draw,
    .key = replication_key,
    .help = "SYNC    sync: a commit waits for this standby; async: it does not\n"
            "LAG     bytes of WAL that the leader has and the standby has not replayed\n"
            "BEHIND  the same in time, good to about a second\n"
            "Slots   what a standby that is away makes the leader keep\n",
    .close = free,
};
