// SPDX-License-Identifier: PostgreSQL
#include "tests/sandbox/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void skip_all(const struct err *err) {
    printf("1..0 # skipped: %s\n", err->msg);
    (void)fflush(NULL);
    _exit(77);
}

static void try_lab(void) {
    struct err err = {0};
    int r = sandbox_drop_root(&err);
    if (r == 0)
        r = sandbox_probe_userns(&err);
    if (r == 0)
        r = sandbox_probe_network(&err);
    if (r < 0)
        skip_all(&err);
}

void sandbox_test_begin(void) {
    try_lab();
}

void sandbox_test_check(void) {
    pid_t pid = fork();
    if (pid == 0) {
        try_lab();
        _exit(0);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid || status)
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void record(void *arg, const struct event *ev) {
    struct lab *lab = arg;
    VEC_PUSH(&lab->events, *ev);
}

static void body_main(void (*body)(struct lab *lab, void *arg), void *arg) {
    struct lab lab = {0};
    lab.sink = (struct event_sink){.emit = record, .arg = &lab, .base = usec_now()};
    CHECK(sd_event_new(&lab.loop) >= 0);
    CHECK_OK(switch_new(&lab.sw, err));
    body(&lab, arg);
    for (size_t i = 0; i < lab.n; i++)
        node_free(lab.nodes[i]);
    switch_free(lab.sw);
    sd_event_unref(lab.loop);
    VEC_DONE(&lab.events);
}

// Pid 1 ignores what it does not handle, SIGALRM too.
static void give_up(int sig) {
    (void)sig;
    static const char text[] = "the lab took longer than two minutes\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(1);
}

pid_t lab_begin(void (*body)(struct lab *lab, void *arg), void *arg, int *ret_pidfd) {
    struct err err = {0};
    pid_t pid = 0;
    (void)fflush(NULL);
    int r = sandbox_clone(true, &pid, ret_pidfd, &err);
    if (r == 0) {
        (void)signal(SIGALRM, give_up);
        (void)alarm(120);
        body_main(body, arg);
        _exit(0);
    }
    if (r < 0)
        fail_msg("%s", err.msg);
    return pid;
}

void in_lab(void (*body)(struct lab *lab, void *arg), void *arg) {
    int pidfd = -1, status = 0;
    pid_t pid = lab_begin(body, arg, &pidfd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(pidfd);
    if (status)
        fail_msg("the lab ended with status 0x%x", (unsigned)status);
}

void lab_nodes(struct lab *lab, size_t n, bool power_on) {
    for (size_t i = 0; i < n; i++) {
        struct node_spec spec = {.hosts = "127.0.0.1 localhost\n10.77.0.1 n1\n10.77.0.2 n2\n10.77.0.3 n3\n"};
        char disk[128], log[128];
        (void)snprintf(spec.name, sizeof spec.name, "n%zu", i + 1);
        (void)snprintf(spec.address, sizeof spec.address, "10.77.0.%zu", i + 1);
        (void)snprintf(disk, sizeof disk, SANDBOX_STATE "/disk/n%zu", i + 1);
        (void)snprintf(log, sizeof log, SANDBOX_STATE "/log/n%zu", i + 1);
        spec.disk_dir = disk;
        spec.log_dir = log;
        CHECK_OK(node_new(lab->loop, lab->sw, &spec, &lab->sink, &lab->nodes[lab->n], err));
        lab->n++;
    }
    CHECK_OK(switch_neighbours(lab->sw, err));
    for (size_t i = 0; power_on && i < n; i++)
        CHECK_OK(node_power_on(lab->nodes[i], err));
}

void lab_spin(struct lab *lab, usec_t time) {
    usec_t end = usec_now() + time;
    for (usec_t now; (now = usec_now()) < end;)
        CHECK(sd_event_run(lab->loop, end - now) >= 0);
}

size_t lab_count(const struct lab *lab, enum event_kind kind) {
    size_t n = 0;
    VEC_FOREACH (&lab->events, ev)
        n += ev->kind == kind;
    return n;
}

const struct event *lab_last(const struct lab *lab, enum event_kind kind) {
    for (size_t i = lab->events.n; i > 0; i--)
        if (lab->events.items[i - 1].kind == kind)
            return &lab->events.items[i - 1];
    return NULL;
}

static const struct event *service_end(const struct lab *lab, const char *service) {
    VEC_FOREACH (&lab->events, ev)
        if (ev->kind == EVENT_SERVICE && str_eq(ev->u.SERVICE.service, service) &&
            ev->u.SERVICE.state != SERVICE_STATE_STARTED)
            return ev;
    return NULL;
}

const struct event *lab_service_ended(struct lab *lab, const char *service, usec_t within) {
    usec_t end = usec_now() + within;
    const struct event *ev;
    while (!(ev = service_end(lab, service)) && usec_now() < end)
        lab_spin(lab, 5 * MSEC);
    return ev;
}

const struct event *lab_power_event(struct lab *lab, bool on, usec_t within) {
    usec_t end = usec_now() + within;
    for (;;) {
        const struct event *ev = lab_last(lab, EVENT_NODE_POWER);
        if (ev && ev->u.NODE_POWER.on == on)
            return ev;
        if (usec_now() >= end)
            return NULL;
        lab_spin(lab, 5 * MSEC);
    }
}

int in_node(struct lab *lab, struct node *n, int (*fn)(void *arg, int fd), void *arg) {
    (void)lab;
    pid_t pid;
    int fd, status;
    CHECK_OK(node_run_function(n, fn, arg, &pid, &fd, err));
    CHECK(waitpid(pid, &status, 0) == pid);
    (void)close(fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int node_command(struct lab *lab, struct node *n, const char *const *argv) {
    static int serial;
    char name[32];
    (void)snprintf(name, sizeof name, "cmd-%d", ++serial);
    struct service_spec spec = {.name = name, .argv = argv, .log = "test.log"};
    CHECK_OK(node_service_start(n, &spec, err));
    const struct event *ev = lab_service_ended(lab, name, 60 * SEC);
    CHECK(ev);
    return ev->u.SERVICE.signal ? 128 + (int)ev->u.SERVICE.signal : (int)ev->u.SERVICE.status;
}

char *host_snapshot(void) {
    struct strbuf text = {0};
    if (fs_read("/proc/self/mountinfo", 1 << 20, &text, NULL) < 0)
        fail_msg("no /proc/self/mountinfo");
    struct if_nameindex *links = if_nameindex();
    for (const struct if_nameindex *l = links; l && l->if_index; l++)
        strbuf_addf(&text, "link %u %s\n", l->if_index, l->if_name);
    if_freenameindex(links);
    return text.data;
}

// All processes of a lab share its user namespace, and nobody else is in it.
size_t processes_in_userns(ino_t userns) {
    size_t n = 0;
    cleanup_dir DIR *dir = opendir("/proc");
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        char path[300];
        struct stat st;
        (void)snprintf(path, sizeof path, "/proc/%s/ns/user", e->d_name);
        n += e->d_name[0] >= '0' && e->d_name[0] <= '9' && stat(path, &st) == 0 && st.st_ino == userns;
    }
    return n;
}

ino_t userns_of(pid_t pid) {
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}
