// SPDX-License-Identifier: PostgreSQL
// A record that can't be written, at each time of a run's life.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/supervisor/internal.h"

struct told {
    int broken;
    char detail[EVENT_TEXT_MAX];
};

static void on_event(void *arg, const struct event *ev) {
    struct told *t = arg;
    if (ev->kind != EVENT_LAB_STATE || ev->u.LAB_STATE.state != LAB_STATE_BROKEN)
        return;
    t->broken++;
    STR_COPY(t->detail, ev->u.LAB_STATE.detail);
}

static void a_run_whose_disk_fills_while_it_is_collected_is_broken(void **state) {
    (void)state;
    struct told told = {0};
    struct lab_options options = {.run_dir = "/runs/one"};
    struct supervisor_options so = {.lab = &options};
    struct lab lab = {.o = &so,
                      .state = LAB_STATE_COLLECTING,
                      .sink = {.emit = on_event, .arg = &told, .base = usec_now()},
                      .end_reason = END_REASON_COMPLETED,
                      .end_detail = "all steps are done"};
    lab_record_failed(&lab, ENOSPC);
    assert_int_equal(lab.end_reason, END_REASON_BROKEN);
    assert_non_null(strstr(lab.end_detail, "No space left on device (folder /runs/one)"));
    assert_false(lab.run_ended); // what is being collected ends by itself
    assert_int_equal(told.broken, 1);
    assert_string_equal(told.detail, lab.end_detail);
    lab_record_failed(&lab, EDQUOT); // the first reason is the reason
    assert_int_equal(told.broken, 1);
    assert_non_null(strstr(lab.end_detail, "No space left"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_whose_disk_fills_while_it_is_collected_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
