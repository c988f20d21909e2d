// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the supervisor and a node's init say to each other: one SOCK_SEQPACKET message per request and per answer, same
// program on both ends, so plain structs. Private to lab/node.
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/err.h"
#include "lab/base/str.h"
#include "lab/base/usec.h"

enum request_kind { REQUEST_START = 1, REQUEST_SIGNAL, REQUEST_DUTY };
struct request {
    uint32_t kind, id;
    int64_t pid;         // SIGNAL
    bool everybody;      // SIGNAL: all processes of the node but its init, whatever pid says
    uint32_t run, rest;  // DUTY: µs of each period; rest 0 = full speed
    int32_t sig;         // SIGNAL
    bool tree, await;    // SIGNAL
    uint32_t argc, envc; // START; the strings follow: name, cwd, log, argv..., env..., each with its NUL
};
enum { REQUEST_MAX = 128 * 1024 };

enum answer_kind { ANSWER_BOOTED = 1, ANSWER_STARTED, ANSWER_SIGNALLED, ANSWER_EXITED, ANSWER_WATCHDOG };
struct answer {
    uint32_t kind, id;
    int32_t error;      // 0 or a positive errno
    int64_t pid;        // STARTED, EXITED: inside the node
    int32_t status;     // EXITED: exit status, when signal is 0; WATCHDOG: enum watchdog_state
    int32_t signal;     // EXITED: signal that ended it
    int32_t n;          // SIGNALLED: processes signalled; WATCHDOG: its timeout in seconds
    usec_t sent, ended; // SIGNALLED, CLOCK_MONOTONIC; WATCHDOG: sent = its last write
    char text[256];     // EXITED: service; otherwise what went wrong
};

// The strings of a START request, borrowed from the message.
struct start_strings {
    const char *name, *cwd, *log;
    char **argv, **env; // NULL-terminated, owned
};
int start_strings_read(const struct request *rq, char *data, size_t len, struct start_strings *ret); // -EBADMSG
void start_strings_done(struct start_strings *s);

// Sends one message; EINTR retried. 0 or -errno.
int proto_send(int fd, const void *data, size_t len, int flags);
