// SPDX-License-Identifier: PostgreSQL
// Starting a service: fork, own session, output into its log, exec. A close-on-exec pipe brings back the errno of a
// failed step; its end of file means that the exec went through.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/base/fs.h"
#include "lab/node/disk/agent.h"
#include "lab/node/init.h"
#include "lab/sandbox/caps.h"
#include "lab/sandbox/spawn.h"

struct failure { // what the child says when it can't become the service
    int error;
    char step[200];
};

static _Noreturn void fail(int pipe, const char *step, const char *detail) {
    struct failure f = {.error = errno};
    (void)snprintf(f.step, sizeof f.step, "%s '%s'", step, detail);
    (void)fs_write_all(pipe, &f, sizeof f);
    _exit(127);
}

static void open_log(int pipe, const char *log) {
    cleanup_free char *path = xasprintf("/var/log/%s", log);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    struct err err = {0};
    if (fs_mkdirs(path, 0755, &err) < 0) {
        errno = err.code;
        fail(pipe, "make the folder of its log", path);
    }
    *slash = '/';
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        fail(pipe, "open its log", path);
}

static _Noreturn void become_service(const struct init *in, int pipe, const struct start_strings *s) {
    (void)setsid();
    int handoff = in->handoff < 0 ? -1 : fcntl(in->handoff, F_DUPFD_CLOEXEC, 10);
    if (dup2(pipe, 3) < 0) // beside stdio only this one, and the disk agent's; 3 was the control socket
        _exit(127);
    (void)fcntl(3, F_SETFD, FD_CLOEXEC);
    if (handoff >= 0 && dup3(handoff, 4, O_CLOEXEC) < 0)
        _exit(127);
    spawn_close_from(handoff < 0 ? 4 : 5);
    open_log(3, s->log);
    if (chdir(*s->cwd ? s->cwd : "/") < 0)
        fail(3, "enter folder", s->cwd);
    spawn_reset_signals();
    // A copy of init, whom nobody in the node may look into: from losing the right that guards it to the exec this does.
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    struct err err = {0};
    if (caps_drop(&err) < 0) {
        errno = err.code;
        fail(3, "give up rights for", s->name);
    }
    environ = s->env;
    if (handoff >= 0 && (errno = -disk_filter_install(in->disk_layer, 4)))
        fail(3, "filter its disk calls", s->name);
    (void)execvp(s->argv[0], s->argv);
    fail(3, "run", s->argv[0]);
}

// 0 = running; else the child's own words.
static void await_exec(int pipe, pid_t pid, struct answer *a) {
    struct failure f;
    if (fs_read_some(pipe, &f, sizeof f) != sizeof f)
        return;
    (void)spawn_wait(pid);
    a->pid = 0;
    a->error = f.error ? f.error : EIO;
    STR_COPY(a->text, f.step);
}

static int spawn_service(const struct init *in, const struct start_strings *s, struct answer *a) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    cleanup_close int back = ends[0], out = ends[1];
    pid_t pid = fork();
    if (pid == 0)
        become_service(in, out, s);
    if (pid < 0)
        return -errno;
    a->pid = pid;
    (void)close(STEAL_FD(out));
    await_exec(back, pid, a);
    return 0;
}

struct init_service *init_service_of(struct init *in, pid_t pid) {
    for (size_t i = 0; i < ARRAY_SIZE(in->services); i++)
        if (in->services[i].pid == pid)
            return &in->services[i];
    return NULL;
}

static void start(struct init *in, const struct start_strings *s, struct answer *a) {
    init_reap(in); // what was killed just before this request does not run already
    struct init_service *slot = init_service_of(in, 0);
    for (size_t i = 0; i < ARRAY_SIZE(in->services); i++)
        if (in->services[i].pid && str_eq(in->services[i].name, s->name)) {
            a->error = EALREADY;
            (void)snprintf(a->text, sizeof a->text, "it runs already with pid %d", (int)in->services[i].pid);
            return;
        }
    int r = slot ? spawn_service(in, s, a) : -ENOSPC;
    if (r < 0) {
        a->error = -r;
        STR_COPY(a->text, "make a process");
    } else if (a->pid) {
        slot->pid = (pid_t)a->pid;
        STR_COPY(slot->name, s->name);
    }
}

void init_start(struct init *in, const struct request *rq, char *data, size_t len) {
    struct answer a = {.kind = ANSWER_STARTED, .id = rq->id};
    struct start_strings s;
    int r = start_strings_read(rq, data, len, &s);
    if (r < 0) {
        a.error = -r;
        STR_COPY(a.text, "understand the request");
    } else {
        start(in, &s, &a);
        start_strings_done(&s);
    }
    init_answer(in, &a);
}
