// SPDX-License-Identifier: PostgreSQL
// The store in which the managers keep their truth: members, leader, term, the keys under the cluster's prefix and the lease on the leader key.
#include "dashboard/views/parts.h"

struct dcs {
    struct scroll keys;
    bool whole; // the selected key's value in full
};

static void *dcs_open(void) {
    return xcalloc(1, sizeof(struct dcs));
}

struct members {
    const struct dash *d;
    size_t index[NODES_MAX], n;
};

static void list_members(struct members *l, const struct dash *d) {
    *l = (struct members){.d = d};
    for (size_t i = 0; i < d->model->n_nodes; i++)
        if (d->model->nodes[i].services & SERVICES_ARBITER)
            l->index[l->n++] = i;
}

static const char *name_of_id(const struct model *m, const char *id) {
    for (size_t i = 0; *id && i < m->n_nodes; i++)
        if (str_eq(m->nodes[i].arbiter_id, id))
            return m->nodes[i].name;
    return id[strspn(id, "0")] ? id : "nobody";
}

enum { MCOL_NODE, MCOL_STATE, MCOL_TERM, MCOL_FOLLOWS, MCOL_AGE, MCOL_ID };
static const struct column member_columns[] = {
    [MCOL_NODE] = {"MEMBER", 8, 0, false},  [MCOL_STATE] = {"STATE", 18, 0, false},
    [MCOL_TERM] = {"TERM", 6, 0, true},     [MCOL_FOLLOWS] = {"SEES AS LEADER", 16, 0, false},
    [MCOL_AGE] = {"ANSWERED", 10, 0, true}, [MCOL_ID] = {"ID", 17, 1, false},
};

static void member_cell(const void *arg, size_t row, int column, struct piece *p) {
    const struct members *l = arg;
    const struct model *m = l->d->model;
    const struct model_node *n = &m->nodes[l->index[row]];
    char age[SHORT_MAX];
    piece_set(p, TONE_PLAIN, -1, "-");
    if (column == MCOL_NODE)
        piece_set(p, TONE_STRONG, -1, "%s", n->name);
    else if (column == MCOL_STATE && !n->on)
        piece_set(p, TONE_BAD, SIGN_BAD, "power off");
    else if (column == MCOL_STATE)
        words_arbiter(n, p);
    else if (n->arbiter_answered && column == MCOL_TERM)
        piece_set(p, TONE_PLAIN, -1, "%" PRId64, n->arbiter_term);
    else if (n->arbiter_answered && column == MCOL_FOLLOWS)
        piece_set(p, TONE_PLAIN, -1, "%s", name_of_id(m, n->arbiter_leader_id));
    else if (n->arbiter_seen && column == MCOL_AGE)
        piece_set(p, l->d->now > n->arbiter_seen + 7 * SEC ? TONE_WARN : TONE_DIM, -1, "%s ago",
                  seconds_text(age, l->d->now > n->arbiter_seen ? l->d->now - n->arbiter_seen : 0));
    else if (column == MCOL_ID && *n->arbiter_id)
        piece_set(p, TONE_DIM, -1, "%s", n->arbiter_id);
}

enum { KCOL_KEY, KCOL_VALUE, KCOL_CHANGED, KCOL_REVISION, KCOL_LEASE };
static const struct column key_columns[] = {
    [KCOL_KEY] = {"KEY", 14, 0, false},    [KCOL_CHANGED] = {"CHANGED", 12, 0, true},
    [KCOL_REVISION] = {"REV", 5, 1, true}, [KCOL_LEASE] = {"LEASE", 16, 3, false},
    [KCOL_VALUE] = {"VALUE", 0, 0, false},
};

static void key_cell(const void *arg, size_t row, int column, struct piece *p) {
    const struct dash *d = arg;
    const struct key_entry *k = &d->history->keys.items[row];
    char age[SHORT_MAX];
    bool fresh = k->changed + 2 * SEC > d->now;
    bool leader = d->model->kind->entry && str_eq(k->key, d->model->kind->entry);
    switch (column) {
    case KCOL_KEY:
        piece_set(p, leader ? TONE_LEADER : fresh ? TONE_STRONG : TONE_PLAIN, -1, "%s", k->key);
        break;
    case KCOL_VALUE:
        piece_set(p, leader ? TONE_LEADER : TONE_PLAIN, -1, "%s", k->value);
        break;
    case KCOL_CHANGED:
        piece_set(p, fresh ? TONE_STRONG : TONE_DIM, -1, "%s ago",
                  seconds_text(age, d->now > k->changed ? d->now - k->changed : 0));
        break;
    case KCOL_REVISION:
        piece_set(p, TONE_DIM, -1, "%" PRId64, k->revision);
        break;
    case KCOL_LEASE:
        piece_set(p, TONE_DIM, -1, "%s", *k->lease ? k->lease : "none: stays");
        break;
    default:
        break;
    }
}

static void draw_whole(struct canvas *c, struct rect area, const struct dash *d, const struct key_entry *k) {
    char age[SHORT_MAX];
    heading(c, area, 0, k->key, "Esc: back");
    (void)canvas_text(c, area, 1, 1, TONE_DIM, "changed %s ago, revision %" PRId64 ", lease %s",
                      seconds_text(age, d->now > k->changed ? d->now - k->changed : 0), k->revision,
                      *k->lease ? k->lease : "none");
    (void)paragraph(c, area, 3, 1, TONE_PLAIN, k->value);
}

static void draw_quorum(struct canvas *c, struct rect area, int y, const struct members *l) {
    const struct model *m = l->d->model;
    size_t answering = 0;
    for (size_t i = 0; i < l->n; i++)
        answering += m->nodes[l->index[i]].arbiter_answered;
    bool quorum = model_quorum(m);
    (void)canvas_field(c, area, y, 1, 8, TONE_STRONG, "Quorum");
    int x = canvas_sign(c, area, y, 9, quorum ? TONE_GOOD : TONE_BAD, quorum ? SIGN_GOOD : SIGN_BAD);
    (void)canvas_text(c, area, y, x + 1, quorum ? TONE_GOOD : TONE_BAD, "%s%s: %zu of %zu members answer, %zu needed",
                      quorum ? "yes" : "NO, nothing can be written to ", quorum ? "" : m->kind->arbiters, answering,
                      l->n, l->n / 2 + 1);
}

// A stack without a store and arbiters has nothing to show here but that, and who leads all the same.
static bool draw_none(struct canvas *c, struct rect area, const struct dash *d) {
    const struct ha_kind *kind = d->model->kind;
    if (kind->has & (HA_STORE | HA_ARBITERS))
        return false;
    draw_lease(c, area, 0, d);
    cleanup_free char *text = xasprintf("This stack has no arbiter and no store: the %s of each node decides for "
                                        "itself what it does, and who leads is what they say.",
                                        kind->title);
    (void)paragraph(c, area, 2, 1, TONE_PLAIN, text);
    return true;
}

static void dcs_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct dcs *v = view;
    const struct history *h = d->history;
    size_t n = h->keys.n;
    if (v->whole && v->keys.selected < n) {
        draw_whole(c, area, d, &h->keys.items[v->keys.selected]);
        return;
    }
    struct members l;
    if (draw_none(c, area, d))
        return;
    list_members(&l, d);
    draw_quorum(c, area, 0, &l);
    draw_lease(c, area, 1, d);
    heading(c, area, 2, "Members", d->model->sync_leader[0] ? "synchronous replication is on" : NULL);
    int y = 3 +
            (int)table_draw(c, rect_rows(area, 3, (int)l.n + 1), member_columns, (int)ARRAY_SIZE(member_columns), l.n,
                            0, SIZE_MAX, member_cell, &l) +
            1;
    heading(c, area, y++, "Keys under the cluster's prefix", "Enter: the whole value");
    size_t visible = area.rows > y + 1 ? (size_t)(area.rows - y - 1) : 1;
    scroll_to_show(&v->keys, n, visible);
    if (!n)
        (void)canvas_text(c, area, y, 1, TONE_DIM, "%s", d->model->dcs_read ? "none" : "not read yet");
    else
        (void)table_draw(c, rect_rows(area, y, -1), key_columns, (int)ARRAY_SIZE(key_columns), n, v->keys.first,
                         v->keys.selected, key_cell, d);
}

static bool dcs_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)ret;
    struct dcs *v = view;
    enum nav nav = nav_of(key);
    if (nav == NAV_ENTER && d->history->keys.n) {
        v->whole = !v->whole;
        return true;
    }
    if (nav == NAV_BACK && v->whole) {
        v->whole = false;
        return true;
    }
    return scroll_key(&v->keys, nav, d->history->keys.n, 10);
}

const struct view_ops view_dcs = {
    .name = "dcs",
    .title = "DCS",
    .letter = 'D',
    .open = dcs_open,
    .draw = dcs_draw,
    .key = dcs_key,
    .help = "Up Down  choose a key, Enter shows its whole value, Esc back\n"
            "TERM     rises with every election among the members\n"
            "LEASE    a key with a lease vanishes when the lease is not renewed for ttl\n",
    .close = free,
};
