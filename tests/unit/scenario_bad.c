// SPDX-License-Identifier: PostgreSQL
#include "tests/unit/scenario_bad.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants these first
#include <cmocka.h>

#include "tests/unit/scenario_vocabulary.h"

static const struct read_options options = {
    .vocabulary = &test_vocabulary, .topology_dir = "scenarios/topologies", .seed = 1};

char *bad_complaints(const char *yaml, size_t len, bool *ret_plan) {
    struct diags d = {0};
    struct plan *plan = NULL;
    struct strbuf text = {0};
    int r = scenario_read_text("f", yaml, len, &options, &d, &plan);
    assert_int_equal(r == 0, plan != NULL);
    assert_int_equal(r == 0, d.errors == 0);
    diags_to_text(&d, &text);
    *ret_plan = plan != NULL;
    plan_free(plan);
    diags_done(&d);
    return text.data ? text.data : xstrdup("");
}

void bad_check(const struct bad *table, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bool plan;
        cleanup_free char *text = bad_complaints(table[i].yaml, strlen(table[i].yaml), &plan);
        if (!str_eq(text, table[i].complaints))
            print_error("case %zu:\n%s\nexpected:\n%s\nfound:\n%s\n", i, table[i].yaml, table[i].complaints, text);
        assert_string_equal(text, table[i].complaints);
        assert_int_equal(plan, strstr(text, ": error: ") == NULL);
    }
}
