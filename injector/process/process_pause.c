// SPDX-License-Identifier: PostgreSQL
// process.pause: SIGSTOP. The process is there, its port accepts connections (the kernel does that), and nothing
// answers. The happy path: the init stops the root, then its descendants; whoever was born meanwhile is found by
// looking again, until nobody is missed; the fault is effective when every one of them has been *seen* in state T. Two
// pauses of one process compose (world->frozen counts); a process that is killed or loses its power while frozen has
// nothing left to heal. Patroni's PostgreSQL is not Patroni's child (postmaster.py lets init adopt it), so pausing
// Patroni leaves it running.
#include <signal.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/process/faults.h"
#include "injector/process/frozen.h"
#include "injector/process/process_fault.h"

enum { LOOKS_MAX = 20 }; // fork storms: looking again this often, then giving up

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    return process_check(t, params, &process_pause_fault.about, err);
}

static bool known(const victim_list *l, const struct victim *v) {
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i].node == v->node && l->items[i].process.pid == v->process.pid &&
            l->items[i].process.start == v->process.start)
            return true;
    return false;
}

// Everybody to freeze who is not on our list yet. children is used for all of them, roots included.
static int find_not_held_yet(struct fault *f, victim_list *fresh, struct err *err) {
    struct process_state *s = f->state;
    victim_list all = {0};
    int r = 0;
    if (str_eq(fault_param(f, "scope"), "tree"))
        r = victims_with_children(&s->victims, &all, err);
    else
        for (size_t i = 0; i < s->victims.n; i++)
            VEC_PUSH(&all, s->victims.items[i]);
    for (size_t i = 0; i < all.n; i++)
        if (all.items[i].process.state != 'Z' && !known(&s->children, &all.items[i]))
            VEC_PUSH(fresh, all.items[i]);
    VEC_DONE(&all);
    return r;
}

static void hold_all(struct fault *f, const victim_list *fresh) {
    struct process_state *s = f->state;
    s->held = xrealloc(s->held, (s->children.n + fresh->n) * sizeof *s->held);
    for (size_t i = 0; i < fresh->n; i++) {
        frozen_hold(f->world->frozen, &fresh->items[i]);
        s->held[s->children.n] = true;
        VEC_PUSH(&s->children, fresh->items[i]);
    }
    s->n_held = s->children.n;
}

static bool all_frozen(void *arg) {
    const struct fault *f = arg;
    const struct process_state *s = f->state;
    size_t frozen = 0;
    for (size_t i = 0; i < s->children.n; i++) {
        const struct victim *v = &s->children.items[i];
        bool is = process_frozen(v->node, &v->process);
        if (!is && process_alive(v->node, &v->process))
            return false;
        frozen += is;
    }
    return frozen > 0;
}

static void on_frozen(void *arg, bool met) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    usec_t now = sink_now(f->world->sink);
    cleanup_strbuf struct strbuf who = {0};
    victims_text(&s->victims, &who);
    if (met)
        phase_ok(f, s->done, now, "SIGSTOP sent to %s%s, %zu process%s, all seen stopped %.1f ms later",
                 strbuf_str(&who), s->children.n > s->victims.n ? " and descendants" : "", s->children.n,
                 s->children.n == 1 ? "" : "es", (double)(usec_now() - s->since) / 1000.0);
    else
        phase_no(f, s->done, "SIGSTOP sent to %s, but not every process stopped", strbuf_str(&who));
}

static void on_shots(void *arg, struct salvo *salvo);

// Freezes those not frozen yet; when there are none left, waits until all are seen stopped.
static void freeze_more(struct fault *f) {
    struct process_state *s = f->state;
    struct err err = {0};
    victim_list fresh = {0};
    int r = s->looks-- > 0 ? find_not_held_yet(f, &fresh, &err)
                           : err_set(&err, EBUSY, "it forks faster than it can be stopped");
    if (r >= 0 && fresh.n) {
        bool first = s->children.n == 0; // the init takes the whole tree at once; then whoever it missed, one by one
        hold_all(f, &fresh);
        salvo_fire(first ? &s->victims : &fresh, SIGSTOP, first && str_eq(fault_param(f, "scope"), "tree"), false,
                   on_shots, f, &s->salvo);
    } else if (r >= 0 && all_frozen(f)) {
        on_frozen(f, true);
    } else if (r < 0 || retry_start(f->world->loop, MSEC, 5 * SEC, all_frozen, on_frozen, f, &s->retry, &err) < 0) {
        phase_no(f, s->done, "%s", err.msg);
    }
    VEC_DONE(&fresh);
}

static void on_shots(void *arg, struct salvo *salvo) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    const struct shot *which;
    int error = salvo_error(salvo, &which);
    bool root = error && known(&s->victims, &which->victim);
    if (error && (error != -ESRCH || root)) { // a child that ended meanwhile is no failure
        cleanup_strbuf struct strbuf text = {0};
        salvo_text(salvo, SIGSTOP, &text);
        salvo_drop(&s->salvo);
        phase_no(f, s->done, "%s", strbuf_str(&text));
        return;
    }
    salvo_drop(&s->salvo);
    freeze_more(f);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct process_state *s = process_state(f);
    struct err err = {0};
    process_state_begin(f, done);
    if (victims_find(f, &s->victims, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    f->touched = true;
    s->looks = LOOKS_MAX;
    freeze_more(f);
}

// ---- verify: state T, and no processor time used, over 100 ms ------------------------------------------------------

static bool time_passed(void *arg) {
    const struct fault *f = arg;
    return usec_now() >= ((const struct process_state *)f->state)->since + 100 * MSEC;
}

static void on_watched(void *arg, bool met) {
    (void)met;
    struct fault *f = arg;
    struct process_state *s = f->state;
    size_t frozen = 0;
    for (size_t i = 0; i < s->children.n; i++) {
        const struct victim *v = &s->children.items[i];
        struct process now;
        // A child that had just ended stays a zombie until its frozen parent runs again.
        if (process_read(v->node, v->process.pid, &now) < 0 || now.start != v->process.start ||
            strchr("ZX", now.state)) {
            if (known(&s->victims, v)) {
                phase_no(f, s->done, "%s %lld on %s is gone", v->what, (long long)v->process.pid, node_name(v->node));
                return;
            }
            continue;
        }
        if (!process_frozen(v->node, &v->process) || now.cpu != v->process.cpu) {
            phase_no(f, s->done, "%s %lld on %s is in state %c and %s", v->what, (long long)v->process.pid,
                     node_name(v->node), now.state, now.cpu != v->process.cpu ? "used processor time" : "runs");
            return;
        }
        frozen++;
    }
    phase_ok(f, s->done, 0, "%zu process%s in state T, no processor time used in 100 ms", frozen,
             frozen == 1 ? "" : "es");
}

static void verify(struct fault *f, fault_phase_done done) {
    struct process_state *s = f->state;
    struct err err = {0};
    process_state_begin(f, done);
    for (size_t i = 0; i < s->children.n; i++) {
        struct victim *v = &s->children.items[i];
        struct process now;
        if (process_read(v->node, v->process.pid, &now) == 0 && now.start == v->process.start)
            v->process.cpu = now.cpu;
    }
    if (retry_start(f->world->loop, 100 * MSEC, 200 * MSEC, time_passed, on_watched, f, &s->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

// ---- heal ----------------------------------------------------------------------------------------------------------

static void on_continued(void *arg, struct salvo *salvo) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    size_t n = salvo->shots.n;
    const struct shot *which = NULL;
    int error = salvo_error(salvo, &which);
    if (error && error != -ESRCH) {
        cleanup_strbuf struct strbuf text = {0};
        salvo_text(salvo, SIGCONT, &text);
        salvo_drop(&s->salvo);
        phase_no(f, s->done, "%s", strbuf_str(&text));
        return;
    }
    salvo_drop(&s->salvo);
    phase_ok(f, s->done, sink_now(f->world->sink), "SIGCONT sent to %zu process%s", n, n == 1 ? "" : "es");
}

static void heal(struct fault *f, fault_phase_done done) {
    struct process_state *s = process_state(f);
    process_state_begin(f, done);
    victim_list thaw = {0}, missed = {0};
    for (size_t i = 0; i < s->n_held; i++) {
        if (s->held[i])
            frozen_release(f->world->frozen, &s->children.items[i]);
        s->held[i] = false;
    }
    for (size_t i = 0; i < s->children.n; i++) {
        const struct victim *v = &s->children.items[i];
        if (process_alive(v->node, &v->process) && !frozen_held(f->world->frozen, v))
            VEC_PUSH(&thaw, *v);
    }
    (void)find_not_held_yet(f, &missed,
                            NULL); // a freeze that was given up half-way may have stopped more than it listed
    for (size_t i = 0; i < missed.n; i++)
        if (strchr("TD", missed.items[i].process.state) && !frozen_held(f->world->frozen, &missed.items[i]))
            VEC_PUSH(&thaw, missed.items[i]);
    VEC_DONE(&missed);
    if (thaw.n)
        salvo_fire(&thaw, SIGCONT, false, false, on_continued, f, &s->salvo);
    else
        phase_ok(f, done, sink_now(f->world->sink),
                 "nothing left to resume: the processes are gone, or held by another pause");
    VEC_DONE(&thaw);
}

static bool none_frozen(void *arg) {
    const struct fault *f = arg;
    const struct process_state *s = f->state;
    for (size_t i = 0; i < s->children.n; i++) {
        const struct victim *v = &s->children.items[i];
        if (!frozen_held(f->world->frozen, v) && process_frozen(v->node, &v->process))
            return false;
    }
    return true;
}

static void on_thawed(void *arg, bool met) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    size_t alive = 0, held = 0;
    for (size_t i = 0; i < s->children.n; i++) {
        alive += process_alive(s->children.items[i].node, &s->children.items[i].process);
        held += frozen_held(f->world->frozen, &s->children.items[i]);
    }
    if (!met)
        phase_no(f, s->done, "still in state T after SIGCONT");
    else if (held)
        phase_ok(f, s->done, 0, "%zu of %zu processes are still held by another pause", held, alive);
    else
        phase_ok(f, s->done, 0, "none of %zu processes is in state T", alive);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct process_state *s = process_state(f);
    struct err err = {0};
    process_state_begin(f, done);
    if (retry_start(f->world->loop, 2 * MSEC, 3 * SEC, none_frozen, on_thawed, f, &s->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static void done_with(struct fault *f) {
    struct process_state *s = f->state;
    for (size_t i = 0; s && f->world->frozen && i < s->n_held; i++)
        if (s->held[i])
            frozen_release(f->world->frozen, &s->children.items[i]);
    process_state_free(f);
}

static void describe(const struct fault *f, struct strbuf *out) {
    const char *service = fault_param(f, "service");
    for (size_t i = 0; i < f->n_nodes; i++) {
        strbuf_addf(out, "# on %s; back: kill -CONT\n", f->nodes[i]);
        if (!str_eq(service, "postgres"))
            strbuf_addf(out, "kill -STOP $(pgrep -f '%s')\n", service);
        else if (str_eq(fault_param(f, "process"), "postmaster"))
            strbuf_add(out, "p=$(head -1 /var/lib/postgresql/data/postmaster.pid); kill -STOP $p $(pgrep -P $p)\n");
        else
            strbuf_addf(out, "kill -STOP $(pgrep -f 'postgres: .*%s')\n", fault_param(f, "process"));
    }
}

static const struct mechanism_param params[] = {
    {"service", "word", PROCESS_SERVICES, NULL, "whose process"},
    {"process", "word", PROCESS_NAMES, "postmaster",
     "which of PostgreSQL's (service postgres only); walsender means all of them, backend one, the application's if it "
     "has one"},
    {"scope", "word", "tree|process", "tree", "with all its descendants, or the process alone"},
    {0}};

const struct fault_ops process_pause_fault = {
    .about = {.name = "process.pause", .summary = "freezes a process, with its descendants", .params = params},
    .mechanism = "SIGSTOP through the node's init, repeated until no descendant is missed; SIGCONT undoes it.",
    .still_works = "The kernel still accepts connections for it, and answers nothing. Everything else on the node "
                   "runs: with Patroni "
                   "frozen, PostgreSQL takes writes. With scope process, children of the postmaster go on serving.",
    .exercises = "Hangs instead of crashes: timeouts, zombie leaders on resume, replication lag (walreceiver: receive, "
                 "startup: replay).",
    .needs = "nothing",
    .check = check,
    .check_node = process_check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .thaws = true,
};
