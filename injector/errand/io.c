// SPDX-License-Identifier: PostgreSQL
// In the errand's process: parameters, notes, answers, the wish to stop.
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "injector/errand/wire.h"
#include "injector/fault/check.h"
#include "lab/scenario/yaml/scalar.h"

const char *errand_param(const struct errand_io *io, const char *name) {
    const char *value = mechanism_param(io->about, io->params, name);
    return value ? value : "";
}

int64_t errand_number(const struct errand_io *io, const char *name) {
    char why[WHY_MAX];
    int64_t value = 0;
    const char *text = errand_param(io, name);
    return scalar_count(text, &value, why) || scalar_size(text, &value, why) ? value : 0;
}

const char *errand_noted(const struct errand_io *io, const char *key) {
    const char *any = NULL;
    for (size_t i = 0; i < io->notes->n; i++) {
        const char *blank = strchr(io->notes->items[i].key, ' ');
        if (!blank || !str_eq(blank + 1, key))
            continue;
        any = io->notes->items[i].value;
        if (strlen(io->node) == (size_t)(blank - io->notes->items[i].key) &&
            str_starts(io->notes->items[i].key, io->node))
            return any;
    }
    return any;
}

const struct node_def *errand_node(const struct errand_io *io) {
    return topology_node(io->world->topology, io->node);
}

static void say(struct errand_io *io, enum errand_word word, usec_t t, const char *key, const char *text) {
    static struct errand_message m;
    m.word = (char)word;
    m.t = t;
    STR_COPY(m.key, key);
    STR_COPY(m.text, text);
    (void)send(io->fd, &m, offsetof(struct errand_message, text) + strlen(m.text) + 1, MSG_NOSIGNAL);
}

void errand_note(struct errand_io *io, const char *key, const char *text) {
    say(io, ERRAND_NOTE, 0, key, text);
}

void errand_ok(struct errand_io *io, usec_t t, const char *fmt, ...) {
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    if (!io->told)
        say(io, ERRAND_OK, t, "", strbuf_str(&text));
    io->told = true;
}

static void refuse(struct errand_io *io, enum errand_word word, const char *fmt, va_list ap) {
    cleanup_strbuf struct strbuf text = {0};
    strbuf_vaddf(&text, fmt, ap);
    if (!io->told)
        say(io, word, 0, "", strbuf_str(&text));
    io->told = true;
}

void errand_no(struct errand_io *io, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    refuse(io, ERRAND_NO, fmt, ap);
    va_end(ap);
}

void errand_pass(struct errand_io *io, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    refuse(io, ERRAND_PASS, fmt, ap);
    va_end(ap);
}

bool errand_stopped(const struct errand_io *io, usec_t wait) {
    struct pollfd p = {.fd = io->fd, .events = POLLIN};
    return poll(&p, 1, (int)(wait / MSEC)) > 0; // nothing is ever sent to us: readable is the end of file
}
