// SPDX-License-Identifier: PostgreSQL
// process.kill: one process ends by a signal it does not survive. Its kernel closes its sockets, so peers get a RST or
// FIN at once: not the same fault as node.power_off. The happy path: find the pid, send, the node's init sees the exit.
// A signal that is survived for 5 s (SIGTERM to a busy postmaster) is a failed injection, said so.
#include <signal.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/process/faults.h"
#include "injector/process/process_fault.h"

static const struct {
    const char *name;
    int sig;
} signals[] = {{"KILL", SIGKILL}, {"TERM", SIGTERM}, {"INT", SIGINT},
               {"QUIT", SIGQUIT}, {"ABRT", SIGABRT}, {"SEGV", SIGSEGV}};

static int signal_of(const struct fault *f) {
    const char *name = fault_param(f, "signal");
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (str_eq(signals[i].name, name))
            return signals[i].sig;
    return SIGKILL;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    return process_check(t, params, &process_kill_fault.about, err);
}

static void on_shots(void *arg, struct salvo *salvo) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    cleanup_strbuf struct strbuf text = {0};
    salvo_text(salvo, signal_of(f), &text);
    int error = salvo_error(salvo, NULL);
    bool ended = salvo_all_ended(salvo);
    usec_t effective = salvo_last_ended(salvo);
    salvo_drop(&s->salvo);
    if (error)
        phase_no(f, s->done, "%s", strbuf_str(&text));
    else if (!ended)
        phase_no(f, s->done, "%s; still running 5 s later", strbuf_str(&text));
    else
        phase_ok(f, s->done, effective, "%s", strbuf_str(&text));
}

// The postmaster takes its children with it: remember them, to see them die.
static int remember_children(struct process_state *s, struct err *err) {
    victim_list all = {0};
    int r = victims_with_children(&s->victims, &all, err);
    for (size_t i = 0; i < all.n && r >= 0; i++)
        if (str_starts(all.items[i].what, "child of"))
            VEC_PUSH(&s->children, all.items[i]);
    VEC_DONE(&all);
    return r;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct process_state *s = process_state(f);
    struct err err = {0};
    process_state_begin(f, done);
    int r = victims_find(f, &s->victims, &err);
    if (r >= 0 && str_eq(fault_param(f, "service"), "postgres") && str_eq(fault_param(f, "process"), "postmaster"))
        r = remember_children(s, &err);
    if (r < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    f->touched = true;
    salvo_fire(&s->victims, signal_of(f), false, true, on_shots, f, &s->salvo);
}

static void describe(const struct fault *f, struct strbuf *out) {
    const char *service = fault_param(f, "service"), *process = fault_param(f, "process"),
               *sig = fault_param(f, "signal");
    for (size_t i = 0; i < f->n_nodes; i++) {
        strbuf_addf(out, "# on %s\n", f->nodes[i]);
        if (!str_eq(service, "postgres"))
            strbuf_addf(out, "kill -%s $(pgrep -o -f '%s')\n", sig, service);
        else if (str_eq(process, "postmaster"))
            strbuf_addf(out, "kill -%s $(head -1 /var/lib/postgresql/data/postmaster.pid)\n", sig);
        else
            strbuf_addf(out, "kill -%s $(pgrep -o -f 'postgres: .*%s')\n", sig,
                        str_eq(process, "backend") ? "app" : process);
    }
}

static const struct mechanism_param params[] = {
    {"service", "word", PROCESS_SERVICES, NULL, "whose process"},
    {"process", "word", PROCESS_NAMES, "postmaster",
     "which of PostgreSQL's (service postgres only); walsender means all of them, backend one, the application's if it "
     "has one"},
    {"signal", "word", "KILL|TERM|INT|QUIT|ABRT|SEGV", "KILL", "the signal"},
    {0}};

const struct fault_ops process_kill_fault = {
    .about = {.name = "process.kill", .summary = "ends one process by a signal", .params = params},
    .mechanism = "The node's init sends the signal through a pidfd and sees the process exit.",
    .still_works = "The node's kernel and its other processes: peers get a RST or FIN at once. With Patroni killed, "
                   "PostgreSQL goes "
                   "on accepting writes.",
    .exercises = "Crash recovery, restart by Patroni, failover when it does not come back; nobody fences PostgreSQL "
                 "when Patroni dies.",
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
