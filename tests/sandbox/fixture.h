// SPDX-License-Identifier: PostgreSQL
#pragma once
// A throw-away lab for a test. The body runs as pid 1 of real namespaces, in a child; the cmocka test outside only sees
// whether it succeeded. So inside a body use CHECK, never assert_*: a failing assert would jump into the runner's copy
// in the wrong process.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <sys/types.h>

#include "lab/base/fs.h"
#include "lab/base/vec.h"
#include "lab/node/enter.h"
#include "lab/node/node.h"
#include "lab/sandbox/sandbox.h"

// Skips a test, outside of a body; tests/run prints the reason.
#define SKIP(reason)                                                                                                   \
    do {                                                                                                               \
        fprintf(stderr, "skipped %s: %s\n", __func__, (reason));                                                       \
        skip();                                                                                                        \
    } while (0)

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);                                       \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)
#define CHECK_OK(call)                                                                                                 \
    do {                                                                                                               \
        struct err check_err = {0};                                                                                    \
        struct err *err = &check_err;                                                                                  \
        if ((call) < 0) {                                                                                              \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, check_err.msg);                              \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0) // the call names its last argument `err`

struct lab {
    sd_event *loop;
    struct event_sink sink;
    struct switch_net *sw;
    struct node *nodes[4]; // n1 10.77.0.1, n2 ...
    size_t n;
    VEC(struct event) events;
};

// Runs body in a new lab and fails the test unless it returns. `arg` is shared by copy: the body is in another process.
void in_lab(void (*body)(struct lab *lab, void *arg), void *arg);
// The same, split: starts it and returns its pid; the caller waits. For tests that look at a lab from outside.
pid_t lab_begin(void (*body)(struct lab *lab, void *arg), void *arg, int *ret_pidfd);
void lab_nodes(struct lab *lab, size_t n, bool power_on); // n1..n: made, neighbours set, powered on
void lab_spin(struct lab *lab, usec_t time);              // runs the loop
// Runs the loop until it is so; fails the test when it is not within 10 s.
#define LAB_COMES(lab, condition)                                                                                      \
    do {                                                                                                               \
        for (usec_t end_ = usec_now() + 10 * SEC; !(condition) && usec_now() < end_;)                                  \
            lab_spin(lab, 10 * MSEC);                                                                                  \
        CHECK(condition);                                                                                              \
    } while (0)
size_t lab_count(const struct lab *lab, enum event_kind kind);
const struct event *lab_last(const struct lab *lab, enum event_kind kind);                  // NULL when there was none
const struct event *lab_service_ended(struct lab *lab, const char *service, usec_t within); // waits for it; NULL
const struct event *lab_power_event(struct lab *lab, bool on, usec_t within);

// A function of the test as a process of a node; its return value.
int in_node(struct lab *lab, struct node *n, int (*fn)(void *arg, int fd), void *arg);
// A command of the host inside a node, as a service; its exit status (128+signal), output in the node's
// /var/log/test.log.
int node_command(struct lab *lab, struct node *n, const char *const *argv);
#define NODE_SH(lab, n, script) node_command(lab, n, (const char *const[]){"/bin/sh", "-c", script, NULL})

// What the host must look like before and after: its mounts and links. Malloced text.
char *host_snapshot(void);
// Seen from outside: the lab's user namespace (0 = the process is gone) and how many processes live in it.
ino_t userns_of(pid_t pid);
size_t processes_in_userns(ino_t userns);

// Drops root, exits 77 with the reason where no lab can be made, then runs the group.
#define SANDBOX_TEST_MAIN(...)                                                                                         \
    int main(void) {                                                                                                   \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                                               \
        sandbox_test_begin();                                                                                          \
        return cmocka_run_group_tests(tests, NULL, NULL);                                                              \
    }
void sandbox_test_begin(void);
void sandbox_test_check(void); // the same look at the host, but the caller keeps its user
