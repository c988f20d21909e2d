// SPDX-License-Identifier: PostgreSQL
// Any bytes as a recorded run in a file: read by the run reader and as a ledger, and shown by `bascule replay --to-text`.
#include <sys/mman.h>
#include <unistd.h>

#include "dashboard/tui.h"
#include "lab/base/fs.h"
#include "lab/record/run.h"
#include "tests/fuzz/log_input.h"

static bool count(void *arg, const struct event *ev) {
    (void)ev;
    ++*(int64_t *)arg;
    return true;
}

static bool add(void *arg, const struct ledger_record *r) {
    *(int64_t *)arg += r->op == LEDGER_WRITE;
    return true;
}

static void write_line(void *arg, const struct event *ev) {
    event_to_json(ev, arg);
}

static void show(const char *path, size_t size) {
    struct tui_text_options o = {
        .run_dir = path, .rows = 24, .cols = 80, .ascii = size % 2, .tones = size % 3 == 0, .at = USEC_NEVER};
    cleanup_strbuf struct strbuf out = {0};
    struct err err = {0};
    int64_t events = 0, operations = 0;
    struct run_read_stats stats = {0};
    if (run_log_read(path, count, &events, &stats, &err) < 0 || events != stats.events)
        abort();
    (void)ledger_read(path, add, &operations, &err);
    (void)tui_text(&o, &out, &err);
    o.at = size * MSEC;
    (void)tui_text(&o, &out, &err);
}

// A log by the grammar is written as lines first; anything else is the file as it is.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_strbuf struct strbuf lines = {0};
    bool grammar = size && *data == 1;
    if (grammar)
        log_input(data + 1, size - 1, write_line, &lines);
    cleanup_close int fd = memfd_create("events.jsonl", MFD_CLOEXEC);
    if (fd < 0 || fs_write_all(fd, grammar ? (const void *)strbuf_str(&lines) : data, grammar ? lines.len : size) < 0)
        abort();
    cleanup_free char *path = xasprintf("/proc/self/fd/%d", fd);
    show(path, size);
    return 0;
}
