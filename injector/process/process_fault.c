// SPDX-License-Identifier: PostgreSQL
// Parameters and checks first, then the two phases that process.kill and process.stop share: everybody is gone, and the service runs
// again (started here, or by Patroni where PostgreSQL is concerned).
#include "injector/process/process_fault.h"

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "lab/node/places.h"

struct process_state *process_state(struct fault *f) {
    if (!f->state)
        f->state = xcalloc(1, sizeof(struct process_state));
    return f->state;
}

void process_state_begin(struct fault *f, fault_phase_done done) {
    struct process_state *s = process_state(f);
    salvo_drop(&s->salvo);
    retry_stop(&s->retry);
    s->since = usec_now();
    s->done = done;
}

void process_state_free(struct fault *f) {
    struct process_state *s = f->state;
    if (!s)
        return;
    salvo_drop(&s->salvo);
    retry_stop(&s->retry);
    VEC_DONE(&s->victims);
    VEC_DONE(&s->children);
    free(s->held);
    free(s);
    f->state = NULL;
}

int process_check(const struct topology *t, const setting_list *params, const struct mechanism *about,
                  struct err *err) {
    const char *service = mechanism_param(about, params, "service");
    for (size_t i = 0; params && i < params->n; i++)
        if (str_eq(params->items[i].key, "process") && !str_eq(service, "postgres"))
            return err_set(err, EINVAL, "%s: process chooses among PostgreSQL's processes; leave it out for service %s",
                           about->name, service);
    return check_service_in(t, service, err);
}

int process_check_node(const struct topology *t, const struct node_def *node, const setting_list *params,
                       struct err *err) {
    for (size_t i = 0; params && i < params->n; i++)
        if (str_eq(params->items[i].key, "service"))
            return check_service_on(t, node, params->items[i].value, err);
    return 0;
}

// ---- gone? ---------------------------------------------------------------------------------------------------------

static bool all_gone(void *arg) {
    const struct fault *f = arg;
    const struct process_state *s = f->state;
    return !victims_any_alive(&s->victims) && !victims_any_alive(&s->children);
}

static size_t count_alive(const victim_list *l) {
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += process_alive(l->items[i].node, &l->items[i].process);
    return n;
}

static void on_gone(void *arg, bool met) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    cleanup_strbuf struct strbuf who = {0};
    victims_text(&s->victims, &who);
    size_t victims = count_alive(&s->victims), children = count_alive(&s->children);
    double ms = (double)(usec_now() - s->since) / 1000.0;
    if (!met && victims)
        phase_no(f, s->done, "still there: %s", strbuf_str(&who));
    else if (!met)
        phase_no(f, s->done, "gone: %s; but %zu of %zu children live on", strbuf_str(&who), children, s->children.n);
    else if (s->children.n)
        phase_ok(f, s->done, 0, "gone from the node's process list: %s, and %zu children (%.0f ms after)",
                 strbuf_str(&who), s->children.n, ms);
    else
        phase_ok(f, s->done, 0, "gone from the node's process list: %s", strbuf_str(&who));
}

void process_verify_gone(struct fault *f, fault_phase_done done) {
    struct process_state *s = f->state;
    struct err err = {0};
    process_state_begin(f, done);
    if (retry_start(f->world->loop, 2 * MSEC, 5 * SEC, all_gone, on_gone, f, &s->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

// ---- running again? ------------------------------------------------------------------------------------------------

static bool running(struct node *n, const char *service) {
    struct process p;
    int64_t pid = str_eq(service, "postgres") ? node_postmaster_pid(n, STACK_PGDATA) : node_service_pid(n, service);
    return pid > 0 && process_read(n, pid, &p) == 0 && p.state != 'Z' && p.state != 'X';
}

static int start_again(struct fault *f, const char *node, struct strbuf *out, struct err *err) {
    struct node *n = fault_world_node(f->world, node);
    const char *service = fault_param(f, "service");
    if (!node_is_on(n)) {
        strbuf_addf(out, "%s is powered off; ", node);
    } else if (running(n, service)) {
        strbuf_addf(out, "%s runs on %s; ", service, node);
    } else if (str_eq(service, "postgres")) {
        strbuf_addf(out,
                    running(n, "patroni") ? "Patroni on %s starts PostgreSQL itself; "
                                          : "Patroni does not run on %s: nobody starts PostgreSQL; ",
                    node);
    } else {
        int r = f->world->start_services ? f->world->start_services(f->world->arg, node, service, err)
                                         : err_set(err, ENOSYS, "this lab can't start services");
        if (r < 0)
            return r;
        strbuf_addf(out, "%s started again on %s; ", service, node);
    }
    return 0;
}

static void on_settled(void *arg, bool met) {
    (void)met; // what has not ended by now will not: it is running, then
    struct fault *f = arg;
    struct process_state *s = f->state;
    cleanup_strbuf struct strbuf text = {0};
    for (size_t i = f->n_nodes; i-- > 0;) {
        struct err err = {0};
        if (start_again(f, f->nodes[i], &text, &err) >= 0)
            continue;
        phase_no(f, s->done, "%s", err.msg);
        return;
    }
    if (text.len >= 2)
        text.data[text.len - 2] = '\0';
    phase_ok(f, s->done, sink_now(f->world->sink), "%s", strbuf_str(&text));
}

static bool victims_gone(void *arg) {
    const struct fault *f = arg;
    return !victims_any_alive(&((const struct process_state *)f->state)->victims);
}

void process_heal_ended(struct fault *f, fault_phase_done done) {
    struct process_state *s = process_state(f);
    struct err err = {0};
    process_state_begin(f, done);
    // A signal may still be at work (asked to stop, not gone by the deadline): starting beside it would be two of them.
    if (retry_start(f->world->loop, 5 * MSEC, 3 * SEC, victims_gone, on_settled, f, &s->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static bool all_running(void *arg) {
    const struct fault *f = arg;
    for (size_t i = 0; i < f->n_nodes; i++) {
        struct node *n = fault_world_node(f->world, f->nodes[i]);
        if (!node_is_on(n) || !running(n, fault_param(f, "service")))
            return false;
    }
    return true;
}

static void on_running(void *arg, bool met) {
    struct fault *f = arg;
    struct process_state *s = f->state;
    const char *service = fault_param(f, "service");
    cleanup_strbuf struct strbuf text = {0};
    for (size_t i = 0; i < f->n_nodes; i++) {
        struct node *n = fault_world_node(f->world, f->nodes[i]);
        int64_t pid = !node_is_on(n)                ? 0
                      : str_eq(service, "postgres") ? node_postmaster_pid(n, STACK_PGDATA)
                                                    : node_service_pid(n, service);
        strbuf_addf(&text, pid > 0 ? "%s%s runs on %s as %lld" : "%s%s does not run on %s", i ? ", " : "", service,
                    f->nodes[i], (long long)pid);
    }
    if (met)
        phase_ok(f, s->done, 0, "%s", strbuf_str(&text));
    else
        phase_no(f, s->done, "%s", strbuf_str(&text));
}

void process_verify_running(struct fault *f, fault_phase_done done) {
    struct process_state *s = process_state(f);
    struct err err = {0};
    process_state_begin(f, done);
    // Patroni starts PostgreSQL in one of its next loops, after crash recovery or a rewind; 5 s less than our patience.
    if (retry_start(f->world->loop, 10 * MSEC, 55 * SEC, all_running, on_running, f, &s->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}
