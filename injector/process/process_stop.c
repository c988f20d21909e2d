// SPDX-License-Identifier: PostgreSQL
// process.stop: an orderly end, as `systemctl stop` asks for it. SIGTERM for daemons; for PostgreSQL SIGINT to the
// postmaster, its fast shutdown (postmaster.c, "pmdie"): sessions are rolled back, a shutdown checkpoint is written.
// The happy path: signal, exit seen by the init. The init watches for 5 s; a slower stop (shutdown checkpoint) is
// watched here, up to the deadline. A frozen process can't act on a signal: refused before anything is sent.
#include <signal.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/process/faults.h"
#include "injector/process/process_fault.h"

static int signal_of(const struct fault *f) {
    return str_eq(fault_param(f, "service"), "postgres") ? SIGINT : SIGTERM;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    return process_check(t, params, &process_stop_fault.about, err);
}

static bool victims_gone(void *arg) {
    const struct fault *f = arg;
    return !victims_any_alive(&((const struct process_state *)f->state)->victims);
}

static void on_slow_end(void *arg, bool met) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    cleanup_strbuf struct strbuf who = {0};
    victims_text(&s->victims, &who);
    double took = (double)(usec_now() - s->since) / (double)SEC;
    if (met)
        phase_ok(f, s->done, sink_now(f->world->sink), "SIG%s sent to %s, gone %.1f s later",
                 sigabbrev_np(signal_of(f)), strbuf_str(&who), took);
    else
        phase_no(f, s->done, "SIG%s sent to %s, still running %.1f s later", sigabbrev_np(signal_of(f)),
                 strbuf_str(&who), took);
}

static void on_shots(void *arg, struct salvo *salvo) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    cleanup_strbuf struct strbuf text = {0};
    struct err err = {0};
    salvo_text(salvo, signal_of(f), &text);
    int error = salvo_error(salvo, NULL);
    bool ended = salvo_all_ended(salvo);
    usec_t effective = salvo_last_ended(salvo);
    salvo_drop(&s->salvo);
    if (error)
        phase_no(f, s->done, "%s", strbuf_str(&text));
    else if (ended)
        phase_ok(f, s->done, effective, "%s", strbuf_str(&text));
    else if (retry_start(f->world->loop, 5 * MSEC, 50 * SEC, victims_gone, on_slow_end, f, &s->retry, &err) < 0)
        phase_no(f, s->done, "%s", err.msg);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct process_state *s = process_state(f);
    struct err err = {0};
    process_state_begin(f, done);
    if (victims_find(f, &s->victims, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    for (size_t i = 0; i < s->victims.n; i++) {
        const struct victim *v = &s->victims.items[i];
        if (!process_frozen(v->node, &v->process))
            continue;
        phase_no(f, done, "%s on %s is frozen: it can't act on a signal; resume it first, or use process.kill", v->what,
                 node_name(v->node));
        return;
    }
    f->touched = true;
    salvo_fire(&s->victims, signal_of(f), false, true, on_shots, f, &s->salvo);
}

static void describe(const struct fault *f, struct strbuf *out) {
    const char *service = fault_param(f, "service");
    for (size_t i = 0; i < f->n_nodes; i++) {
        strbuf_addf(out, "# on %s\n", f->nodes[i]);
        if (str_eq(service, "postgres"))
            strbuf_add(out, "pg_ctl stop -m fast -D /var/lib/postgresql/data\n");
        else
            strbuf_addf(out, "kill -TERM $(pgrep -o -f '%s')      # what `systemctl stop %s` sends\n", service,
                        service);
    }
}

static const struct mechanism_param params[] = {{"service", "word", PROCESS_SERVICES, NULL, "what to stop"}, {0}};

const struct fault_ops process_stop_fault = {
    .about = {.name = "process.stop", .summary = "asks a service to end in good order, and waits", .params = params},
    .mechanism = "SIGTERM to the service, SIGINT (fast shutdown) to PostgreSQL's postmaster; the init sees the exit.",
    .still_works = "Orderly hand-over: Patroni releases the leader key once a replica has the shutdown checkpoint, "
                   "etcd gives up its "
                   "leadership. A stop is not a crash.",
    .exercises =
        "Planned maintenance; PostgreSQL stopped behind Patroni's back; the difference between SIGTERM and SIGKILL.",
    .needs = "nothing",
    .check = check,
    .check_node = process_check_node,
    .inject = inject,
    .verify = process_verify_gone,
    .heal = process_heal_ended,
    .verify_healed = process_verify_running,
    .describe = describe,
    .done = process_state_free,
    .patience = MINUTE,
};
