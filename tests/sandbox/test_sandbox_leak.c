// SPDX-License-Identifier: PostgreSQL
// Nothing is left: whoever is killed, and whenever. Everything of a lab is in its user namespace, and before that
// exists holds the write end of a pipe; so "nothing left" is an empty namespace and the end of that pipe's file, one
// second later at most.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/sandbox/fixture.h"

enum { WITHIN_MS = 1000 };

static void busy_body(struct lab *lab, void *arg) {
    lab_nodes(lab, 3, true);
    for (size_t i = 0; i < 3; i++) {
        const char *const argv[] = {"sh", "-c", "setsid sleep 1000 & trap '' TERM INT HUP; while :; do sleep 0.1; done",
                                    NULL};
        struct service_spec spec = {.name = "busy", .argv = argv, .log = "x"};
        CHECK_OK(node_service_start(lab->nodes[i], &spec, err));
    }
    const struct switch_cut cut = {.from = "n1", .to = "n2"};
    CHECK_OK(switch_set_cuts(lab->sw, &cut, 1, err));
    CHECK(write(*(int *)arg, "b", 1) == 1); // built
    for (;;) {
        CHECK_OK(node_power_off(lab->nodes[0], NULL, err));
        CHECK_OK(node_power_on(lab->nodes[0], err));
    }
}

static void nap(unsigned us) {
    struct timespec t = {.tv_nsec = (long)us * 1000};
    (void)nanosleep(&t, NULL);
}

static bool empties(ino_t userns) {
    usec_t end = usec_now() + WITHIN_MS * MSEC;
    while (processes_in_userns(userns) > 0) {
        if (usec_now() > end)
            return false;
        nap(5000);
    }
    return true;
}

// Reads the "built" byte if it is there, then needs the end of the file.
static bool hangs_up(int fd) {
    usec_t end = usec_now() + WITHIN_MS * MSEC;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        usec_t now = usec_now();
        char byte;
        if (now >= end || poll(&p, 1, (int)((end - now) / MSEC) + 1) <= 0)
            return false;
        if (read(fd, &byte, 1) == 0)
            return true;
    }
}

static void the_supervisor_killed_leaves_nothing(void **state) {
    (void)state;
    cleanup_free char *before = host_snapshot();
    for (int i = 0; i < 5; i++) {
        int ends[2], pidfd;
        char byte;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t lab = lab_begin(busy_body, &ends[1], &pidfd);
        ino_t userns = userns_of(lab);
        (void)close(ends[1]);
        assert_int_equal(read(ends[0], &byte, 1), 1);
        assert_true(userns != 0 && processes_in_userns(userns) >= 6);
        assert_int_equal(kill(lab, SIGKILL), 0);
        assert_int_equal(waitpid(lab, NULL, 0), lab);
        assert_true(empties(userns));
        assert_true(hangs_up(ends[0]));
        (void)close(ends[0]);
        (void)close(pidfd);
    }
    cleanup_free char *after = host_snapshot();
    assert_string_equal(before, after);
}

static void killed_at_any_moment_of_its_life(bool parent, int rounds, unsigned spread_us) {
    cleanup_free char *before = host_snapshot();
    unsigned seed = (unsigned)(usec_now() / 7);
    printf("# seed %u\n", seed);
    int built = 0;
    for (int i = 0; i < rounds; i++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        (void)fflush(NULL);
        pid_t starter = fork(); // stands for the command line's process
        if (starter == 0) {
            int pidfd, status;
            pid_t lab = lab_begin(busy_body, &ends[1], &pidfd);
            if (!parent) {
                nap((unsigned)rand_r(&seed) % spread_us);
                (void)kill(lab, SIGKILL);
            }
            (void)waitpid(lab, &status, 0);
            _exit(0);
        }
        (void)close(ends[1]);
        if (parent) {
            nap((unsigned)rand_r(&seed) % spread_us);
            (void)kill(starter, SIGKILL);
        } else
            (void)rand_r(&seed);
        (void)waitpid(starter, NULL, 0);
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        built += poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
        if (!hangs_up(ends[0]))
            fail_msg("round %d: a process of the lab still lives", i);
        (void)close(ends[0]);
    }
    printf("# %d of %d were killed after the lab was built\n", built, rounds);
    cleanup_free char *after = host_snapshot();
    assert_string_equal(before, after);
}

static void the_command_killed_at_random_moments_leaves_nothing(void **state) {
    (void)state;
    killed_at_any_moment_of_its_life(true, 60, 120000);
}

static void the_supervisor_killed_at_random_moments_leaves_nothing(void **state) {
    (void)state;
    killed_at_any_moment_of_its_life(false, 60, 120000);
}

static void tidy_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 3, true);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(node_power_off(lab->nodes[0], NULL, err));
        CHECK_OK(node_power_on(lab->nodes[0], err));
        CHECK(NODE_SH(lab, lab->nodes[0], "true") == 0);
    }
}

static size_t descriptors(void) {
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void counted_body(struct lab *lab, void *arg) {
    size_t before = 0;
    for (int i = 0; i < 3; i++) { // the first round may open what stays (libraries)
        tidy_body(lab, arg);
        for (; lab->n; lab->n--)
            node_free(lab->nodes[lab->n - 1]);
        switch_free(lab->sw);
        CHECK_OK(switch_new(&lab->sw, err));
        if (i == 0)
            before = descriptors();
    }
    CHECK(descriptors() == before);
}
static void boots_and_labs_give_every_descriptor_back(void **state) {
    (void)state;
    in_lab(counted_body, NULL);
}

SANDBOX_TEST_MAIN(cmocka_unit_test(the_supervisor_killed_leaves_nothing),
                  cmocka_unit_test(the_command_killed_at_random_moments_leaves_nothing),
                  cmocka_unit_test(the_supervisor_killed_at_random_moments_leaves_nothing),
                  cmocka_unit_test(boots_and_labs_give_every_descriptor_back))
