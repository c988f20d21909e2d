// SPDX-License-Identifier: PostgreSQL
// The first start, as fast as it honestly goes (docs/decisions/fast-start.md has the measurements).
//
// Happy path:  1. configuration is written, every node is powered on
//              2. the arbiters start one after the other; meanwhile a worker makes the data directories
//              3. the leader-to-be's server starts, with the command line that its manager would use; the standbys' follow once it accepts
//                 connections (earlier they would be refused and sleep 5 s, wal_retrieve_retry_interval)
//              4. its manager starts, finds a running primary and makes it the leader (lead)
//              5. with that seen (leads) the others join, with their standbys running (join)
//              6. the model says complete: we are done
//
// Failure modes: a daemon that ends before 6, a worker that fails, a phase that takes more than PHASE_DEADLINE: lab.state
// "broken" with the reason and the end of the log that tells most.
#include <stdarg.h>
#include <sys/inotify.h>

#include "lab/base/inside.h"
#include "lab/node/places.h"
#include "lab/stack/internal.h"

#define PHASE_DEADLINE MINUTE
#define NODE_DEADLINE  (10 * SEC)   // for each node, where that is more: sixteen need 16 s on two idle processors
#define TICK           (250 * MSEC) // deadlines, and a look at postmaster.pid should inotify have missed it

// waiting: the text completes "waiting for ...".
static void progress(struct stack *s, bool waiting, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void progress(struct stack *s, bool waiting, const char *fmt, ...) {
    struct event ev = EVENT_NEW(PROGRESS);
    ev.u.PROGRESS.phase = PROGRESS_PHASE_START;
    ev.u.PROGRESS.waiting = waiting;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(ev.u.PROGRESS.text, sizeof ev.u.PROGRESS.text, fmt, ap);
    va_end(ap);
    sink_emit(s->o.sink, &ev);
}

// What this phase waits for, in the system's words.
static void progress_of_phase(struct stack *s, const char *leader, const char *more) {
    cleanup_strbuf struct strbuf text = {0};
    s->ops->waits_for(s->phase, leader, &text);
    progress(s, true, "%s%s", strbuf_str(&text), more);
}

static usec_t phase_deadline(const struct stack *s) {
    usec_t all = stack_count(s) * NODE_DEADLINE;
    return all > PHASE_DEADLINE ? all : PHASE_DEADLINE;
}

static void set_phase(struct stack *s, enum start_phase phase) {
    s->phase = phase;
    s->deadline = usec_now() + phase_deadline(s);
    if (phase == START_DONE || phase == START_BROKEN)
        start_end(s);
}

// node, log: whose log's end to add; NULL = none.
static void give_up(struct stack *s, struct node *node, const char *log, const char *fmt, ...) PRINTF_LIKE(4, 5);
static void give_up(struct stack *s, struct node *node, const char *log, const char *fmt, ...) {
    if (s->phase == START_BROKEN)
        return;
    set_phase(s, START_BROKEN);
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    if (node && log && node_is_on(node))
        service_log_tail(node, log, &text);
    struct event ev = EVENT_NEW(LAB_STATE);
    ev.u.LAB_STATE.state = LAB_STATE_BROKEN;
    STR_COPY(ev.u.LAB_STATE.detail, strbuf_str(&text));
    sink_emit(s->o.sink, &ev);
}

void start_end(struct stack *s) {
    s->stagger = sd_event_source_disable_unref(s->stagger);
    s->tick = sd_event_source_disable_unref(s->tick);
    s->watch = sd_event_source_disable_unref(s->watch);
}

// ---- PostgreSQL ---------------------------------------------------------------------------------------------------

static void start_postmaster(struct stack *s, size_t i) {
    struct err err = {0};
    if (s->postmaster[i] || s->phase == START_BROKEN)
        return;
    s->postmaster[i] = true;
    if (service_postmaster(s, i, &err) < 0)
        give_up(s, NULL, NULL, "%s", err.msg);
}

static void start_standbys(struct stack *s) {
    for (size_t i = 0; i < stack_count(s); i++)
        if (s->data_ready[i] && s->leader_up && i != s->leader)
            start_postmaster(s, i);
}

// The eighth line of postmaster.pid is the server's status (src/include/utils/pidfile.h).
static bool accepts_connections(const struct stack *s) {
    cleanup_strbuf struct strbuf text = {0};
    if (inside_read(node_postgresql_dir(s->o.nodes[s->leader]), "data/postmaster.pid", 4096, &text, NULL) < 0)
        return false;
    const char *line = strbuf_str(&text);
    for (int i = 1; i < 8 && line; i++)
        line = (line = strchr(line, '\n')) ? line + 1 : NULL;
    return line && str_starts(line, "ready");
}

static void look_at_leader(struct stack *s) {
    if (s->phase != START_POSTGRES || !accepts_connections(s))
        return;
    struct err err = {0};
    s->leader_up = true;
    s->watch = sd_event_source_disable_unref(s->watch);
    set_phase(s, START_LEAD);
    start_standbys(s);
    if (s->phase == START_BROKEN)
        return;
    if (s->ops->lead(s, s->leader, &err) < 0) {
        give_up(s, NULL, NULL, "%s", err.msg);
        return;
    }
    progress_of_phase(s, stack_def(s, s->leader)->name, "");
}

static int on_leader_file(sd_event_source *source, const struct inotify_event *event, void *arg) {
    (void)source;
    (void)event;
    look_at_leader(arg);
    return 0;
}

static void start_leader(struct stack *s) {
    set_phase(s, START_POSTGRES);
    cleanup_free char *data = xasprintf("%s/data", node_postgresql_dir(s->o.nodes[s->leader]));
    // Without inotify the tick still looks.
    (void)sd_event_add_inotify(s->o.loop, &s->watch, data, IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE, on_leader_file, s);
    progress(s, true, "PostgreSQL on %s to accept connections", stack_def(s, s->leader)->name);
    start_postmaster(s, s->leader);
}

// A standby, once its data directory is there: before that its manager would find an empty one and make its own copy.
static void join_one(struct stack *s, size_t i) {
    struct err err = {0};
    if (!(stack_def(s, i)->services & SERVICE_POSTGRES) || i == s->leader || !s->data_ready[i] ||
        s->phase == START_BROKEN)
        return;
    if (s->ops->join(s, i, &err) < 0)
        give_up(s, NULL, NULL, "%s", err.msg);
}

static void on_template(void *arg, enum template_step step, size_t node, const char *text) {
    struct stack *s = arg;
    if (s->phase == START_BROKEN)
        return;
    switch (step) {
    case TEMPLATE_WARM:
        s->warm = true;
        progress(s, false, "data directories are copied from a prepared template");
        break;
    case TEMPLATE_BUILT:
        progress(s, false, "initdb is done; copying its data directory to each node");
        break;
    case TEMPLATE_NODE:
        s->data_ready[node] = true;
        if (node == s->leader)
            start_leader(s);
        else
            start_standbys(s);
        if (s->phase == START_JOIN) // a slow disk: the leader was faster than the copies
            join_one(s, node);
        break;
    case TEMPLATE_DONE:
    case TEMPLATE_ENDED:
        break;
    case TEMPLATE_NOTE:
        progress(s, false, "the template was not kept for the next start: %s", text);
        break;
    case TEMPLATE_FAILED:
        give_up(s, NULL, NULL, "data directories: %s", text);
        break;
    }
}

static int prepare_data(struct stack *s, struct err *err) {
    if (!s->has_leader)
        return 0;
    const char *dirs[NODES_MAX] = {0};
    for (size_t i = 0; i < stack_count(s); i++)
        dirs[i] = node_postgresql_dir(s->o.nodes[i]);
    // An image's initdb runs in the node that will lead, and leaves its work on that node's disk.
    bool image = *s->o.paths[s->leader].root;
    struct template_world world = {.dir = image ? dirs[s->leader] : s->o.work_dir,
                                   .inside = image ? "/var/lib/postgresql" : s->o.work_dir,
                                   .mounts = image ? node_files_ns(s->o.nodes[s->leader]) : -1};
    struct template_options o = {
        .conf = s->conf, .cache_dir = s->o.cache_dir, .world = world, .postgresql_dirs = dirs, .fresh = s->o.fresh};
    return template_start(s->o.loop, &o, on_template, s, &s->worker, err);
}

// ---- arbiters -----------------------------------------------------------------------------------------------------

static int start_service_bit(struct stack *s, size_t i, unsigned service, struct err *err) {
    int r = 0;
    for (size_t k = 0; k < s->ops->n_services && r == 0; k++)
        if (s->ops->services[k].service & service)
            r = s->ops->services[k].start(s, i, err);
    return r;
}

// The next one, and a timer for the one after.
static void start_next_arbiter(struct stack *s) {
    struct err err = {0};
    while (s->arbiter_next < stack_count(s) && !(stack_def(s, s->arbiter_next)->services & s->ops->arbiter))
        s->arbiter_next++;
    if (s->arbiter_next >= stack_count(s) || s->phase == START_BROKEN) {
        s->stagger = sd_event_source_disable_unref(s->stagger);
        return;
    }
    if (start_service_bit(s, s->arbiter_next++, s->ops->arbiter, &err) < 0) {
        give_up(s, NULL, NULL, "%s", err.msg);
        return;
    }
    (void)sd_event_source_set_time(s->stagger, usec_now() + s->ops->arbiter_gap(s->o.topology));
    (void)sd_event_source_set_enabled(s->stagger, SD_EVENT_ONESHOT);
}

static int on_stagger(sd_event_source *source, uint64_t t, void *arg) {
    (void)source;
    (void)t;
    start_next_arbiter(arg);
    return 0;
}

// ---- the whole ----------------------------------------------------------------------------------------------------

static void deadline_passed(struct stack *s) {
    const struct {
        const char *missing, *log;
    } phases[] = {
        [START_DATA] = {"the data directories were not ready", NULL},
        [START_POSTGRES] = {"PostgreSQL did not come up", "postgresql/postgresql.log"},
        [START_LEAD] = {s->ops->nobody_leads, s->ops->manager_log},
        [START_JOIN] = {s->ops->nobody_joins, s->ops->manager_log},
    };
    enum start_phase phase = s->phase;
    give_up(s, s->o.nodes[s->leader], phases[phase].log, "%s within %" PRIu64 " s", phases[phase].missing,
            phase_deadline(s) / SEC);
}

static int on_tick(sd_event_source *source, uint64_t t, void *arg) {
    (void)t;
    struct stack *s = arg;
    look_at_leader(s);
    if (s->phase == START_DONE || s->phase == START_BROKEN)
        return 0;
    if (usec_now() >= s->deadline) {
        deadline_passed(s);
        return 0;
    }
    (void)sd_event_source_set_time(source, usec_now() + TICK);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int add_timers(struct stack *s, struct err *err) {
    usec_t now = usec_now();
    int r = sd_event_add_time(s->o.loop, &s->stagger, CLOCK_MONOTONIC, now, 1, on_stagger, s);
    if (r >= 0)
        r = sd_event_add_time(s->o.loop, &s->tick, CLOCK_MONOTONIC, now + TICK, 1, on_tick, s);
    return r < 0 ? err_sys(err, -r, "timers of the start") : 0;
}

static int power_on(struct stack *s, struct err *err) {
    for (size_t i = 0; i < stack_count(s); i++) {
        struct node *n = s->o.nodes[i];
        int r = node_is_on(n) ? 0 : node_power_on(n, err);
        if (r < 0)
            return err_wrap(err, "power on %s", node_name(n));
        service_boot(n);
    }
    return 0;
}

static int start_proxies(struct stack *s, struct err *err) {
    for (size_t i = 0; i < stack_count(s); i++)
        if (stack_def(s, i)->services & SERVICE_HAPROXY) {
            int r = start_service_bit(s, i, SERVICE_HAPROXY, err);
            if (r < 0)
                return r;
        }
    return 0;
}

int start_begin(struct stack *s, struct err *err) {
    if (s->phase != START_NOT)
        return err_set(err, EALREADY, "the stack was started already");
    int r = write_configuration(s, err);
    if (r == 0)
        r = prepare_data(s, err); // first: it is the longest way when cold
    if (r == 0)
        r = power_on(s, err);
    if (r == 0)
        r = add_timers(s, err);
    if (r < 0)
        return r;
    set_phase(s, START_DATA);
    progress_of_phase(s, "", s->has_leader ? " and the data directories" : "");
    start_next_arbiter(s);
    return start_proxies(s, err);
}

static void join_others(struct stack *s, const char *leader) {
    set_phase(s, START_JOIN);
    for (size_t i = 0; i < stack_count(s); i++)
        join_one(s, i);
    if (s->phase == START_BROKEN)
        return;
    progress_of_phase(s, leader, "");
}

// A daemon that ends while we start: nothing will get better by waiting.
static void on_service(struct stack *s, const struct event *ev) {
    __auto_type x = &ev->u.SERVICE;
    bool daemon = false;
    for (size_t i = 0; i < s->ops->n_services; i++)
        daemon |= str_eq(x->service, s->ops->services[i].name);
    bool failed_ctl = str_eq(x->service, "pg_ctl") && (x->status != 0 || x->state == SERVICE_STATE_SIGNALLED);
    if (x->state == SERVICE_STATE_STARTED || (!daemon && !failed_ctl))
        return;
    struct node *n = NULL;
    for (size_t i = 0; i < stack_count(s); i++)
        if (str_eq(stack_def(s, i)->name, x->node))
            n = s->o.nodes[i];
    cleanup_free char *log =
        failed_ctl ? xstrdup("postgresql/postgresql.log") : xasprintf("%s/%s.log", x->service, x->service);
    bool exited = x->state == SERVICE_STATE_EXITED;
    give_up(s, n, log, "%s on %s ended during the start (%s %" PRId64 ")", x->service, x->node,
            exited ? "exit" : "signal", exited ? x->status : x->signal);
}

void start_on_event(struct stack *s, const struct event *ev, const struct model *m) {
    if (s->phase <= START_NOT || s->phase >= START_DONE)
        return;
    if (ev->kind == EVENT_SERVICE)
        on_service(s, ev);
    else if (s->phase == START_LEAD && *s->ops->leads(ev))
        join_others(s, s->ops->leads(ev));
    if ((s->phase == START_JOIN || !s->has_leader) && m && model_complete(m, NULL, 0))
        set_phase(s, START_DONE);
}
