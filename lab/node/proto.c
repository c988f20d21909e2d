// SPDX-License-Identifier: PostgreSQL
#include "lab/node/proto.h"

#include <sys/socket.h>

int proto_send(int fd, const void *data, size_t len, int flags) {
    while (send(fd, data, len, flags | MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static char *next_string(char **data, const char *end) {
    char *s = *data, *nul = memchr(s, '\0', (size_t)(end - s));
    if (!nul)
        return NULL;
    *data = nul + 1;
    return s;
}

static char **next_list(char **data, const char *end, uint32_t n) {
    if (n > (size_t)(end - *data))
        return NULL;
    char **list = xcalloc(n + 1, sizeof *list);
    for (uint32_t i = 0; i < n; i++)
        if (!(list[i] = next_string(data, end))) {
            free(list);
            return NULL;
        }
    return list;
}

int start_strings_read(const struct request *rq, char *data, size_t len, struct start_strings *ret) {
    const char *end = data + len;
    *ret = (struct start_strings){0};
    ret->name = next_string(&data, end);
    ret->cwd = ret->name ? next_string(&data, end) : NULL;
    ret->log = ret->cwd ? next_string(&data, end) : NULL;
    ret->argv = ret->log && rq->argc ? next_list(&data, end, rq->argc) : NULL;
    ret->env = ret->argv ? next_list(&data, end, rq->envc) : NULL;
    if (ret->env)
        return 0;
    start_strings_done(ret);
    return -EBADMSG;
}

void start_strings_done(struct start_strings *s) {
    free(s->argv);
    free(s->env);
    *s = (struct start_strings){0};
}
