// SPDX-License-Identifier: PostgreSQL
#pragma once
// One question of the application to the PostgreSQL of each target, in turn, and to each again until it answers as it
// should: how resource.connections, resource.memory and resource.oom see that they bite, or that they are gone.
#include "injector/resource/app_conn.h"

struct app_round;
struct app_round_spec {
    const char *sql; // as app_ask; copied
    usec_t each;     // how long one answer may take
    usec_t every,
        within; // a wrong answer: asked again after `every`, until `within` has passed since the start; 0 = once
    bool (*skip)(const struct fault *f, size_t k); // leave node k out? Asked before each question; NULL = ask all
    bool (*good)(struct fault *f, size_t k, const char *sqlstate, const char *text); // is that the answer wanted?
    // Called once, when the round is over and gone. k is the node that answered last, with its answer (as app_ask_done; "none"
    // and the reason when the question could not be sent). ok: that one and all before it were good. k == f->n_nodes: all
    // were left out.
    void (*done)(struct fault *f, size_t k, bool ok, const char *sqlstate, const char *text);
};
// May call done before it returns. *ret is NULL again when done is called.
void app_round_start(struct fault *f, const struct app_round_spec *spec, struct app_round **ret);
void app_round_drop(struct app_round **r); // without calling done; NULL inside is fine
// To be `skip`: node k has no power.
bool app_round_off(const struct fault *f, size_t k);
