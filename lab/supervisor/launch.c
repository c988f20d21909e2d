// SPDX-License-Identifier: PostgreSQL
// The moment of birth. In order: a free name, the lifeline, the clone into new namespaces. In the child: the control socket (in
// the lab's /run), own session, stdio into the run folder, and off into the supervisor. Failure modes: a taken name, a host
// that forbids user namespaces (sandbox_clone says which knob), no descriptor left. In each case nothing has been made yet that
// outlives this process.
#include <fcntl.h>
#include <stdlib.h>

#include "lab/base/fs.h"
#include "lab/base/log.h"
#include "lab/sandbox/confine.h"
#include "lab/sandbox/sandbox.h"
#include "lab/sandbox/spawn.h"
#include "lab/supervisor/lab.h"
#include "lab/supervisor/supervisor.h"

static bool name_taken(const lab_list *labs, const char *name) {
    VEC_FOREACH (labs, l)
        if (str_eq(l->name, name))
            return true;
    return false;
}

static int choose_name(const struct lab_options *o, char *name, struct err *err) {
    lab_list labs = {0};
    int r = lab_list_running(&labs, err);
    (void)str_copy(name, LAB_NAME_MAX, o->name);
    for (int i = 2; r == 0 && name_taken(&labs, name); i++) {
        if (!o->auto_name || i > 99)
            r = err_set(err, EADDRINUSE, "a lab named '%s' is running (see `bascule list`; `bascule down %s` ends it)",
                        name, name);
        (void)snprintf(name, LAB_NAME_MAX, "%.40s-%d", o->name, i);
    }
    VEC_DONE(&labs);
    return r;
}

// stdin from nowhere, messages into the run folder: the terminal belongs to the command that started us.
static void redirect_stdio(const char *run_dir) {
    cleanup_free char *path = xasprintf("%s/supervisor.log", run_dir);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (null >= 0)
        (void)dup2(null, STDIN_FILENO);
    if (out < 0)
        out = null;
    if (out >= 0) {
        (void)dup2(out, STDOUT_FILENO);
        (void)dup2(out, STDERR_FILENO);
    }
    if (null > STDERR_FILENO)
        (void)close(null);
    if (out > STDERR_FILENO && out != null)
        (void)close(out);
}

// Pid 1 of the lab. ready tells our parent that we listen, or why not; life_read is the lifeline.
static _Noreturn void be_supervisor(const struct lab_options *o, const char *name, int ready, int life_read) {
    struct err why = {0};
    int control = lab_socket_listen(name, o->run_dir, &why);
    spawn_report(ready, &why);
    (void)close(ready);
    if (control < 0)
        _exit(SUPERVISOR_EXIT_BROKEN);
    (void)setsid(); // Ctrl-C at the terminal is for the command; it tells us what to do
    redirect_stdio(o->run_dir);
    // What the lab's programs need of the user's environment, and nothing that they could find out of it.
    confine_environment((const char *const[]){"PATH", "HOME", "XDG_DATA_HOME", "BASCULE_IMAGES_DIR", NULL});
    // The lifeline's first word is our pid as the host sees it: nobody in here can know it otherwise.
    pid_t host_pid = 0;
    if (read(life_read, &host_pid, sizeof host_pid) != (ssize_t)sizeof host_pid)
        _exit(SUPERVISOR_EXIT_BROKEN);
    struct supervisor_options so = {
        .lab = o, .name = name, .control = control, .lifeline = life_read, .host_pid = host_pid};
    _exit(supervisor_main(&so));
}

int lab_launch(const struct lab_options *o, struct lab_handle *ret, struct err *err) {
    char name[LAB_NAME_MAX];
    cleanup_close int lock = lab_names_lock();
    int r = choose_name(o, name, err);
    if (r < 0)
        return r;
    int ends[2], ready[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "lifeline");
    cleanup_close int life_read = ends[0];
    cleanup_close int life_write = ends[1];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make a pipe");
    cleanup_close int ready_read = ready[0];
    cleanup_close int ready_write = ready[1];
    pid_t pid = 0;
    cleanup_close int pidfd = -1;
    r = sandbox_clone(true, &pid, &pidfd, err);
    if (r < 0)
        return err_wrap(err, "start lab '%s'", name);
    if (r == 0) { // pid 1 of the lab
        (void)close(STEAL_FD(life_write));
        (void)close(STEAL_FD(ready_read));
        if (lock >= 0)
            (void)close(STEAL_FD(lock)); // the parent's to keep
        be_supervisor(o, name, STEAL_FD(ready_write), STEAL_FD(life_read));
    }
    (void)close(STEAL_FD(ready_write));
    if (spawn_report_wait(ready_read, "the lab's supervisor", err) < 0) {
        (void)spawn_end(pid);
        return err_wrap(err, "start lab '%s'", name);
    }
    if (write(life_write, &pid, sizeof pid) != (ssize_t)sizeof pid)
        return err_sys(err, errno, "lifeline of lab '%s'", name);
    ret->pid = pid;
    ret->pidfd = STEAL_FD(pidfd);
    ret->lifeline = STEAL_FD(life_write);
    STR_COPY(ret->name, name);
    return 0;
}
