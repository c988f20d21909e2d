// SPDX-License-Identifier: PostgreSQL
// The supervisor's life. Happy path: build (switch, nodes, stack) -> starting (the stack brings the cluster up) ->
// ready (it is complete; the application starts, and with acknowledged writes the scenario's clock) -> collecting ->
// gone or kept.
//
// Every event of every room comes through emit(): first into the log (the log is the truth; in calm lines that say the same are merged on
// their way, lab/record/thin.h), then into a queue, from
// which engine, stack and observer see it in order. The queue keeps a room that emits from inside a callback from being
// re-entered.
//
// Failure modes. The command dies: EOF on the lifeline, we leave at once and the kernel clears up. A daemon does not
// start: the stack says "broken", everything is healed and collected and the run ends as broken. The log can't be
// written (disk full): the run is broken, its end is still written (room.c). Ctrl-C: the command asks for an abort; faults
// are healed before we leave.
#include "lab/supervisor/supervisor.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include "lab/base/log.h"
#include "lab/record/thin.h"
#include "lab/sandbox/sandbox.h"
#include "lab/supervisor/internal.h"

struct node *lab_node(struct lab *lab, const char *name) {
    for (size_t i = 0; i < lab->plan->topology->nodes.n; i++)
        if (lab->nodes[i] && str_eq(lab->plan->topology->nodes.items[i].name, name))
            return lab->nodes[i];
    return NULL;
}

void lab_set_state(struct lab *lab, enum lab_state state, const char *detail) {
    lab->state = state;
    struct event ev = EVENT_NEW(LAB_STATE);
    ev.u.LAB_STATE.state = state;
    STR_COPY(ev.u.LAB_STATE.detail, detail ? detail : "");
    sink_emit(&lab->sink, &ev);
}

void lab_progress(struct lab *lab, enum progress_phase phase, bool waiting, const char *fmt, ...) {
    struct event ev = EVENT_NEW(PROGRESS);
    ev.u.PROGRESS.phase = phase;
    ev.u.PROGRESS.waiting = waiting;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(ev.u.PROGRESS.text, sizeof ev.u.PROGRESS.text, fmt, ap);
    va_end(ap);
    sink_emit(&lab->sink, &ev);
}

void lab_quit(struct lab *lab, int code) {
    (void)sd_event_exit(lab->loop, code);
}

// ---- events --------------------------------------------------------------------------------------------------------

static void write_line(void *arg, const struct event *ev) {
    struct lab *lab = arg;
    struct err err = {0};
    if (lab->log && run_log_write(lab->log, ev, &err) < 0)
        lab->write_failed = err.code;
    if (ev->kind == EVENT_RECORD_THINNED && lab->workload)
        workload_set_merge(lab->workload, ev->u.RECORD_THINNED.ticks);
}

static void write_log(struct lab *lab, const struct event *ev) {
    thin_event(lab->thinner, ev);
    int code = lab->write_failed;
    lab->write_failed = 0;
    if (code) // it emits: not from inside the thinner
        lab_record_failed(lab, code);
}

static void arm_engine_timer(struct lab *lab) {
    usec_t at = engine_deadline(lab->engine);
    if (at == USEC_NEVER) {
        (void)sd_event_source_set_enabled(lab->engine_timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time(lab->engine_timer, lab->sink.base + at);
    (void)sd_event_source_set_enabled(lab->engine_timer, SD_EVENT_ONESHOT);
}

static void step_engine(struct lab *lab, const struct event *ev) {
    effect_list effects = {0};
    engine_step(lab->engine, ev, &effects);
    lab_carry_out(lab, &effects);
    VEC_DONE(&effects);
    arm_engine_timer(lab);
}

static int start_workload(struct lab *lab, struct err *err) {
    const struct topology *t = lab->plan->topology;
    struct node *app = NULL;
    for (size_t i = 0; i < t->nodes.n; i++)
        if (t->nodes.items[i].services & SERVICE_APP)
            app = lab->nodes[i];
    if (!app || !lab->o->lab->workload)
        return 0;
    cleanup_strbuf struct strbuf conninfo = {0};
    stack_app_conninfo(t, lab->plan->workload.route == ROUTE_HAPROXY ? SERVICE_HAPROXY : SERVICE_POSTGRES, &conninfo);
    cleanup_free char *ledger = xasprintf("%s/ledger.bin", lab->o->lab->run_dir);
    struct workload_options o = {.loop = lab->loop,
                                 .def = &lab->plan->workload,
                                 .topology = t,
                                 .app = app,
                                 .sink = &lab->sink,
                                 .ledger_path = ledger,
                                 .conninfo = strbuf_str(&conninfo)};
    return workload_start(&o, &lab->workload, err);
}

static void become_ready(struct lab *lab) {
    struct err err = {0};
    lab_set_state(lab, LAB_STATE_READY, stack_was_warm(lab->stack) ? "warm start" : "cold start");
    if (start_workload(lab, &err) < 0)
        lab_finish(lab, END_REASON_BROKEN, err.msg);
}

// A start that takes longer than usual says what it lacks (in synchronous mode a whole loop_wait passes before /sync is written).
static void say_what_is_missing(struct lab *lab, const char *why) {
    usec_t now = sink_now(&lab->sink);
    if (now < 3 * SEC || now < lab->missing_said + SEC || str_eq(why, lab->missing))
        return;
    STR_COPY(lab->missing, why);
    lab->missing_said = now;
    lab_progress(lab, PROGRESS_PHASE_WAIT, true, "a complete cluster: %s", why);
}

// The lab's own reactions, after all rooms have seen the event.
static void react(struct lab *lab, const struct event *ev) {
    char why[EVENT_TEXT_MAX] = "";
    if (lab->state == LAB_STATE_STARTING && model_complete(engine_model(lab->engine), why, sizeof why))
        become_ready(lab);
    else if (lab->state == LAB_STATE_STARTING)
        say_what_is_missing(lab, why);
    if (ev->kind == EVENT_ACTION)
        lab_keep_action(lab, ev);
    // The stack and the injector report a lab that can't go on with lab.state "broken"; our own state events pass
    // through here too.
    if (ev->kind == EVENT_LAB_STATE && ev->u.LAB_STATE.state == LAB_STATE_BROKEN && lab->state != LAB_STATE_BROKEN)
        lab_finish(lab, END_REASON_BROKEN, ev->u.LAB_STATE.detail);
}

static void drain(struct lab *lab) {
    lab->draining = true;
    for (size_t i = 0; i < lab->queue.n; i++) {
        struct event ev = lab->queue.items[i]; // a copy: the queue may move while rooms emit
        if (lab->engine)
            step_engine(lab, &ev);
        if (lab->stack && lab->engine)
            stack_on_event(lab->stack, &ev, engine_model(lab->engine));
        if (lab->observer)
            observer_on_event(lab->observer, &ev);
        if (lab->matrix)
            matrix_on_event(lab->matrix, &ev);
        react(lab, &ev);
    }
    VEC_CLEAR(&lab->queue);
    lab->draining = false;
}

static void emit(void *arg, const struct event *ev) {
    struct lab *lab = arg;
    if (lab->observer)
        observer_look_at_the_clock(lab->observer);
    write_log(lab, ev);
    VEC_PUSH(&lab->queue, *ev);
    if (!lab->draining)
        drain(lab);
}

static int on_engine_timer(sd_event_source *s, uint64_t usec, void *arg) {
    (void)s, (void)usec;
    struct lab *lab = arg;
    if (lab->observer)
        observer_look_at_the_clock(lab->observer);
    struct event tick = {.t = sink_now(&lab->sink), .kind = EVENT_TICK};
    bool nested = lab->draining;
    lab->draining = true; // effects of this step emit into the queue, as always
    step_engine(lab, &tick);
    lab->draining = nested;
    if (!nested)
        drain(lab);
    return 0;
}

// Closes the record up to here. Nobody else writes to its files any more: the application has ended, or leaves with us. Hashing them takes
// about 2 s for each GB, at the very end or when a scenario is over.
void lab_seal(struct lab *lab) {
    struct err err = {0};
    thin_flush(lab->thinner);
    if (lab->log && run_log_seal(lab->log, lab->o->lab->run_dir, sink_now(&lab->sink), &err) < 0)
        log_error("event log: %s", err.msg);
}

// ---- the end -------------------------------------------------------------------------------------------------------

void lab_finish(struct lab *lab, enum end_reason reason, const char *detail) {
    if (lab->end_reason)
        return;
    lab->end_reason = reason;
    STR_COPY(lab->end_detail, detail ? detail : "");
    if (reason == END_REASON_BROKEN)
        lab_set_state(lab, LAB_STATE_BROKEN, detail);
    lab_collect(lab);
}

static int on_lifeline(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)fd;
    struct lab *lab = arg;
    if (!(revents & (EPOLLHUP | EPOLLERR)))
        return 0;
    if (!lab->detached)
        lab_quit(lab, SUPERVISOR_EXIT_OK);
    (void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
    return 0;
}

static int on_terminate(sd_event_source *s, const struct signalfd_siginfo *si, void *arg) {
    (void)s, (void)si;
    lab_quit(arg, SUPERVISOR_EXIT_OK);
    return 0;
}

static int setup_loop(struct lab *lab, struct err *err) {
    sigset_t block;
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGTERM);
    (void)sigaddset(&block, SIGINT);
    (void)sigaddset(&block, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &block, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is told like a full disk
    int r = sd_event_default(&lab->loop);
    if (r >= 0)
        r = sd_event_add_signal(lab->loop, NULL, SIGTERM, on_terminate, lab);
    if (r >= 0)
        r = sd_event_add_signal(lab->loop, NULL, SIGINT, on_terminate, lab);
    if (r >= 0)
        r = sd_event_add_io(lab->loop, NULL, lab->o->lifeline, 0, on_lifeline, lab);
    if (r >= 0)
        r = sd_event_add_time(lab->loop, &lab->engine_timer, CLOCK_MONOTONIC, UINT64_MAX, 1, on_engine_timer, lab);
    if (r >= 0)
        r = sd_event_source_set_enabled(lab->engine_timer, SD_EVENT_OFF);
    if (r >= 0)
        r = lab_watch_room(lab);
    return r < 0 ? err_sys(err, -r, "event loop") : 0;
}

static int start(struct lab *lab, struct err *err) {
    cleanup_free char *path = xasprintf("%s/events.jsonl", lab->o->lab->run_dir);
    int r = run_log_create(path, &lab->log, err);
    if (r < 0)
        return r;
    r = setup_loop(lab, err);
    if (r < 0)
        return r;
    lab->engine = engine_new(lab->plan);
    lab_record_beginning(lab);
    if (lab->o->lab->hold)
        lab_tell_command(lab, "hold", "", "run");
    r = control_new(lab, lab->o->control, &lab->control, err);
    if (r < 0)
        return r;
    lab_set_state(lab, LAB_STATE_BUILDING, NULL);
    r = lab_build(lab, err);
    if (r < 0)
        return r;
    lab_set_state(lab, LAB_STATE_STARTING, NULL);
    return stack_start(lab->stack, err);
}

int supervisor_main(const struct supervisor_options *o) {
    (void)prctl(PR_SET_NAME, LAB_COMM); // commands look for it
    struct lab *lab = xcalloc(1, sizeof *lab);
    lab->o = o;
    lab->plan = o->lab->plan;
    lab->thinner = thin_new(lab->plan->topology->thin_after, write_line, lab);
    lab->sink = (struct event_sink){.emit = emit, .arg = lab, .base = usec_now()};
    struct err err = {0};
    if (start(lab, &err) < 0) {
        log_error("%s", err.msg);
        lab_finish(lab, END_REASON_BROKEN, err.msg);
    }
    // A lab that broke before its loop existed has nothing to run; everything else ends through lab_quit.
    int code = lab->loop ? sd_event_loop(lab->loop) : SUPERVISOR_EXIT_BROKEN;
    if (!lab->run_ended && lab->end_reason == END_REASON_BROKEN)
        code = SUPERVISOR_EXIT_BROKEN;
    workload_kill(
        lab->workload); // where the run was not ended in good order it still writes, and the ledger would outgrow its hash
    lab_seal(lab);
    run_log_close(lab->log);
    return code < 0 ? SUPERVISOR_EXIT_BROKEN
                    : code; // no tear-down: pid 1 leaves, and the kernel takes everything with it
}
