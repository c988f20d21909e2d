// SPDX-License-Identifier: PostgreSQL
// Follows the daemons' own logs of a node and tells the lines that matter. Files are read every 200 ms (100 ms in a hurry); a file
// that shrank or was replaced begins anew; one that appears later is found within a second. A flood is cut, and said to be cut.
// A line's event has the time at which it was written, by the line's own stamp. The time of reading stands for it where there is none, and
// where the daemon's wall clock is shifted (clock.skew) or was at the last look.
#include "lab/observe/log_lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lab/base/inside.h"
#include "lab/observe/log_stamp.h"
#include "lab/observe/probe.h"
#include "lab/stack/clock/clock.h"

#define READ_SLOW   (200 * MSEC)
#define READ_FAST   (100 * MSEC)
#define FIND_PERIOD SEC
enum { READ_MAX = 64 * 1024, LINE_MAX_KEPT = 4096, LINES_PER_S = 20 };

struct tail {
    int fd;
    ino_t inode;
    off_t at;
    struct strbuf rest; // the begun line
    usec_t second;      // rate limit: lines told since then
    int told, dropped;
    usec_t last;          // when the line told last was written: a daemon's lines stay in order
    bool shifted;         // its clock is off, as far as is known
    bool stamps_are_good; // it was not, at this look and at the one before
};

struct moment { // of reading, on both clocks
    usec_t now;
    int64_t wall;
};

struct node_logs {
    struct watched *w;
    const struct log_file *files[LOGS_MAX];
    struct tail tails[LOGS_MAX];
    size_t n;
    usec_t next_read, next_find;
    bool language_told;
};

static void emit(struct node_logs *l, size_t i, usec_t written, usec_t read, enum line_level level, const char *text) {
    struct event ev = EVENT_NEW(LOG_LINE);
    ev.t = written;
    ev.u.LOG_LINE.read = read;
    STR_COPY(ev.u.LOG_LINE.node, l->w->def->name);
    STR_COPY(ev.u.LOG_LINE.service, l->files[i]->service);
    ev.u.LOG_LINE.level = level;
    STR_COPY(ev.u.LOG_LINE.text, text);
    sink_emit(l->w->o->sink, &ev);
}

static usec_t when_written(struct tail *t, const char *line, const struct moment *m) {
    struct log_stamp stamp;
    usec_t at = m->now;
    if (t->stamps_are_good && log_stamp_read(line, &stamp))
        (void)log_stamp_place(&stamp, m->wall, m->now, &at); // leaves `at` alone when the stamp can't be true
    t->last = at > t->last ? at : t->last;
    return t->last < m->now ? t->last : m->now;
}

// Once, when there is a log to read: of a language that it does not know it can't tell turning points, and their absence says nothing.
static void tell_language(struct node_logs *l, size_t i) {
    char text[EVENT_TEXT_MAX];
    const char *lc = "";
    VEC_FOREACH (&l->w->o->topology->postgresql, s)
        if (str_eq(s->key, "lc_messages"))
            lc = s->value;
    if (l->language_told || !str_eq(l->files[i]->service, "postgresql") || log_language_is_known(lc))
        return;
    l->language_told = true;
    (void)snprintf(text, sizeof text,
                   "(lc_messages is %s: of this log only lines with an error's code are told here, see bascule logs)",
                   lc);
    usec_t now = observer_now(l->w->o);
    emit(l, i, now, now, LINE_LEVEL_WARNING, text);
}

static bool allowed(struct node_logs *l, size_t i, usec_t now) {
    struct tail *t = &l->tails[i];
    if (now - t->second >= SEC) {
        char text[64];
        (void)snprintf(text, sizeof text, "(%d more lines not shown)", t->dropped);
        if (t->dropped)
            emit(l, i, now, now, LINE_LEVEL_INFO, text);
        t->second = now;
        t->told = t->dropped = 0;
    }
    if (t->told < LINES_PER_S) {
        t->told++;
        return true;
    }
    t->dropped++;
    return false;
}

static void take_line(struct node_logs *l, size_t i, const char *line, const struct moment *m) {
    struct log_line told;
    if (log_line_judge(l->files[i]->service, line, &told) && allowed(l, i, m->now))
        emit(l, i, when_written(&l->tails[i], line, m), m->now, told.level, told.text);
}

static void take_bytes(struct node_logs *l, size_t i, const char *data, size_t n, const struct moment *m) {
    struct tail *t = &l->tails[i];
    for (const char *end; (end = memchr(data, '\n', n)); n -= (size_t)(end - data) + 1, data = end + 1) {
        strbuf_addn(&t->rest, data, (size_t)(end - data));
        take_line(l, i, strbuf_str(&t->rest), m);
        strbuf_clear(&t->rest);
    }
    if (t->rest.len + n < LINE_MAX_KEPT)
        strbuf_addn(&t->rest, data, n);
}

static void tail_close(struct tail *t) {
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
    strbuf_clear(&t->rest);
}

static void find_file(struct node_logs *l, size_t i) {
    struct tail *t = &l->tails[i];
    char path[512];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/%s", l->w->log_dir, l->files[i]->path);
    if (stat(path, &st) < 0 || (t->fd >= 0 && st.st_ino == t->inode && st.st_size >= t->at))
        return;
    tail_close(t);
    t->fd = inside_open(l->w->log_dir, l->files[i]->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0);
    t->inode = st.st_ino;
    t->at = 0;
    tell_language(l, i);
}

// Lines that are read now were written since the last look.
static void look_at_clock(struct node_logs *l, size_t i) {
    struct tail *t = &l->tails[i];
    bool before = t->shifted;
    int64_t ns = 0;
    if (l->files[i]->clock && l->w->o->topology->clock == CLOCK_ADJUSTABLE && watched_on(l->w) &&
        clock_get(l->w->node, l->files[i]->clock, &ns, NULL) >= 0)
        t->shifted = ns != 0;
    t->stamps_are_good = !t->shifted && !before;
}

static void read_file(struct node_logs *l, size_t i) {
    struct tail *t = &l->tails[i];
    static char buf[READ_MAX]; // one loop, one thread
    ssize_t n = t->fd < 0 ? 0 : pread(t->fd, buf, sizeof buf, t->at);
    look_at_clock(l, i);
    if (n <= 0)
        return;
    t->at += n;
    struct moment m = {.now = observer_now(l->w->o), .wall = (int64_t)usec_wall_now()};
    take_bytes(l, i, buf, (size_t)n, &m);
}

void logs_turn(struct node_logs *l) {
    usec_t now = observer_now(l->w->o);
    if (!l->w->log_dir || now < l->next_read)
        return;
    l->next_read = now + (observer_hurry(l->w->o) ? READ_FAST : READ_SLOW);
    bool find = now >= l->next_find;
    if (find)
        l->next_find = now + FIND_PERIOD;
    for (size_t i = 0; i < l->n; i++) {
        if (find)
            find_file(l, i);
        read_file(l, i);
    }
}

static void follow(struct node_logs *l, const struct log_file *logs, size_t n) {
    for (size_t i = 0; i < n && l->n < LOGS_MAX; i++) {
        l->files[l->n] = &logs[i];
        l->tails[l->n++].fd = -1;
    }
}

struct node_logs *logs_new(struct watched *w) {
    struct node_logs *l = xcalloc(1, sizeof *l);
    l->w = w;
    follow(l, w->o->system->logs, w->o->system->n_logs);
    follow(l, probes_common_logs, ARRAY_SIZE(probes_common_logs));
    return l;
}

void logs_free(struct node_logs *l) {
    for (size_t i = 0; l && i < l->n; i++) {
        tail_close(&l->tails[i]);
        strbuf_done(&l->tails[i].rest);
    }
    free(l);
}
