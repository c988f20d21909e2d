// SPDX-License-Identifier: PostgreSQL
// Blocks of 256 KiB, lines cut out in place. The file is only ever read forwards, so a lab that writes and any number of readers do
// not touch each other.
#include "dashboard/feed.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/record/run.h"

enum {
    BLOCK = 256 * 1024,
    LINE_LIMIT = 64 * 1024, // no event is longer than 8 KiB even fully escaped
};
// Time in a log jumps by seconds, not by days: a line that does is garbage that happens to be an event.
#define JUMP_MAX (24 * 60 * MINUTE)

static void start_over(struct feed *f) {
    model_free(f->model);
    history_free(f->history);
    f->model = model_new();
    f->history = history_new();
    f->at = f->have = 0;
    f->events = 0;
    f->unclear = (struct feed_unclear){0};
    f->overlong = f->ended = f->held = false;
    f->latest = f->mono = 0;
}

int feed_open(struct feed *f, const char *run_dir, struct err *err) {
    struct stat st;
    cleanup_free char *in_folder = xasprintf("%s/events.jsonl", run_dir);
    const char *path = stat(run_dir, &st) == 0 && !S_ISDIR(st.st_mode) ? run_dir : in_folder;
    *f = (struct feed){.fd = run_log_open(path, err)};
    if (f->fd < 0)
        return f->fd;
    f->data = xmalloc(BLOCK + LINE_LIMIT);
    start_over(f);
    return 0;
}

void feed_close(struct feed *f) {
    if (!f->data)
        return;
    (void)close(f->fd);
    free(f->data);
    model_free(f->model);
    history_free(f->history);
    *f = (struct feed){.fd = -1};
}

void feed_rewind(struct feed *f) {
    (void)lseek(f->fd, 0, SEEK_SET);
    start_over(f);
}

// ---- what was not understood -----------------------------------------------------------------------------------------

int64_t feed_unclear_lines(const struct feed_unclear *u) {
    return u->broken + u->kinds + u->words;
}

static void count_lines(int64_t n, const char *one, const char *many, struct strbuf *out) {
    if (n)
        strbuf_addf(out, "%s%" PRId64 " line%s of this log %s", out->len ? "; " : "", n, n == 1 ? "" : "s",
                    n == 1 ? one : many);
}

void feed_unclear_text(const struct feed_unclear *u, struct strbuf *out) {
    cleanup_strbuf struct strbuf text = {0};
    count_lines(u->broken, "is broken and skipped", "are broken and skipped", &text);
    count_lines(u->kinds, "is of a kind unknown here", "are of kinds unknown here", &text);
    count_lines(u->words, "holds a word unknown here", "hold words unknown here", &text);
    if (u->words)
        strbuf_addf(&text, " ('%s' as %s of %s)", u->word.word, u->word.field, event_kind_name(u->word.kind));
    strbuf_add(out, strbuf_str(&text));
}

// ---- lines ----------------------------------------------------------------------------------------------------------

// Moves what is left to the front and reads behind it. Returns bytes read, 0 at the end, or -errno.
static ssize_t refill(struct feed *f) {
    size_t left = f->have - f->at;
    if (left > LINE_LIMIT) {
        f->overlong = true;
        left = 0;
    }
    memmove(f->data, f->data + f->have - left, left);
    f->at = 0;
    f->have = left;
    ssize_t n = fs_read_some(f->fd, f->data + left, BLOCK);
    if (n > 0)
        f->have += (size_t)n;
    return n < 0 ? -errno : n;
}

static bool believable(const struct feed *f, const struct event *ev) {
    return ev->t <= f->latest || ev->t - f->latest < JUMP_MAX;
}

// One whole line: true when it holds an event.
static bool take_line(struct feed *f, const char *line, size_t len, struct event *ret) {
    if (f->overlong || len > LINE_LIMIT) {
        f->overlong = false;
        f->unclear.broken++;
        return false;
    }
    if (len == 0)
        return false;
    int r = event_from_json(line, len, ret, NULL);
    if (r == -ENOENT)
        f->unclear.kinds++;
    else if (r < 0 || !believable(f, ret))
        f->unclear.broken++;
    else {
        if (r > 0 && f->unclear.words++ == 0)
            event_unknown_word(line, len, &f->unclear.word);
        f->events++;
        return true;
    }
    return false;
}

int feed_pull(struct feed *f, struct event *ret) {
    for (;;) {
        char *start = f->data + f->at, *newline = memchr(start, '\n', f->have - f->at);
        if (!newline) {
            ssize_t n = refill(f);
            if (n <= 0)
                return (int)n;
            continue;
        }
        f->at = (size_t)(newline + 1 - f->data);
        if (take_line(f, start, (size_t)(newline - start), ret))
            return 1;
    }
}

// ---- the fold -------------------------------------------------------------------------------------------------------

// What a class must see at once: changes of what a node is, not each confirmation of it.
static unsigned node_signs(struct model *m, const char *name) {
    const struct model_node *n = model_node(m, name);
    return n ? n->on * 1U + n->pg_answered * 2U + n->writable * 4U + n->manager_answered * 8U +
                   n->arbiter_answered * 16U + n->arbiter_leads * 32U
             : 0;
}

static const char *node_of(const struct event *ev) {
    switch (ev->kind) {
    case EVENT_NODE_POWER:
        return ev->u.NODE_POWER.node;
    case EVENT_SQL:
        return ev->u.SQL.node;
    case EVENT_MANAGER:
        return ev->u.MANAGER.node;
    case EVENT_ARBITER:
        return ev->u.ARBITER.node;
    default:
        return "";
    }
}

static bool always_urgent(const struct event *ev) {
    return ev->kind == EVENT_NODE_POWER || ev->kind == EVENT_SERVICE || ev->kind == EVENT_FAULT ||
           ev->kind == EVENT_LAB_STATE || ev->kind == EVENT_STEP || ev->kind == EVENT_COMMAND ||
           ev->kind == EVENT_RUN_END || ev->kind == EVENT_CLIENT_SERVER || ev->kind == EVENT_AUTHORITY;
}

static void note_run(struct feed *f, const struct event *ev) {
    if (ev->kind == EVENT_RUN_BEGIN)
        f->mono = ev->u.RUN_BEGIN.mono;
    else if (ev->kind == EVENT_RUN_END)
        f->ended = true;
    else if (ev->kind == EVENT_COMMAND && str_eq(ev->u.COMMAND.verb, "hold"))
        f->held = true;
    else if (ev->kind == EVENT_COMMAND && str_eq(ev->u.COMMAND.verb, "go"))
        f->held = false;
}

bool feed_apply(struct feed *f, const struct event *ev) {
    struct model *m = f->model;
    const char *node = node_of(ev);
    unsigned before = node_signs(m, node);
    bool writes = m->tick_w_ok > 0;
    note_run(f, ev);
    model_apply(m, ev);
    history_apply(f->history, m, ev);
    if (ev->t > f->latest)
        f->latest = ev->t;
    return always_urgent(ev) || node_signs(m, node) != before || (m->tick_w_ok > 0) != writes;
}

int feed_follow(struct feed *f, usec_t budget) {
    enum { LOOK_EVERY = 64 }; // events between two looks at the clock
    usec_t until = usec_now() + budget;
    int news = FEED_NOTHING;
    struct event ev;
    for (int n = 1;; n++) {
        int r = feed_pull(f, &ev);
        if (r <= 0)
            return r < 0 ? r : news;
        news |= FEED_NEWS | (feed_apply(f, &ev) ? FEED_URGENT : 0);
        if (n % LOOK_EVERY == 0 && usec_now() >= until)
            return news | FEED_MORE;
    }
}
