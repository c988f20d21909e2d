// SPDX-License-Identifier: PostgreSQL
#include "tests/sandbox/fault_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "injector/process/process.h"
#include "lab/base/fs.h"
#include "lab/sandbox/sandbox.h"

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        struct err must_err = {0};                                                                                     \
        (void)must_err;                                                                                                \
        if ((call) < 0)                                                                                                \
            fail_msg("%s: %s", #call, must_err.msg);                                                                   \
    } while (0)

static int cannot(const char *why, const struct err *err) {
    (void)fprintf(stderr, "SKIPPED: %s: %s\n", why, err->msg);
    return 77;
}

int fixture_main(int (*run)(void)) {
    struct err err = {0};
    pid_t pid;
    int pidfd, status;
    (void)setvbuf(stdout, NULL, _IOLBF, 0); // a test that hangs is killed: what it said until then must be seen
    if (sandbox_drop_root(&err) < 0)
        return cannot("become an unprivileged user", &err);
    if (sandbox_probe_userns(&err) < 0)
        return cannot("user namespaces", &err);
    if (sandbox_probe_network(&err) < 0)
        return cannot("network namespaces", &err);
    if (sandbox_probe_overlay(&err) < 0)
        return cannot("overlay mounts", &err);
    int r = sandbox_clone(true, &pid, &pidfd, &err);
    if (r < 0)
        return cannot("make the lab's namespaces", &err);
    if (r == 0)
        exit(run());
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void on_event(void *arg, const struct event *ev) {
    struct fixture *x = arg;
    VEC_PUSH(&x->events, *ev);
}

static int start_stand_ins(void *arg, const char *node, const char *service, struct err *err) {
    struct fixture *x = arg;
    (void)err;
    x->starts++;
    if (x->start)
        return x->start(x, node, service, err);
    int i = fault_world_index(&x->world, node);
    static const char *const scripts[][2] = {
        {"patroni",
         "(while :; do printf x >>/tmp/child; sleep 0.01; done) & while :; do printf x >>/tmp/count; sleep 0.01; done"},
        {"etcd", "while :; do printf x >>/tmp/etcd; sleep 0.01; done"}};
    for (size_t k = 0; k < ARRAY_SIZE(scripts); k++) {
        if (service && !str_eq(service, scripts[k][0]))
            continue;
        const char *argv[] = {"/bin/sh", "-c", scripts[k][1], NULL};
        struct service_spec spec = {.name = scripts[k][0], .argv = argv, .log = "stand-in.log"};
        int r = node_service_start(x->world.nodes[i], &spec, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static void add_node(struct fixture *x, const char *name, const char *address, unsigned services) {
    struct node_def *d = VEC_ADD(&x->topology.nodes);
    STR_COPY(d->name, name);
    STR_COPY(d->address, address);
    d->services = services;
}

static void make_node(struct fixture *x, size_t i) {
    static int serial; // each fixture has folders of its own: an overlay's work folder is not used twice
    const struct node_def *d = &x->topology.nodes.items[i];
    cleanup_free char *disk = xasprintf("%s/%d/%s", SANDBOX_STATE, serial++, d->name);
    cleanup_free char *log = xasprintf("%s/log", disk);
    struct node_spec spec = {
        .hosts = "127.0.0.1 localhost\n", .disk_dir = disk, .log_dir = log, .watchdog = d->services & SERVICE_POSTGRES};
    spec.own_disks = x->own_disks;
    spec.disk_layer = x->topology.disk_layer;
    STR_COPY(spec.name, d->name);
    STR_COPY(spec.address, d->address);
    MUST(fs_mkdirs(log, 0755, &must_err));
    MUST(node_new(x->loop, x->sw, &spec, &x->sink, &x->world.nodes[i], &must_err));
    MUST(node_power_on(x->world.nodes[i], &must_err));
}

static struct fixture *make(bool own_disks, unsigned layer) {
    struct fixture *x = xcalloc(1, sizeof *x);
    x->own_disks = own_disks;
    x->topology.disk_layer = layer;
    x->sink = (struct event_sink){.emit = on_event, .arg = x, .base = usec_now()};
    assert_true(sd_event_new(&x->loop) >= 0);
    MUST(switch_new(&x->sw, &must_err));
    x->topology.patroni.watchdog = WATCHDOG_AUTOMATIC;
    x->world.seed = 7;
    add_node(x, "n1", "10.77.0.11", SERVICE_POSTGRES | SERVICE_ETCD);
    add_node(x, "n2", "10.77.0.12", SERVICE_POSTGRES | SERVICE_ETCD);
    add_node(x, "n3", "10.77.0.13", SERVICE_ETCD);
    add_node(x, "app", "10.77.0.20", SERVICE_APP);
    for (size_t i = 0; i < x->topology.nodes.n; i++)
        make_node(x, i);
    MUST(switch_neighbours(x->sw, &must_err));
    MUST(switch_prepare(x->sw, &must_err));
    x->world.loop = x->loop;
    x->world.sink = &x->sink;
    x->world.sw = x->sw;
    x->world.topology = &x->topology;
    x->world.start_services = start_stand_ins;
    x->world.arg = x;
    MUST(injector_new(&x->world, &x->in, &must_err));
    return x;
}

struct fixture *fixture_new(void) {
    return make(false, 0);
}

struct fixture *fixture_new_disks(unsigned layer) {
    return make(true, layer);
}

void fixture_free(struct fixture *x) {
    injector_free(x->in);
    for (size_t i = 0; i < x->topology.nodes.n; i++)
        node_free(x->world.nodes[i]);
    switch_free(x->sw);
    sd_event_unref(x->loop);
    VEC_DONE(&x->events);
    VEC_DONE(&x->topology.nodes);
    free(x);
}

struct node *fixture_node(struct fixture *x, int i) {
    return x->world.nodes[i];
}

void fixture_services(struct fixture *x, int i) {
    MUST(start_stand_ins(x, x->topology.nodes.items[i].name, NULL, &must_err));
    fixture_run(x, 50 * MSEC);
}

const char *fixture_path(struct fixture *x, int i, const char *path) {
    static char buf[256];
    (void)snprintf(buf, sizeof buf, "/proc/%d/root%s", (int)node_init_pid(x->world.nodes[i]), path);
    return buf;
}

int64_t fixture_size(struct fixture *x, int i, const char *path) {
    struct stat st;
    return stat(fixture_path(x, i, path), &st) < 0 ? -1 : (int64_t)st.st_size;
}

// ---- faults --------------------------------------------------------------------------------------------------------

int fixture_inject(struct fixture *x, const char *id, const char *mechanism, const char *nodes, const char *params) {
    char names[NODES_MAX][NODE_NAME_MAX];
    size_t n = 0;
    setting_list list = {0};
    cleanup_free char *n_copy = xstrdup(nodes), *p_copy = xstrdup(params ? params : "");
    char *save = NULL;
    for (char *w = strtok_r(n_copy, ",", &save); w; w = strtok_r(NULL, ",", &save))
        STR_COPY(names[n++], w);
    for (char *w = strtok_r(p_copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(w, '=');
        *eq = '\0';
        VEC_PUSH(&list, ((struct setting){.key = w, .value = eq + 1}));
    }
    struct err err = {0};
    int r = injector_inject(x->in, id, mechanism, nodes, names, n, &list, &err);
    VEC_DONE(&list); // the injector has its own copy
    return r;
}

const struct event *fixture_event(const struct fixture *x, const char *id, const char *phase) {
    for (size_t i = 0; i < x->events.n; i++) {
        const struct event *e = &x->events.items[i];
        if (e->kind == EVENT_FAULT && str_eq(e->u.FAULT.id, id) && str_eq(fault_phase_name(e->u.FAULT.phase), phase))
            return e;
    }
    return NULL;
}

const struct event *fixture_wait(struct fixture *x, const char *id, const char *phase, usec_t within) {
    const struct event *e;
    for (usec_t end = usec_now() + within; !(e = fixture_event(x, id, phase)) && usec_now() < end;)
        (void)sd_event_run(x->loop, 50 * MSEC);
    return e;
}

const struct event *fixture_action(struct fixture *x, const char *id, usec_t within) {
    for (usec_t end = usec_now() + within; usec_now() < end; (void)sd_event_run(x->loop, 20 * MSEC))
        for (size_t i = 0; i < x->events.n; i++) {
            const struct event *e = &x->events.items[i];
            if (e->kind == EVENT_ACTION && str_eq(e->u.ACTION.id, id))
                return e;
        }
    return NULL;
}

void fixture_forget(struct fixture *x) {
    VEC_CLEAR(&x->events);
}

void fixture_run(struct fixture *x, usec_t time) {
    for (usec_t now, end = usec_now() + time; (now = usec_now()) < end;)
        (void)sd_event_run(x->loop, end - now);
}

bool fixture_service_ends(struct fixture *x, int node, const char *service, usec_t within) {
    for (usec_t end = usec_now() + within; node_service_pid(fixture_node(x, node), service) && usec_now() < end;)
        fixture_run(x, 20 * MSEC);
    return node_service_pid(fixture_node(x, node), service) == 0;
}

static bool in_vfork(struct fixture *x, int node, int64_t pid) {
    process_list all = {0};
    bool has_child = false;
    if (process_scan(fixture_node(x, node), &all, NULL) >= 0)
        VEC_FOREACH (&all, p)
            has_child = has_child || p->ppid == pid;
    VEC_DONE(&all);
    return has_child && node_process_state(fixture_node(x, node), pid) == 'D';
}

void fixture_vfork(struct fixture *x, int node, const char *service) {
    const char *argv[] = {"/usr/bin/python3", "-c",
                          "import os, time\n"
                          "os.mkfifo('/tmp/gate')\n" // posix_spawn is a vfork
                          "os.posix_spawn('/bin/true', ['true'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, "
                          "'/tmp/gate', os.O_RDONLY, 0)])\n"
                          "f = os.open('/tmp/vfork', os.O_CREAT | os.O_WRONLY)\n"
                          "while True: os.write(f, b'.'); time.sleep(0.01)\n",
                          NULL};
    struct service_spec spec = {.name = service, .argv = argv, .log = "spawner.log"};
    MUST(node_service_start(fixture_node(x, node), &spec, &must_err));
    int64_t pid = node_service_pid(fixture_node(x, node), service);
    FIXTURE_COMES(x, in_vfork(x, node, pid));
}

void fixture_vfork_goes_on(struct fixture *x, int node) {
    int gate = -1; // until the child, whose open was interrupted by the stop, waits in it again
    FIXTURE_COMES(x, gate >= 0 ||
                         (gate = open(fixture_path(x, node, "/tmp/gate"), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0);
    FIXTURE_COMES(x, fixture_size(x, node, "/tmp/vfork") > 0);
    (void)close(gate);
}

static void dump(const struct fixture *x) {
    for (size_t i = 0; i < x->events.n; i++) {
        const struct event *e = &x->events.items[i];
        if (e->kind == EVENT_FAULT)
            print_message("    %8.1f ms %s %s: %s\n", (double)e->t / 1000, e->u.FAULT.id,
                          fault_phase_name(e->u.FAULT.phase), e->u.FAULT.detail);
    }
}

static bool went_wrong(const struct fixture *x, const char *id) {
    return fixture_event(x, id, "failed") || fixture_event(x, id, "unverified") ||
           fixture_event(x, id, "heal_unverified");
}

static void must(struct fixture *x, const char *id, const char *phase) {
    const struct event *e;
    for (usec_t end = usec_now() + 65 * SEC;
         !(e = fixture_event(x, id, phase)) && !went_wrong(x, id) && usec_now() < end;)
        (void)sd_event_run(x->loop, 50 * MSEC);
    if (!e)
        dump(x);
    else
        print_message("    %s %s: %s\n", id, phase, e->u.FAULT.detail);
    if (!e)
        fail_msg("no '%s' for %s", phase, id);
}

void must_verify(struct fixture *x, const char *id, const char *mechanism, const char *nodes, const char *params) {
    fixture_forget(x);
    usec_t asked = sink_now(&x->sink);
    assert_int_equal(0, fixture_inject(x, id, mechanism, nodes, params));
    must(x, id, "effective");
    const struct event *e = fixture_event(x, id, "effective");
    assert_true(e->u.FAULT.effective_seen);
    assert_true(e->t >= asked);
    print_message("    %s %s: decision to effect %.2f ms\n", mechanism, nodes, (double)(e->t - asked) / 1000.0);
    must(x, id, "verified");
    assert_null(fixture_event(x, id, "unverified"));
    assert_null(fixture_event(x, id, "failed"));
}

void must_heal(struct fixture *x, const char *id) {
    fixture_forget(x);
    MUST(injector_heal(x->in, id, &must_err));
    must(x, id, "healed");
    must(x, id, "heal_verified");
    assert_null(fixture_event(x, id, "heal_unverified"));
}

// ---- independent measurements --------------------------------------------------------------------------------------

static int socket_in(struct fixture *x, int node, int type) {
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    assert_true(home >= 0);
    assert_int_equal(0, setns(node_ns(x->world.nodes[node], NODE_NS_NET), CLONE_NEWNET));
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_int_equal(0, setns(home, CLONE_NEWNET));
    (void)close(home);
    assert_true(fd >= 0);
    return fd;
}

static uint16_t bind_to(int fd, const char *address, uint16_t port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int on = 1;
    assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    socklen_t len = sizeof a;
    assert_int_equal(1, inet_pton(AF_INET, address, &a.sin_addr));
    assert_int_equal(0, bind(fd, (struct sockaddr *)&a, sizeof a));
    assert_int_equal(0, getsockname(fd, (struct sockaddr *)&a, &len));
    return ntohs(a.sin_port);
}

static struct sockaddr_in at(const char *address, uint16_t port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    (void)inet_pton(AF_INET, address, &a.sin_addr);
    return a;
}

void wire_open(struct fixture *x, int from, int to, struct wire *l) {
    wire_open_on(x, from, to, 0, l);
}

void wire_open_on(struct fixture *x, int from, int to, uint16_t port, struct wire *l) {
    l->address_a = x->topology.nodes.items[from].address;
    l->address_b = x->topology.nodes.items[to].address;
    int server = socket_in(x, to, SOCK_STREAM);
    struct sockaddr_in where = at(l->address_b, bind_to(server, l->address_b, port));
    assert_int_equal(0, listen(server, 1));
    l->a = socket_in(x, from, SOCK_STREAM);
    assert_int_equal(0, connect(l->a, (struct sockaddr *)&where, sizeof where));
    l->b = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    assert_true(l->b >= 0);
    (void)close(server);
    l->ua = socket_in(x, from, SOCK_DGRAM);
    l->ub = socket_in(x, to, SOCK_DGRAM);
    l->pa = bind_to(l->ua, l->address_a, 0);
    l->pb = bind_to(l->ub, l->address_b, 0);
}

void wire_close(struct wire *l) {
    (void)close(l->a);
    (void)close(l->b);
    (void)close(l->ua);
    (void)close(l->ub);
}

static bool readable(int fd, int within_ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, within_ms) == 1 && p.revents & POLLIN;
}

bool tcp_passes(int from, int to, int within_ms) {
    char byte[64] = "x";
    (void)send(from, byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return readable(to, within_ms) && recv(to, byte, sizeof byte, MSG_DONTWAIT) > 0;
}

bool udp_passes(struct wire *l, bool forward, int within_ms) {
    char buf[64];
    int from = forward ? l->ua : l->ub, to = forward ? l->ub : l->ua;
    struct sockaddr_in where = forward ? at(l->address_b, l->pb) : at(l->address_a, l->pa);
    while (recv(to, buf, sizeof buf, MSG_DONTWAIT) >= 0)
        ;
    (void)sendto(from, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&where, sizeof where);
    return readable(to, within_ms) && recv(to, buf, sizeof buf, MSG_DONTWAIT) >= 0;
}

int connects(struct fixture *x, int from, int to, uint16_t port, int within_ms) {
    int fd = socket_in(x, from, SOCK_STREAM | SOCK_NONBLOCK), error = ETIMEDOUT;
    struct sockaddr_in where = at(x->topology.nodes.items[to].address, port);
    socklen_t len = sizeof error;
    if (connect(fd, (struct sockaddr *)&where, sizeof where) == 0) {
        error = 0;
    } else {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        usec_t until = usec_now() + (usec_t)within_ms * MSEC;
        while (usec_now() < until && poll(&p, 1, 1) == 0)
            (void)sd_event_run(x->loop, MSEC); // an answer may be the lab's own
        if (p.revents)
            (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    }
    (void)close(fd);
    return error;
}

int listens(struct fixture *x, int node, uint16_t port) {
    int fd = socket_in(x, node, SOCK_STREAM);
    (void)bind_to(fd, port ? "0.0.0.0" : "127.0.0.1", port);
    assert_int_equal(0, listen(fd, 64));
    return fd;
}

bool both_pass(struct wire *l) {
    return udp_passes(l, true, 100) && udp_passes(l, false, 100);
}
bool none_pass(struct wire *l) {
    return !udp_passes(l, true, 50) && !udp_passes(l, false, 50);
}
