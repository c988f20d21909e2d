// SPDX-License-Identifier: PostgreSQL
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dashboard/canvas.h"
#include "dashboard/glyph.h"
#include "dashboard/views/parts.h"

static void expect_text(const struct canvas *c, const char *want) {
    cleanup_strbuf struct strbuf got = {0};
    canvas_to_text(c, false, &got);
    assert_string_equal(strbuf_str(&got), want);
}

static void nothing_is_drawn_outside_its_area(void **state) {
    (void)state;
    struct canvas c;
    canvas_init(&c, 3, 10, true);
    struct rect area = {.y = 1, .x = 2, .rows = 1, .cols = 4};
    assert_int_equal(canvas_text(&c, area, 0, 1, TONE_PLAIN, "abcdef"), 4);
    (void)canvas_text(&c, area, 1, 0, TONE_PLAIN, "below");
    (void)canvas_text(&c, area, -1, 0, TONE_PLAIN, "above");
    (void)canvas_text(&c, area, 0, -2, TONE_PLAIN, "xyz");
    canvas_hline(&c, (struct rect){.y = 2, .x = 8, .rows = 5, .cols = 9}, 0, 0, 99, TONE_DIM);
    expect_text(&c, "\n  zabc\n        ──\n");
    canvas_done(&c);
}

static void broken_utf8_and_control_characters_become_question_marks(void **state) {
    (void)state;
    struct canvas c;
    canvas_init(&c, 1, 40, true);
    (void)canvas_text(&c, canvas_rect(&c), 0, 0, TONE_PLAIN, "%s",
                      "a\x1b[31m\x07\xff\xc3(\xed\xa0\x80\xe2\x82|\xf0\x9f\x90\x98é\xc2\x9b\xe2\x80\xae!");
    expect_text(&c, "a?[31m??"
                    "?(?????|🐘é?"
                    "?!\n");
    canvas_done(&c);
}

static void wide_characters_are_never_cut_in_half(void **state) {
    (void)state;
    struct canvas c;
    canvas_init(&c, 2, 5, true);
    (void)canvas_text(&c, canvas_rect(&c), 0, 0, TONE_PLAIN, "日本語"); // 6 columns
    (void)canvas_text(&c, canvas_rect(&c), 1, 0, TONE_PLAIN, "日本");
    (void)canvas_text(&c, canvas_rect(&c), 1, 1, TONE_PLAIN, "xy");
    expect_text(&c, "日本\n xy\n");
    canvas_done(&c);
}

static void ascii_terminals_get_likenesses(void **state) {
    (void)state;
    struct canvas c;
    canvas_init(&c, 2, 40, false);
    int x = canvas_sign(&c, canvas_rect(&c), 0, 0, TONE_GOOD, SIGN_GOOD);
    (void)canvas_text(&c, canvas_rect(&c), 0, x, TONE_PLAIN, " café “naïve” … ≥ ★ 語 e\xcc\x81");
    (void)canvas_field(&c, canvas_rect(&c), 1, 0, 6, TONE_PLAIN, "too long");
    expect_text(&c, "+ cafe \"naive\" ... >= * ? e\ntoo l~\n");
    canvas_done(&c);
}

// A terminal that shows one of them two columns wide garbles the rest of every line that has it.
static void every_sign_is_one_column_wide(void **state) {
    (void)state;
    static const char *const signs[] = {
#define X(name, utf8, ascii) utf8,
        SIGNS(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        const char *p = signs[i];
        char32_t ch = glyph_next(&p);
        assert_int_equal(*p, '\0');
        assert_int_equal(glyph_width(ch), 1);
    }
    assert_int_equal(glyph_width(0x26a1),
                     2); // an emoji by default: the sign of a fault until it was seen on a terminal
    assert_int_equal(glyph_width(0x23f3), 2);
    assert_int_equal(glyph_width(0x2756), 1);
}

static void a_field_has_exactly_its_width(void **state) {
    (void)state;
    struct canvas c;
    canvas_init(&c, 1, 20, true);
    struct rect all = canvas_rect(&c);
    canvas_fill(&c, all, '.', TONE_PLAIN);
    assert_int_equal(canvas_field(&c, all, 0, 0, 4, TONE_PLAIN, "ab"), 4);
    assert_int_equal(canvas_field(&c, all, 0, 5, 4, TONE_PLAIN, "abcdefg"), 9);
    assert_int_equal(canvas_field(&c, all, 0, 10, 4, TONE_PLAIN, "日本語"), 14);
    assert_int_equal(canvas_field(&c, all, 0, 15, 0, TONE_PLAIN, "x"), 15);
    expect_text(&c, "ab  .abc….日 …......\n");
    canvas_done(&c);
}

static void a_paragraph_breaks_at_words_and_tells_its_rows(void **state) {
    (void)state;
    struct canvas c;
    canvas_init(&c, 4, 12, true);
    static const char text[] = "é é naïve 日本語 unbreakableword";
    assert_int_equal(paragraph_rows(text, 11), 4);
    assert_int_equal(paragraph(&c, canvas_rect(&c), 0, 1, TONE_PLAIN, text), 4);
    expect_text(&c, " é é naïve\n 日本語\n unbreakable\n word\n");
    canvas_clear(&c);
    assert_int_equal(paragraph_most(&c, canvas_rect(&c), 1, 1, 2, TONE_PLAIN, text), 3);
    expect_text(&c, "\n é é naïve\n 日本語 unb…\n\n");
    assert_int_equal(paragraph_rows("日本", 1), 2); // nothing fits: it ends all the same
    assert_int_equal(paragraph_rows("", 10), 0);
    assert_int_equal(paragraph_rows("x", 0), 0);
    canvas_done(&c);
}

static void tones_are_letters_of_a_second_block(void **state) {
    (void)state;
    struct canvas c;
    canvas_init(&c, 2, 6, true);
    (void)canvas_text(&c, canvas_rect(&c), 0, 1, TONE_LEADER, "n1");
    canvas_retone(&c, canvas_rect(&c), 1, 0, 2, TONE_SELECTED);
    cleanup_strbuf struct strbuf got = {0};
    canvas_to_text(&c, true, &got);
    assert_string_equal(strbuf_str(&got), " n1\n\n---- tones\npll\nSS\n");
    canvas_done(&c);
}

static void a_senseless_size_is_no_size(void **state) {
    (void)state;
    struct canvas c;
    canvas_init(&c, -5, 1000000000, true);
    (void)canvas_text(&c, canvas_rect(&c), 0, 0, TONE_PLAIN, "x");
    assert_int_equal(c.rows, 0);
    canvas_resize(&c, 1, 3);
    (void)canvas_text(&c, canvas_rect(&c), 0, 0, TONE_PLAIN, "xyzzy");
    expect_text(&c, "xyz\n");
    canvas_done(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_drawn_outside_its_area),
        cmocka_unit_test(broken_utf8_and_control_characters_become_question_marks),
        cmocka_unit_test(wide_characters_are_never_cut_in_half),
        cmocka_unit_test(ascii_terminals_get_likenesses),
        cmocka_unit_test(every_sign_is_one_column_wide),
        cmocka_unit_test(a_field_has_exactly_its_width),
        cmocka_unit_test(a_paragraph_breaks_at_words_and_tells_its_rows),
        cmocka_unit_test(tones_are_letters_of_a_second_block),
        cmocka_unit_test(a_senseless_size_is_no_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
