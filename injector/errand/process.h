// SPDX-License-Identifier: PostgreSQL
#pragma once
// The supervisor's side of errands: one process, and a team of them (one phase).
#include "injector/errand/errand.h"

enum errand_word { ERRAND_OK = 'K', ERRAND_NO = 'N', ERRAND_PASS = 'P', ERRAND_NOTE = 'M', ERRAND_GONE = 'G' };
enum { ERRAND_TEXT_MAX = 16384 };

struct errand; // one process
struct errand_order {
    const struct fault_world *world;
    const char *at; // the node it runs in
    const char *node, *target;
    const struct mechanism *about;
    const setting_list *params, *notes;
    errand_fn fn;
    // On the loop. t in run time, 0 = not observed. After ERRAND_GONE the errand may be freed, nothing else follows.
    void (*said)(void *arg, struct errand *e, enum errand_word word, usec_t t, const char *key, const char *text);
    void *arg;
};
int errand_start(const struct errand_order *o, struct errand **ret, struct err *err);
void errand_stop(struct errand *e); // asks it to end; kills it 5 s later
void errand_free(struct errand *e); // kills it; accepts NULL
bool errand_over(const struct errand *e);

// A team: the processes of one phase, on one or several nodes.
struct team {
    const struct fault_world *world;
    const struct mechanism *about;
    const setting_list *params;
    setting_list notes; // keys "NODE KEY"
    errand_fn fn;
    bool in_turn;
    char nodes[NODES_MAX][NODE_NAME_MAX], at[NODES_MAX][NODE_NAME_MAX];
    char target[NODE_NAME_MAX]; // the first
    size_t n, next, answered;
    bool failed;
    usec_t effective; // the latest
    struct strbuf text;
    VEC(struct errand *) running;
    void (*done)(void *arg, bool ok, usec_t effective, const char *text);
    void *arg;
};
// Chooses the nodes and starts. done is called once, from the loop or from within this call.
void team_start(struct team *t, const struct errand_phase *phase, char (*targets)[NODE_NAME_MAX], size_t n_targets);
void team_stop(struct team *t); // asks those that still run to end
bool team_ended(const struct team *t);
void team_clear(struct team *t); // kills them, forgets everything but the notes
void team_done(struct team *t);
