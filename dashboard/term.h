// SPDX-License-Identifier: PostgreSQL
#pragma once
// The terminal: ncurses behind five verbs. There is one per process. Whatever happens to the process, the terminal gets its modes and
// its screen back: on a normal end by term_close, on a crash by a signal handler, after kill -9 by a guardian process (term_guard.c).
#include "dashboard/canvas.h"
#include "dashboard/theme.h"
#include "lab/base/err.h"

// Fails without a terminal, with one that ncurses does not know, or one that can't move its cursor (TERM=dumb). THEME_AUTO finds out
// whether the terminal is light.
int term_open(bool ascii, enum theme theme, struct err *err);
void term_close(void); // may be called twice, and before term_open
bool term_utf8(void);
void term_size(int *ret_rows, int *ret_cols);
void term_resized(void); // after SIGWINCH: takes the new size, and everything is drawn again
void term_redraw(void);  // Ctrl-L
// Brings the canvas on the screen; only cells that changed are written. A cursor is shown at (y, x) when y >= 0.
void term_show(const struct canvas *c, int y, int x);
// The next key: a KEY_ code of curses (bool *ret_function true), else a character; -1 when none waits.
int term_key(bool *ret_function);
void term_leave(void);   // the normal screen, for a shell
void term_enter(void);   // back
void term_suspend(void); // Ctrl-Z: stops this process, returns when it goes on

// Inside (term_guard.c): knows how to give the terminal back without ncurses.
int guard_open(struct err *err); // before ncurses: remembers the modes; forks the guardian
struct termios;
void guard_expect_modes(const struct termios *modes); // before they are set for a while
void guard_expect_ncurses(void);                      // before newterm(3X)
void guard_tell_modes(void);                          // when ncurses has set its own
void guard_close(void);                               // the terminal is in order: the guardian goes
void guard_crash_handlers(void);

// Inside (term_theme.c): asks the terminal for its background, for at most a second; THEME_AUTO when it can't be asked or does not answer.
enum theme term_ask_theme(void);
