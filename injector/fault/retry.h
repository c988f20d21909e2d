// SPDX-License-Identifier: PostgreSQL
#pragma once
// Waiting for something that sends no message: asks a question on the loop until the answer is yes or patience has run
// out.
#include <systemd/sd-event.h>

#include "lab/base/err.h"
#include "lab/base/usec.h"

struct retry;
// Asks `met` now-ish (from the loop, never from within this call) and every `every` until it says true or `within` has
// passed, then calls done(arg, met) once. The retry is gone when done is called; *ret has been set to NULL.
int retry_start(sd_event *loop, usec_t every, usec_t within, bool (*met)(void *arg), void (*done)(void *arg, bool met),
                void *arg, struct retry **ret, struct err *err);
void retry_stop(struct retry **r); // without calling done; NULL inside is fine
