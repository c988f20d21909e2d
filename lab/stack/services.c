// SPDX-License-Identifier: PostgreSQL
// Starting one daemon on one node, at the first boot and at any later one. Starting what already runs does nothing.
#include <fcntl.h>
#include <sys/stat.h>

#include "lab/base/inside.h"
#include "lab/node/places.h"
#include "lab/stack/clock/clock.h"
#include "lab/stack/internal.h"

// On a server systemd-tmpfiles makes these at each boot, /run being empty then. Should it fail, the daemon that needs one says so.
void service_boot(struct node *n) {
    static const char *const folders[] = {STACK_PGSOCKET, "/run/haproxy"};
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        cleanup_free char *path = xasprintf("/proc/%d/root%s", (int)node_init_pid(n), folders[i]);
        (void)mkdir(path, 0775);
    }
}

int service_haproxy(struct stack *s, size_t i, struct err *err) {
    const char *argv[] = {stack_program(&s->o.paths[i], "haproxy"), "-db", "-f", "/etc/haproxy/haproxy.cfg", NULL};
    struct service_spec spec = {.name = "haproxy", .argv = argv, .log = "haproxy/haproxy.log"};
    return node_service_ensure(s->o.nodes[i], &spec, err);
}

// After a power cut postmaster.pid is still there and names a pid of the boot before. In a fresh pid namespace another
// process of this node may have that number by now, and PostgreSQL would refuse to start (CreateLockFile: "lock file
// already exists"). While neither the manager nor a postmaster runs, nobody else can be about to start one, so the file may
// go.
void service_forget_postmaster(const struct stack *s, struct node *n) {
    if (node_service_pid(n, s->ops->manager) > 0 || node_postmaster_pid(n, STACK_PGDATA) > 0)
        return;
    (void)inside_unlink(node_postgresql_dir(n), "data/postmaster.pid");
}

// PostgreSQL gets the library from whoever starts it: Patroni hands its environment on (patroni/postgresql/postmaster.py).
int service_with_clock(const struct stack *s, const struct node *n, struct service_spec *spec, struct err *err) {
    if (s->o.topology->clock != CLOCK_ADJUSTABLE)
        return 0;
    spec->more_env = clock_env;
    return clock_prepare(n, err);
}

// pg_ctl forks the server off and ends: the postmaster then belongs to the node's init, exactly as one that Patroni
// started (it uses the same trick, patroni/postgresql/postmaster.py), and survives whatever happens to the manager.
int service_postmaster(struct stack *s, size_t i, struct err *err) {
    cleanup_free char *pg_ctl = xasprintf("%s/pg_ctl", s->o.paths[i].pg_bin);
    cleanup_strbuf struct strbuf options = {0};
    conf_postmaster_options(&s->conf, &options);
    const char *argv[] = {pg_ctl, "start", "--no-wait", "-D", STACK_PGDATA, "-o", strbuf_str(&options), NULL};
    struct service_spec spec = {.name = "pg_ctl", .argv = argv, .log = "postgresql/postgresql.log"};
    int r = service_with_clock(s, s->o.nodes[i], &spec, err);
    return r < 0 ? r : node_service_ensure(s->o.nodes[i], &spec, err);
}

void service_log_tail(struct node *n, const char *log, struct strbuf *out) {
    char root[32];
    cleanup_free char *path = xasprintf("/var/log/%s", log);
    (void)snprintf(root, sizeof root, "/proc/%d/root", (int)node_init_pid(n));
    cleanup_close int fd = inside_open(root, path, O_RDONLY | O_NONBLOCK, 0);
    char buf[512];
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof buf - 1 ? size - ((off_t)sizeof buf - 1) : 0;
    ssize_t len = fd < 0 ? 0 : pread(fd, buf, sizeof buf - 1, from);
    if (len <= 0)
        return;
    buf[len] = '\0';
    const char *text = buf;
    if (from > 0 && strchr(buf, '\n'))
        text = strchr(buf, '\n') + 1; // from the beginning of a line
    strbuf_addf(out, "; the end of /var/log/%s: %s", log, text);
    while (out->len && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
}
