// SPDX-License-Identifier: PostgreSQL
// The table of `bascule status`: the manager's column bears the name of the stack, and what the stack does not have is no column.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/base/json.h"
#include "lab/base/str.h"
#include "lab/cmd/status_nodes.h"

// The first line that is printed of this status.
static void heads(const char *json, char *buf, int size) {
    cleanup_json cJSON *status = cJSON_Parse(json);
    FILE *to = tmpfile();
    assert_non_null(status);
    assert_non_null(to);
    (void)fflush(stdout);
    int out = dup(STDOUT_FILENO);
    assert_true(dup2(fileno(to), STDOUT_FILENO) >= 0);
    status_print_nodes(status, 0);
    (void)fflush(stdout);
    assert_true(dup2(out, STDOUT_FILENO) >= 0);
    (void)close(out);
    rewind(to);
    assert_non_null(fgets(buf, size, to));
    (void)fclose(to);
}

static void the_columns_are_those_of_the_stack(void **state) {
    (void)state;
    char line[300];
    heads(
        "{\"stack\":{\"title\":\"Patroni\"},\"nodes\":[{\"name\":\"n1\",\"on\":true,\"postgres\":\"primary\",\"etcd\":"
        "\"leader\"},{\"name\":\"app\",\"on\":true}]}",
        line, sizeof line);
    assert_non_null(strstr(line, " PATRONI "));
    assert_non_null(strstr(line, " ETCD"));
    heads("{\"stack\":{\"title\":\"repmgr\"},\"nodes\":[{\"name\":\"n1\",\"on\":true,\"postgres\":\"primary\"}]}", line,
          sizeof line);
    assert_non_null(strstr(line, " REPMGR "));
    assert_null(strstr(line, "PATRONI"));
    assert_null(strstr(line, "ETCD"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_columns_are_those_of_the_stack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
