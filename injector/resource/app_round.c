// SPDX-License-Identifier: PostgreSQL
#include "injector/resource/app_round.h"

struct app_round {
    struct fault *f;
    struct app_round_spec spec;
    char *sql;
    size_t k;    // who is being asked
    size_t last; // who gave the last good answer; n_nodes = nobody yet
    usec_t until;
    struct app_ask *ask;
    sd_event_source *again;
    struct app_round **home;
};

static void ask(struct app_round *r);

void app_round_drop(struct app_round **r) {
    if (!*r)
        return;
    struct app_round *gone = STEAL(*r);
    app_ask_drop(&gone->ask);
    sd_event_source_disable_unref(gone->again);
    free(gone->sql);
    free(gone);
}

static void end(struct app_round *r, size_t k, bool ok, const char *sqlstate, const char *text) {
    struct fault *f = r->f;
    __auto_type done = r->spec.done;
    app_round_drop(r->home);
    done(f, k, ok, sqlstate, text);
}

static int on_again(sd_event_source *src, uint64_t at, void *arg) {
    (void)src, (void)at;
    struct app_round *r = arg;
    r->again = sd_event_source_disable_unref(r->again);
    ask(r);
    return 0;
}

static bool ask_later(struct app_round *r) {
    return usec_now() < r->until && sd_event_add_time_relative(r->f->world->loop, &r->again, CLOCK_MONOTONIC,
                                                               r->spec.every, 1, on_again, r) >= 0;
}

static void on_answer(void *arg, const char *sqlstate, const char *text) {
    struct app_round *r = arg;
    if (r->spec.good(r->f, r->k, sqlstate, text)) {
        r->last = r->k++;
        if (r->k < r->f->n_nodes)
            ask(r);
        else
            end(r, r->last, true, sqlstate, text);
    } else if (!ask_later(r)) {
        end(r, r->k, false, sqlstate, text);
    }
}

static void ask(struct app_round *r) {
    struct fault *f = r->f;
    struct err err = {0};
    while (r->k < f->n_nodes && r->spec.skip && r->spec.skip(f, r->k))
        r->k++;
    if (r->k == f->n_nodes)
        end(r, r->last, true, "", "");
    else if (app_ask(f->world, app_conn_home(f->world), f->nodes[r->k], r->sql, r->spec.each, on_answer, r, &r->ask,
                     &err) < 0)
        end(r, r->k, false, "none", err.msg);
}

void app_round_start(struct fault *f, const struct app_round_spec *spec, struct app_round **ret) {
    app_round_drop(ret);
    struct app_round *r = xcalloc(1, sizeof *r);
    *r = (struct app_round){.f = f,
                            .spec = *spec,
                            .sql = spec->sql ? xstrdup(spec->sql) : NULL,
                            .last = f->n_nodes,
                            .until = spec->within ? usec_now() + spec->within : 0,
                            .home = ret};
    *ret = r;
    ask(r);
}

bool app_round_off(const struct fault *f, size_t k) {
    return !node_is_on(fault_world_node(f->world, f->nodes[k]));
}
