// SPDX-License-Identifier: PostgreSQL
// Text from outside becomes plain text, and text that comes in pieces as well.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lab/base/plain.h"
#include "lab/base/vec.h"

static void nothing_unsafe_is_left(void **state) {
    (void)state;
    static const struct {
        const char *in, *utf8, *ascii;
    } cases[] = {
        {"a line\n\tof words", "a line\n\tof words", "a line\n\tof words"},
        {"\x1b[31m\a\b\r\x7f", "?[31m????", "?[31m????"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98", "caf? ? ?"},
        {"\xc2\x9b"
         "31m\xc2\x85\xc2\x80\xc2\xa0",
         "?31m??\xc2\xa0", "?31m???"},
        {"\x9b\xff\xc3(\xed\xa0\x80\xc0\x80", "???\x28?????", "???\x28?????"},
        {"\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae\xe2\x81\xa6\xe2"
         "\x81\xa9",
         "??????????", "??????????"},
        {"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf", "??\xe2\x80\xaf", "???"},
        {"\xd7\xa9\xd7\x9c", "\xd7\xa9\xd7\x9c", "??"}, // Hebrew letters are text
        {"cut \xe2\x80", "cut ??", "cut ??"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cleanup_strbuf struct strbuf utf8 = {0}, ascii = {0};
        plain_add(&utf8, cases[i].in, strlen(cases[i].in), true);
        plain_add(&ascii, cases[i].in, strlen(cases[i].in), false);
        assert_string_equal(cases[i].utf8, strbuf_str(&utf8));
        assert_string_equal(cases[i].ascii, strbuf_str(&ascii));
    }
    cleanup_strbuf struct strbuf nul = {0};
    plain_add(&nul, "a\0b", 3, true);
    assert_string_equal("a?b", strbuf_str(&nul));
}

static size_t encode(char32_t ch, char *out) {
    size_t n = ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, ch >>= 6)
        out[i] = (char)(0x80 | (ch & 0x3f));
    out[0] = (char)(lead[n] | ch);
    return n;
}

static void every_character_is_safe_or_is_not_let_through(void **state) {
    (void)state;
    for (char32_t ch = 0x80; ch < 0x110000; ch++) {
        char text[4];
        size_t n = encode(ch, text);
        cleanup_strbuf struct strbuf out = {0};
        plain_add(&out, text, n, true);
        bool kept = out.len == n && memcmp(out.data, text, n) == 0;
        if (kept != plain_is_safe(ch))
            fail_msg("U+%04X", (unsigned)ch);
    }
}

static void a_character_that_is_not_whole_waits_for_its_rest(void **state) {
    (void)state;
    assert_int_equal(plain_unfinished("", 0), 0);
    assert_int_equal(plain_unfinished("abc", 3), 0);
    assert_int_equal(plain_unfinished("a\xc3", 2), 1);
    assert_int_equal(plain_unfinished("a\xc3\xa9", 3), 0);
    assert_int_equal(plain_unfinished("\xf0\x9f\x90", 3), 3);
    assert_int_equal(plain_unfinished("\xf0\x9f\x90\x98", 4), 0);
    assert_int_equal(plain_unfinished("\x80\x80\x80\x80", 4), 0); // never the begin of anything
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_unsafe_is_left),
        cmocka_unit_test(every_character_is_safe_or_is_not_let_through),
        cmocka_unit_test(a_character_that_is_not_whole_waits_for_its_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
