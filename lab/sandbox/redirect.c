// SPDX-License-Identifier: PostgreSQL
#include "lab/sandbox/redirect.h"

#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "lab/sandbox/caps.h"
#include "lab/sandbox/spawn.h"
#include "lab/sandbox/switch_port.h"
#include "lab/sandbox/tc.h"

#define INTO "ks"
#define FROM "kr"
enum { PREF_FIRST = 100 };

static int make_sink(struct nl_sock *sk, struct err *err) {
    struct tc_redirect test = {.link = FROM, .pref = PREF_FIRST};
    (void)inet_pton(AF_INET, REDIRECT_TEST_SRC, &test.src);
    (void)inet_pton(AF_INET, REDIRECT_TEST_DST, &test.dst);
    int r = tc_add_pair(sk, INTO, FROM, err);
    if (r == 0)
        r = tc_add_clsact(sk, FROM, err);
    if (r == 0)
        r = test.into = tc_link_index(sk, INTO, err);
    if (r > 0)
        r = tc_redirect_add(sk, &test, err);
    if (r < 0)
        (void)link_delete(sk, INTO, NULL); // half a sink would look like a whole one to the next try
    return r;
}

int switch_sink(struct switch_net *sw, struct switch_sink *ret, struct err *err) {
    struct nl_sock *sk = switch_netlink(sw);
    int r = 0, into = tc_link_index(sk, INTO, NULL);
    if (into < 0)
        r = make_sink(sk, err);
    if (r >= 0)
        r = into = tc_link_index(sk, INTO, err);
    if (r >= 0)
        r = tc_link_index(sk, FROM, err);
    if (r < 0)
        return err_wrap(err, "the link shaper's way out of the switch");
    *ret = (struct switch_sink){.into = into, .from = r};
    return 0;
}

int switch_port_index(struct switch_net *sw, const char *node, struct err *err) {
    struct switch_port_view p;
    int r = switch_port_view(sw, node, &p, err);
    return r < 0 ? r : tc_link_index(switch_netlink(sw), p.link, err);
}

int switch_redirect(struct switch_net *sw, const char *from, const char *to, bool on, struct err *err) {
    struct nl_sock *sk = switch_netlink(sw);
    struct switch_port_view source, port;
    int r = switch_port_view(sw, from, &source, err);
    if (r >= 0)
        r = switch_port_view(sw, to, &port, err);
    if (r < 0)
        return r;
    struct tc_redirect filter = {.link = port.link, .pref = (uint16_t)(PREF_FIRST + source.number)};
    (void)inet_pton(AF_INET, source.address, &filter.src);
    if (!on)
        return tc_redirect_delete(sk, &filter, err);
    r = tc_add_clsact(sk, port.link, err); // there since the port was made, unless the kernel lacked it then
    if (r >= 0)
        r = filter.into = tc_link_index(sk, INTO, err);
    return r < 0 ? r : tc_redirect_add(sk, &filter, err);
}

int switch_enter(struct switch_net *sw, struct err *err) {
    return setns(switch_ns(sw), CLONE_NEWNET) < 0 ? err_sys(err, errno, "enter the switch's network") : 0;
}

static _Noreturn void become_function(const struct switch_net *sw, int (*open_fn)(void *arg),
                                      int (*main_fn)(void *arg, int fd), void *arg, int fd) {
    struct err err = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    spawn_reset_signals();
    if (setns(switch_ns(sw), CLONE_NEWNET) < 0 || dup2(fd, 3) < 0)
        _exit(126);
    spawn_close_from(4);
    int r = open_fn(arg);
    if (caps_drop(&err) < 0)
        _exit(126);
    _exit(r < 0 ? 125 : main_fn(arg, 3));
}

int switch_run_function(struct switch_net *sw, int (*open_fn)(void *arg), int (*main_fn)(void *arg, int fd), void *arg,
                        pid_t *ret_pid, int *ret_pidfd, int *ret_fd, struct err *err) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return err_sys(err, errno, "make a socket for a process of the switch");
    cleanup_close int ours = ends[0], theirs = ends[1];
    pid_t pid = fork();
    if (pid == 0)
        become_function(sw, open_fn, main_fn, arg, theirs);
    if (pid < 0)
        return err_sys(err, errno, "make a process of the switch");
    int pidfd = spawn_pidfd_open(pid);
    if (pidfd < 0) {
        (void)kill(pid, SIGKILL); // our own child, not waited for yet: its pid is still its own
        return err_sys(err, -pidfd, "watch a process of the switch");
    }
    *ret_pid = pid;
    *ret_pidfd = pidfd;
    *ret_fd = STEAL_FD(ours);
    return 0;
}
