// SPDX-License-Identifier: PostgreSQL
// Giving the terminal back when nobody else can. The modes and the strings are remembered before ncurses changes anything.
//
// - A crash (SIGSEGV, SIGABRT, ...): the handler writes the strings, sets the modes, and raises the signal again. write(2) and
//   tcsetattr(3) are async-signal-safe (signal-safety(7)).
// - kill -9: a child of ours waits at a pipe whose other end only we hold. When that end closes without a word, it does the same. It
//   is in a process group of its own, so that a signal to our group does not hit it, and ignores SIGTTOU, which lets a background
//   process set the modes. By then the shell may have set its own: the guardian touches only modes that are the dashboard's. It is told
//   them before they are set, so that no moment is without its guard.
#include "dashboard/term.h"

#include <curses.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lab/base/fs.h"

#include <term.h> // ncurses': last, since it defines the capabilities' short names (tone, ...) as macros

static struct {
    struct termios modes;
    char text[256]; // what puts a terminal back: colours, keypad, cursor, screen
    size_t len;
    int pipe; // write end; closing it without a byte = we died
    pid_t pid;
} guard = {.pipe = -1};

static void remember(const char *capability) {
    const char *s = tigetstr(capability);
    if (!s || s == (char *)-1)
        return;
    for (; *s && guard.len < sizeof guard.text; s++) {
        if (s[0] == '$' && s[1] == '<') { // padding: no terminal of this century wants it
            while (*s && *s != '>')
                s++;
            continue;
        }
        guard.text[guard.len++] = *s;
    }
}

static void give_back_screen(void) {
    ssize_t n = write(STDOUT_FILENO, guard.text, guard.len);
    (void)n;
}

// What the guardian is told; the end of the pipe without GUARD_QUIT means that the dashboard died.
struct word {
    enum {
        GUARD_MODES,
        GUARD_SCREEN,
        GUARD_QUIT
    } what; // modes that may be in force; the same, and the screen is ours; all is well
    struct termios modes;
};

static void tell(int what, const struct termios *modes) {
    struct word w;
    memset(&w, 0, sizeof w);
    w.what = what;
    if (modes)
        w.modes = *modes;
    ssize_t n = guard.pipe < 0 ? 0 : write(guard.pipe, &w, sizeof w); // less than PIPE_BUF: whole
    (void)n;
}

static bool same(const struct termios *a, const struct termios *b) {
    return a->c_lflag == b->c_lflag && a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag &&
           memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

static _Noreturn void watch(int end) {
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_NAME, "bascule-tty");
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_IGN);
    struct termios its[8], now;
    size_t n = 0;
    bool screen = false, ours = false;
    for (struct word w; fs_read_some(end, &w, sizeof w) == (ssize_t)sizeof w;) {
        if (w.what == GUARD_QUIT)
            _exit(0);
        screen |= w.what == GUARD_SCREEN;
        if (n < ARRAY_SIZE(its))
            its[n++] = w.modes;
    }
    bool known = tcgetattr(STDIN_FILENO, &now) == 0;
    for (size_t i = 0; known && i < n; i++)
        ours |= same(&now, &its[i]);
    if (ours)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &guard.modes);
    if (screen)
        give_back_screen();
    _exit(0);
}

static int start_guardian(struct err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "pipe");
    guard.pid = fork();
    if (guard.pid == 0) {
        (void)close(ends[1]);
        watch(ends[0]);
    }
    int code = errno;
    (void)close(ends[0]);
    guard.pipe = ends[1];
    if (guard.pid > 0)
        return 0;
    (void)close(STEAL_FD(guard.pipe));
    return err_sys(err, code, "fork the terminal's guardian");
}

int guard_open(struct err *err) {
    static const char *const capabilities[] = {"sgr0", "op", "rmkx", "cnorm", "rmcup"};
    int known;
    if (tcgetattr(STDIN_FILENO, &guard.modes) < 0)
        return err_sys(err, errno, "the terminal's modes");
    if (setupterm(NULL, STDOUT_FILENO, &known) != OK) {
        const char *term = getenv("TERM");
        return err_set(err, ENOTTY, "the terminal '%s' is not known here (TERM)", term ? term : "");
    }
    const char *move = tigetstr("cup");
    if (!move || move == (char *)-1) {
        const char *term = getenv("TERM");
        (void)del_curterm(cur_term);
        return err_set(
            err, ENOTTY,
            "the terminal '%s' (TERM) can't move its cursor, so the dashboard can't draw on it; `bascule status`, "
            "`bascule report` and `bascule replay RUN --to-text` print plain lines",
            term ? term : "");
    }
    guard.len = 0;
    for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
        remember(capabilities[i]);
    (void)del_curterm(cur_term); // newterm(3) makes its own
    return start_guardian(err);
}

void guard_expect_modes(const struct termios *modes) {
    tell(GUARD_MODES, modes);
}

// newterm(3X) turns echo and the translation of line ends off, cbreak(3X) the lines: one state after the other.
void guard_expect_ncurses(void) {
    struct termios m = guard.modes;
    m.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    m.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR);
    m.c_oflag &= ~(tcflag_t)ONLCR;
    tell(GUARD_SCREEN, &m);
    m.c_lflag &= ~(tcflag_t)ICANON;
    m.c_cc[VMIN] = 1;
    m.c_cc[VTIME] = 0;
    tell(GUARD_SCREEN, &m);
}

void guard_tell_modes(void) {
    struct termios now = guard.modes;
    (void)tcgetattr(STDIN_FILENO, &now);
    tell(GUARD_SCREEN, &now);
}

void guard_close(void) {
    if (guard.pipe < 0)
        return;
    tell(GUARD_QUIT, NULL);
    (void)close(STEAL_FD(guard.pipe));
    (void)waitpid(guard.pid, NULL, 0);
}

static void on_crash(int sig) {
    give_back_screen();
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &guard.modes);
    tell(GUARD_QUIT, NULL);
    (void)raise(sig); // SA_RESETHAND: this time it is deadly
}

void guard_crash_handlers(void) {
    static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
    struct sigaction sa = {.sa_handler = on_crash, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        (void)sigaction(signals[i], &sa, NULL);
}
