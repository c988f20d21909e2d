// SPDX-License-Identifier: PostgreSQL
#pragma once
// One signal to many processes, as close together as possible: all requests leave before the first answer is awaited.
#include "injector/process/victims.h"

struct shot {
    struct victim victim;
    struct node_signal_result result; // .error is set too when the request could not be sent
};
struct salvo {
    VEC(struct shot) shots;
    size_t waiting; // answers still to come
    bool dropped;   // the owner is gone: free with the last answer
    void (*done)(void *arg, struct salvo *s);
    void *arg;
};

// tree: each victim's descendants too, collected by its init. done is called once, when every answer is in; perhaps
// from within this call (then *ret is set before it).
void salvo_fire(const victim_list *victims, int sig, bool tree, bool await_exit,
                void (*done)(void *arg, struct salvo *s), void *arg, struct salvo **ret);
void salvo_drop(struct salvo **s); // done is not called any more; NULL inside is fine

// First error among the shots, 0 = none; *ret_which (may be NULL) is the shot.
int salvo_error(const struct salvo *s, const struct shot **ret_which);
bool salvo_all_ended(const struct salvo *s);
usec_t salvo_last_ended(const struct salvo *s);
// "SIGKILL sent to postmaster 1234 on n1, exit seen 0.4 ms later; ..." and the spread when there were several.
void salvo_text(const struct salvo *s, int sig, struct strbuf *out);
