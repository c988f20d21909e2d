// SPDX-License-Identifier: PostgreSQL
// What the DCS said over time: keys as they are now, and PostgreSQL's timelines.
#include <cjson/cJSON.h>

#include "dashboard/history_fold.h"
#include "lab/base/json.h"

static void drop_key(struct key_entry *k) {
    free(k->value);
}

// The row of a key, to be filled with what it says now; its value was freed. NULL: the key is gone, and so is its row.
static struct key_entry *note_key(struct history *h, const char *name, bool gone) {
    size_t i = 0;
    while (i < h->keys.n && !str_eq(h->keys.items[i].key, name))
        i++;
    if (i < h->keys.n) {
        free(h->keys.items[i].value);
        h->keys.items[i].value = NULL;
    }
    if (gone) {
        if (i < h->keys.n)
            VEC_REMOVE(&h->keys, i);
        return NULL;
    }
    if (i == h->keys.n) {
        TRIM_OLDEST(&h->keys, KEEP_KEYS, drop_key);
        (void)VEC_ADD(&h->keys);
        for (i = h->keys.n - 1; i > 0 && strcmp(h->keys.items[i - 1].key, name) > 0; i--)
            h->keys.items[i] = h->keys.items[i - 1]; // by name
    }
    STR_COPY(h->keys.items[i].key, name);
    return &h->keys.items[i];
}

static void fill_key(struct key_entry *k, usec_t t, const char *value, const char *lease, int64_t revision) {
    STR_COPY(k->lease, lease);
    k->value = xstrdup(value);
    k->revision = revision;
    k->changed = t;
}

// history: [[timeline, end LSN, reason, time, new leader], ...], one per timeline that ended (patroni/ha.py, update_history).
static void note_ends(struct history *h, const struct event *ev) {
    cleanup_json cJSON *list = cJSON_Parse(ev->u.ENTRY.value);
    for (int i = 0; i < cJSON_GetArraySize(list); i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        const cJSON *tl = cJSON_GetArrayItem(item, 0), *end = cJSON_GetArrayItem(item, 1);
        int64_t number = json_whole(tl, -1), at = json_whole(end, 0);
        VEC_FOREACH (&h->branches, b)
            if (number >= 0 && at > 0 && b->parent == number && b->timeline == number + 1)
                b->at = (lsn_t)at;
    }
}

void fold_authority(struct fold *f, const struct model *m, const struct event *ev) {
    if (!m->kind->entry)
        return;
    struct key_entry *k = note_key(&f->h, m->kind->entry, ev->u.AUTHORITY.gone);
    if (k)
        fill_key(k, ev->t, ev->u.AUTHORITY.holder, ev->u.AUTHORITY.grant, ev->u.AUTHORITY.revision);
}

void fold_entry(struct fold *f, const struct event *ev) {
    struct key_entry *k = note_key(&f->h, ev->u.ENTRY.key, ev->u.ENTRY.gone);
    if (k)
        fill_key(k, ev->t, ev->u.ENTRY.value, ev->u.ENTRY.grant, ev->u.ENTRY.revision);
    if (str_eq(ev->u.ENTRY.key, "history") && !ev->u.ENTRY.gone)
        note_ends(&f->h, ev);
}

static size_t index_of(const struct model *m, const char *name) {
    size_t i = 0;
    while (i < m->n_nodes && !str_eq(m->nodes[i].name, name))
        i++;
    return i;
}

// A timeline is born where a standby becomes writable: its parent is what that node replayed before.
void fold_branches(struct fold *f, const struct model *m, const struct event *ev) {
    size_t node = index_of(m, ev->u.SQL.node);
    int64_t tl = ev->u.SQL.timeline;
    if (node == m->n_nodes || !ev->u.SQL.answered || tl <= 0)
        return;
    if (ev->u.SQL.in_recovery) {
        f->standby[node].timeline = tl;
        f->standby[node].lsn = ev->u.SQL.replayed;
        return;
    }
    if (!ev->u.SQL.writable)
        return;
    VEC_FOREACH (&f->h.branches, b)
        if (b->timeline == tl)
            return;
    TRIM_OLDEST(&f->h.branches, KEEP_KEYS, TRIM_NOTHING);
    struct branch *b = VEC_ADD(&f->h.branches);
    b->timeline = tl;
    b->parent = f->standby[node].timeline < tl ? f->standby[node].timeline : 0;
    b->at = b->parent ? f->standby[node].lsn : 0;
    b->t = ev->t;
    STR_COPY(b->node, ev->u.SQL.node);
}
