// SPDX-License-Identifier: PostgreSQL
// The way down is the supervisor's: each of its steps has a deadline of its own, and while it works it shows signs of life. One that
// shows none is not waited for: --force kills it, and with pid 1 of the lab the kernel ends everything else.
#include <poll.h>
#include <signal.h>

#include "lab/cli/simple.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/farewell.h"
#include "lab/sandbox/sandbox.h"
#include "lab/sandbox/spawn.h"

static const usec_t WAY_DOWN_MAX = 5 * MINUTE;
enum { LOOK_EVERY_MS = 100 };

// The supervisor closes the connection when it leaves.
static int await_leave(int fd, const struct lab_ref *lab, struct err *err) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct life life = client_life(lab->pid);
    usec_t begun = usec_now();
    while (poll(&p, 1, LOOK_EVERY_MS) <= 0) {
        usec_t silence = client_silence(&life);
        if (silence >= CLIENT_SILENCE_MAX)
            return client_hung(&life, lab->name, silence, err);
        if (usec_now() - begun >= WAY_DOWN_MAX)
            return err_set(err, ETIMEDOUT,
                           "lab '%s' has not ended within %.0f s; `bascule down --force %s` ends it at once", lab->name,
                           (double)WAY_DOWN_MAX / 1e6, lab->name);
    }
    return 0;
}

// Its word is not enough: gone is what the kernel calls gone, with every process in it.
static int await_gone(int pidfd, const struct lab_ref *lab, struct err *err) {
    int r = client_await_gone(pidfd, lab->name, err);
    if (r == 0 || !lab_runs(lab))
        return r;
    return err_set(
        err, EBUSY,
        "the supervisor of lab '%s' (pid %d) said that it leaves and has not; `bascule down --force %s` ends "
        "the lab",
        lab->name, (int)lab->pid, lab->name);
}

// Returns the exit status of the word at the end, or negative.
static int ask_to_end(const struct lab_ref *lab, struct err *err) {
    cleanup_close int pidfd = lab_pidfd(lab, err);
    cleanup_close int fd = pidfd < 0 ? pidfd : lab_socket_connect(lab, err);
    if (fd < 0)
        return fd;
    cleanup_json cJSON *reply = NULL;
    int r = client_command(fd, "down", &reply, err);
    if (r == 0)
        r = await_leave(fd, lab, err);
    if (r == 0)
        r = await_gone(pidfd, lab, err);
    if (r < 0)
        return r;
    (void)printf("lab '%s' is down; its run folder stays: %s\n", lab->name, lab->run_dir);
    return farewell(lab->run_dir);
}

static int kill_lab(const struct lab_ref *lab, struct err *err) {
    cleanup_close int pidfd = lab_pidfd(lab, err);
    if (pidfd < 0)
        return pidfd;
    int r = spawn_pidfd_kill(pidfd, SIGKILL);
    if (r < 0 && r != -ESRCH)
        return err_sys(err, -r, "end the supervisor of lab '%s' (pid %d)", lab->name, (int)lab->pid);
    r = client_await_gone(pidfd, lab->name, err);
    if (r < 0)
        return r;
    (void)printf("lab '%s' was ended by force: what its daemons had written at the end was not read; its run folder "
                 "stays: %s\n",
                 lab->name, lab->run_dir);
    return 0;
}

static int end_lab(const struct lab_ref *lab, bool force, struct err *err) {
    return force ? kill_lab(lab, err) : ask_to_end(lab, err);
}

static int end_all(bool force, struct err *err) {
    lab_list labs = {0};
    int code = EXIT_PASS;
    if (sandbox_drop_root(err) < 0 || lab_list_running(&labs, err) < 0)
        return cli_fail(EXIT_BROKEN, err);
    VEC_FOREACH (&labs, l) {
        int r = end_lab(l, force, err);
        if (r != -ECONNREFUSED) // one that has ended by itself meanwhile is what was wanted
            code = cli_worse(code, r < 0 ? cli_fail(EXIT_BROKEN, err) : r);
    }
    VEC_DONE(&labs);
    return code;
}

int down_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse(
        "down", SIMPLE_LAB | SIMPLE_ALL | SIMPLE_FORCE, "[NAME]",
        "Ends a lab, and says whether writes that the application was told are done are lost (not with --force). "
        "Nothing of it is left but its run folder.\vExit status: 0 nothing is lost (or no application was running), 1 "
        "writes are lost or nodes follow another history, 5 the same by a known defect, 4 it is not known, 3 the lab "
        "broke "
        "or did not end. With --all the worst of them, 3 before 1, 5, 4 and 0. A lab of `bascule run` gets its verdict "
        "there.",
        0, argc, argv, &o);
    struct err err = {0};
    struct lab_ref lab;
    if (o.all)
        return end_all(o.force, &err);
    if (client_find(o.n_args ? o.args[0] : o.lab, &lab, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    int r = end_lab(&lab, o.force, &err);
    return r < 0 ? cli_fail(EXIT_BROKEN, &err) : r;
}
