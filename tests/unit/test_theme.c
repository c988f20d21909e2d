// SPDX-License-Identifier: PostgreSQL
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dashboard/theme.h"

// A colour of xterm's 256 as red, green and blue, 0 to 255 (its 256colres.h: a 6x6x6 cube from 16 on, 24 greys from 232 on).
static void xterm_rgb(int index, int rgb[static 3]) {
    assert_in_range(index, 16, 255); // below 16 the terminal's user decides
    if (index >= 232) {
        rgb[0] = rgb[1] = rgb[2] = 8 + 10 * (index - 232);
        return;
    }
    static const int levels[] = {0, 95, 135, 175, 215, 255};
    int i = index - 16;
    rgb[0] = levels[i / 36];
    rgb[1] = levels[i / 6 % 6];
    rgb[2] = levels[i % 6];
}

static double luminance(const int rgb[static 3]) { // WCAG 2.1, relative luminance
    static const double weight[] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double c = rgb[i] / 255.0;
        sum += weight[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(double a, double b) {
    return ((a > b ? a : b) + 0.05) / ((a > b ? b : a) + 0.05);
}

static void every_colour_can_be_read_on_its_background(void **state) {
    (void)state;
    for (int tone = 0; tone < TONE_COUNT; tone++)
        for (int theme = THEME_AUTO; theme <= THEME_LIGHT; theme++) {
            short colour = theme_colour((enum theme)theme, (enum tone)tone, 256);
            if (colour < 0)
                continue;
            int rgb[3];
            xterm_rgb(colour, rgb);
            double got = contrast(luminance(rgb), theme == THEME_LIGHT ? 1 : 0);
            if (got < 4.5)
                fail_msg("tone %d, theme %d: colour %d has a contrast of %.2f", tone, theme, colour, got);
        }
}

static void the_environment_tells_the_background(void **state) {
    (void)state;
    static const struct {
        const char *value;
        enum theme want;
    } rows[] = {{"15;0", THEME_DARK},
                {"0;15", THEME_LIGHT},
                {"0;default;15", THEME_LIGHT},
                {"0;7", THEME_LIGHT},
                {"7;8", THEME_DARK},
                {"15;default", THEME_AUTO},
                {"", THEME_AUTO},
                {"15", THEME_AUTO},
                {"0;99", THEME_AUTO},
                {"0;-1", THEME_AUTO},
                {"0;15x", THEME_AUTO},
                {NULL, THEME_AUTO},
                {"0;", THEME_AUTO},
                {"0;99999999999999999999", THEME_AUTO}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(theme_from_colorfgbg(rows[i].value), rows[i].want);
}

static void the_terminal_answers_with_its_background(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum theme want;
    } rows[] = {{"\033]11;rgb:ffff/ffff/ffff\033\\\033[?62;c", THEME_LIGHT},
                {"\033]11;rgb:0000/0000/0000\007", THEME_DARK},
                {"x\033]11;rgb:FD/F6/E3\033\\", THEME_LIGHT}, // Solarized Light
                {"\033]11;rgb:0/2b/36\033\\", THEME_DARK},    // channels of unlike length
                {"\033]11;rgb:f/f/0\033\\", THEME_LIGHT},
                {"\033[?62;c", THEME_AUTO},
                {"\033]11;rgb:ff/ff", THEME_AUTO},
                {"\033]11;rgb:ff/ff/", THEME_AUTO},
                {"\033]11;rgb:ff ff ff", THEME_AUTO},
                {"\033]11;rgb:", THEME_AUTO},
                {"", THEME_AUTO}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(theme_from_answer(rows[i].text, strlen(rows[i].text)), rows[i].want);
    assert_int_equal(theme_from_answer(NULL, 0), THEME_AUTO);
}

static void themes_have_names(void **state) {
    (void)state;
    enum theme got;
    struct err err = {0};
    assert_int_equal(theme_parse("light", &got, &err), 0);
    assert_int_equal(got, THEME_LIGHT);
    assert_int_equal(theme_parse(NULL, &got, &err), 0);
    assert_int_equal(got, THEME_AUTO);
    assert_true(theme_parse("white", &got, &err) < 0);
    assert_string_equal(err.msg, "no theme 'white': auto, dark or light");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_colour_can_be_read_on_its_background),
        cmocka_unit_test(the_environment_tells_the_background),
        cmocka_unit_test(the_terminal_answers_with_its_background),
        cmocka_unit_test(themes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
