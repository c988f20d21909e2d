// SPDX-License-Identifier: PostgreSQL
// The writer. A line is one write(2) to a file opened with O_APPEND: whatever kills us, the file ends with a whole line
// or with one piece of a line, and the reader knows a piece by its missing newline. No buffering: the last event before
// a crash is the interesting one. Costs 2-4 µs a line.
//
// Full disk: known while RESERVE_LOG bytes can still be written (reserve.h), so that the log gets its end. Should a write fail all the same,
// the piece that got out is closed with a newline before the next line, so it costs one broken line and not two.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lab/record/digest.h"
#include "lab/record/reserve.h"
#include "lab/record/run.h"

struct run_log {
    int fd;
    char *path;
    struct strbuf line;
    struct digest digest; // of all that is in the file
    struct reserve reserve;
    bool torn;    // the last write was cut short: the file ends inside a line
    int64_t lost; // events that could not be written
};

int run_log_create(const char *path, struct run_log **ret, struct err *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_sys(err, errno, "create the event log '%s'", path);
    (void)flock(
        fd, LOCK_EX | LOCK_NB); // says to `bascule runs` that somebody writes; a file system without locks says nothing
    struct run_log *log = xcalloc(1, sizeof *log);
    log->fd = fd;
    log->path = xstrdup(path);
    digest_begin(&log->digest);
    int r = reserve_ahead(&log->reserve, fd, 0, RESERVE_LOG);
    if (r < 0) {
        (void)unlink(path);
        run_log_close(log);
        return err_sys(err, -r, "create the event log '%s'", path);
    }
    *ret = log;
    return 0;
}

int run_log_write(struct run_log *log, const struct event *ev, struct err *err) {
    strbuf_clear(&log->line);
    if (log->torn)
        strbuf_addn(&log->line, "\n", 1);
    event_to_json(ev, &log->line);
    if (log->line.len == log->torn) // nothing to write: a tick
        return 0;
    ssize_t n;
    do
        n = write(log->fd, log->line.data, log->line.len);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        digest_add(&log->digest, log->line.data, (size_t)n);
    if (n == (ssize_t)log->line.len) {
        log->torn = false;
        int r = reserve_ahead(&log->reserve, log->fd, (uint64_t)log->digest.bytes, RESERVE_LOG);
        return r < 0 ? err_sys(err, -r, "write to the event log '%s'", log->path) : 0;
    }
    int code = n < 0 ? errno : ENOSPC; // a short write to a file means that the disk is full
    if (n > 0)
        log->torn = n > 1 || !log->torn; // only the closing newline got out: the file is whole again
    if (log->lost++ > 0 || log->reserve.refused)
        return 0;
    log->reserve.refused = true;
    return err_sys(err, code, "write to the event log '%s'", log->path);
}

int64_t run_log_room(const struct run_log *log) {
    struct statvfs s;
    return fstatvfs(log->fd, &s) < 0 ? -errno : (int64_t)((uint64_t)s.f_bavail * s.f_frsize);
}

// "" for a file that is not there: a lab without an application has no ledger.
static void add_file(const char *run_dir, const char *name, char *hex, size_t size, int64_t *bytes) {
    cleanup_free char *path = xasprintf("%s/%s", run_dir, name);
    struct digest d;
    char text[DIGEST_HEX] = "";
    if (digest_file(path, &d, NULL) == 0) {
        digest_hex(&d, text);
        *bytes = d.bytes;
    }
    (void)str_copy(hex, size, text);
}

int run_log_seal(struct run_log *log, const char *run_dir, usec_t now, struct err *err) {
    struct event ev = EVENT_NEW(RECORD_SEAL);
    __auto_type seal = &ev.u.RECORD_SEAL;
    int64_t ignored = 0;
    if (log->torn) { // the piece of a line is closed now and not with this line: it lies before the seal
        log->torn = write(log->fd, "\n", 1) != 1;
        digest_add(&log->digest, "\n", !log->torn);
    }
    ev.t = now;
    seal->lines = log->digest.lines;
    seal->bytes = log->digest.bytes;
    seal->lost = log->lost;
    digest_hex(&log->digest, seal->sha256);
    add_file(run_dir, "ledger.bin", seal->ledger_sha256, sizeof seal->ledger_sha256, &seal->ledger_bytes);
    add_file(run_dir, "plan.json", seal->plan_sha256, sizeof seal->plan_sha256, &ignored);
    return run_log_write(log, &ev, err);
}

void run_log_close(struct run_log *log) {
    if (!log)
        return;
    reserve_release(&log->reserve, log->fd, (uint64_t)log->digest.bytes);
    (void)close(log->fd);
    strbuf_done(&log->line);
    free(log->path);
    free(log);
}
