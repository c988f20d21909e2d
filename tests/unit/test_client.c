// SPDX-License-Identifier: PostgreSQL
// A command and the supervisor that it asks: what is said before one of them is gone, and whose number a process has.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/cmd/client.h"

static const char too_many[] = "{\"ok\":false,\"error\":\"too many commands\"}";

static void pair(int *ret_us, int *ret_lab) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    *ret_us = ends[0];
    *ret_lab = ends[1];
}

static void demand_answer(int fd, int wanted, const char *text) {
    struct err err = {0};
    cleanup_json cJSON *reply = NULL;
    assert_int_equal(client_command(fd, "status", &reply, &err), wanted);
    if (!strstr(err.msg, text))
        fail_msg("'%s' is not in: %s", text, err.msg);
}

static void what_was_said_before_the_door_was_shut_is_heard(void **state) {
    (void)state;
    int us, lab;
    pair(&us, &lab);
    assert_true(send(lab, too_many, sizeof too_many - 1, 0) > 0);
    (void)close(lab); // before it was asked
    demand_answer(us, -EREMOTEIO, "too many commands");
    (void)close(us);
}

static void also_when_the_question_was_never_read(void **state) {
    (void)state;
    int us, lab;
    pair(&us, &lab);
    cleanup_json cJSON *request = cJSON_CreateObject(), *reply = NULL;
    struct err err = {0};
    assert_int_equal(client_send(us, request, &err), 0);
    assert_true(send(lab, too_many, sizeof too_many - 1, 0) > 0);
    (void)close(lab); // the kernel tells ECONNRESET first
    assert_int_equal(client_receive(us, usec_now(), &reply, NULL, &err), -EREMOTEIO);
    assert_string_equal(err.msg, "too many commands");
    (void)close(us);
}

static void who_is_gone_without_a_word_has_ended(void **state) {
    (void)state;
    int us, lab;
    pair(&us, &lab);
    (void)close(lab);
    demand_answer(us, -ECONNRESET, "ended while we asked");
    (void)close(us);
}

static void a_number_that_another_process_has_now_is_a_lab_that_has_ended(void **state) {
    (void)state;
    struct err err = {0};
    struct lab_ref others = {.pid = 1, .name = "demo"}, ours = {.pid = getpid(), .name = "demo"};
    assert_int_equal(lab_socket_connect(&others, &err), -ECONNREFUSED); // EACCES, but for root
    assert_string_equal(err.msg, "lab 'demo' has just ended");
    assert_int_equal(lab_pidfd(&others, &err), -ECONNREFUSED);
    assert_int_equal(lab_pidfd(&ours, &err), -ECONNREFUSED);
    assert_false(lab_runs(&ours));
}

// ---- the lock of a start --------------------------------------------------------------------------------------------

static char home[PATH_MAX];

static int setup(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(home, sizeof home, "%s/test_client.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(home) ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    return fs_remove_tree(home, NULL);
}

static bool is_free(const char *folder) {
    cleanup_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void sessions_of_one_user_lock_the_same_folder(void **state) {
    (void)state;
    cleanup_free char *runtime = xasprintf("%s/runtime", home);
    assert_int_equal(mkdir(runtime, 0700), 0);
    (void)setenv("HOME", home, 1);
    (void)setenv("XDG_RUNTIME_DIR", runtime, 1); // that of a login; cron's has none
    cleanup_close int lock = lab_names_lock();
    assert_true(lock >= 0);
    assert_false(is_free(home));
    assert_true(is_free(runtime));
    (void)setenv("HOME", "/nonexistent", 1);
    cleanup_close int second = lab_names_lock();
    assert_true(second >= 0);
    assert_false(is_free(runtime));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_before_the_door_was_shut_is_heard),
        cmocka_unit_test(also_when_the_question_was_never_read),
        cmocka_unit_test(who_is_gone_without_a_word_has_ended),
        cmocka_unit_test(a_number_that_another_process_has_now_is_a_lab_that_has_ended),
        cmocka_unit_test_setup_teardown(sessions_of_one_user_lock_the_same_folder, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
