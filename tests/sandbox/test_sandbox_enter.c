// SPDX-License-Identifier: PostgreSQL
// Entering a node from outside, as `bascule exec` and `bascule shell` do: the namespaces come over a socket, the lab
// goes on by itself.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/sandbox/fixture.h"

static void send_namespaces(int sock, const struct node *n) {
    int fds[NODE_NS_COUNT];
    for (int i = 0; i < NODE_NS_COUNT; i++)
        fds[i] = node_ns(n, (enum node_ns)i);
    size_t size = sizeof fds - (fds[NODE_NS_TIME] < 0 ? sizeof *fds : 0); // the last one
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof fds)];
    } c = {0};
    struct iovec iov = {.iov_base = (char[]){"n"}, .iov_len = 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = CMSG_SPACE(size)};
    c.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(size)};
    memcpy(CMSG_DATA(&c.head), fds, size);
    CHECK(sendmsg(sock, &m, 0) == 1);
}

static void receive_namespaces(int sock, int fds[NODE_NS_COUNT]) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * NODE_NS_COUNT)];
    } c;
    char byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    assert_int_equal(recvmsg(sock, &m, MSG_CMSG_CLOEXEC), 1);
    fds[NODE_NS_TIME] = -1;
    memcpy(fds, CMSG_DATA(&c.head), c.head.cmsg_len - CMSG_LEN(0));
}

static size_t zombies(void) {
    size_t n = 0;
    for (pid_t pid = 2; pid < 4096; pid++) {
        char path[64], state = 0;
        cleanup_strbuf struct strbuf text = {0};
        (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        if (fs_read(path, 4096, &text, NULL) == 0 && sscanf(strbuf_str(&text), "%*d (%*[^)]) %c", &state) == 1)
            n += state == 'Z';
    }
    return n;
}

static bool no_time; // the lab's host refuses time namespaces

// The lab's side: one node; "p" on the socket = power off and say how long it took (µs), "z" = how many zombies are
// there.
static void host_body(struct lab *lab, void *arg) {
    int sock = *(int *)arg;
    char order;
    if (no_time)
        CHECK_OK(fs_write("/proc/sys/user/max_time_namespaces", "0", 1, 0644, err));
    lab_nodes(lab, 1, true);
    send_namespaces(sock, lab->nodes[0]);
    while (recv(sock, &order, 1, 0) == 1) {
        lab_spin(lab, 100 * MSEC);
        usec_t took = usec_now();
        if (order == 'p')
            CHECK_OK(node_power_off(lab->nodes[0], NULL, err));
        took = order == 'z' ? zombies() : usec_now() - took;
        CHECK(send(sock, &took, sizeof took, 0) == sizeof took);
    }
}

struct outside {
    pid_t lab;
    int pidfd, sock, ns[NODE_NS_COUNT];
};

static void begin(struct outside *o) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    // The lab's copy of our end stays open in it, so it ends by signal and not by a hang-up.
    o->lab = lab_begin(host_body, &ends[1], &o->pidfd);
    o->sock = ends[0];
    (void)close(ends[1]);
    receive_namespaces(o->sock, o->ns);
}

static void end(struct outside *o) {
    (void)kill(o->lab, SIGKILL);
    (void)waitpid(o->lab, NULL, 0);
    for (int i = 0; i < NODE_NS_COUNT; i++)
        if (o->ns[i] >= 0)
            (void)close(o->ns[i]);
    (void)close(o->pidfd);
    (void)close(o->sock);
}

// setns is for good, so each entering has a process of its own.
static pid_t enter(const struct outside *o, const char *const *argv, int out) {
    pid_t pid = fork();
    if (pid == 0) {
        struct err why = {0};
        if (out >= 0 && (dup2(out, 1) < 0 || dup2(out, 2) < 0))
            _exit(99);
        int r = node_enter_exec(o->ns, argv, NULL, &why);
        if (r < 0)
            fprintf(stderr, "%s\n", why.msg);
        _exit(r < 0 ? 98 : r);
    }
    return pid;
}

static int code_of(pid_t pid) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int enter_sh(const struct outside *o, const char *script) {
    return code_of(enter(o, (const char *const[]){"sh", "-c", script, NULL}, -1));
}

static void a_command_sees_the_node_and_gives_its_exit_code(void **state) {
    (void)state;
    struct outside o;
    begin(&o);
    assert_int_equal(enter_sh(&o, "exit 42"), 42);
    assert_int_equal(enter_sh(&o, "kill -9 $$"), 128 + 9);
    assert_int_equal(enter_sh(&o, "test \"$(hostname)\" = n1"), 0);
    assert_int_equal(
        enter_sh(&o, "test \"$(id -un)\" = postgres -a \"$PWD\" = /var/lib/postgresql -a \"$HOME\" = \"$PWD\""), 0);
    assert_int_equal(enter_sh(&o, "test \"$(cat /proc/1/comm)\" = init -a -d /run/postgresql"), 0);
    assert_int_equal(enter_sh(&o, "grep -q '^CapEff:.0*$' /proc/self/status"), 0);
    assert_int_equal(enter_sh(&o, "getent hosts n1 | grep -q 10.77.0.1"), 0);
    end(&o);
}

static void a_node_without_a_time_namespace_of_its_own_is_entered_too(void **state) {
    (void)state;
    struct outside o;
    no_time = true;
    begin(&o);
    no_time = false;
    assert_int_equal(o.ns[NODE_NS_TIME], -1);
    assert_int_equal(enter_sh(&o, "test \"$(hostname)\" = n1"), 0);
    end(&o);
}

static void a_missing_command_is_127_with_its_name(void **state) {
    (void)state;
    struct outside o;
    char text[200] = "";
    int out[2];
    begin(&o);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(code_of(enter(&o, (const char *const[]){"no-such-command", NULL}, out[1])), 127);
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "no-such-command: No such file"));
    (void)close(out[0]);
    (void)close(out[1]);
    end(&o);
}

static usec_t order(const struct outside *o, const char *what) {
    usec_t answer = 0;
    assert_int_equal(send(o->sock, what, 1, 0), 1);
    assert_int_equal(recv(o->sock, &answer, sizeof answer, 0), sizeof answer);
    return answer;
}

static usec_t power_off(const struct outside *o) {
    return order(o, "p");
}

static void a_power_cut_ends_the_command_too(void **state) {
    (void)state;
    struct outside o;
    char byte;
    int out[2];
    begin(&o);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t pid = enter(&o, (const char *const[]){"sh", "-c", "echo; exec sleep 1000", NULL}, out[1]);
    assert_int_equal(read(out[0], &byte, 1), 1); // it runs
    assert_true(power_off(&o) < SEC);
    assert_int_equal(code_of(pid), 128 + 9);
    (void)close(out[0]);
    (void)close(out[1]);
    end(&o);
}

static void a_stopped_command_does_not_hold_up_a_power_cut(void **state) {
    (void)state;
    struct outside o;
    char byte;
    int out[2];
    begin(&o);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t pid = enter(&o, (const char *const[]){"sh", "-c", "echo; exec sleep 1000", NULL}, out[1]);
    assert_int_equal(read(out[0], &byte, 1), 1);
    assert_int_equal(kill(pid, SIGSTOP), 0); // it can't reap its child now
    assert_true(power_off(&o) < SEC);
    assert_true(order(&o, "z") > 0); // the visitor, and init that waits for it
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_int_equal(code_of(pid), 128 + 9);
    assert_int_equal(order(&o, "z"), 0);
    (void)close(out[0]);
    (void)close(out[1]);
    end(&o);
}

// Types a line and reads until the word appears or two seconds have passed.
static bool type_and_expect(int pty, const char *keys, const char *word) {
    static char seen[65536];
    size_t n = 0;
    usec_t until = usec_now() + 5 * SEC;
    if (write(pty, keys, strlen(keys)) < 0)
        return false;
    while (usec_now() < until && n < sizeof seen - 1) {
        struct pollfd p = {.fd = pty, .events = POLLIN};
        if (poll(&p, 1, 50) <= 0)
            continue;
        ssize_t got = read(pty, seen + n, sizeof seen - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        seen[n] = '\0';
        if (strstr(seen, word))
            return true;
    }
    fprintf(stderr, "waited for '%s', saw: %s\n", word, seen);
    return false;
}

static void an_interactive_shell_has_job_control_and_gives_the_terminal_back(void **state) {
    (void)state;
    struct outside o;
    int pty, status;
    begin(&o);
    pid_t pid = forkpty(&pty, NULL, NULL, NULL);
    if (pid == 0) {
        struct err why = {0};
        int r = node_enter_exec(o.ns, (const char *const[]){"bash", "--norc", "-i", NULL}, NULL, &why);
        _exit(tcgetpgrp(0) == getpgrp() ? r : 97);
    }
    assert_true(type_and_expect(pty, "echo shell-$((40+2))\n", "shell-42"));
    // The echo of what is typed is not the answer: each word waited for is computed by the job, once it has the
    // terminal.
    assert_true(type_and_expect(
        pty, "bash -c 'trap \"echo again-\\$((40+2))\" CONT; echo run-$((40+2)); while :; do sleep 0.1; done'\n",
        "run-42"));
    assert_true(type_and_expect(pty, "\x1a", "Stopped")); // Ctrl-Z
    assert_true(type_and_expect(pty, "fg\n", "again-42"));
    assert_true(type_and_expect(pty, "\x03", "$")); // Ctrl-C ends the sleep, not the shell
    assert_true(type_and_expect(pty, "echo still-$((40+2))\n", "still-42"));
    assert_true(type_and_expect(pty, "exit 7\n", "exit"));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    (void)close(pty);
    end(&o);
}

// Words put into the keyboard buffer would be read by the user's own shell, after the command.
static void a_command_cannot_type_into_the_users_terminal(void **state) {
    (void)state;
    struct outside o;
    int pty, status;
    static const char attack[] = "import fcntl\n"
                                 "for n in (0x5412, 0x541c):\n"
                                 "  try: fcntl.ioctl(0, n, b'x'); print(f'sent-{n:x}')\n"
                                 "  except OSError as e: print(f'refused-{n:x}-{e.errno}')\n";
    begin(&o);
    for (int inside = 0; inside < 2; inside++) {
        pid_t pid = forkpty(&pty, NULL, NULL, NULL);
        const char *const argv[] = {"python3", "-c", attack, NULL};
        struct err why = {0};
        if (pid == 0 && inside)
            _exit(node_enter_exec(o.ns, argv, NULL, &why));
        if (pid == 0) {
            (void)execvp(argv[0], (char *const *)argv);
            _exit(99);
        }
        char seen[512] = "";
        size_t n = 0;
        ssize_t got;
        while (n < sizeof seen - 1 && (got = read(pty, seen + n, sizeof seen - 1 - n)) > 0)
            n += (size_t)got;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        // Outside the kernel allows it (sent) or has its own answer, EIO (dev.tty.legacy_tiocsti = 0).
        assert_int_equal(strstr(seen, "refused-5412-1") != NULL, inside);
        assert_true(!inside || strstr(seen, "refused-541c-1") != NULL);
        (void)close(pty);
    }
    end(&o);
}

SANDBOX_TEST_MAIN(cmocka_unit_test(a_command_sees_the_node_and_gives_its_exit_code),
                  cmocka_unit_test(a_node_without_a_time_namespace_of_its_own_is_entered_too),
                  cmocka_unit_test(a_command_cannot_type_into_the_users_terminal),
                  cmocka_unit_test(a_missing_command_is_127_with_its_name),
                  cmocka_unit_test(a_power_cut_ends_the_command_too),
                  cmocka_unit_test(a_stopped_command_does_not_hold_up_a_power_cut),
                  cmocka_unit_test(an_interactive_shell_has_job_control_and_gives_the_terminal_back))
