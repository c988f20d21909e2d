// SPDX-License-Identifier: PostgreSQL
// resource.oom: the machine's memory is used up, and one of PostgreSQL's processes is killed for it. A session of the
// application runs a sort with a large work_mem, bounded to twice the limit (oom_place.c), and PostgreSQL's use of memory
// grows until a guard in user space (oom_guard.c) does what the kernel's OOM killer does. Why a guard and not a memory
// cgroup: docs/decisions/out-of-memory.md.
// Verified by processes: the victim is gone and is who it should be, and so are all its fellows of before: with a backend
// that is PostgreSQL's crash restart below the same postmaster, with the postmaster its end.
#include <inttypes.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/fault/retry.h"
#include "injector/resource/app_round.h"
#include "injector/resource/faults.h"
#include "injector/resource/limits.h"
#include "injector/resource/oom_place.h"

enum { LEAST_MB = 16, MOST_MB = 512 };

struct shortage {
    struct oom_place places[NODES_MAX];
    size_t n;
    bool injecting;
    struct retry *retry;
    struct app_round *round;
    fault_phase_done done;
};

static int64_t limit_of(const setting_list *params) {
    return limit_parse_mb(mechanism_param(&resource_oom_fault.about, params, "limit"), LEAST_MB, MOST_MB);
}

static bool postmaster_wanted(const struct fault *f) {
    return str_eq(fault_param(f, "victim"), "postmaster");
}

// ---- inject --------------------------------------------------------------------------------------------------------

static void all_killed(struct fault *f) {
    struct shortage *s = f->state;
    usec_t last = 0;
    cleanup_strbuf struct strbuf text = {0};
    for (size_t i = 0; i < s->n; i++) {
        usec_t ended = s->places[i].kill.ended;
        last = ended > last ? ended : last;
        oom_place_kill_text(&s->places[i], &text);
        strbuf_add(&text, i + 1 < s->n ? "; " : " (by a guard in user space, as the kernel's OOM killer does it)");
    }
    s->injecting = false;
    phase_ok(f, s->done, last, "%s", strbuf_str(&text));
}

static void on_told(void *arg, struct oom_place *p, const char *why) {
    struct fault *f = arg;
    struct shortage *s = f->state;
    if (!s->injecting)
        return;
    if (why) {
        s->injecting = false;
        phase_no(f, s->done, "%s: %s", node_name(p->node), why);
        return;
    }
    for (size_t i = 0; i < s->n; i++)
        if (!s->places[i].kills)
            return;
    all_killed(f);
}

// The others keep three times what is eaten.
static int host_has_room(const setting_list *params, size_t targets, struct err *err) {
    int64_t most = 2 * limit_of(params) * (int64_t)targets, available = memory_available();
    if (available >= 0 && available < 4 * most)
        return err_set(err, ENOMEM,
                       "resource.oom: up to %" PRId64 " MB of memory will be used, and this host has only %" PRId64
                       " MB available, not 4 times as much: choose a smaller limit",
                       most >> 20, available >> 20);
    return 0;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct shortage *s = f->state ? f->state : (f->state = xcalloc(1, sizeof *s));
    struct err err = {0};
    s->done = done;
    s->injecting = true;
    int r = host_has_room(f->params, f->n_nodes, &err);
    f->touched = r >= 0;
    for (size_t k = 0; r >= 0 && k < f->n_nodes; k++, s->n++) {
        s->places[k] = (struct oom_place){
            .more = limit_of(f->params), .postmaster_wanted = postmaster_wanted(f), .told = on_told, .arg = f};
        r = oom_place_begin(f->world, f->nodes[k], &s->places[k], &err);
    }
    if (r >= 0)
        return;
    s->injecting = false;
    phase_no(f, done, "%s", err.msg);
}

// ---- verify --------------------------------------------------------------------------------------------------------

static bool all_gone(void *arg) {
    const struct fault *f = arg;
    const struct shortage *s = f->state;
    for (size_t i = 0; i < s->n; i++)
        if (!oom_place_gone(&s->places[i]))
            return false;
    return true;
}

static void on_gone(void *arg, bool met) {
    (void)met; // each objection has its own words
    struct fault *f = arg;
    struct shortage *s = f->state;
    cleanup_strbuf struct strbuf text = {0};
    for (size_t i = 0; i < s->n; i++) {
        const struct oom_place *p = &s->places[i];
        const char *why = oom_place_objection(p);
        if (why) {
            phase_no(f, s->done, "%s: %s", node_name(p->node), why);
            return;
        }
        strbuf_addf(&text, "%s%s: all %zu processes of before are gone, the postmaster %s", i ? "; " : "",
                    node_name(p->node), p->before.processes.n - 1,
                    oom_place_same_postmaster(p) ? "is the same: a crash restart" : "too");
    }
    phase_ok(f, s->done, 0, "%s", strbuf_str(&text));
}

static void verify(struct fault *f, fault_phase_done done) {
    struct shortage *s = f->state;
    struct err err = {0};
    s->done = done;
    // The postmaster gives its children 5 s to follow SIGQUIT, then sends SIGKILL (SIGKILL_CHILDREN_AFTER_SECS).
    if (retry_start(f->world->loop, 20 * MSEC, 8 * SEC, all_gone, on_gone, f, &s->retry, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

// ---- heal ----------------------------------------------------------------------------------------------------------

static void drop_questions(struct shortage *s) {
    s->injecting = false;
    retry_stop(&s->retry);
    app_round_drop(&s->round);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct shortage *s = f->state;
    struct err err = {0};
    cleanup_strbuf struct strbuf text = {0};
    int r = 0;
    if (s)
        drop_questions(s);
    for (size_t i = 0; s && i < s->n; i++) {
        struct oom_place *p = &s->places[i];
        oom_place_stop(p);
        int k = oom_place_restore(p, &err);
        r = k < 0 ? k : r;
        strbuf_addf(&text, "%s%s: the guard has ended, it killed %u", i ? "; " : "", f->nodes[i], p->kills);
        if (p->adj_raised)
            strbuf_add(&text, oom_place_same_postmaster(p) ? "; the postmaster's oom_score_adj is back"
                                                           : "; the raised oom_score_adj went with its postmaster");
    }
    if (r < 0)
        phase_no(f, done, "%s", err.msg);
    else
        phase_ok(f, done, sink_now(f->world->sink), "%s", text.len ? strbuf_str(&text) : "nothing was begun");
}

// One that was never begun, or has no power: there is nothing that could answer.
static bool nothing_to_ask(const struct fault *f, size_t k) {
    const struct shortage *s = f->state;
    return k >= s->n || !s->places[k].spec.limit || !node_is_on(s->places[k].node);
}

static bool recovered(struct fault *f, size_t k, const char *sqlstate, const char *text) {
    const struct oom_place *p = &((struct shortage *)f->state)->places[k];
    int adj = 0;
    int64_t used = *sqlstate ? -1 : oom_place_used_now(p, &adj);
    (void)text;
    return used >= 0 && used < p->spec.limit && adj == p->spec.born && !oom_place_hungry(p);
}

static void on_recovered(struct fault *f, size_t k, bool ok, const char *sqlstate, const char *text) {
    struct shortage *s = f->state;
    if (k == f->n_nodes) {
        phase_ok(f, s->done, 0, "nothing of it is left");
        return;
    }
    const struct oom_place *p = &s->places[k];
    int adj = 0;
    int64_t used = *sqlstate ? -1 : oom_place_used_now(p, &adj);
    if (ok)
        phase_ok(f, s->done, 0, "%s answers; it uses %" PRId64 " MB, and before it was %" PRId64 " MB",
                 node_name(p->node), used >> 20, p->before.total >> 20);
    else if (*sqlstate)
        phase_no(f, s->done, "%s does not answer: %s %s", node_name(p->node), sqlstate, text);
    else
        phase_no(f, s->done,
                 "PostgreSQL on %s uses %" PRId64 " MB (limit %" PRId64 " MB), its oom_score_adj is %d (was %d)%s",
                 node_name(p->node), used >> 20, p->spec.limit >> 20, adj, p->spec.born,
                 oom_place_hungry(p) ? ", the query still runs" : "");
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct shortage *s = f->state;
    if (!s) {
        phase_ok(f, done, 0, "nothing was begun");
        return;
    }
    s->done = done;
    static const struct app_round_spec spec = {.sql = "SELECT 1",
                                               .each = 2 * SEC,
                                               .every = 200 * MSEC,
                                               .within = 45 * SEC,
                                               .skip = nothing_to_ask,
                                               .good = recovered,
                                               .done = on_recovered};
    app_round_start(f, &spec, &s->round);
}

static void done_with(struct fault *f) {
    struct shortage *s = f->state;
    if (!s)
        return;
    drop_questions(s);
    for (size_t i = 0; i < s->n; i++)
        oom_place_done(&s->places[i]);
    free(s);
    f->state = NULL;
}

// ---- the row -------------------------------------------------------------------------------------------------------

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    if (limit_of(params) < 0)
        return err_set(err, EINVAL, "resource.oom: limit is %dMB to %dMB, not '%s'", LEAST_MB, MOST_MB,
                       mechanism_param(&resource_oom_fault.about, params, "limit"));
    int r = check_service_in(t, "postgres", err);
    return r < 0 ? r : host_has_room(params, 1, err);
}

static int check_host(struct err *err) {
    return host_has_room(NULL, 1, err);
}

static void describe(const struct fault *f, struct strbuf *out) {
    const char *postmaster = "$(head -1 /var/lib/postgresql/data/postmaster.pid)";
    for (size_t k = 0; k < f->n_nodes; k++) {
        strbuf_addf(out,
                    "# on %s, as the kernel does it; needs root. MAX: what it uses now, and %s more\n"
                    "systemctl set-property --runtime patroni.service MemoryMax=MAX\n"
                    "psql -h %s -U app app   # stays open\n",
                    f->nodes[k], fault_param(f, "limit"), f->nodes[k]);
        if (postmaster_wanted(f)) // after psql: its backend would have inherited it
            strbuf_addf(out, "choom -p %s -n %d\n", postmaster, OOM_SCORE_ADJ_MAX);
        strbuf_addf(
            out,
            "SET work_mem = '2GB'; SELECT count(DISTINCT repeat(md5(g::text), 256)) FROM generate_series(1, "
            "1000000) g;   -- in that psql\n"
            "dmesg | grep 'Killed process'; grep -A1 'terminated by signal 9' /var/log/postgresql/*.log\n"
            "# as here, without root: no MemoryMax; when the query has grown enough, be the OOM killer yourself\n"
            "kill -KILL %s\n",
            postmaster_wanted(f) ? postmaster : "$(ps -C postgres -o pid= --sort=-rss | head -1)");
    }
}

static const struct mechanism_param params[] = {
    {"limit", "size", NULL, "128MB",
     "how much more than now PostgreSQL's processes may use together, in whole MB, 16MB to 512MB"},
    {"victim", "word", "hungry|postmaster", "hungry",
     "who is killed: the backend that uses the memory, or the postmaster, because its oom_score_adj is 1000"},
    {0}};

const struct fault_ops resource_oom_fault = {
    .about = {.name = "resource.oom",
              .summary = "uses up the memory by a query, until an OOM killer takes one of PostgreSQL's processes",
              .params = params},
    .mechanism =
        "A session of role app sorts more and more with work_mem = 2GB. A guard in user space, as earlyoom and "
        "systemd-oomd are, reads every 10 ms what the postmaster and its descendants use (RssAnon and VmSwap of all, "
        "RssShmem of the largest) and beyond the limit sends SIGKILL to the process of the highest oom_score, as the "
        "kernel would.",
    .still_works = "With a backend killed: Patroni, the leader key, the timeline, the postmaster; it restarts its "
                   "processes by itself. With the postmaster killed: Patroni, which starts another. The guard stays "
                   "until the heal and kills whoever passes the limit next; a new postmaster is outside of it.",
    .exercises =
        "One SIGKILL ends all sessions; who is chosen and why (oom_score_adj, OOMScoreAdjust, "
        "PG_OOM_ADJUST_VALUE); work_mem is per sort, not per server; resource.memory is the cheap way to run out.",
    .needs = "memory: 8 times `limit` available on the host",
    .check = check,
    .check_host = check_host,
    .check_node = check_runs_postgres,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = MINUTE,
};
