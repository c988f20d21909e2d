// SPDX-License-Identifier: PostgreSQL
// net.reject: frames are dropped and their sender is told, by a RST or an ICMP error: as behind a firewall that rejects. A
// connect fails at once where net.drop lets it hang; an established connection is reset by the next segment it sends. All
// of it happens in the switch (net_rejects.h). Verified by silence over the flows and by connections that fail fast with
// the error that was asked for.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "injector/fault/check.h"
#include "injector/fault/phases.h"
#include "injector/fault/retry.h"
#include "injector/net/cut_fault.h"
#include "injector/net/faults.h"
#include "injector/net/flow_params.h"
#include "lab/reach/probe_socket.h"

enum { TRIES_MAX = 16, SOME_PORT = 9 }; // discard, RFC 863: nobody listens there
static const usec_t FAST = SEC;

struct try {
    int from, to, fd, error; // error: 0 = still under way
    uint16_t port;
    usec_t took;
};

struct reject {
    struct cut_fault cut; // first
    struct try tries[TRIES_MAX];
    size_t n;
    usec_t began;
    struct retry *retry;
    fault_phase_done done;
    char silence[EVENT_TEXT_MAX];
};

static const struct {
    const char *word;
    enum net_answer answer;
    int error; // of a connect(2) that gets this answer: net/ipv4/icmp.c, icmp_err_convert; tcp_reset
} answers[] = {{"reset", NET_RESET, ECONNREFUSED},
               {"port_unreachable", NET_ICMP_PORT, ECONNREFUSED},
               {"host_unreachable", NET_ICMP_HOST, EHOSTUNREACH},
               {"prohibited", NET_ICMP_ADMIN, EHOSTUNREACH}};

static size_t answer_of(const struct fault *f) {
    const char *word = fault_param(f, "answer");
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        if (str_eq(answers[i].word, word))
            return i;
    return 0;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    return flows_check(&net_reject_fault.about, t, params, err);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct reject *j = f->state ? f->state : (f->state = xcalloc(1, sizeof *j));
    j->cut.answer = answers[answer_of(f)].answer;
    cut_fault_inject(f, flows_select, done);
}

// ---- verify: silence, then connections

static void close_tries(struct reject *j) {
    for (size_t i = 0; i < j->n; i++)
        if (j->tries[i].fd >= 0)
            (void)close(j->tries[i].fd);
    j->n = 0;
}

static void settle(const struct reject *j, struct try *t, int error) {
    t->error = error ? error : EISCONN;
    t->took = usec_now() - j->began;
}

static int begin_try(struct fault *f, const struct net_flow *flow, struct err *err) {
    struct reject *j = f->state;
    struct try *t = &j->tries[j->n];
    const struct node_def *to = &f->world->topology->nodes.items[flow->to];
    *t = (struct try){.from = flow->from, .to = flow->to, .port = flow->port ? flow->port : SOME_PORT};
    t->fd = probe_socket(f->world->nodes[flow->from], AF_INET, SOCK_STREAM, err);
    if (t->fd < 0)
        return t->fd;
    j->n++;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(t->port)};
    (void)inet_pton(AF_INET, to->address, &a.sin_addr);
    if (connect(t->fd, (struct sockaddr *)&a, sizeof a) == 0 || errno != EINPROGRESS)
        settle(j, t, errno == EINPROGRESS ? 0 : errno);
    return 0;
}

static bool all_answered(void *arg) {
    struct fault *f = arg;
    struct reject *j = f->state;
    bool all = true;
    for (size_t i = 0; i < j->n; i++) {
        struct try *t = &j->tries[i];
        struct pollfd p = {.fd = t->fd, .events = POLLOUT};
        int error = 0;
        socklen_t len = sizeof error;
        if (!t->error && poll(&p, 1, 0) == 1 && getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
            settle(j, t, error);
        all = all && t->error;
    }
    return all;
}

static void on_tries(void *arg, bool met) {
    (void)met;
    struct fault *f = arg;
    struct reject *j = f->state;
    const struct node_def *nodes = f->world->topology->nodes.items;
    int want = answers[answer_of(f)].error;
    usec_t slowest = 0;
    size_t n = j->n;
    for (size_t i = 0; i < n; i++) {
        const struct try *t = &j->tries[i];
        slowest = t->took > slowest ? t->took : slowest;
        if (t->error == want)
            continue;
        phase_no(f, j->done, "a connection %s -> %s:%u %s instead of failing with \"%s\" at once", nodes[t->from].name,
                 nodes[t->to].name, t->port,
                 !t->error             ? "hangs"
                 : t->error == EISCONN ? "was made"
                                       : strerror(t->error),
                 strerror(want));
        return;
    }
    close_tries(j);
    phase_ok(f, j->done, 0, "%zu of %zu connections failed with \"%s\" within %.1f ms; %s", n, n, strerror(want),
             (double)slowest / 1000.0, j->silence);
}

// Somebody who has no carrier is answered by nobody, and no connection to him could be refused either.
static bool can_be_tried(const struct fault *f, const struct net_flow *flow) {
    const struct fault_world *w = f->world;
    return flow->side != SWITCH_FROM_PORT && node_is_on(w->nodes[flow->from]) && !w->cuts->link_down[flow->from] &&
           !w->cuts->link_down[flow->to];
}

static void on_silence(struct fault *f, bool ok, usec_t effective, const char *text) {
    struct reject *j = f->state;
    struct err err = {0};
    int r = 0;
    (void)effective;
    STR_COPY(j->silence, text);
    if (!ok) {
        phase_no(f, j->done, "%s", j->silence);
        return;
    }
    close_tries(j);
    j->began = usec_now();
    VEC_FOREACH (&j->cut.flows, flow)
        if (r >= 0 && j->n < TRIES_MAX && can_be_tried(f, flow))
            r = begin_try(f, flow, &err);
    if (r >= 0 && j->n == 0) {
        phase_ok(f, j->done, 0,
                 "%s; only answers of servers are rejected, or a link is down: there is no connection to try",
                 j->silence);
        return;
    }
    if (r >= 0)
        r = retry_start(f->world->loop, MSEC, FAST, all_answered, on_tries, f, &j->retry, &err);
    if (r < 0)
        phase_no(f, j->done, "%s", err.msg);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct reject *j = f->state;
    j->done = done;
    cut_fault_verify(f, on_silence);
}

// ---- the rest

static void stop_trying(struct fault *f) {
    struct reject *j = f->state;
    if (!j)
        return;
    retry_stop(&j->retry);
    close_tries(j);
}

static void heal(struct fault *f, fault_phase_done done) {
    stop_trying(f);
    cut_fault_heal(f, done);
}

static void describe(const struct fault *f, struct strbuf *out) {
    static const char *const types[] = {"tcp reset", "icmp port-unreachable", "icmp host-unreachable",
                                        "icmp admin-prohibited"};
    flow_list flows = {0};
    struct err err = {0};
    strbuf_add(
        out,
        "# the switch drops and answers by itself; by hand, on the node that is asked, the same for one sender:\n");
    if (flows_select(f, &flows, &err) >= 0)
        VEC_FOREACH (&flows, flow) {
            const struct node_def *nodes = f->world->topology->nodes.items;
            strbuf_addf(out, "nft add rule inet filter input ip saddr %s %s", nodes[flow->from].address,
                        flow->side == SWITCH_ANY_PORT ? "meta l4proto tcp" : "");
            if (flow->side != SWITCH_ANY_PORT)
                strbuf_addf(out, "tcp %s %u", flow->side == SWITCH_TO_PORT ? "dport" : "sport", flow->port);
            strbuf_addf(out, " reject with %s  # on %s\n", types[answer_of(f)], nodes[flow->to].name);
        }
    VEC_DONE(&flows);
}

static void done_with(struct fault *f) {
    stop_trying(f);
    cut_fault_done(f);
}

static const struct mechanism_param params[] = {
    FLOWS_PARAM_WITH,
    FLOWS_PARAM_DIRECTION,
    FLOWS_PARAM_PATH,
    {"answer", "word", "reset|port_unreachable|host_unreachable|prohibited", "reset",
     "what the sender is told: a TCP reset, or an ICMP error. A connect fails with \"refused\" (the first two) or \"no "
     "route "
     "to host\"; an established connection breaks at once by a reset, and hangs after an ICMP error"},
    {0}};

const struct fault_ops net_reject_fault = {
    .about = {.name = "net.reject",
              .summary = "drops frames between the targets and other nodes and answers each with an error",
              .params = params},
    .mechanism =
        "The switch drops the frames as net.drop does; a packet socket on the sender's port, inside the switch, sees "
        "them and sends a RST or an ICMP error back in the name of the receiver (nft's reject does not exist in "
        "the bridge family of every kernel). The nodes have no rule that could be seen.",
    .still_works =
        "Everything inside the node, its own etcd included. With direction in or out only those frames: the other "
        "side's connections then hang, since nobody tells them anything.",
    .exercises =
        "Refused against dropped: a daemon that is told tries the next address at once, one that is not waits for "
        "its timeout.",
    .needs = "nothing",
    .check = check,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = cut_fault_verify_healed,
    .describe = describe,
    .done = done_with,
};
