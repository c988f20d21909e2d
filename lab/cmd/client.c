// SPDX-License-Identifier: PostgreSQL
// No command may wait for a supervisor that hangs. A busy one is no hung one: while it works the kernel counts its turns on the
// processor, so silence is measured from the last sign of life (/proc/PID/status), and the whole is bounded besides.
#include "lab/cmd/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lab/base/fs.h"
#include "lab/sandbox/sandbox.h"
#include "lab/sandbox/spawn.h"

enum { REPLY_MAX = 1 << 18, LOOK_EVERY_MS = 100, KERNEL_MS = 10000 };
static const usec_t ANSWER_MAX = 30 * SEC;

// ---- signs of life ---------------------------------------------------------------------------------------------------

// How often it had the processor. Grows with every turn of its loop; 0 = it is gone.
static int64_t scheduled_turns(pid_t pid, char *ret_state) {
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read(path, 16384, &text, NULL) < 0)
        return 0;
    const char *state = strstr(strbuf_str(&text), "\nState:\t");
    const char *own = strstr(strbuf_str(&text), "\nvoluntary_ctxt_switches:");
    const char *taken = strstr(strbuf_str(&text), "\nnonvoluntary_ctxt_switches:");
    *ret_state = state ? state[strlen("\nState:\t")] : '?';
    int64_t n = 1;
    n += own ? strtoll(strchr(own, ':') + 1, NULL, 10) : 0;
    return n + (taken ? strtoll(strchr(taken, ':') + 1, NULL, 10) : 0);
}

struct life client_life(pid_t pid) {
    struct life l = {.pid = pid, .last = usec_now()};
    l.turns = scheduled_turns(pid, &l.state);
    return l;
}

usec_t client_silence(struct life *l) {
    int64_t now = scheduled_turns(l->pid, &l->state);
    if (now != l->turns)
        l->last = usec_now();
    l->turns = now;
    return usec_now() - l->last;
}

int client_hung(const struct life *l, const char *lab, usec_t silence, struct err *err) {
    cleanup_free char *why =
        l->state == 'T' || l->state == 't'
            ? xasprintf("it is stopped (`kill -CONT %d` lets it go on)", (int)l->pid)
            : xstrdup(l->state == 'D' ? "it waits for the kernel (a disk that hangs?)" : "it hangs");
    return err_set(
        err, ETIMEDOUT,
        "the supervisor of lab '%s' (pid %d) has not answered for %.0f s: %s; `bascule down --force %s` ends "
        "the lab",
        lab, (int)l->pid, (double)silence / 1e6, why, lab);
}

int client_await_gone(int pidfd, const char *lab, struct err *err) {
    return spawn_pidfd_gone(pidfd, KERNEL_MS)
               ? 0
               : err_set(err, ETIMEDOUT,
                         "the daemons of lab '%s' are dead, and the kernel has not ended all of its processes after %d "
                         "s: a stopped `bascule exec`, `shell` or `psql` (`fg` brings it back), or a disk that hangs, "
                         "holds the last of them",
                         lab, KERNEL_MS / 1000);
}

static pid_t peer_pid(int fd) {
    struct ucred peer = {.pid = 0};
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? 0 : peer.pid;
}

// The lab's name is the last part of the address it listens on.
static void peer_name(int fd, char *name, size_t size) {
    struct sockaddr_un a = {0};
    socklen_t len = sizeof a - 1; // stays terminated
    const char *slash = getpeername(fd, (struct sockaddr *)&a, &len) < 0 ? NULL : strrchr(a.sun_path, '/');
    (void)str_copy(name, size, slash ? slash + 1 : "?");
}

static int await(int fd, usec_t from, struct err *err) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct life life = client_life(peer_pid(fd));
    life.last = from < life.last ? from : life.last;
    for (;;) {
        int n = poll(&p, 1, LOOK_EVERY_MS);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_sys(err, errno, "wait for the lab's answer");
        usec_t silence = client_silence(&life), waited = usec_now() - from;
        if (silence < CLIENT_SILENCE_MAX && waited < ANSWER_MAX)
            continue;
        char name[LAB_NAME_MAX];
        peer_name(fd, name, sizeof name);
        return client_hung(&life, name, waited, err);
    }
}

// ---- connecting ------------------------------------------------------------------------------------------------------

static int pick_lab(const lab_list *labs, struct lab_ref *ret, struct err *err) {
    if (labs->n == 0)
        return err_set(err, ENOENT, "no lab is running (`bascule up` starts one)");
    if (labs->n > 1) {
        cleanup_strbuf struct strbuf all = {0};
        VEC_FOREACH (labs, l)
            strbuf_addf(&all, " %s", l->name);
        return err_set(err, EINVAL, "several labs are running, say which with --lab NAME:%s", strbuf_str(&all));
    }
    *ret = labs->items[0];
    return 0;
}

int client_find(const char *lab, struct lab_ref *ret, struct err *err) {
    int r = sandbox_drop_root(err);
    if (r < 0)
        return r;
    if (!lab)
        lab = getenv("BASCULE_LAB");
    if (!str_empty(lab))
        return lab_find(lab, ret, err);
    lab_list labs = {0};
    r = lab_list_running(&labs, err);
    if (r == 0)
        r = pick_lab(&labs, ret, err);
    VEC_DONE(&labs);
    return r;
}

int client_connect(const char *lab, struct err *err) {
    struct lab_ref found;
    int r = client_find(lab, &found, err);
    return r < 0 ? r : lab_socket_connect(&found, err);
}

int client_connect_started(const struct lab_handle *lab, struct err *err) {
    struct lab_ref ref = {.pid = lab->pid};
    STR_COPY(ref.name, lab->name);
    return lab_socket_connect(&ref, err);
}

// ---- asking ----------------------------------------------------------------------------------------------------------

static void take_fds(struct msghdr *msg, int *ret_fds) {
    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (ret_fds && i < NODE_NS_COUNT)
                ret_fds[i] = fd;
            else
                (void)close(fd);
        }
    }
}

int client_send(int fd, const cJSON *request, struct err *err) {
    char *text = cJSON_PrintUnformatted(request);
    ssize_t sent = text ? send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
    int code = errno;
    cJSON_free(text);
    // Whoever closed may have said why before: client_receive reads that, or tells the end.
    return sent >= 0 || code == EPIPE || code == ECONNRESET ? 0 : err_sys(err, code, "ask the lab");
}

static ssize_t receive(int fd, char *buf, int *ret_fds) {
    union {
        char buf[CMSG_SPACE(sizeof(int) * NODE_NS_COUNT)];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = buf, .iov_len = REPLY_MAX};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof control.buf};
    ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    // Told once, before what is still queued: it was closed with our question unread ("too many commands").
    if (n < 0 && errno == ECONNRESET)
        n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n >= 0)
        take_fds(&msg, ret_fds);
    return n;
}

int client_receive(int fd, usec_t asked, cJSON **ret_reply, int *ret_fds, struct err *err) {
    int r = await(fd, asked, err);
    if (r < 0)
        return r;
    cleanup_free char *buf = xmalloc(REPLY_MAX);
    ssize_t n = receive(fd, buf, ret_fds);
    if (n < 0 && errno != ECONNRESET)
        return err_sys(err, errno, "the lab's answer");
    if (n <= 0)
        return err_set(err, ECONNRESET, "the lab ended while we asked");
    cJSON *reply = cJSON_ParseWithLength(buf, (size_t)n);
    if (!reply)
        return err_set(err, EPROTO, "the lab's answer is not JSON");
    const char *why = json_str(reply, "error", NULL);
    if (why) {
        (void)err_set(err, EREMOTEIO, "%s", why);
        cJSON_Delete(reply);
        return -EREMOTEIO;
    }
    *ret_reply = reply;
    return 0;
}

int client_request(int fd, const cJSON *request, cJSON **ret_reply, int *ret_fds, struct err *err) {
    for (size_t i = 0; ret_fds && i < NODE_NS_COUNT; i++)
        ret_fds[i] = -1;
    usec_t asked = usec_now();
    int r = client_send(fd, request, err);
    return r < 0 ? r : client_receive(fd, asked, ret_reply, ret_fds, err);
}

int client_command(int fd, const char *command, cJSON **ret_reply, struct err *err) {
    cleanup_json cJSON *request = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(request, "cmd", command);
    return client_request(fd, request, ret_reply, NULL, err);
}
