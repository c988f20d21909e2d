// SPDX-License-Identifier: PostgreSQL
#pragma once
// HTTP to one node's loopback: libcurl's multi interface on an sd-event loop, its sockets opened inside the node's network
// namespace. One `struct http` per node and never shared: curl keeps connections by host and port, and every node's loopback
// is 127.0.0.1.
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lab/base/err.h"
#include "lab/base/str.h"
#include "lab/base/usec.h"

struct http;         // opaque
struct http_request; // opaque: one under way

struct http_answer {
    int status;       // 0 = no answer, then error says why
    const char *body; // whole body, terminated; "" for a streamed request
    size_t len;
    int64_t date; // what the server says the time is: its Date header, whole seconds since 1970; -1 = it does not say
    char error[160];
};

struct http_options {
    const char *method; // "GET", "POST", ...
    int port;
    const char *path; // "/v3/watch"
    const char *json; // body, NULL = none; copied
    usec_t deadline;  // for the whole exchange; 0 = none (a stream), then only the connect is limited, to 2 s
    // Called once, from the loop, never from inside http_start; the request is gone afterwards.
    void (*done)(void *arg, const struct http_answer *a);
    void (*chunk)(void *arg, const char *data, size_t len); // NULL = collect the body
    void *arg;
};

// ns: fd of the network namespace, borrowed, must stay open; -1 = the caller's own.
int http_new(sd_event *loop, int ns, struct http **ret, struct err *err);
void http_free(struct http *h); // cancels what is under way
int http_start(struct http *h, const struct http_options *o, struct http_request **ret,
               struct err *err);          // ret may be NULL
void http_cancel(struct http_request *r); // done is not called; accepts NULL; not allowed inside its own chunk
