// SPDX-License-Identifier: PostgreSQL
// The lasting part of a node: its folders and its net, mount, uts and ipc namespaces. A helper child makes them, we
// open them through its /proc entry, it ends; from then on our descriptors keep them.
#include <fcntl.h>
#include <sched.h>

#include "lab/base/fs.h"
#include "lab/node/internal.h"
#include "lab/sandbox/mounts.h"
#include "lab/sandbox/spawn.h"

static int make_folders(struct node *n, struct err *err) {
    const char *const folders[] = {n->etc_dir, n->postgresql_dir, n->etcd_dir, n->log_dir};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++)
        r = fs_mkdirs(folders[i], 0755, err);
    // The overlay's scratch folder lies beside its upper layer: /etc alone, or the whole root of an image.
    cleanup_free char *work = xasprintf("%s/%s.work", n->disk_dir, n->image_root ? "root" : "etc");
    if (r == 0)
        r = fs_mkdirs(work, 0755, err);
    if (r == 0 && n->own_disks)
        r = mount_tmpfs(n->postgresql_dir, "mode=755", err);
    if (r == 0 && n->own_disks)
        r = mount_tmpfs(n->etcd_dir, "mode=755", err);
    return r;
}

static int write_etc(const struct node *n, const char *file, const char *text, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", n->etc_dir, file);
    return fs_write(path, text, strlen(text), 0644, err);
}

// Before the overlay is mounted: its upper layer must not be changed behind its back for names it has looked up.
static int write_identity(const struct node *n, const struct node_spec *spec, struct err *err) {
    cleanup_free char *hostname = xasprintf("%s\n", n->name);
    int r = write_etc(n, "hostname", hostname, err);
    if (r == 0)
        r = write_etc(n, "hosts", spec->hosts ? spec->hosts : "127.0.0.1 localhost\n", err);
    // A look-up of any other name fails at once instead of waiting for a name server that can't be reached.
    if (r == 0 && n->image_root)
        r = etc_users(n->image_root, n->etc_dir, err);
    return r < 0 ? r : write_etc(n, "resolv.conf", "# the lab has no name server; see /etc/hosts\n", err);
}

static void hold(const struct node *n, int report, int release) {
    struct err err = {0};
    int r = 0;
    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) < 0)
        r = err_sys(&err, errno, "make its namespaces");
    if (r == 0 && sethostname(n->name, strlen(n->name)) < 0)
        r = err_sys(&err, errno, "set its host name");
    if (r == 0)
        r = root_build(n, &err);
    spawn_report(report, &err);
    char nothing;
    while (r == 0 && read(release, &nothing, 1) < 0 && errno == EINTR) // until we have opened them
        ;
}

static int open_ns(pid_t pid, const char *name, int *ret, struct err *err) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
    *ret = open(path, O_RDONLY | O_CLOEXEC);
    return *ret < 0 ? err_sys(err, errno, "open '%s'", path) : 0;
}

static int open_all(struct node *n, pid_t pid, struct err *err) {
    int r = open_ns(pid, "net", &n->ns[NODE_NS_NET], err);
    if (r == 0)
        r = open_ns(pid, "uts", &n->ns[NODE_NS_UTS], err);
    if (r == 0)
        r = open_ns(pid, "ipc", &n->ns[NODE_NS_IPC], err);
    if (r == 0)
        r = open_ns(pid, "user", &n->ns[NODE_NS_USER], err);
    return r < 0 ? r : open_ns(pid, "mnt", &n->base_mnt, err);
}

static int make_namespaces(struct node *n, struct err *err) {
    int report[2], release[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make a pipe");
    cleanup_close int report_r = report[0], report_w = report[1];
    if (pipe2(release, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make a pipe");
    cleanup_close int release_r = release[0], release_w = release[1];
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, errno, "make a helper process");
    if (pid == 0) {
        (void)close(release_w);
        hold(n, report_w, release_r);
        _exit(0);
    }
    (void)close(STEAL_FD(report_w));
    int r = spawn_report_wait(report_r, "the node's helper", err);
    if (r == 0)
        r = open_all(n, pid, err);
    (void)close(STEAL_FD(release_w));
    (void)spawn_end(pid);
    return r;
}

static struct node *node_alloc(sd_event *loop, struct switch_net *sw, const struct node_spec *spec,
                               const struct event_sink *sink) {
    struct node *n = xcalloc(1, sizeof *n);
    STR_COPY(n->name, spec->name);
    n->watchdog = spec->watchdog;
    n->disk_dir = xstrdup(spec->disk_dir);
    n->log_dir = xstrdup(spec->log_dir);
    n->image_root = spec->image_root ? xstrdup(spec->image_root) : NULL;
    n->etc_dir = xasprintf("%s/%setc", spec->disk_dir, spec->image_root ? "root/" : "");
    n->postgresql_dir = xasprintf("%s/postgresql", spec->disk_dir);
    n->etcd_dir = xasprintf("%s/etcd", spec->disk_dir);
    n->loop = sd_event_ref(loop);
    n->sw = sw;
    n->sink = *sink;
    for (int i = 0; i < NODE_NS_COUNT; i++)
        n->ns[i] = -1;
    n->base_mnt = n->init_pidfd = n->control = n->disk = -1;
    n->disk_layer = spec->disk_layer;
    n->own_disks = spec->own_disks;
    return n;
}

int node_new(sd_event *loop, struct switch_net *sw, const struct node_spec *spec, const struct event_sink *sink,
             struct node **ret, struct err *err) {
    struct node *n = node_alloc(loop, sw, spec, sink);
    int r = make_folders(n, err);
    if (r == 0)
        r = write_identity(n, spec, err);
    if (r == 0)
        r = make_namespaces(n, err);
    if (r == 0)
        r = switch_attach(sw, n->name, spec->address, n->ns[NODE_NS_NET], err);
    if (r < 0) {
        node_free(n);
        return err_wrap(err, "make node '%s'", spec->name);
    }
    *ret = n;
    return 0;
}

void node_free(struct node *n) {
    if (!n)
        return;
    if (n->init)
        (void)node_power_off(n, NULL, NULL);
    node_functions_kill(n);
    for (int i = 0; i < NODE_NS_COUNT; i++)
        if (n->ns[i] >= 0)
            (void)close(n->ns[i]);
    if (n->base_mnt >= 0)
        (void)close(n->base_mnt);
    node_disk_abandon(n);
    VEC_DONE(&n->disk_rules);
    VEC_DONE(&n->disk_limits);
    VEC_DONE(&n->disk_asks);
    VEC_DONE(&n->pending);
    VEC_DONE(&n->services);
    VEC_DONE(&n->waits);
    VEC_DONE(&n->functions);
    sd_event_unref(n->loop);
    free(n->image_root);
    free(n->disk_dir);
    free(n->log_dir);
    free(n->etc_dir);
    free(n->postgresql_dir);
    free(n->etcd_dir);
    free(n);
}

const char *node_name(const struct node *n) {
    return n->name;
}
const char *node_etc_dir(const struct node *n) {
    return n->etc_dir;
}
int node_keep_etc(const struct node *n, const char *to, struct err *err) {
    return etc_copy(n->etc_dir, to, err);
}
const char *node_postgresql_dir(const struct node *n) {
    return n->postgresql_dir;
}
const char *node_etcd_dir(const struct node *n) {
    return n->etcd_dir;
}
int node_files_ns(const struct node *n) {
    return n->base_mnt;
}
bool node_is_on(const struct node *n) {
    return n->init != 0;
}
int node_ns(const struct node *n, enum node_ns which) {
    return n->ns[which];
}
pid_t node_init_pid(const struct node *n) {
    return n->init;
}
