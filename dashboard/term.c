// SPDX-License-Identifier: PostgreSQL
// The terminal, by ncurses: modes, keys, colours, and a canvas brought to the screen. A frame is compared with what the screen shows,
// cell by cell, and only the difference is drawn. term_guard.c gives the terminal back whatever happens to this process.
#define NCURSES_WIDECHAR 1
#include <curses.h>

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "dashboard/term.h"
#include "lab/base/terminal.h"

static struct {
    bool open, utf8, colour;
    SCREEN *screen;
    attr_t attrs[TONE_COUNT];
    short pairs[TONE_COUNT];
    struct canvas shown; // what the screen holds, in our terms
    bool stale;          // nothing of it can be believed
} term;

// ---- colours --------------------------------------------------------------------------------------------------------

// What a tone is beside its colour (theme.h): with colours, and without.
static const struct {
    attr_t attr, attr_mono;
} looks[TONE_COUNT] = {
    [TONE_PLAIN] = {A_NORMAL, A_NORMAL},   [TONE_DIM] = {A_NORMAL, A_DIM},
    [TONE_STRONG] = {A_BOLD, A_BOLD},      [TONE_GOOD] = {A_NORMAL, A_NORMAL},
    [TONE_WARN] = {A_NORMAL, A_BOLD},      [TONE_BAD] = {A_BOLD, A_BOLD | A_UNDERLINE},
    [TONE_FAULT] = {A_BOLD, A_BOLD},       [TONE_LEADER] = {A_BOLD, A_BOLD},
    [TONE_REPLICA] = {A_NORMAL, A_NORMAL}, [TONE_KEY] = {A_BOLD, A_BOLD},
    [TONE_BAR] = {A_REVERSE, A_REVERSE},   [TONE_SELECTED] = {A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},
};

static enum theme find_theme(enum theme asked) {
    enum theme theme = asked == THEME_AUTO ? theme_from_colorfgbg(getenv("COLORFGBG")) : asked;
    return theme == THEME_AUTO ? term_ask_theme() : theme;
}

static void set_up_tones(enum theme theme) {
    const char *no_color = getenv("NO_COLOR");
    term.colour = str_empty(no_color) && has_colors() && start_color() == OK;
    if (term.colour)
        (void)use_default_colors();
    for (int t = 0; t < TONE_COUNT; t++) {
        short colour = theme_colour(theme, (enum tone)t, COLORS);
        term.pairs[t] = 0;
        term.attrs[t] = term.colour ? looks[t].attr : looks[t].attr_mono;
        if (term.colour && t == TONE_DIM && COLORS < 256)
            term.attrs[t] = A_DIM;
        if (term.colour && colour >= 0 && init_pair((short)(t + 1), colour, -1) == OK)
            term.pairs[t] = (short)(t + 1);
    }
}

// ---- open, close ----------------------------------------------------------------------------------------------------

static void set_up_modes(void) {
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)set_escdelay(25);
    (void)curs_set(0);
}

int term_open(bool ascii, enum theme theme, struct err *err) {
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return err_set(err, ENOTTY, "the dashboard needs a terminal (frames as text: `bascule replay RUN --to-text`)");
    (void)setlocale(LC_CTYPE, "");
    int r = guard_open(err);
    if (r < 0)
        return r;
    theme = find_theme(theme);
    guard_expect_ncurses();
    term.screen = newterm(NULL, terminal_stdout(), stdin);
    if (!term.screen) {
        guard_close();
        return err_set(err, ENOTTY, "ncurses does not know this terminal");
    }
    term.open = true;
    guard_crash_handlers();
    term.utf8 = !ascii && str_eq(nl_langinfo(CODESET), "UTF-8");
    set_up_modes();
    guard_tell_modes();
    set_up_tones(theme);
    canvas_init(&term.shown, LINES, COLS, term.utf8);
    term.stale = true;
    return 0;
}

void term_close(void) {
    if (!term.open)
        return;
    term.open = false;
    (void)endwin();
    delscreen(term.screen);
    canvas_done(&term.shown);
    guard_close();
}

bool term_utf8(void) {
    return term.utf8;
}

void term_size(int *ret_rows, int *ret_cols) {
    *ret_rows = LINES;
    *ret_cols = COLS;
}

void term_resized(void) {
    struct winsize w;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0)
        (void)resizeterm(w.ws_row, w.ws_col);
    canvas_resize(&term.shown, LINES, COLS);
    term_redraw();
}

void term_redraw(void) {
    (void)clearok(curscr, TRUE);
    (void)erase();
    term.stale = true;
}

void term_leave(void) {
    (void)endwin();
}

void term_enter(void) {
    (void)refresh();
    (void)curs_set(0);
    term_resized();
}

void term_suspend(void) {
    struct sigaction usual = {.sa_handler = SIG_DFL}, ours;
    term_leave();
    (void)sigaction(SIGTSTP, &usual, &ours);
    (void)raise(SIGTSTP);
    (void)sigaction(SIGTSTP, &ours, NULL);
    term_enter();
}

// ---- canvas to screen -----------------------------------------------------------------------------------------------

static void put_cell(int y, int x, const struct cell *c) {
    wchar_t text[2] = {c->ch ? (wchar_t)c->ch : L' ', L'\0'};
    cchar_t cc;
    int tone = c->tone < TONE_COUNT ? c->tone : TONE_PLAIN;
    if (setcchar(&cc, text, term.attrs[tone], term.pairs[tone], NULL) == OK)
        (void)mvadd_wch(y, x, &cc);
}

void term_show(const struct canvas *c, int y, int x) {
    int rows = c->rows < LINES ? c->rows : LINES, cols = c->cols < COLS ? c->cols : COLS;
    bool same_size = term.shown.rows == c->rows && term.shown.cols == c->cols;
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < cols; k++) {
            const struct cell *now = &c->cells[i * c->cols + k],
                              *then = same_size ? &term.shown.cells[i * c->cols + k] : now;
            if (now->ch != 0 && (term.stale || !same_size || now->ch != then->ch || now->tone != then->tone))
                put_cell(i, k, now);
        }
    if (same_size)
        memcpy(term.shown.cells, c->cells, sizeof *c->cells * (size_t)(c->rows * c->cols));
    term.stale = !same_size;
    (void)curs_set(y >= 0);
    (void)move(y >= 0 ? y : 0, y >= 0 ? x : 0);
    (void)refresh();
}

int term_key(bool *ret_function) {
    wint_t ch;
    int r = get_wch(&ch);
    *ret_function = r == KEY_CODE_YES;
    return r == ERR ? -1 : (int)ch;
}
