// SPDX-License-Identifier: PostgreSQL
#include "lab/base/log.h"

#include <stdarg.h>

#include "lab/base/plain.h"
#include "lab/base/terminal.h"

static enum log_level max_level = LOG_LEVEL_INFO;
static int log_fd = STDERR_FILENO;

void log_setup(enum log_level level, int fd) {
    max_level = level;
    log_fd = fd;
}

void log_write(enum log_level level, const char *fmt, ...) {
    static const char *const prefix[] = {"bascule: error: ", "bascule: warning: ", "bascule: ", "bascule: debug: "};
    if (level > max_level)
        return;
    char line[2048];
    int n = snprintf(line, sizeof line, "%s", prefix[level]);
    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    va_end(ap);
    if (m < 0)
        return;
    size_t len = (size_t)n + (size_t)m;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    cleanup_strbuf struct strbuf plain = {0}; // a message quotes names and what others said
    plain_add(&plain, line, len, terminal_utf8());
    strbuf_add(&plain, "\n");
    (void)!write(log_fd, plain.data, plain.len); // one write: lines of several processes never mix
}
