// SPDX-License-Identifier: PostgreSQL
// The log is read like anybody would read it: whole lines from the place we were at. Between looks we sleep in poll on
// the supervisor's pidfd, so its death is seen at once and nothing is printed late by more than LOOK_EVERY.
#include "lab/cmd/follow.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>

#include "lab/base/terminal.h"
#include "lab/cmd/client.h"
#include "lab/cmd/ticker.h"
#include "lab/record/event.h"

static const int LOOK_EVERY_MS = 50;
// A supervisor that gets nothing done (CLIENT_SILENCE_MAX) is told of, and given up when it must be more than a test or a slow disk.
static const usec_t LIFE_EVERY = SEC, GIVEN_UP_AFTER = MINUTE;

struct follower {
    const struct follow_options *o;
    int fd;
    struct strbuf pending; // bytes of a line that is not whole yet
    struct report_live *live;
    struct ticker ticker;
    bool ready, run_end;
    bool ended; // run.end, and the seal that closes the record: it can be judged
    struct life life;
    usec_t life_next;
    bool silence_told;
    char detail[EVENT_TEXT_MAX];
};

static volatile sig_atomic_t interrupts;

static void on_interrupt(int sig) {
    (void)sig;
    interrupts++;
}

static void take_line(struct follower *f, const char *line, size_t len) {
    struct event ev;
    if (event_from_json(line, len, &ev, NULL) < 0)
        return;
    if (ev.kind == EVENT_LAB_STATE) {
        if (ev.u.LAB_STATE.state == LAB_STATE_READY)
            f->ready = true;
        if (ev.u.LAB_STATE.state == LAB_STATE_BROKEN)
            STR_COPY(f->detail, ev.u.LAB_STATE.detail);
    }
    f->run_end = f->run_end || ev.kind == EVENT_RUN_END;
    f->ended = f->ended || (f->run_end && ev.kind == EVENT_RECORD_SEAL);
    if (f->o->quiet)
        return;
    ticker_event(&f->ticker, &ev);
    cleanup_strbuf struct strbuf text = {0};
    report_live_event(f->live, &ev, &text);
    if (!text.len)
        return;
    ticker_hide(&f->ticker, stdout);
    (void)fwrite(text.data, 1, text.len, stdout);
}

static void read_new_lines(struct follower *f) {
    if (f->fd < 0) {
        cleanup_free char *path = xasprintf("%s/events.jsonl", f->o->run_dir);
        f->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (f->fd < 0)
            return; // the supervisor has not come to it yet
    }
    char chunk[65536];
    ssize_t n;
    while ((n = read(f->fd, chunk, sizeof chunk)) > 0) {
        strbuf_addn(&f->pending, chunk, (size_t)n);
        char *start = f->pending.data, *newline;
        while ((newline = memchr(start, '\n', f->pending.len - (size_t)(start - f->pending.data)))) {
            take_line(f, start, (size_t)(newline - start));
            start = newline + 1;
        }
        size_t left = f->pending.len - (size_t)(start - f->pending.data);
        memmove(f->pending.data, start, left);
        f->pending.len = left;
        f->pending.data[left] = '\0';
    }
    if (!f->o->quiet)
        ticker_show(&f->ticker, stdout);
}

static void ask_abort(const struct lab_handle *lab) {
    struct err err = {0};
    cleanup_close int fd = client_connect_started(lab, &err);
    cleanup_json cJSON *reply = NULL;
    if (fd < 0 || client_command(fd, "abort", &reply, &err) < 0)
        log_warn("the lab could not be asked to end: %s", err.msg);
}

// True when it is to be given up.
static bool supervisor_hangs(struct follower *f) {
    if (usec_now() < f->life_next)
        return false;
    f->life_next = usec_now() + LIFE_EVERY;
    usec_t silence = client_silence(&f->life);
    bool told = f->silence_told, over = silence >= GIVEN_UP_AFTER;
    f->silence_told = silence >= CLIENT_SILENCE_MAX;
    if (!over && told == f->silence_told)
        return false;
    struct err err = {0};
    ticker_hide(&f->ticker, stdout);
    if (over || f->silence_told)
        (void)client_hung(&f->life, f->o->lab->name, silence, &err);
    if (over)
        log_error("%s: it is ended now", err.msg);
    else if (f->silence_told)
        log_warn("%s; so does this command when it has lasted for %.0f s", err.msg, (double)GIVEN_UP_AFTER / 1e6);
    else
        log_info("the supervisor of lab '%s' goes on", f->o->lab->name);
    return over;
}

static bool wait_a_little(const struct follow_options *o) {
    struct pollfd p = {.fd = o->lab->pidfd, .events = POLLIN};
    return poll(&p, 1, LOOK_EVERY_MS) > 0 && (p.revents & POLLIN);
}

static enum follow_end follow(struct follower *f) {
    int handled = 0;
    for (;;) {
        bool dead = wait_a_little(f->o);
        read_new_lines(f);
        if (f->ended)
            return FOLLOW_ENDED;
        if (f->o->until_ready && f->ready)
            return FOLLOW_READY;
        if (dead)
            return f->run_end ? FOLLOW_ENDED : FOLLOW_DIED;
        if (supervisor_hangs(f))
            return FOLLOW_HUNG;
        if (interrupts > handled) {
            handled = interrupts;
            if (handled > 1)
                return FOLLOW_DIED; // the caller closes the lifeline
            log_info("interrupted: healing everything and ending the lab (once more: at once)");
            ask_abort(f->o->lab);
        }
    }
}

enum follow_end follow_lab(const struct follow_options *o, char *detail, size_t size) {
    struct sigaction sa = {.sa_handler = on_interrupt}, old_int, old_term;
    interrupts = 0;
    (void)sigaction(SIGINT, &sa, &old_int);
    (void)sigaction(SIGTERM, &sa, &old_term);
    struct follower f = {.o = o,
                         .fd = -1,
                         .live = report_live_new(&o->style),
                         .life = client_life(o->lab->pid),
                         .ticker = {.terminal = isatty(STDOUT_FILENO) == 1, .width = o->style.width}};
    enum follow_end end = follow(&f);
    ticker_hide(&f.ticker, stdout);
    if (detail)
        (void)str_copy(detail, size, f.detail);
    ticker_done(&f.ticker);
    report_live_free(f.live);
    strbuf_done(&f.pending);
    if (f.fd >= 0)
        (void)close(f.fd);
    (void)sigaction(SIGINT, &old_int, NULL);
    (void)sigaction(SIGTERM, &old_term, NULL);
    return end;
}

bool follow_interrupted(void) {
    return interrupts > 0;
}
