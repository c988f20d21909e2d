// SPDX-License-Identifier: PostgreSQL
// The loop. It sleeps in poll and wakes for a key, a signal, the lab's end, a request's answer, and twenty times a second to look at
// the log. A frame is drawn at once after a key, within 50 ms after news that a class must see, and four times a second otherwise.
#include "dashboard/tui.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "dashboard/keys.h"
#include "dashboard/term.h"
#include "dashboard/tui_internal.h"

static const int LOOK_EVERY_MS = 50;
static const usec_t FRAME = 250 * MSEC, FRAME_URGENT = 40 * MSEC;

// ---- signals --------------------------------------------------------------------------------------------------------

static int wake[2] = {-1, -1}; // the handler writes the signal's number; poll sees it

static void on_signal(int sig) {
    int saved = errno;
    unsigned char byte = (unsigned char)sig;
    ssize_t n = write(wake[1], &byte, 1);
    (void)n;
    errno = saved;
}

static int take_signals(struct err *err) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
        return err_sys(err, errno, "pipe");
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        (void)sigaction(signals[i], &sa, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

static void answer_signals(struct tui *t) {
    unsigned char sig;
    bool resized = false;
    while (read(wake[0], &sig, 1) == 1) {
        switch (sig) {
        case SIGWINCH:
            resized = true;
            break;
        case SIGTSTP:
            term_suspend();
            break;
        case SIGCONT: // stopped behind our back: the shell may have set its own modes
            term_leave();
            term_enter();
            break;
        default:
            t->signal = sig;
            t->quit = true;
        }
        t->dirty = true;
    }
    if (resized)
        term_resized();
}

// ---- one round ------------------------------------------------------------------------------------------------------

static void answer_keys(struct tui *t) {
    enum { AT_ONCE = 64 }; // a paste must not starve the screen
    bool function;
    for (int i = 0, key; i < AT_ONCE && !t->quit && (key = term_key(&function)) >= 0; i++)
        tui_key(t, key, function);
}

static void draw(struct tui *t, struct canvas *c) {
    int rows, cols, y, x;
    term_size(&rows, &cols);
    if (c->rows != rows || c->cols != cols)
        canvas_resize(c, rows, cols);
    frame_draw(t, c, &y, &x);
    term_show(c, y, x);
    t->dirty = t->urgent = false;
    t->drawn = usec_now();
}

static bool frame_due(const struct tui *t) {
    usec_t age = usec_now() - t->drawn;
    return t->dirty || (t->urgent && age >= FRAME_URGENT) || ((source_moves(t) || t->urgent) && age >= FRAME);
}

static int patience(const struct tui *t) {
    if (t->more || t->dirty)
        return 0;
    return source_moves(t) || t->urgent ? LOOK_EVERY_MS : -1;
}

static void wait_and_answer(struct tui *t) {
    struct pollfd p[3 + JOBS_MAX] = {
        {STDIN_FILENO, POLLIN, 0}, {wake[0], POLLIN, 0}, {t->dash.alive ? t->o->pidfd : -1, POLLIN, 0}};
    for (size_t i = 0; i < JOBS_MAX; i++)
        p[3 + i] = (struct pollfd){t->jobs[i].pid ? t->jobs[i].out : -1, POLLIN, 0};
    if (poll(p, ARRAY_SIZE(p), patience(t)) <= 0)
        return;
    if (p[1].revents)
        answer_signals(t);
    if (p[0].revents & POLLIN)
        answer_keys(t);
    else if (p[0].revents) // the terminal is gone
        t->signal = SIGHUP, t->quit = true;
    if (p[2].revents)
        source_lab_ended(t);
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (p[3 + i].revents && t->jobs[i].pid)
            request_read(t, &t->jobs[i]);
}

static void loop(struct tui *t) {
    struct canvas c;
    canvas_init(&c, 0, 0, term_utf8());
    t->dirty = true;
    while (!t->quit) {
        if (frame_due(t))
            draw(t, &c);
        wait_and_answer(t);
        if (source_moves(t) || t->more)
            source_tick(t);
        else
            t->ticked = usec_now();
    }
    canvas_done(&c);
}

// ---- the program ----------------------------------------------------------------------------------------------------

static int run(struct tui *t, struct err *err) {
    t->view = tui_view(t->o->view, err);
    if (t->view < 0)
        return t->view;
    int r = source_open(t, err);
    if (r < 0)
        return r;
    r = term_open(t->o->ascii, t->o->theme, err);
    if (r >= 0 && (r = take_signals(err)) >= 0)
        loop(t);
    term_close();
    frame_close_views(t);
    source_close(t);
    return r < 0 ? r : t->signal;
}

int tui_top(const struct tui_options *o, struct err *err) {
    struct tui t = {.o = o, .dash = {.live = true, .alive = o->pidfd >= 0, .readonly = o->readonly, .speed = 1}};
    STR_COPY(t.dash.run_dir, o->run_dir);
    return run(&t, err);
}

int tui_replay(const struct tui_options *o, struct err *err) {
    struct tui t = {.o = o,
                    .is_replay = true,
                    .dash = {.readonly = true, .paused = o->at_given, .speed = o->speed > 0 ? o->speed : 1}};
    STR_COPY(t.dash.run_dir, o->run_dir);
    return run(&t, err);
}
