// SPDX-License-Identifier: PostgreSQL
// The reader: blocks of 256 KiB, lines cut out of them in place, an unfinished line moved to the front before the next
// block.
#include <fcntl.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/record/digest.h"
#include "lab/record/run.h"

enum {
    BLOCK = 256 * 1024,
    LINE_LIMIT = 64 * 1024, // no event is longer than 8 KiB even fully escaped; beyond this it is not our file
};

struct reader {
    bool (*fn)(void *arg, const struct event *ev);
    void *arg;
    struct run_read_stats stats;
    struct event event;
    struct digest digest; // of all whole lines before the one that is looked at
    bool overlong;        // inside a line beyond LINE_LIMIT: dropped up to its newline
    bool ended;           // run.end was read
    bool closed;          // and a true seal behind it
};

// Is what the seal says what was read?
static void judge_seal(struct reader *r) {
    const struct event *ev = &r->event;
    char hex[DIGEST_HEX];
    digest_hex(&r->digest, hex);
    bool is_true = ev->u.RECORD_SEAL.lines == r->digest.lines && ev->u.RECORD_SEAL.bytes == r->digest.bytes &&
                   str_eq(ev->u.RECORD_SEAL.sha256, hex);
    r->stats.at = *ev;
    r->stats.lines = r->digest.lines;
    r->stats.bytes = r->digest.bytes;
    r->stats.seal = is_true && r->stats.seal != RUN_SEAL_FALSE ? RUN_SEAL_TRUE : RUN_SEAL_FALSE;
    r->closed = r->ended && r->stats.seal == RUN_SEAL_TRUE;
}

static void note(int64_t *count, int64_t *first, const struct reader *r) {
    if ((*count)++ == 0)
        *first = r->digest.lines + 1;
}

// One line without its newline. Returns false when the caller wants no more.
static bool one_line(struct reader *r, const char *line, size_t len) {
    if (r->overlong || len > LINE_LIMIT) {
        r->overlong = false;
        note(&r->stats.broken, &r->stats.first_broken, r);
        return true;
    }
    if (len == 0) {
        r->stats.empty++;
        return true;
    }
    int code = event_from_json(line, len, &r->event, NULL);
    if (code == -ENOENT)
        note(&r->stats.skipped, &r->stats.first_skipped, r);
    else if (code < 0)
        note(&r->stats.broken, &r->stats.first_broken, r);
    else {
        r->stats.events++;
        if (code > 0) {
            if (!r->stats.unknown)
                event_unknown_word(line, len, &r->stats.word);
            note(&r->stats.unknown, &r->stats.first_unknown, r);
        }
        r->ended = r->ended || r->event.kind == EVENT_RUN_END;
        if (r->event.kind == EVENT_RECORD_SEAL)
            judge_seal(r);
        return r->fn(r->arg, &r->event) && !r->closed;
    }
    return true;
}

// Takes whole lines out of data[0..n), returns how many bytes are left over at its end; *more is false to stop.
static size_t take_lines(struct reader *r, char *data, size_t n, bool *more) {
    char *p = data, *end = data + n, *nl;
    while (*more && (nl = memchr(p, '\n', (size_t)(end - p)))) {
        *more = one_line(r, p, (size_t)(nl - p));
        digest_add(&r->digest, p, (size_t)(nl + 1 - p));
        p = nl + 1;
    }
    size_t left = (size_t)(end - p);
    if (r->stats.seal != RUN_SEAL_NONE)
        r->stats.after = left > 0 || r->stats.lines + 1 < r->digest.lines;
    if (left > LINE_LIMIT) {
        digest_add(&r->digest, p, left);
        r->overlong = true;
        left = 0;
    }
    memmove(data, end - left, left);
    return left;
}

static int read_all(struct reader *r, int fd) {
    cleanup_free char *data = xmalloc(BLOCK + LINE_LIMIT);
    size_t have = 0;
    digest_begin(&r->digest);
    for (bool more = true; more;) {
        ssize_t n = fs_read_some(fd, data + have, BLOCK);
        if (n < 0)
            return -errno;
        if (n == 0) {
            r->stats.cut = have > 0 || r->overlong;
            return 0;
        }
        have = take_lines(r, data, have + (size_t)n, &more);
        if (r->closed && !r->stats.after)
            r->stats.after = read(fd, data, 1) == 1;
    }
    return 0;
}

// Enough for hundreds of events. A file that holds no begin of one in it is a disk image, a core dump, a file full of zeros.
static bool looks_like_a_log(int fd) {
    cleanup_free char *data = xmalloc(BLOCK);
    ssize_t n = pread(fd, data, BLOCK, 0);
    if (n < BLOCK) // short, or unreadable: the reader says what it is
        return true;
    for (const char *p = data, *end = data + n; p;
         p = memchr(p, '\n', (size_t)(end - p)), p = p && p + 1 < end ? p + 1 : NULL)
        if (*p == '{')
            return true;
    return false;
}

int run_log_open(const char *path, struct err *err) {
    int fd = fs_open_file(path, err);
    if (fd < 0) {
        (void)err_wrap(err, "open the event log");
        return fd;
    }
    if (looks_like_a_log(fd))
        return fd;
    (void)close(fd);
    return err_set(err, EINVAL, "'%s' is no event log: no event begins in its first %d kB", path, BLOCK >> 10);
}

int run_log_read(const char *path, bool (*fn)(void *arg, const struct event *ev), void *arg, struct run_read_stats *ret,
                 struct err *err) {
    cleanup_close int fd = run_log_open(path, err);
    if (fd < 0)
        return fd;
    struct reader r = {.fn = fn, .arg = arg};
    int code = read_all(&r, fd);
    if (code < 0)
        return err_sys(err, -code, "read the event log '%s'", path);
    if (ret)
        *ret = r.stats;
    return 0;
}
