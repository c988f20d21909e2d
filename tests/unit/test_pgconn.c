// SPDX-License-Identifier: PostgreSQL
// The connection against a server that is no server: it accepts and hangs up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lab/base/usec.h"
#include "lab/observe/pgconn.h"

struct seen {
    int lost;
    struct pgconn_loss why;
};

static void on_ready(void *arg) {
    (void)arg;
}
static void on_result(void *arg, const PGresult *r) {
    (void)arg, (void)r;
}
static void on_lost(void *arg, const struct pgconn_loss *why) {
    struct seen *s = arg;
    s->lost++;
    s->why = *why;
}
static const struct pgconn_ops ops = {.ready = on_ready, .result = on_result, .done = on_ready, .lost = on_lost};

static int listen_in(char folder[static 64]) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(folder, 64, "/tmp/pgconn.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s/.s.PGSQL.5432", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 4) == 0);
    return fd;
}

static void spin(sd_event *loop, usec_t for_us) {
    for (usec_t end = usec_now() + for_us; usec_now() < end;)
        assert_true(sd_event_run(loop, 5 * MSEC) >= 0);
}

// A child that was forked while the connection was open holds a copy of its socket. libpq closes the socket by itself when the
// server is gone; epoll must not be left with an entry of it, or sd-event aborts the program at the next event.
static void a_loss_leaves_nothing_behind_although_a_child_holds_the_socket(void **state) {
    (void)state;
    char folder[64];
    int server = listen_in(folder);
    sd_event *loop = NULL;
    struct pgconn *c = NULL;
    struct seen seen = {0};
    struct err err = {0};
    const char *keys[] = {"host", "dbname", "user", NULL}, *values[] = {folder, "x", "x", NULL};
    assert_true(sd_event_new(&loop) >= 0);
    assert_int_equal(pgconn_open(loop, keys, values, &ops, &seen, &c, &err), 0);
    spin(loop, 50 * MSEC); // the startup packet is sent
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); // should the test abort, nobody waits for this one
        (void)pause();
        _exit(0);
    }
    int peer = accept(server, NULL, NULL);
    assert_true(child > 0 && peer >= 0);
    (void)shutdown(peer, SHUT_RDWR); // not close: the child's copies would keep it open
    for (usec_t end = usec_now() + 2 * SEC; !seen.lost && usec_now() < end;)
        spin(loop, 5 * MSEC);
    assert_int_equal(seen.lost, 1);
    assert_false(seen.why.was_ready);
    pgconn_close(c);
    spin(loop, 100 * MSEC); // the child's copy is hung up as well: a stale entry would fire here
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    (void)close(peer);
    (void)close(server);
    sd_event_unref(loop);
    char path[96];
    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5432", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_leaves_nothing_behind_although_a_child_holds_the_socket),
    };
    return cmocka_run_group_tests_name("pgconn", tests, NULL, NULL);
}
