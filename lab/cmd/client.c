// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include "lab/sandbox/sandbox.h"
#include "lab/supervisor/lab.h"

enum { REPLY_MAX = 1 << 18 };

static int pick_lab(char *name, size_t size, struct err *err) {
    name_list names = {0};
    int r = lab_names(getuid(), &names, err);
    if (r == 0 && names.n == 0)
        r = err_set(err, ENOENT, "no lab is running (`bascule up` starts one)");
    if (r == 0 && names.n > 1) {
        cleanup_strbuf struct strbuf all = {0};
        VEC_FOREACH (&names, n)
            strbuf_addf(&all, " %s", *n);
        r = err_set(err, EINVAL, "several labs are running, say which with --lab NAME:%s", strbuf_str(&all));
    }
    if (r == 0)
        (void)str_copy(name, size, names.items[0]);
    name_list_done(&names);
    return r;
}

int client_connect(const char *lab, struct err *err) {
    int r = sandbox_drop_root(err);
    if (r < 0)
        return r;
    char name[LAB_NAME_MAX];
    if (!lab)
        lab = getenv("BASCULE_LAB");
    if (!str_empty(lab))
        STR_COPY(name, lab);
    else if ((r = pick_lab(name, sizeof name, err)) < 0)
        return r;
    int fd = lab_socket_connect(name, getuid(), err);
    if (fd < 0)
        return fd;
    struct timeval limit = {.tv_sec = 120}; // a supervisor that does not answer must not hang us
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

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

int client_request(int fd, const cJSON *request, cJSON **ret_reply, int *ret_fds, struct err *err) {
    for (size_t i = 0; ret_fds && i < NODE_NS_COUNT; i++)
        ret_fds[i] = -1;
    char *text = cJSON_PrintUnformatted(request);
    ssize_t sent = text ? send(fd, text, strlen(text), MSG_NOSIGNAL) : -1;
    int code = errno;
    cJSON_free(text);
    if (sent < 0)
        return err_sys(err, code, "ask the lab");
    cleanup_free char *buf = xmalloc(REPLY_MAX);
    union {
        char buf[CMSG_SPACE(sizeof(int) * NODE_NS_COUNT)];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = buf, .iov_len = REPLY_MAX};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof control.buf};
    ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EAGAIN ? err_set(err, ETIMEDOUT, "the lab's supervisor did not answer for 120 s")
                               : err_sys(err, errno, "the lab's answer");
    if (n == 0)
        return err_set(err, ECONNRESET, "the lab ended while we asked");
    take_fds(&msg, ret_fds);
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

int client_command(int fd, const char *command, cJSON **ret_reply, struct err *err) {
    cleanup_json cJSON *request = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(request, "cmd", command);
    return client_request(fd, request, ret_reply, NULL, err);
}
