// SPDX-License-Identifier: PostgreSQL
// Where a lab listens. Abstract addresses (unix(7)) belong to a network namespace and vanish with the last descriptor:
// a lab that was killed leaves no stale socket file, and "which labs run" is a question to the kernel, not to a folder.
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lab/supervisor/lab.h"

static socklen_t make_address(struct sockaddr_un *a, const char *name, uid_t uid) {
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(a->sun_path + 1, sizeof a->sun_path - 1, "bascule/%u/%s", (unsigned)uid, name);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

int lab_socket_listen(const char *name, uid_t uid, struct err *err) {
    struct sockaddr_un a;
    socklen_t len = make_address(&a, name, uid);
    cleanup_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, errno, "control socket");
    if (bind(fd, (struct sockaddr *)&a, len) < 0) {
        if (errno == EADDRINUSE)
            return err_set(err, EADDRINUSE,
                           "a lab named '%s' is running (see `bascule list`; `bascule down --lab %s` ends it)", name,
                           name);
        return err_sys(err, errno, "control socket of lab '%s'", name);
    }
    if (listen(fd, 16) < 0)
        return err_sys(err, errno, "control socket of lab '%s'", name);
    return STEAL_FD(fd);
}

int lab_socket_connect(const char *name, uid_t uid, struct err *err) {
    struct sockaddr_un a;
    socklen_t len = make_address(&a, name, uid);
    cleanup_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(err, errno, "control socket");
    if (connect(fd, (struct sockaddr *)&a, len) < 0) {
        if (errno == ECONNREFUSED)
            return err_set(err, ECONNREFUSED, "no lab named '%s' is running (see `bascule list`)", name);
        return err_sys(err, errno, "lab '%s'", name);
    }
    // Anybody may bind an abstract address: make sure that it is ours before we believe what it says.
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != uid)
        return err_set(err, EPERM, "lab '%s' belongs to somebody else", name);
    return STEAL_FD(fd);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int lab_names(uid_t uid, name_list *ret, struct err *err) {
    cleanup_file FILE *f = fopen("/proc/net/unix", "re");
    if (!f)
        return err_sys(err, errno, "read /proc/net/unix");
    char prefix[48];
    (void)snprintf(prefix, sizeof prefix, "@bascule/%u/", (unsigned)uid);
    cleanup_free char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, f) > 0) {
        char *at = strstr(line, prefix);
        // Flags (4th column) 00010000 = accepting connections; the others are the ends of connections to it.
        if (!at || !strstr(line, " 00010000 "))
            continue;
        at += strlen(prefix);
        at[strcspn(at, "\n")] = '\0';
        VEC_PUSH(ret, xstrdup(at));
    }
    VEC_SORT(ret, by_name);
    return 0;
}

void name_list_done(name_list *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i]);
    VEC_DONE(l);
}
