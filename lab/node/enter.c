// SPDX-License-Identifier: PostgreSQL
// From outside into a node: the user namespace first (its owner gets all rights in it), the others with these rights,
// then a fork because a pid namespace is entered by children only. The child stays in our process group, so Ctrl-C and
// Ctrl-Z reach it as they would reach any command; a shell makes its own group and job control works. We ignore the
// keyboard's signals while we wait and take the terminal back afterwards: the shell inside can't name our group and
// leaves the terminal to nobody.
#include "lab/node/enter.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lab/node/environment.h"
#include "lab/sandbox/caps.h"
#include "lab/sandbox/confine.h"
#include "lab/sandbox/spawn.h"

static int enter_all(const int ns[NODE_NS_COUNT], struct err *err) {
    static const struct {
        enum node_ns which;
        int type;
        const char *what;
    } order[] = {{NODE_NS_USER, CLONE_NEWUSER, "user"},    {NODE_NS_NET, CLONE_NEWNET, "network"},
                 {NODE_NS_UTS, CLONE_NEWUTS, "host name"}, {NODE_NS_IPC, CLONE_NEWIPC, "ipc"},
                 {NODE_NS_TIME, CLONE_NEWTIME, "time"},    {NODE_NS_PID, CLONE_NEWPID, "pid"},
                 {NODE_NS_MNT, CLONE_NEWNS, "mount"}};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (order[i].which == NODE_NS_TIME && ns[NODE_NS_TIME] < 0)
            continue; // the node has none of its own
        else if (setns(ns[order[i].which], order[i].type) < 0)
            return err_sys(err, errno, "enter the %s namespace of the node (is it on, and yours?)", order[i].what);
    return 0;
}

// The environment is made in here, where the node's root is ours: its PostgreSQL may be another one than the host's.
static _Noreturn void become_command(const char *const *argv, char *const *env) {
    static const char *const terminal[] = {"TERM", "COLORTERM", "LINES", "COLUMNS", "NO_COLOR", NULL};
    struct err err = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0); // the command outside is killed: as a lost terminal line
    // Until the exec this is a copy of a process of the user, environment and all, and everybody in the node has its uid.
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (confine_rights(&err) < 0 || confine_terminal(&err) < 0 || caps_drop(&err) < 0) {
        dprintf(STDERR_FILENO, "%s: %s\n", argv[0], err.msg);
        _exit(126);
    }
    spawn_reset_signals();
    if (chdir("/var/lib/postgresql") < 0)
        (void)!chdir("/");
    environ = env ? (char **)env : environment_login(terminal);
    (void)execvp(argv[0], (char *const *)argv);
    int code = errno;
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(code));
    _exit(code == ENOENT ? 127 : 126); // as a shell says it
}

static void ignore(int sig, struct sigaction *before) {
    struct sigaction quiet = {.sa_handler = SIG_IGN};
    (void)sigaction(sig, &quiet, before);
}

static int wait_quietly(pid_t pid) {
    struct sigaction interrupt, quit, output;
    ignore(SIGINT, &interrupt);
    ignore(SIGQUIT, &quit);
    ignore(SIGTTOU, &output); // or taking the terminal back would stop us
    pid_t group = isatty(STDIN_FILENO) ? tcgetpgrp(STDIN_FILENO) : -1;
    int status = spawn_wait(pid);
    if (group == getpgrp()) // it was ours before
        (void)tcsetpgrp(STDIN_FILENO, group);
    (void)sigaction(SIGINT, &interrupt, NULL);
    (void)sigaction(SIGQUIT, &quit, NULL);
    (void)sigaction(SIGTTOU, &output, NULL);
    return status;
}

int node_enter_exec(const int ns[NODE_NS_COUNT], const char *const *argv, const char *const *env, struct err *err) {
    int r = enter_all(ns, err);
    if (r < 0)
        return r;
    pid_t pid = fork();
    if (pid == 0)
        become_command(argv, (char *const *)env);
    if (pid < 0)
        return err_sys(err, errno, "run '%s'", argv[0]);
    int status = wait_quietly(pid);
    if (status < 0)
        return err_sys(err, -status, "wait for '%s'", argv[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
