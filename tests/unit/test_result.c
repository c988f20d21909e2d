// SPDX-License-Identifier: PostgreSQL
// What a run leaves behind when it can't be written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "lab/cmd/result.h"

static void a_limit_on_the_size_of_files_ends_nobody(void **state) {
    (void)state;
    char dir[] = "/tmp/test_result.XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct measure *fold = measure_new();
    const struct measures *m = measure_finish(fold);
    struct rlimit was, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    result_keep(dir, m); // SIGXFSZ would kill us here
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(rmdir(dir), 0); // nothing is there, no half file either
    measure_free(fold);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_limit_on_the_size_of_files_ends_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
