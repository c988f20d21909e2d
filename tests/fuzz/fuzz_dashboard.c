// SPDX-License-Identifier: PostgreSQL
// Any log through the dashboard's folds; every view is drawn on 80x24 at its end and in its middle, with keys out of the input.
#include <curses.h>

#include "tests/fuzz/log_input.h"
#include "tests/screen/player.h"

enum { VIEWS = 16 };

struct screens {
    struct player player;
    struct stage stages[VIEWS];
    size_t n, events;
    uint8_t salt;
};

static void draw_all(struct screens *s) {
    cleanup_strbuf struct strbuf text = {0};
    for (size_t i = 0; i < s->n; i++) {
        stage_draw(&s->stages[i], &s->player);
        strbuf_clear(&text);
        canvas_to_text(&s->stages[i].canvas, true, &text);
        for (size_t k = 0; k < text.len; k++)
            if ((unsigned char)text.data[k] < 0x20 && text.data[k] != '\n')
                abort();
    }
}

static void press(struct screens *s) {
    static const int keys[] = {KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_PPAGE, KEY_NPAGE, KEY_HOME, KEY_END,
                               '\n',   27,       '+',      '-',       '0',       'h',       'l',      'f',
                               '<',    'j',      'k',      'x',       '/',       'p'};
    s->salt = (uint8_t)(s->salt * 13 + 7);
    (void)stage_key(&s->stages[s->salt % s->n], &s->player, keys[s->salt % ARRAY_SIZE(keys)]);
}

static void apply(void *arg, const struct event *ev) {
    struct screens *s = arg;
    model_apply(s->player.dash.model, ev);
    history_apply(s->player.dash.history, s->player.dash.model, ev);
    s->player.dash.now = ev->t;
    s->player.dash.log_end = ev->t > s->player.dash.log_end ? ev->t : s->player.dash.log_end;
    if (s->events++ % 64 == 0) {
        press(s);
        draw_all(s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct screens s = {.salt = size ? data[size - 1] : 0};
    s.player.dash.model = model_new();
    s.player.dash.history = history_new();
    s.player.dash.live = s.player.dash.alive = size % 3 != 0;
    s.player.dash.speed = 1;
    for (; views[s.n]; s.n++)
        stage_open(&s.stages[s.n], views[s.n]->name, 24, 80, size % 2);
    log_input(data, size, apply, &s);
    for (int i = 0; i < 8; i++)
        press(&s);
    draw_all(&s);
    while (s.n > 0)
        stage_close(&s.stages[--s.n]);
    player_close(&s.player);
    return 0;
}
