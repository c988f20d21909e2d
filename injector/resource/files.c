// SPDX-License-Identifier: PostgreSQL
// resource.files: the daemon may open no more files: RLIMIT_NOFILE of the living process is lowered to its lowest free
// descriptor, plus `more`. accept(2) and open(2) then fail with EMFILE. The kernel still completes the TCP handshake
// from the listen queue, so clients connect and wait.
// Verified by a connection that gets no answer within a second, and after the heal one that does.
#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/process/process_fault.h"
#include "injector/resource/faults.h"
#include "injector/resource/limits.h"
#include "lab/node/places.h"
#include "lab/reach/probe_socket.h"

#define FILES_SERVICES "postgres|patroni|etcd"

struct shut {
    limited_list limited;
    struct retry *retry;
    size_t asking;
    int fd; // -1 = none
    bool answered, healed;
    fault_phase_done done;
};

static const struct {
    const char *service, *question;
    size_t len;
    int port;
} daemons[] = {
    // SSLRequest: eight bytes, answered with one (src/include/libpq/pqcomm.h, NEGOTIATE_SSL_CODE)
    {"postgres", "\0\0\0\10\4\322\26\57", 8, STACK_PGPORT},
    {"patroni", "GET /liveness HTTP/1.0\r\n\r\n", 26, STACK_PATRONI_PORT},
    {"etcd", "GET /health HTTP/1.0\r\n\r\n", 24, STACK_ETCD_PORT},
};

static size_t daemon_of(const struct fault *f) {
    for (size_t i = 0; i < ARRAY_SIZE(daemons); i++)
        if (str_eq(daemons[i].service, fault_param(f, "service")))
            return i;
    return 0;
}

// The descriptors that are open, as bits of the first 1024.
static rlim_t lowest_free(const struct victim *v) {
    bool open[1024] = {false};
    char path[96];
    (void)snprintf(path, sizeof path, "/proc/%d/root/proc/%lld/fd", (int)node_init_pid(v->node),
                   (long long)v->process.pid);
    cleanup_dir DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        unsigned long n = strtoul(e->d_name, NULL, 10);
        if (e->d_name[0] != '.' && n < ARRAY_SIZE(open))
            open[n] = true;
    }
    rlim_t n = 0;
    while (n < ARRAY_SIZE(open) && open[n])
        n++;
    return n;
}

static void inject(struct fault *f, fault_phase_done done) {
    struct shut *s = f->state;
    struct err err = {0};
    victim_list victims = {0};
    if (!s) {
        s = f->state = xcalloc(1, sizeof *s);
        s->fd = -1;
    }
    cleanup_strbuf struct strbuf who = {0};
    rlim_t limit = 0;
    int r = victims_find(f, &victims, &err);
    for (size_t i = 0; i < victims.n && r >= 0; i++) {
        f->touched = true;
        limit = lowest_free(&victims.items[i]) + strtoul(fault_param(f, "more"), NULL, 10);
        r = limit_lower(&victims.items[i], RLIMIT_NOFILE, limit, &s->limited, &err);
    }
    victims_text(&victims, &who);
    VEC_DONE(&victims);
    if (r < 0)
        phase_no(f, done, "%s", err.msg);
    else
        phase_ok(f, done, sink_now(f->world->sink), "RLIMIT_NOFILE of %s lowered to %llu", strbuf_str(&who),
                 (unsigned long long)limit);
}

// ---- a question that is answered, or not ---------------------------------------------------------------------------

static void close_probe(struct shut *s) {
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

static void open_probe(const struct fault *f) {
    struct shut *s = f->state;
    int i = fault_world_index(f->world, f->nodes[s->asking]);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)daemons[daemon_of(f)].port)};
    close_probe(s);
    (void)inet_pton(AF_INET, f->world->topology->nodes.items[i].address, &a.sin_addr);
    s->answered = false;
    s->fd = node_is_on(f->world->nodes[i]) ? probe_socket(f->world->nodes[i], AF_INET, SOCK_STREAM, NULL) : -1;
    if (s->fd >= 0)
        (void)connect(s->fd, (struct sockaddr *)&a, sizeof a); // to itself: over at once
}

static bool answered(void *arg) {
    const struct fault *f = arg;
    struct shut *s = f->state;
    char byte;
    if (s->fd < 0)
        open_probe(f);
    ssize_t n = s->fd < 0 ? -1 : recv(s->fd, &byte, 1, MSG_DONTWAIT);
    s->answered = n > 0;
    if (n == 0 || (n < 0 && errno != EAGAIN))
        close_probe(s);
    return s->answered;
}

static void ask(struct fault *f);

static void on_asked(void *arg, bool met) {
    struct fault *f = arg;
    struct shut *s = f->state;
    const char *service = fault_param(f, "service"), *node = f->nodes[s->asking];
    close_probe(s);
    if (met != s->healed)
        phase_no(f, s->done,
                 s->healed ? "%s on %s gives no answer to a new connection" : "%s on %s still answers a new connection",
                 service, node);
    else if (++s->asking < f->n_nodes)
        ask(f);
    else
        phase_ok(f, s->done, 0,
                 s->healed ? "%s answers a new connection" : "%s takes no new connection: no answer within 1 s",
                 service);
}

static void ask(struct fault *f) {
    struct shut *s = f->state;
    struct err err = {0};
    size_t d = daemon_of(f);
    while (s->healed && s->asking < f->n_nodes && !node_is_on(fault_world_node(f->world, f->nodes[s->asking])))
        s->asking++;
    if (s->asking == f->n_nodes) {
        phase_ok(f, s->done, 0, "powered off: the process is gone");
        return;
    }
    open_probe(f);
    if (s->fd >= 0)
        (void)send(s->fd, daemons[d].question, daemons[d].len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (retry_start(f->world->loop, 20 * MSEC, s->healed ? 10 * SEC : SEC, answered, on_asked, f, &s->retry, &err) < 0)
        phase_no(f, s->done, "%s", err.msg);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct shut *s = f->state;
    s->done = done;
    s->asking = 0;
    ask(f);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct shut *s = f->state;
    if (s)
        retry_stop(&s->retry);
    size_t n = s ? limit_restore(&s->limited, RLIMIT_NOFILE) : 0;
    phase_ok(f, done, sink_now(f->world->sink), "RLIMIT_NOFILE given back to %zu processes", n);
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct shut *s = f->state;
    if (!s || !s->limited.n) {
        phase_ok(f, done, 0, "no limit was lowered");
        return;
    }
    s->done = done;
    s->asking = 0;
    s->healed = true;
    ask(f);
}

static void done_with(struct fault *f) {
    struct shut *s = f->state;
    if (!s)
        return;
    retry_stop(&s->retry);
    close_probe(s);
    VEC_DONE(&s->limited);
    free(s);
    f->state = NULL;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    const char *more = mechanism_param(&resource_files_fault.about, params, "more");
    char *end;
    unsigned long n = strtoul(more, &end, 10);
    if (*end || !*more || n > 100)
        return err_set(err, EINVAL, "resource.files: more is 0 to 100, not '%s'", more);
    return check_service_in(t, mechanism_param(&resource_files_fault.about, params, "service"), err);
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t k = 0; k < f->n_nodes; k++)
        strbuf_addf(out, "p=$(pgrep -o -f %s); prlimit --pid $p --nofile=$(ls /proc/$p/fd | wc -l):   # on %s\n",
                    fault_param(f, "service"), f->nodes[k]);
}

static const struct mechanism_param params[] = {
    {"service", "word", FILES_SERVICES, NULL, "whose process; for postgres the postmaster"},
    {"more", "count", NULL, "0",
     "how many it may open in addition to what it has; with some left the verification may see an answer"},
    {0}};

const struct fault_ops resource_files_fault = {
    .about = {.name = "resource.files", .summary = "takes a daemon's file descriptors away", .params = params},
    .mechanism = "prlimit(2): RLIMIT_NOFILE of the living process down to its lowest free descriptor.",
    .still_works =
        "What is open: sessions, replication, watches. New connections are completed by the kernel and answered by "
        "nobody. Backends of PostgreSQL have limits of their own.",
    .exercises = "EMFILE; health checks that connect but ask nothing; a leader that nobody new can reach and that "
                 "nobody replaces.",
    .needs = "nothing",
    .check = check,
    .check_node = process_check_node,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
    .patience = 30 * SEC,
};
