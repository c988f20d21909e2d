// SPDX-License-Identifier: PostgreSQL
#include <curses.h>

#include "dashboard/keys.h"

#include <stdio.h>

const struct key_row key_rows[] = {
#define X(act, key, where, shown, bar, help) {KEY_ACT_##act, key, where, shown, bar, help},
    KEYS(X)
#undef X
};
const size_t key_rows_n = ARRAY_SIZE(key_rows);

const struct key_row *keys_find(int key, bool replay, bool fixed) {
    for (size_t i = 0; i < key_rows_n; i++) {
        const struct key_row *k = &key_rows[i];
        if (k->key == key && (k->where & (replay ? KEY_REPLAY : KEY_LIVE)) && !(k->where & KEY_FIXED) == !fixed)
            return k;
    }
    return NULL;
}

static size_t views_count(void) {
    size_t n = 0;
    while (views[n])
        n++;
    return n;
}

int keys_view(int key, bool function, bool letters) {
    int n = (int)views_count();
    if (function)
        return key > KEY_F0 && key <= KEY_F0 + n ? key - KEY_F0 - 1 : -1;
    if (key > '0' && key <= '0' + n && key <= '9')
        return key - '1';
    for (int i = 0; letters && i < n; i++)
        if (key == views[i]->letter)
            return i;
    return -1;
}

// ---- the bar --------------------------------------------------------------------------------------------------------

static const char *tab_name(int view, bool narrow) {
    return narrow && views[view]->tab ? views[view]->tab : views[view]->title;
}

// Of all tabs, each with a digit before it and `gap` columns behind it; a wide gap goes with "F" before the digit.
static int tabs_width(bool narrow, int gap) {
    int width = 0;
    for (int i = 0; views[i]; i++)
        width += (gap > 1 ? 2 : 1) + (int)strlen(tab_name(i, narrow)) + gap;
    return width;
}

static int bar_views(struct canvas *c, struct rect row, int view, bool narrow, int gap) {
    int x = 0;
    for (int i = 0; views[i]; i++) {
        enum tone tone = i == view ? TONE_SELECTED : TONE_PLAIN;
        x = canvas_text(c, row, 0, x, i == view ? TONE_SELECTED : TONE_KEY, "%s%d", gap > 1 ? "F" : "", i + 1);
        x = canvas_text(c, row, 0, x, tone, "%s", tab_name(i, narrow)) + gap;
    }
    return x;
}

static int bar_key(struct canvas *c, struct rect row, int x, const struct key_row *k, int gap) {
    int width = (int)(strlen(k->shown) + strlen(k->bar));
    if (x + width > row.cols)
        return x;
    x = canvas_text(c, row, 0, x, TONE_KEY, "%s", k->shown);
    return canvas_text(c, row, 0, x, TONE_PLAIN, "%s", k->bar) + gap;
}

void keys_bar(struct canvas *c, struct rect row, int view, bool replay) {
    const int help_and_quit = 11;
    int gap = tabs_width(false, 2) + help_and_quit <= row.cols ? 2 : 1;
    bool narrow = tabs_width(false, gap) + help_and_quit > row.cols;
    int x = bar_views(c, row, view, narrow, gap);
    for (size_t i = 0; i < key_rows_n; i++)
        if (key_rows[i].bar && (key_rows[i].where & (replay ? KEY_REPLAY : KEY_LIVE)))
            x = bar_key(c, row, x, &key_rows[i], gap);
}
