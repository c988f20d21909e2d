// SPDX-License-Identifier: PostgreSQL
// Asking the terminal for its background (OSC 11) before ncurses has it. Behind the question goes a second one that every terminal
// answers, its identity (DA1, "ESC [ c"): the answers come in order, so a terminal that does not know the first costs no waiting.
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "dashboard/term.h"
#include "lab/base/usec.h"

static const usec_t ANSWER_WITHIN = SEC; // a slow ssh; an answer that comes later would be taken for keys

// The kernel's console prints what it does not know of an OSC; tmux and others answer for the terminal behind them.
static bool can_be_asked(void) {
    const char *term = getenv("TERM");
    return !str_empty(term) && !str_starts(term, "linux") && !str_starts(term, "vt") && str_empty(getenv("NO_COLOR"));
}

// Is the answer to DA1, "ESC [ ? ... c", in the text?
static bool identity_told(const char *text, size_t n) {
    const char *at = n ? memmem(text, n, "\033[?", 3) : NULL;
    return at && memchr(at, 'c', (size_t)(text + n - at));
}

static size_t read_answers(char *text, size_t size) {
    size_t n = 0;
    usec_t end = usec_now() + ANSWER_WITHIN;
    while (n < size && !identity_told(text, n)) {
        usec_t now = usec_now();
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        if (now >= end || poll(&p, 1, (int)((end - now) / MSEC) + 1) <= 0)
            break;
        ssize_t got = read(STDIN_FILENO, text + n, size - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return n;
}

enum theme term_ask_theme(void) {
    static const char question[] = "\033]11;?\033\\\033[c";
    struct termios before, raw;
    if (!can_be_asked() || tcgetattr(STDIN_FILENO, &before) < 0)
        return THEME_AUTO;
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    guard_expect_modes(&raw);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
        return THEME_AUTO;
    char text[512];
    size_t n = 0;
    if (write(STDOUT_FILENO, question, sizeof question - 1) == (ssize_t)sizeof question - 1)
        n = read_answers(text, sizeof text);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return theme_from_answer(text, n);
}
