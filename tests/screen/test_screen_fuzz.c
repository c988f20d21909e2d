// SPDX-License-Identifier: PostgreSQL
// Every view on every size of terminal, with random keys and damaged events: nothing may be drawn outside, nothing may crash.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <curses.h>

#include "player.h"

static uint64_t seed = 20240607;

static uint32_t dice(uint32_t sides) { // xorshift: the same on every machine
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % sides;
}

static int any_key(void) {
    static const int special[] = {KEY_UP,   KEY_DOWN, KEY_LEFT,  KEY_RIGHT,     KEY_PPAGE, KEY_NPAGE,
                                  KEY_HOME, KEY_END,  KEY_ENTER, KEY_BACKSPACE, 27,        '\n'};
    return dice(2) ? special[dice(ARRAY_SIZE(special))] : (int)(32 + dice(95));
}

static void check_canvas(const struct canvas *c) {
    for (int i = 0; i < c->rows * c->cols; i++) {
        assert_true(c->cells[i].tone < TONE_COUNT);
        assert_true(c->utf8 || (c->cells[i].ch >= 32 && c->cells[i].ch < 127));
    }
}

static void draw_and_check(struct stage *s, const struct player *p) {
    stage_draw(s, p);
    check_canvas(&s->canvas);
}

static void every_view_draws_on_any_size(void **state) {
    (void)state;
    static const int sizes[][2] = {{5, 20},  {1, 1},   {0, 0},   {2, 300}, {100, 300},
                                   {50, 10}, {24, 79}, {10, 40}, {3, 12}};
    static const char *const logs[] = {"leader-crash", "partition-leader", "quorum-loss"};
    for (size_t l = 0; l < ARRAY_SIZE(logs); l++) {
        struct player p;
        player_open(&p, logs[l]);
        for (usec_t t = 0; t < 80 * SEC; t += 4 * SEC) {
            player_to(&p, t);
            for (size_t i = 0; views[i]; i++)
                for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
                    struct stage s;
                    stage_open(&s, views[i]->name, sizes[k][0], sizes[k][1], t % (8 * SEC) == 0);
                    draw_and_check(&s, &p);
                    stage_close(&s);
                }
        }
        player_close(&p);
    }
}

static void random_keys_break_no_view(void **state) {
    (void)state;
    static const char *const filters[] = {"", "leader", "\xff", "é", "no such word"};
    struct player p;
    player_open(&p, "leader-crash");
    struct stage stages[16];
    size_t n = 0;
    for (; views[n]; n++)
        stage_open(&stages[n], views[n]->name, 24, 80, n % 2 == 0);
    for (usec_t t = 0; t < 56 * SEC; t += SEC / 2) {
        player_to(&p, t);
        for (int k = 0; k < 40; k++) {
            struct stage *s = &stages[dice((uint32_t)n)];
            if (dice(50) == 0)
                canvas_resize(&s->canvas, (int)dice(60), (int)dice(220));
            if (dice(30) == 0)
                STR_COPY(p.dash.filter, filters[dice(ARRAY_SIZE(filters))]);
            if (dice(30) == 0)
                p.dash.node = (int)dice(20) - 2;
            (void)stage_key(s, &p, any_key());
            draw_and_check(s, &p);
        }
    }
    while (n > 0)
        stage_close(&stages[--n]);
    player_close(&p);
}

// One byte of a line changes; lines are dropped, doubled and swapped. What the reader still takes is folded and drawn.
static void damaged_logs_break_no_view(void **state) {
    (void)state;
    struct player p;
    player_open(&p, "partition-leader");
    struct stage stages[16];
    size_t n = 0;
    for (; views[n]; n++)
        stage_open(&stages[n], views[n]->name, 24, 100, true);
    for (size_t i = 0; i < p.events.n * 4; i++) {
        cleanup_strbuf struct strbuf line = {0};
        event_to_json(&p.events.items[dice((uint32_t)p.events.n)], &line);
        for (uint32_t k = dice(4); k > 0; k--)
            line.data[dice((uint32_t)line.len)] = (char)dice(256);
        struct event ev;
        struct err err = {0};
        if (event_from_json(line.data, line.len, &ev, &err) < 0)
            continue;
        if (dice(20) == 0)
            ev.t = dice(2) ? USEC_NEVER - dice(1000) : dice(100000000);
        model_apply(p.dash.model, &ev);
        history_apply(p.dash.history, p.dash.model, &ev);
        p.dash.now = dice(100) ? p.dash.now + 20 * MSEC : dice(2) ? ev.t : 0;
        if (i % 7 == 0) {
            struct stage *s = &stages[dice((uint32_t)n)];
            (void)stage_key(s, &p, any_key());
            draw_and_check(s, &p);
        }
    }
    while (n > 0)
        stage_close(&stages[--n]);
    player_close(&p);
}

int main(void) {
    const char *given = getenv("SCREEN_SEED");
    if (given)
        seed = strtoull(given, NULL, 10) | 1;
    print_message("seed %llu (SCREEN_SEED)\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_draws_on_any_size),
        cmocka_unit_test(random_keys_break_no_view),
        cmocka_unit_test(damaged_logs_break_no_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
