// SPDX-License-Identifier: PostgreSQL
// The session's answers drive it: on_ready asks for the backend's pid, on_done after that answer starts the guard and sends the sort
// (eat), and from then on either the guard says that somebody was killed, or the session ends without that, which is a failure. The
// second half tells what happened and what is left of it, for the verifications in oom.c.
#include "injector/resource/oom_place.h"

#include <inttypes.h>
#include <signal.h>

#include "injector/resource/app_conn.h"
#include "lab/node/places.h"

enum { ROW = 8 * 1024, PIECES = 250 };

// ---- the session ---------------------------------------------------------------------------------------------------

// A report that sorts what it should not: rows of 8 kB, at a pace that takes some 3 s to the limit, and twice as many as
// fit below it: should the guard fail, that is all it costs the host, and it ends by itself. No LIMIT, which would have
// the sort keep nothing but the best row.
static void eat(struct oom_place *p) {
    int64_t rows = p->more / ROW;
    cleanup_free char *sql =
        xasprintf("SET work_mem = '2GB'; SELECT count(DISTINCT line) FROM (SELECT repeat(md5(g::text), %d) || CASE "
                  "WHEN g %% %" PRId64 " = 0 THEN pg_sleep(0.01)::text ELSE '' END AS line FROM generate_series(1, "
                  "%" PRId64 ") AS g) AS report",
                  ROW / 32, rows / PIECES + 1, 2 * rows);
    p->eating = true;
    if (!pgconn_send(p->c, sql, 0, NULL))
        p->told(p->arg, p, "the query that uses memory could not be sent");
}

static void on_killed(void *arg, const struct oom_kill *k) {
    struct oom_place *p = arg;
    if (k->error == -ESRCH) // it ended by itself meanwhile: the guard looks again
        return;
    if (k->error) {
        cleanup_free char *why = xasprintf("SIGKILL to process %" PRId64 ": %s", k->victim.process.pid,
                                           k->error == -ETIMEDOUT ? "still there 5 s later" : strerror(-k->error));
        p->told(p->arg, p, why);
        return;
    }
    if (p->kills++)
        return;
    p->kill = *k;
    p->told(p->arg, p, NULL);
}

static bool decided(const struct oom_place *p) {
    return p->kills || oom_guard_firing(p->guard);
}

static void on_gone(void *arg) {
    struct oom_place *p = arg;
    if (!decided(p))
        p->told(p->arg, p, "the postmaster ended before anybody was killed");
}

static int begin_guard(struct oom_place *p, struct err *err) {
    int64_t pid = p->hungry.pid;
    if (pid <= 0 || process_read(p->node, pid, &p->hungry) < 0)
        return err_set(err, ESRCH, "backend %" PRId64 " is not there", pid);
    int r = memory_use_find(p->node, &p->spec.postmaster, &p->before, err);
    if (r < 0)
        return r;
    memory_use_measure(p->node, &p->before);
    memory_use_name(p->node, &p->before);
    p->spec.limit = p->before.total + p->more;
    if (p->postmaster_wanted) {
        p->adj_raised = true;
        r = oom_score_adj_write(p->node, p->spec.postmaster.pid, p->spec.raised, err);
    }
    return r < 0 ? r : oom_guard_new(p->loop, &p->spec, &p->guard, err);
}

static void on_ready(void *arg) {
    struct oom_place *p = arg;
    if (!pgconn_send(p->c, "SELECT pg_backend_pid()", 0, NULL))
        p->told(p->arg, p, "the session could not ask for its pid");
}

static void on_result(void *arg, const PGresult *r) {
    struct oom_place *p = arg;
    if (!p->eating && PQntuples(r) == 1)
        p->hungry.pid = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    if (!*pgconn_sqlstate(r) || decided(p))
        return;
    char state[PGCONN_STATE_MAX], text[PGCONN_TEXT_MAX];
    pgconn_explain(PQresultErrorMessage(r), state, text);
    cleanup_free char *why = xasprintf("the query that uses memory failed: %s %s", pgconn_sqlstate(r), text);
    p->told(p->arg, p, why);
}

static void on_done(void *arg) {
    struct oom_place *p = arg;
    struct err err = {0};
    if (p->eating && !decided(p))
        p->told(p->arg, p, "the query that uses memory ended, and nobody was killed");
    else if (!p->eating && begin_guard(p, &err) < 0)
        p->told(p->arg, p, err.msg);
    else if (!p->eating)
        eat(p);
}

static void on_lost(void *arg, const struct pgconn_loss *why) {
    struct oom_place *p = arg;
    pgconn_close(STEAL(p->c));
    if (decided(p))
        return;
    cleanup_free char *text =
        xasprintf("the session that uses memory was lost before this guard killed anybody: %s", why->text);
    p->told(p->arg, p, text);
}

// ---- begin and end -------------------------------------------------------------------------------------------------

static int find_adj(struct oom_place *p, struct err *err) {
    p->spec.born = p->spec.raised = oom_score_adj_read(p->node, p->spec.postmaster.pid);
    if (!p->postmaster_wanted)
        return 0;
    p->spec.raised = OOM_SCORE_ADJ_MAX;
    if (p->spec.born == OOM_SCORE_ADJ_MAX)
        return err_set(err, EALREADY,
                       "the postmaster on %s has oom_score_adj %d already: is another resource.oom active?",
                       node_name(p->node), OOM_SCORE_ADJ_MAX);
    return 0;
}

int oom_place_begin(const struct fault_world *w, const char *node, struct oom_place *p, struct err *err) {
    static const struct pgconn_ops ops = {.ready = on_ready, .result = on_result, .done = on_done, .lost = on_lost};
    struct node *n = p->node = fault_world_node(w, node), *home = app_conn_home(w);
    int64_t pid = n && node_is_on(n) ? node_postmaster_pid(n, STACK_PGDATA) : 0;
    p->loop = w->loop;
    p->spec = (struct oom_guard_spec){.node = n, .killed = on_killed, .gone = on_gone, .arg = p};
    if (pid <= 0 || process_read(n, pid, &p->spec.postmaster) < 0)
        return err_set(err, ESRCH, "PostgreSQL is not running on %s", node);
    if (!home || !node_is_on(home))
        return err_set(err, EHOSTDOWN, "there is no running node of the application");
    int r = find_adj(p, err);
    return r < 0 ? r : app_conn_open(w, home, node, &ops, p, &p->c, err);
}

bool oom_place_hungry(const struct oom_place *p) {
    return p->node && p->hungry.start && process_alive(p->node, &p->hungry);
}

void oom_place_stop(struct oom_place *p) {
    pgconn_close(STEAL(p->c));
    oom_guard_free(&p->guard);
    if (oom_place_hungry(p))
        (void)node_signal_pid(p->node, p->hungry.pid, SIGTERM, false, false, NULL, NULL, NULL);
}

bool oom_place_same_postmaster(const struct oom_place *p) {
    return p->node && process_alive(p->node, &p->spec.postmaster);
}

int oom_place_restore(struct oom_place *p, struct err *err) {
    if (!p->adj_raised || !oom_place_same_postmaster(p))
        return 0;
    int r = oom_score_adj_write(p->node, p->spec.postmaster.pid, p->spec.born, err);
    if (r >= 0)
        oom_guard_unburden(&p->spec);
    return r;
}

void oom_place_done(struct oom_place *p) {
    oom_place_stop(p);
    memory_use_done(&p->before);
}

// ---- what happened -------------------------------------------------------------------------------------------------

static bool is_postmaster(const struct oom_place *p, const struct process *process) {
    return process->pid == p->spec.postmaster.pid;
}

void oom_place_kill_text(const struct oom_place *p, struct strbuf *out) {
    const struct oom_kill *k = &p->kill;
    const char *who = is_postmaster(p, &k->victim.process)     ? "the postmaster"
                      : k->victim.process.pid == p->hungry.pid ? "the hungry backend"
                                                               : k->victim.title;
    strbuf_addf(out,
                "%s: PostgreSQL uses %" PRId64 " MB, the limit is %" PRId64 " MB; SIGKILL to %s %" PRId64
                " (oom_score %d, oom_score_adj %d, %" PRId64 " MB of its own), gone %.1f ms later",
                node_name(p->node), k->total >> 20, p->spec.limit >> 20, who, k->victim.process.pid, k->victim.score,
                k->victim.adj, k->victim.own >> 20, (double)(k->ended - k->sent) / MSEC);
}

static bool everybody_else_gone(const struct oom_place *p) {
    for (size_t i = 1; i < p->before.processes.n; i++) {
        const struct memory_process *m = &p->before.processes.items[i];
        // The collector of the log survives a crash restart (src/backend/postmaster/postmaster.c, HandleChildCrash).
        if (!strstr(m->title, "logger") && process_alive(p->node, &m->process))
            return false;
    }
    return true;
}

bool oom_place_gone(const struct oom_place *p) {
    return !process_alive(p->node, &p->kill.victim.process) && everybody_else_gone(p);
}

const char *oom_place_objection(const struct oom_place *p) {
    if (process_alive(p->node, &p->kill.victim.process))
        return "the process that was killed is still there";
    if (p->kill.victim.process.pid != (p->postmaster_wanted ? p->spec.postmaster.pid : p->hungry.pid))
        return "another process was killed than the one intended";
    if (!everybody_else_gone(p))
        return "not every process of before is gone: this is no crash restart";
    return NULL;
}

int64_t oom_place_used_now(const struct oom_place *p, int *ret_adj) {
    struct memory_use use = {0};
    struct process postmaster;
    int64_t pid = node_postmaster_pid(p->node, STACK_PGDATA), total = -1;
    if (pid > 0 && process_read(p->node, pid, &postmaster) == 0 &&
        memory_use_find(p->node, &postmaster, &use, NULL) >= 0) {
        memory_use_measure(p->node, &use);
        total = use.total;
        *ret_adj = oom_score_adj_read(p->node, pid);
    }
    memory_use_done(&use);
    return total;
}
