// SPDX-License-Identifier: PostgreSQL
// A stream of ours (fopencookie) stands before stdout and stderr. On a terminal it passes plain text and our own escape sequences, which
// carry a random mark, and replaces the rest; a pipe gets the bytes. Writes that failed are remembered for the exit status.
#include "lab/base/terminal.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/base/log.h"
#include "lab/base/plain.h"
#include "lab/base/str.h"

enum { MARK_DIGITS = 16, OWN_MAX = 48 }; // the longest own sequence, with its mark

struct guard {
    FILE *real; // NULL = nothing was put before the stream
    int fd;
    bool terminal;      // filters; a pipe or a file gets the bytes
    int error;          // errno of the first write that failed; 0 = none did
    struct strbuf held; // the begin of a character or of a sequence, until the rest of it comes
};
static struct guard guards[2];
static char mark[MARK_DIGITS + 2]; // "0123456789012345;"
static bool shows_utf8 = true;

// An own sequence at p: its length, 0 = it is none, (size_t)-1 = it may become one.
static size_t own_length(const char *p, size_t n) {
    cleanup_free char *begin = xasprintf("\033[%s", mark);
    size_t len = strlen(begin);
    if (strncmp(p, begin, n < len ? n : len) != 0)
        return 0;
    size_t i = len;
    while (i < n && i < OWN_MAX && strchr("0123456789;", p[i]) && p[i])
        i++;
    return n < len || i == n ? (size_t)-1 : i < OWN_MAX && strchr("mKHJr", p[i]) && p[i] ? i + 1 : 0;
}

// "r" is a carriage return: alone it would let a log write over the begin of its line.
static void add_own(struct strbuf *out, const char *p, size_t len) {
    size_t skip = strlen("\033[") + strlen(mark);
    if (p[len - 1] == 'r')
        strbuf_add(out, "\r");
    else
        strbuf_addf(out, "\033[%.*s", (int)(len - skip), p + skip);
}

// Takes what is whole from `in`; returns how much is left at its end.
static size_t filter(struct strbuf *out, const char *in, size_t n) {
    size_t at = 0;
    while (at < n) {
        const char *esc = memchr(in + at, '\033', n - at);
        size_t plain = esc ? (size_t)(esc - in) - at : n - at - plain_unfinished(in + at, n - at);
        plain_add(out, in + at, plain, shows_utf8);
        at += plain;
        if (!esc)
            break;
        size_t own = own_length(in + at, n - at);
        if (own == (size_t)-1)
            break;
        if (own)
            add_own(out, in + at, own);
        else
            strbuf_add(out, "?");
        at += own ? own : 1;
    }
    return n - at;
}

static int write_filtered(struct guard *g, const char *buf, size_t size) {
    cleanup_strbuf struct strbuf in = {0}, out = {0};
    strbuf_addn(&in, strbuf_str(&g->held), g->held.len);
    strbuf_addn(&in, buf, size);
    size_t left = filter(&out, strbuf_str(&in), in.len);
    strbuf_clear(&g->held);
    strbuf_addn(&g->held, strbuf_str(&in) + in.len - left, left);
    return fs_write_all(g->fd, strbuf_str(&out), out.len);
}

static ssize_t on_write(void *cookie, const char *buf, size_t size) {
    struct guard *g = cookie;
    int r = g->terminal ? write_filtered(g, buf, size) : fs_write_all(g->fd, buf, size);
    if (r == 0)
        return (ssize_t)size;
    if (!g->error)
        g->error = -r;
    errno = -r;
    return 0; // fopencookie(3): "should return 0, not -1"
}

static void put_before(struct guard *g, FILE **stream, int fd, int buffering) {
    static const cookie_io_functions_t io = {.write = on_write};
    FILE *f = fopencookie(g, "w", io);
    if (!f)
        return;
    (void)setvbuf(f, NULL, buffering, BUFSIZ);
    *g = (struct guard){.real = *stream, .fd = fd, .terminal = isatty(fd) == 1};
    *stream = f;
}

// A descriptor that is closed at the start would be given to the next file opened: a lab's pipe, an event log. The lowest free number is
// given first, so one loop fills every gap.
static void fill_gaps(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd < STDERR_FILENO);
    if (fd > STDERR_FILENO)
        (void)close(fd);
    else if (fd < 0 && fcntl(STDERR_FILENO, F_GETFD) < 0)
        _exit(TERMINAL_EXIT); // no /dev/null, and nowhere to say so
}

// At exit, so that no way out of any command forgets it: argp's --help leaves by itself.
static void at_exit(void) {
    (void)fflush(stdout);
    int code = guards[0].error;
    if (close(STDOUT_FILENO) < 0 && !code && errno != EBADF)
        code = errno; // a quota, or a file server that tells it late
    if (!code)
        return;
    log_error("write to standard output: %s", strerror(code));
    _exit(TERMINAL_EXIT);
}

void terminal_guard(void) {
    fill_gaps();
    uint64_t secret = 0;
    if (getrandom(&secret, sizeof secret, 0) != sizeof secret)
        secret = (uintptr_t)&secret; // the kernel without random numbers: where the stack lies, then
    (void)snprintf(mark, sizeof mark, "%016llu;", (unsigned long long)(secret % UINT64_C(10000000000000000)));
    put_before(&guards[0], &stdout, STDOUT_FILENO, isatty(STDOUT_FILENO) == 1 ? _IOLBF : _IOFBF);
    put_before(&guards[1], &stderr, STDERR_FILENO, _IONBF);
    (void)atexit(at_exit);
    if (!guards[0].terminal && !guards[1].terminal)
        return;
    (void)setlocale(LC_CTYPE, "");
    shows_utf8 = str_eq(nl_langinfo(CODESET), "UTF-8");
}

const char *terminal_mark(FILE *out) {
    bool guarded = (out == stdout && guards[0].terminal) || (out == stderr && guards[1].terminal);
    return guarded ? mark : "";
}

void terminal_own(FILE *out, const char *sequence) {
    const char *m = terminal_mark(out);
    if (!*m && str_eq(sequence, "r"))
        (void)fputs("\r", out);
    else
        (void)fprintf(out, "\033[%s%s", m, sequence);
}

FILE *terminal_stdout(void) {
    return guards[0].real ? guards[0].real : stdout;
}

bool terminal_failed(void) {
    return guards[0].error != 0;
}

bool terminal_utf8(void) {
    return shows_utf8;
}
