// SPDX-License-Identifier: PostgreSQL
// The control socket's places.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "lab/record/thin.h"
#include "lab/supervisor/internal.h"

static void ignore(void *arg, const struct event *ev) {
    (void)arg, (void)ev;
}

struct door {
    struct lab lab;
    struct sockaddr_un address;
    socklen_t size;
};

// A supervisor's control socket has no end but that of its process.
static struct door door;

static int begin(void **state) {
    struct door *d = &door;
    struct err err = {0};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    d->address.sun_family = AF_UNIX;
    d->size = sizeof d->address;
    assert_int_equal(bind(fd, (struct sockaddr *)&d->address, sizeof(sa_family_t)), 0); // the kernel finds a name
    assert_int_equal(getsockname(fd, (struct sockaddr *)&d->address, &d->size), 0);
    assert_int_equal(listen(fd, SOMAXCONN), 0);
    d->lab.thinner = thin_new(SEC, ignore, NULL);
    assert_true(sd_event_new(&d->lab.loop) >= 0);
    assert_int_equal(control_new(&d->lab, fd, &d->lab.control, &err), 0);
    *state = d;
    return 0;
}

static int end(void **state) {
    struct door *d = *state;
    thin_free(d->lab.thinner);
    return 0;
}

// Asks on a connection of its own, which stays. The answer is in `text`.
static int ask(struct door *d, const char *request, char *text, size_t size) {
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&d->address, d->size), 0);
    assert_true(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
    ssize_t n;
    while ((n = recv(fd, text, size - 1, MSG_DONTWAIT)) < 0)
        assert_true(sd_event_run(d->lab.loop, 10 * SEC) > 0);
    text[n] = '\0';
    return fd;
}

// However many dashboards stand open: a command still finds a place.
static void dashboards_leave_places_for_commands(void **state) {
    struct door *d = *state;
    char text[1024];
    int fds[200], taken = 0, refused = 0;
    for (int i = 0; i < 200; i++) {
        fds[i] = ask(d, "{\"cmd\":\"watch\"}", text, sizeof text);
        bool ok = strstr(text, "\"ok\":true");
        taken += ok;
        refused += !ok;
        if (ok)
            continue;
        assert_non_null(strstr(text, "dashboards watch this lab already"));
        (void)close(fds[i]);
        fds[i] = -1;
    }
    assert_true(taken > 30 && refused > 0);
    int one = ask(d, "{\"cmd\":\"no such thing\"}", text, sizeof text);
    assert_non_null(strstr(text, "unknown request"));
    // One leaves: the next one may come.
    for (int i = 0; i < 200; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]), fds[i] = -1;
    int next = ask(d, "{\"cmd\":\"watch\"}", text, sizeof text);
    assert_non_null(strstr(text, "\"ok\":true"));
    (void)close(one), (void)close(next);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dashboards_leave_places_for_commands, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
