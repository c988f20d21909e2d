// SPDX-License-Identifier: PostgreSQL
#include "tests/sandbox/test_stack_lab.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "lab/base/fs.h"
#include "lab/node/places.h"
#include "lab/sandbox/sandbox.h"

void test_topology(struct topology *t) {
    static char stack[] = "patroni", key[] = "max_connections", value[] = "50";
    *t = (struct topology){.stack = stack,
                           .patroni = {.ttl = 30 * SEC,
                                       .loop_wait = 10 * SEC,
                                       .retry_timeout = 10 * SEC,
                                       .maximum_lag_on_failover = 1048576,
                                       .primary_start_timeout = 300 * SEC,
                                       .use_pg_rewind = true,
                                       .use_slots = true},
                           .etcd_heartbeat = 100 * MSEC,
                           .etcd_election = SEC};
    for (int i = 1; i <= 4; i++) {
        struct node_def *n = VEC_ADD(&t->nodes);
        (void)snprintf(n->name, sizeof n->name, i == 4 ? "app" : "n%d", i);
        (void)snprintf(n->address, sizeof n->address, "10.77.0.%d", i == 4 ? 100 : i);
        n->services = i == 4 ? SERVICE_APP : SERVICE_POSTGRES | SERVICE_ETCD;
    }
    struct setting s = {key, value}; // a standby configured with less than its control file says would not start
    VEC_PUSH(&t->postgresql, s);
}

// ---- the feeder, a process of n1 -------------------------------------------------------------------------------------

// All keys below the prefix, as etcd's JSON gateway gives them; base64 of "/service/demo/" up to "/service/demo0".
static bool ask_etcd(struct strbuf *answer) {
    static const char body[] = "{\"key\":\"L3NlcnZpY2UvZGVtby8=\",\"range_end\":\"L3NlcnZpY2UvZGVtbzA=\"}";
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(STACK_ETCD_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_usec = 200000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    cleanup_free char *request =
        xasprintf("POST /v3/kv/range HTTP/1.0\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 || fs_write_all(fd, request, strlen(request)) < 0)
        return false;
    char chunk[4096];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        strbuf_addn(answer, chunk, (size_t)n);
    return n == 0;
}

static int count(const char *text, const char *what) {
    int n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void read_keys(const char *text, struct feed *f) {
    // base64 of "/service/demo/leader", ".../members/n", ".../config", ".../initialize" (their common beginnings)
    const char *leader = strstr(text, "\"key\":\"L3NlcnZpY2UvZGVtby9sZWFkZXI=\"");
    f->members = count(text, "\"key\":\"L3NlcnZpY2UvZGVtby9tZW1iZXJzL2");
    f->config = strstr(text, "\"key\":\"L3NlcnZpY2UvZGVtby9jb25maWc=\"");
    f->initialize = strstr(text, "\"key\":\"L3NlcnZpY2UvZGVtby9pbml0aWFsaXpl\"");
    f->leader[0] = '\0';
    if (!leader)
        return;
    const char *value = strstr(leader, "\"value\":\"");
    const char *const b64[] = {"bjE=", "bjI=", "bjM="};
    for (int i = 0; value && i < 3; i++)
        if (str_starts(value + strlen("\"value\":\""), b64[i]))
            (void)snprintf(f->leader, sizeof f->leader, "n%d", i + 1);
}

static int streaming(PGconn **conn) {
    if (!*conn || PQstatus(*conn) != CONNECTION_OK) {
        PQfinish(*conn);
        *conn = PQconnectdb("host=/run/postgresql user=postgres dbname=postgres connect_timeout=1");
    }
    PGresult *r = PQexec(*conn, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'");
    int n = PQresultStatus(r) == PGRES_TUPLES_OK ? (int)strtol(PQgetvalue(r, 0, 0), NULL, 10) : -1;
    PQclear(r);
    return n;
}

static int feeder(void *arg, int fd) {
    (void)arg;
    PGconn *conn = NULL;
    for (;;) {
        struct feed f = {0};
        cleanup_strbuf struct strbuf answer = {0};
        if (ask_etcd(&answer))
            read_keys(strbuf_str(&answer), &f);
        f.streaming = streaming(&conn);
        if (send(fd, &f, sizeof f, MSG_NOSIGNAL) < 0)
            return 0;
        (void)poll(NULL, 0, 10);
    }
}

// ---- the lab ---------------------------------------------------------------------------------------------------------

static int start_feeder(struct test_lab *lab);

static void see(struct test_lab *lab, const struct event *ev) {
    stack_on_event(lab->stack, ev, NULL);
    if (ev->kind == EVENT_PROGRESS && lab->verbose)
        (void)printf("%7.3f %s\n", (double)ev->t / 1e6, ev->u.PROGRESS.text);
    if (ev->kind == EVENT_LAB_STATE)
        STR_COPY(lab->broken, ev->u.LAB_STATE.detail);
    if (ev->kind == EVENT_SERVICE && ev->u.SERVICE.state != SERVICE_STATE_STARTED &&
        str_eq(ev->u.SERVICE.service, lab->waiting_for))
        lab->service_ended = true;
}

static void on_emit(void *arg, const struct event *ev) {
    struct test_lab *lab = arg;
    VEC_PUSH(&lab->queue, *ev);
    if (lab->draining)
        return;
    lab->draining = true;
    for (size_t i = 0; i < lab->queue.n; i++) {
        struct event copy = lab->queue.items[i];
        see(lab, &copy);
    }
    VEC_CLEAR(&lab->queue);
    lab->draining = false;
}

static int on_feed(sd_event_source *source, int fd, uint32_t revents, void *arg) {
    struct test_lab *lab = arg;
    struct feed f;
    (void)revents;
    if (recv(fd, &f, sizeof f, MSG_DONTWAIT) != (ssize_t)sizeof f) {
        lab->feeding = false;
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
    }
    bool new_leader = *f.leader && !str_eq(f.leader, lab->feed.leader);
    lab->feed = f;
    if (!new_leader)
        return 0;
    struct event ev = EVENT_NEW(AUTHORITY);
    STR_COPY(ev.u.AUTHORITY.holder, f.leader);
    sink_emit(&lab->sink, &ev);
    return 0;
}

static int start_feeder(struct test_lab *lab) {
    pid_t pid;
    int fd = -1;
    struct err err = {0};
    if (node_run_function(lab->nodes[0], feeder, NULL, &pid, &fd, &err) < 0) {
        (void)printf("feeder: %s\n", err.msg);
        return -1;
    }
    lab->feeding = true;
    return sd_event_add_io(lab->loop, NULL, fd, EPOLLIN, on_feed, lab);
}

static int build(struct test_lab *lab, struct err *err) {
    int r = switch_new(&lab->sw, err);
    cleanup_strbuf struct strbuf hosts = {0};
    strbuf_add(&hosts, "127.0.0.1 localhost\n");
    VEC_FOREACH (&lab->topology.nodes, n)
        strbuf_addf(&hosts, "%s %s\n", n->address, n->name);
    for (size_t i = 0; r >= 0 && i < lab->topology.nodes.n; i++) {
        const struct node_def *n = &lab->topology.nodes.items[i];
        cleanup_free char *disk = xasprintf("%s/%s", SANDBOX_STATE, n->name);
        cleanup_free char *logs = xasprintf("%s/%s", lab->log_dir, n->name);
        struct node_spec spec = {.hosts = strbuf_str(&hosts), .disk_dir = disk, .log_dir = logs};
        STR_COPY(spec.name, n->name);
        STR_COPY(spec.address, n->address);
        if ((r = fs_mkdirs(disk, 0755, err)) < 0 || (r = fs_mkdirs(logs, 0755, err)) < 0)
            return r;
        r = node_new(lab->loop, lab->sw, &spec, &lab->sink, &lab->nodes[i], err);
    }
    return r < 0 ? r : switch_neighbours(lab->sw, err);
}

bool test_lab_start(struct test_lab *lab, const char *cache_dir, bool fresh) {
    struct err err = {0};
    lab->sink = (struct event_sink){.emit = on_emit, .arg = lab, .base = lab->sink.base ? lab->sink.base : usec_now()};
    (void)sd_event_new(&lab->loop);
    int r = stack_find_programs(&lab->topology, lab->paths, &err);
    if (r >= 0)
        r = build(lab, &err);
    struct stack_options o = {.loop = lab->loop,
                              .topology = &lab->topology,
                              .paths = lab->paths,
                              .nodes = lab->nodes,
                              .sink = &lab->sink,
                              .cache_dir = cache_dir,
                              .work_dir = SANDBOX_STATE,
                              .fresh = fresh};
    if (r >= 0)
        r = stack_new(&o, &lab->stack, &err);
    if (r >= 0)
        r = stack_start(lab->stack, &err);
    if (r < 0)
        (void)printf("start: %s\n", err.msg);
    return r >= 0 && start_feeder(lab) >= 0;
}

bool test_lab_wait(struct test_lab *lab, bool (*met)(struct test_lab *lab), usec_t deadline) {
    usec_t end = usec_now() + deadline;
    while (!met(lab)) {
        if (*lab->broken) {
            (void)printf("broken: %s\n", lab->broken);
            return false;
        }
        if (usec_now() > end) {
            (void)printf("not within the deadline: leader '%s', %d members, %d streaming\n", lab->feed.leader,
                         lab->feed.members, lab->feed.streaming);
            return false;
        }
        if (sd_event_run(lab->loop, 100 * MSEC) < 0)
            return false;
    }
    return true;
}

static bool healthy(struct test_lab *lab) {
    return *lab->feed.leader && lab->feed.members == 3 && lab->feed.streaming == 2;
}

bool test_lab_wait_healthy(struct test_lab *lab, usec_t deadline) {
    return test_lab_wait(lab, healthy, deadline);
}

static bool ended(struct test_lab *lab) {
    return lab->service_ended;
}

char *test_lab_shell(struct test_lab *lab, size_t node, const char *line) {
    static int number;
    cleanup_free char *name = xasprintf("check-%d", ++number);
    cleanup_free char *log = xasprintf("%s.log", name);
    cleanup_free char *full = xasprintf(". /etc/profile.d/bascule.sh\n%s", line);
    const char *argv[] = {"/bin/sh", "-c", full, NULL};
    struct service_spec spec = {.name = name, .argv = argv, .log = log};
    struct err err = {0};
    STR_COPY(lab->waiting_for, name);
    lab->service_ended = false;
    if (node_service_start(lab->nodes[node], &spec, &err) < 0 || !test_lab_wait(lab, ended, 30 * SEC))
        return xasprintf("shell failed: %s", err.msg);
    cleanup_free char *path = xasprintf("%s/%s/%s", lab->log_dir, lab->topology.nodes.items[node].name, log);
    struct strbuf text = {0};
    if (fs_read(path, 1 << 20, &text, &err) < 0)
        return xasprintf("no output: %s", err.msg);
    return text.data ? text.data : xstrdup("");
}
