// SPDX-License-Identifier: PostgreSQL
// The worker around a template. Cold: build it in work_dir, copy it for each node (the leader first, so that its server
// can start while the others are copied), then put it into the cache under a temporary name and rename it. Warm: copy
// from the cache.
//
// Failure modes. A cache that can't be read or written: go on without, say so. Two labs building the same template at
// once: each has its own temporary name, the second rename fails on the folder that is there by then, and is dropped. A
// half-copied template: never has its final name. A worker that dies: EOF on the pipe before "done" is a failure.
#include "lab/stack/template.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lab/base/fs.h"

#define TEMPLATE_FORMAT 1 // of a template's content; raise it when template_build changes

// FNV-1a, twice with different starts: a name for a handful of variants, no guard against malice.
static uint64_t hash(const char *s, uint64_t h) {
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return h;
}

void template_name(const struct conf *c, char buf[static 40]) {
    cleanup_strbuf struct strbuf text = {0};
    strbuf_addf(&text, "format %d\n", TEMPLATE_FORMAT);
    template_inputs(c, &text);
    (void)snprintf(buf, 40, "%016" PRIx64 "%016" PRIx64, hash(strbuf_str(&text), UINT64_C(14695981039346656037)),
                   hash(strbuf_str(&text), UINT64_C(0x5bd1e9955bd1e995)));
}

// ---- in the worker ------------------------------------------------------------------------------------------------

struct message {
    int step;
    size_t node;
    char text[ERR_MSG_MAX];
};
_Static_assert(sizeof(struct message) <= 4096, "one message is one atomic write to a pipe (PIPE_BUF)");

static void tell(int fd, enum template_step step, size_t node, const char *text) {
    struct message m = {.step = step, .node = node};
    STR_COPY(m.text, text);
    (void)fs_write_all(fd, &m, sizeof m);
}

// A template in use has its final name and initdb's first and the shutdown's last file.
static bool usable(const char *path) {
    cleanup_free char *version = xasprintf("%s/PG_VERSION", path);
    cleanup_free char *control = xasprintf("%s/global/pg_control", path);
    return access(version, R_OK) == 0 && access(control, R_OK) == 0;
}

static int copy_to_cache(const char *from, const char *temporary, const char *final, struct err *err) {
    int r = fs_mkdirs(temporary, 0700, err);
    cleanup_close int lock = r < 0 ? -1 : open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0)
        (void)flock(lock, LOCK_EX | LOCK_NB); // remove_leftovers keeps its hands off while we live
    if (r == 0)
        r = fs_copy_tree(from, temporary, err);
    if (r < 0)
        return r;
    if (rename(temporary, final) == 0)
        return 0;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return fs_remove_tree(temporary, err); // another lab was faster
    return err_sys(err, errno, "rename '%s'", temporary);
}

// What labs left that were killed while they were copying; one that is copying now holds its lock.
static void remove_leftovers(const char *folder) {
    cleanup_dir DIR *dir = opendir(folder);
    struct dirent *e;
    while (dir && (e = readdir(dir))) {
        if (!str_starts(e->d_name, ".new-"))
            continue;
        cleanup_free char *path = xasprintf("%s/%s", folder, e->d_name);
        cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            (void)fs_remove_tree(path, NULL);
    }
}

// This and publish: after the nodes have theirs, and gently, because the servers are starting at this moment.
static void tidy_cache(const struct template_options *o) {
    cleanup_free char *folder = xasprintf("%s/templates", o->cache_dir);
    (void)setpriority(PRIO_PROCESS, 0, 19);
    remove_leftovers(folder);
}

static void publish(const struct template_options *o, const char *from, const char *name, int fd) {
    cleanup_free char *folder = xasprintf("%s/templates", o->cache_dir);
    cleanup_free char *final = xasprintf("%s/%s", folder, name);
    // The pid is one of this lab's own namespace; the clock tells labs apart.
    cleanup_free char *temporary = xasprintf("%s/.new-%d-%" PRIu64, folder, (int)getpid(), usec_now());
    struct err err = {0};
    int r = fs_mkdirs(folder, 0700, &err);
    if (r == 0)
        r = copy_to_cache(from, temporary, final, &err);
    if (r == 0)
        return;
    (void)fs_remove_tree(temporary, NULL);
    tell(fd, TEMPLATE_NOTE, 0, err.msg);
}

static int instantiate(const struct template_options *o, size_t i, const char *from, int fd, struct err *err) {
    const struct node_def *n = &o->conf.topology->nodes.items[i];
    int r = template_instantiate(&o->conf, n, from, o->postgresql_dirs[i], err);
    if (r == 0)
        tell(fd, TEMPLATE_NODE, i, n->name);
    return r;
}

static int instantiate_all(const struct template_options *o, const char *from, int fd, struct err *err) {
    const struct topology *t = o->conf.topology;
    const struct node_def *leader = conf_first_leader(t);
    int r = leader ? instantiate(o, (size_t)(leader - t->nodes.items), from, fd, err) : 0;
    for (size_t i = 0; r == 0 && i < t->nodes.n; i++)
        if ((t->nodes.items[i].services & SERVICE_POSTGRES) && &t->nodes.items[i] != leader)
            r = instantiate(o, i, from, fd, err);
    return r;
}

static int work(const struct template_options *o, int fd, struct err *err) {
    char name[40];
    template_name(&o->conf, name);
    cleanup_free char *cached = o->cache_dir ? xasprintf("%s/templates/%s", o->cache_dir, name) : NULL;
    cleanup_free char *built = xasprintf("%s/template", o->world.dir);
    bool warm = cached && !o->fresh && usable(cached);
    int r = warm ? 0 : fs_remove_tree(built, err);
    if (!warm && r == 0)
        r = template_build(&o->conf, &o->world, "template", err);
    if (r < 0)
        return r;
    tell(fd, warm ? TEMPLATE_WARM : TEMPLATE_BUILT, 0, warm ? cached : built);
    r = instantiate_all(o, warm ? cached : built, fd, err);
    if (r < 0)
        return r;
    tell(fd, TEMPLATE_DONE, 0, "");
    if (o->cache_dir)
        tidy_cache(o);
    if (warm)
        return 0;
    if (cached)
        publish(o, built, name, fd);
    return fs_remove_tree(built, NULL); // memory of the lab; a failure costs that and nothing else
}

static _Noreturn void worker_main(const struct template_options *o, int fd) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    // Nothing of the supervisor's: not its sockets to the nodes, not its control socket. Only our pipe and the namespace.
    struct template_options own = *o;
    int pipe = fcntl(fd, F_DUPFD_CLOEXEC, 64),
        mounts = o->world.mounts < 0 ? -1 : fcntl(o->world.mounts, F_DUPFD_CLOEXEC, 64);
    if (pipe < 0 || dup3(pipe, 3, O_CLOEXEC) < 0 || (mounts >= 0 && dup3(mounts, 4, O_CLOEXEC) < 0))
        _exit(1);
    own.world.mounts = mounts < 0 ? -1 : 4;
    (void)close_range(mounts < 0 ? 4 : 5, ~0U, 0);
    struct err err = {0};
    int r = work(&own, 3, &err);
    if (r < 0 && err.code)
        tell(3, TEMPLATE_FAILED, 0, err.msg);
    _exit(r < 0 ? 1 : 0);
}

// ---- on the loop --------------------------------------------------------------------------------------------------

struct template_worker {
    pid_t pid;
    int pidfd; // a pid may be somebody else's by the time we kill: the lab's pid 1 reaps
    int fd;
    bool done; // said so: EOF is then its natural end
    sd_event_source *source;
    template_report report;
    void *arg;
};

static int pidfd_open_of(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0); // close-on-exec by nature
}

static void stop_listening(struct template_worker *w) {
    w->source = sd_event_source_disable_unref(w->source);
    (void)waitpid(w->pid, NULL, WNOHANG); // if the lab's reaper has not been here before
}

static int on_pipe(sd_event_source *source, int fd, uint32_t revents, void *arg) {
    (void)source;
    (void)revents;
    struct template_worker *w = arg;
    struct message m;
    ssize_t n = read(fd, &m, sizeof m);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n == (ssize_t)sizeof m) {
        m.text[sizeof m.text - 1] = '\0';
        w->done = w->done || m.step == TEMPLATE_DONE || m.step == TEMPLATE_FAILED;
        w->report(w->arg, (enum template_step)m.step, m.node, m.text);
        return 0;
    }
    stop_listening(w);
    if (!w->done)
        w->report(w->arg, TEMPLATE_FAILED, 0, "the process preparing the data directories died");
    w->report(w->arg, TEMPLATE_ENDED, 0, "");
    return 0;
}

int template_start(sd_event *loop, const struct template_options *o, template_report report, void *arg,
                   struct template_worker **ret, struct err *err) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_sys(err, errno, "pipe");
    cleanup_close int ours = fds[0];
    cleanup_close int theirs = fds[1];
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, errno, "start the worker that prepares data directories");
    if (pid == 0)
        worker_main(o, theirs);
    struct template_worker *w = xcalloc(1, sizeof *w);
    *w = (struct template_worker){
        .pid = pid, .pidfd = pidfd_open_of(pid), .fd = STEAL_FD(ours), .report = report, .arg = arg};
    (void)fcntl(w->fd, F_SETFL, O_NONBLOCK);
    int r = sd_event_add_io(loop, &w->source, w->fd, EPOLLIN, on_pipe, w);
    if (r < 0) {
        template_free(w);
        return err_sys(err, -r, "watch the worker");
    }
    *ret = w;
    return 0;
}

void template_free(struct template_worker *w) {
    if (!w)
        return;
    if (w->source) {
        (void)syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL, 0);
        stop_listening(w);
    }
    if (w->pidfd >= 0)
        (void)close(w->pidfd);
    (void)close(w->fd);
    free(w);
}
