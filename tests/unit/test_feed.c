// SPDX-License-Identifier: PostgreSQL
// What the dashboard does with lines that it does not understand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "dashboard/feed.h"
#include "dashboard/tui.h"
#include "lab/base/fs.h"

static const char begin[] = "{\"t\":0,\"ev\":\"run.begin\",\"lab\":\"x\",\"scenario\":\"y\",\"mono\":1}\n"
                            "{\"t\":1000000,\"ev\":\"lab.state\",\"state\":\"ready\"}\n";
static const char broken[] = "no event\n";
static const char new_kind[] = "{\"t\":2000000,\"ev\":\"node.melted\",\"node\":\"n1\"}\n";
static const char new_word[] = "{\"t\":3000000,\"ev\":\"lab.state\",\"state\":\"dreaming\"}\n";

static int setup(void **state) {
    char *path = xstrdup("/tmp/bascule-feed-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    *state = path;
    return 0;
}

static int teardown(void **state) {
    (void)unlink(*state);
    free(*state);
    return 0;
}

static void write_log(const char *path, const char *text) {
    assert_int_equal(fs_write(path, text, strlen(text), 0600, NULL), 0);
}

static void append(const char *path, const char *line) {
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    (void)fputs(line, f);
    assert_int_equal(fclose(f), 0);
}

static void follow(struct feed *f) {
    while (feed_follow(f, SEC) & FEED_MORE)
        ;
}

static void expect_words(const struct feed *f, const char *wanted) {
    cleanup_strbuf struct strbuf text = {0};
    feed_unclear_text(&f->unclear, &text);
    assert_string_equal(strbuf_str(&text), wanted);
}

static void a_log_that_is_understood_says_nothing(void **state) {
    struct feed f;
    write_log(*state, begin);
    assert_int_equal(feed_open(&f, *state, NULL), 0);
    follow(&f);
    assert_int_equal(f.events, 2);
    assert_int_equal(feed_unclear_lines(&f.unclear), 0);
    expect_words(&f, "");
    feed_close(&f);
}

static void lines_that_come_while_it_is_followed_are_counted_and_said(void **state) {
    struct feed f;
    write_log(*state, begin);
    assert_int_equal(feed_open(&f, *state, NULL), 0);
    follow(&f);
    append(*state, broken);
    follow(&f);
    expect_words(&f, "1 line of this log is broken and skipped");
    append(*state, new_kind);
    append(*state, new_kind);
    append(*state, new_word);
    follow(&f);
    expect_words(&f,
                 "1 line of this log is broken and skipped; 2 lines of this log are of kinds unknown here; 1 line of "
                 "this log holds a word unknown here ('dreaming' as state of lab.state)");
    assert_int_equal(feed_unclear_lines(&f.unclear), 4);
    assert_int_equal(f.events, 3); // the one with the word is shown as far as it is understood
    feed_rewind(&f);
    assert_int_equal(feed_unclear_lines(&f.unclear), 0);
    feed_close(&f);
}

static void expect_title(const char *path, const char *mark) {
    struct tui_text_options o = {.run_dir = path, .rows = 24, .cols = 80};
    cleanup_strbuf struct strbuf got = {0};
    assert_int_equal(tui_text(&o, &got, NULL), 0);
    *strchrnul(got.data, '\n') = '\0';
    if (mark)
        assert_non_null(strstr(got.data, mark));
    else
        assert_null(strstr(got.data, "UNCLEAR"));
}

// At every moment: the count is that of the whole log.
static void the_title_of_a_replay_says_how_many(void **state) {
    write_log(*state, begin);
    expect_title(*state, NULL);
    append(*state, new_word);
    expect_title(*state, " !1 UNCLEAR LINE REPLAY ");
    append(*state, new_kind);
    expect_title(*state, " !2 UNCLEAR LINES REPLAY ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_that_is_understood_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_that_come_while_it_is_followed_are_counted_and_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_title_of_a_replay_says_how_many, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
