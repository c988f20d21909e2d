// SPDX-License-Identifier: PostgreSQL
#include "dashboard/theme.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Colours of xterm's eight; their real values are the terminal's own, so on white only those that are dark everywhere.
enum { OWN = -1, RED = 1, YELLOW = 3, BLUE = 4, MAGENTA = 5, CYAN = 6 };

// The dark palette is Okabe and Ito's, made for eyes that don't tell red from green; the light one keeps its hues and is darker. Good is
// never told from bad by green against red. Tones differ in brightness and attribute too (term.c).
static const struct {
    short dark, light;     // of 256
    short dark_8, light_8; // of eight
} palette[TONE_COUNT] = {
    [TONE_PLAIN] = {OWN, OWN, OWN, OWN},        [TONE_DIM] = {245, 240, OWN, OWN},
    [TONE_STRONG] = {OWN, OWN, OWN, OWN},       [TONE_GOOD] = {36, 23, CYAN, BLUE},
    [TONE_WARN] = {214, 94, YELLOW, OWN},       [TONE_BAD] = {202, 124, RED, RED},
    [TONE_FAULT] = {175, 90, MAGENTA, MAGENTA}, [TONE_LEADER] = {74, 25, CYAN, BLUE},
    [TONE_REPLICA] = {74, 25, CYAN, BLUE},      [TONE_KEY] = {OWN, OWN, OWN, OWN},
    [TONE_BAR] = {OWN, OWN, OWN, OWN},          [TONE_SELECTED] = {OWN, OWN, OWN, OWN},
};

int theme_parse(const char *word, enum theme *ret, struct err *err) {
    static const char *const words[] = {[THEME_AUTO] = "auto", [THEME_DARK] = "dark", [THEME_LIGHT] = "light"};
    *ret = THEME_AUTO;
    for (size_t i = 0; word && i < ARRAY_SIZE(words); i++)
        if (str_eq(word, words[i])) {
            *ret = (enum theme)i;
            return 0;
        }
    return word ? err_set(err, EINVAL, "no theme '%s': auto, dark or light", word) : 0;
}

enum theme theme_from_colorfgbg(const char *value) {
    const char *last = value ? strrchr(value, ';') : NULL;
    if (!last || last[1] < '0' || last[1] > '9')
        return THEME_AUTO;
    char *end;
    long background = strtol(last + 1, &end, 10);
    if (*end || background > 15)
        return THEME_AUTO;
    return background == 7 || background > 8 ? THEME_LIGHT : THEME_DARK;
}

// One channel of an answer, 0 to 1, and *at behind it; -1 = no such number.
static double channel(const char **at, const char *end) {
    static const char digits[] = "0123456789abcdef";
    unsigned value = 0, most = 0;
    for (int i = 0; i < 4 && *at < end; i++, (*at)++) {
        char low = (char)(**at >= 'A' && **at <= 'F' ? **at - 'A' + 'a' : **at);
        const char *d = low ? strchr(digits, low) : NULL;
        if (!d)
            break;
        value = value * 16 + (unsigned)(d - digits);
        most = most * 16 + 15;
    }
    return most ? (double)value / most : -1;
}

enum theme theme_from_answer(const char *answer, size_t n) {
    static const char begin[] = "\033]11;rgb:";
    const char *at = n ? memmem(answer, n, begin, sizeof begin - 1) : NULL, *end = answer + n;
    if (!at)
        return THEME_AUTO;
    at += sizeof begin - 1;
    double rgb[3];
    for (int i = 0; i < 3; i++) {
        if (i > 0 && (at == end || *at++ != '/'))
            return THEME_AUTO;
        rgb[i] = channel(&at, end);
        if (rgb[i] < 0)
            return THEME_AUTO;
    }
    // Luma by Rec. 601: only which half it lies in matters.
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] > 0.5 ? THEME_LIGHT : THEME_DARK;
}

short theme_colour(enum theme theme, enum tone tone, int colours) {
    bool light = theme == THEME_LIGHT;
    return colours >= 256 ? (light ? palette[tone].light : palette[tone].dark)
                          : (light ? palette[tone].light_8 : palette[tone].dark_8);
}
