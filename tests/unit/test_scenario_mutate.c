// SPDX-License-Identifier: PostgreSQL
// 20,000 damaged copies of the shipped files, always the same ones: none may crash, hang, or be refused without a word.
// The fuzz target (tests/fuzz/fuzz_scenario.c) goes on where this ends.
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "injector/injector.h"
#include "lab/base/fs.h"
#include "lab/scenario/read.h"

enum { MUTANTS = 20000 };
static const uint64_t seed = 20240607;

static VEC(struct strbuf) corpus;

static uint64_t next_random(uint64_t *s) { // splitmix64
    uint64_t z = (*s += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void load_folder(const char *folder) {
    cleanup_dir DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        cleanup_free char *path = xasprintf("%s/%s", folder, e->d_name);
        struct err err = {0};
        if (str_ends(path, ".yaml"))
            assert_int_equal(fs_read(path, 1 << 20, VEC_ADD(&corpus), &err), 0);
    }
}

static int by_content(const void *a, const void *b) {
    return strcmp(strbuf_str(a), strbuf_str(b));
}

static int setup(void **state) {
    (void)state;
    load_folder("scenarios");
    load_folder("scenarios/topologies");
    qsort(corpus.items, corpus.n, sizeof *corpus.items, by_content); // readdir's order is the machine's
    return corpus.n >= 13 ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    for (size_t i = 0; i < corpus.n; i++)
        strbuf_done(&corpus.items[i]);
    VEC_DONE(&corpus);
    return 0;
}

// Pieces that hurt: structure, numbers at their limits, words in wrong places.
static const char *const pieces[] = {"\t",
                                     "\n",
                                     ": ",
                                     "- ",
                                     "{",
                                     "}",
                                     "[",
                                     "]",
                                     "\"",
                                     "'",
                                     "#",
                                     "&a ",
                                     "*a",
                                     "!!x ",
                                     "? ",
                                     "|\n",
                                     ">\n",
                                     "---\n",
                                     "...\n",
                                     "<<: ",
                                     "%YAML ",
                                     "~",
                                     "and",
                                     "not",
                                     "is ",
                                     "0",
                                     "-1",
                                     "999999999999999999999",
                                     "1e9",
                                     "5 s",
                                     "<= ",
                                     ">= 1%",
                                     "leader",
                                     "n1",
                                     "app",
                                     "from: patroni-3\n",
                                     "yes",
                                     "\xc3\xa9",
                                     "\xff",
                                     "\\0",
                                     "all",
                                     "steps:\n",
                                     "with: [n1, x]\n"};

static void mutate_once(struct strbuf *b, uint64_t *rng) {
    size_t at = b->len ? next_random(rng) % b->len : 0, left = b->len - at;
    size_t n = 1 + next_random(rng) % 24;
    if (n > left)
        n = left;
    switch (next_random(rng) % 6) {
    case 0: // one bit
        if (b->len)
            b->data[at] = (char)(b->data[at] ^ (1 << next_random(rng) % 8));
        break;
    case 1: // cut out
        if (b->len) {
            memmove(b->data + at, b->data + at + n, left - n + 1);
            b->len -= n;
        }
        break;
    case 2: // cut off
        if (b->len && next_random(rng) % 4 == 0)
            b->data[b->len = at] = '\0';
        break;
    case 3: { // a stretch again somewhere else
        const struct strbuf *other = &corpus.items[next_random(rng) % corpus.n];
        size_t from = next_random(rng) % other->len, len = 1 + next_random(rng) % 80;
        struct strbuf out = {0};
        strbuf_addn(&out, strbuf_str(b), at);
        strbuf_addn(&out, other->data + from, len < other->len - from ? len : other->len - from);
        strbuf_addn(&out, strbuf_str(b) + at, left);
        strbuf_done(b);
        *b = out;
        break;
    }
    default: { // a piece that hurts
        struct strbuf out = {0};
        strbuf_addn(&out, strbuf_str(b), at);
        strbuf_add(&out, pieces[next_random(rng) % ARRAY_SIZE(pieces)]);
        strbuf_addn(&out, strbuf_str(b) + at, left);
        strbuf_done(b);
        *b = out;
    }
    }
}

static bool read_mutant(const struct strbuf *b) {
    const struct read_options o = {.vocabulary = fault_vocabulary(), .topology_dir = "scenarios/topologies", .seed = 1};
    struct diags d = {0};
    struct plan *plan = NULL;
    int r = scenario_read_text("f", strbuf_str(b), b->len, &o, &d, &plan);
    cleanup_strbuf struct strbuf text = {0}, json = {0};
    diags_to_text(&d, &text);
    if (r == 0)
        plan_to_json(plan, &json);
    assert_int_equal(r == 0, plan != NULL);
    assert_int_equal(r == 0, d.errors == 0);
    for (size_t i = 0; i < d.list.n; i++) // a place is a whole place or none
        assert_true((d.list.items[i].line > 0) == (d.list.items[i].col > 0));
    plan_free(plan);
    diags_done(&d);
    return r == 0;
}

static void no_damaged_file_crashes_the_reader(void **state) {
    (void)state;
    uint64_t rng = seed;
    size_t good = 0;
    for (int i = 0; i < MUTANTS; i++) {
        const struct strbuf *whole = &corpus.items[next_random(&rng) % corpus.n];
        cleanup_strbuf struct strbuf b = {0};
        strbuf_addn(&b, strbuf_str(whole), whole->len);
        for (uint64_t n = 1 + next_random(&rng) % 4; n > 0; n--)
            mutate_once(&b, &rng);
        good += read_mutant(&b);
    }
    print_message("seed %" PRIu64 ": %zu of %d mutants were still good scenarios\n", seed, good, MUTANTS);
    assert_true(good > MUTANTS / 50 && good < MUTANTS / 2); // otherwise the mutations test nothing
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_damaged_file_crashes_the_reader)};
    return cmocka_run_group_tests_name("scenario_mutate", tests, setup, teardown);
}
