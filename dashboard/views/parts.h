// SPDX-License-Identifier: PostgreSQL
#pragma once
// What views have in common: words for states, tables, bars, keys for moving about. Private to the room.
#include "dashboard/dash.h"
#include "dashboard/phase.h"

// ---- keys (nav.c) -----------------------------------------------------------------------------------------------------
enum nav {
    NAV_NONE,
    NAV_UP,
    NAV_DOWN,
    NAV_LEFT,
    NAV_RIGHT,
    NAV_PAGE_UP,
    NAV_PAGE_DOWN,
    NAV_HOME,
    NAV_END,
    NAV_ENTER,
    NAV_BACK
};
enum nav nav_of(int key); // arrows and hjkl alike

struct scroll { // of a list that is longer than its place
    size_t first, selected;
    bool follow; // stay at the end
};
void scroll_to_show(struct scroll *s, size_t n,
                    size_t visible); // call in draw: keeps selected in sight, and both in range
bool scroll_key(struct scroll *s, enum nav nav, size_t n, size_t page);

// ---- drawing (parts.c) ------------------------------------------------------------------------------------------------
struct rect rect_rows(struct rect area, int y, int rows); // part of an area, clipped; rows < 0: the rest
struct rect rect_cols(struct rect area, int x, int cols);
// "Title ------": a heading over the whole width; note (may be NULL) stands right.
void heading(struct canvas *c, struct rect area, int y, const char *title, const char *note);
// A horizontal bar of `width` columns filled to part/whole.
void bar(struct canvas *c, struct rect area, int y, int x, int width, enum tone tone, double part, double whole);
// One column of a vertical bar of `rows` rows standing on row y (its lowest), filled to part/whole in eighths.
void column_bar(struct canvas *c, struct rect area, int y, int x, int rows, enum tone tone, double part, double whole);
// Text over several lines, broken at spaces; returns the row after the last.
int paragraph(struct canvas *c, struct rect area, int y, int x, enum tone tone, const char *text);
// The same in at most so many lines; what does not fit is cut with the sign of a cut.
int paragraph_most(struct canvas *c, struct rect area, int y, int x, int most, enum tone tone, const char *text);
int paragraph_rows(const char *text, int width); // how many lines it takes in so many columns
void draw_selected(struct canvas *c, struct rect area, int y,
                   bool selected); // also a '>' at the left edge: never colour alone

#define SHORT_MAX 32
char *seconds_text(char buf[static SHORT_MAX], usec_t t);    // "12.3 s", "4 min 05 s", "2 h 03 min"
char *stamp_text(char buf[static SHORT_MAX], usec_t t);      // run time as a fixed column: "  12.3", "1:02:03"
char *bytes_text(char buf[static SHORT_MAX], int64_t bytes); // "0 B", "34 kB", "1.2 MB", "?" when negative
char *age_text(char buf[static SHORT_MAX], const struct dash *d, size_t node, bool *ret_stale);
double writes_per_second(const struct dash *d);            // over the last second of ticks
const struct outage *last_outage(const struct history *h); // NULL = none yet
usec_t log_silence(
    const struct dash
        *d); // how long no event has come, when that is longer than 2 s and than a thinned record may be silent; else 0
// The story between two times, the last moments that fit, wrapped at words; without details where there is little room.
void draw_story(struct canvas *c, struct rect area, const struct dash *d, usec_t from, usec_t to);
bool contains_word(const char *text, const char *word); // without regard to case; an empty word is in everything

// ---- tables (table.c) -------------------------------------------------------------------------------------------------
struct column {
    const char *title;
    int width; // fixed; 0 = whatever is left (the last one)
    int rank;  // shown when all of lower rank fit; COLUMN_NEVER = not at all
    bool right;
};
enum { COLUMN_NEVER = 99 };
struct piece {
    enum tone tone;
    int sign; // enum sign, -1 = none
    char text[EVENT_TEXT_MAX];
};
typedef void (*table_cell)(const void *arg, size_t row, int column, struct piece *ret);
// Draws the title row at row 0 of area and rows [first ...] under it; selected = row with the cursor, or SIZE_MAX. Returns rows drawn.
size_t table_draw(struct canvas *c, struct rect area, const struct column *columns, int n, size_t rows, size_t first,
                  size_t selected, table_cell cell, const void *arg);
int piece_draw(struct canvas *c, struct rect area, int y, int x, int width, const struct piece *p);
void piece_set(struct piece *p, enum tone tone, int sign, const char *fmt, ...) PRINTF_LIKE(4, 5);

// ---- words (node_words.c) ---------------------------------------------------------------------------------------------
void words_role(const struct model *m, const struct model_node *n, struct piece *ret);     // ★ leader
void words_postgres(const struct model *m, const struct model_node *n, struct piece *ret); // ✓ streaming
void words_manager(const struct model_node *n, struct piece *ret);
void words_arbiter(const struct model_node *n, struct piece *ret);
void words_lag(const struct model_node *n, struct piece *ret);
enum tone lane_tone(enum lane lane);

// ---- the outage (outage_words.c) --------------------------------------------------------------------------------------
// Who leads; where leadership ends by itself, its lease: a bar, seconds left. One row.
void draw_lease(struct canvas *c, struct rect area, int y, const struct dash *d);
// One row per armed watchdog: whose, a bar, seconds until it takes the power. Returns rows used (0 where none is armed).
int draw_watchdogs(struct canvas *c, struct rect area, int y, int most, const struct dash *d);
// The stopwatch with the phase it is in and its bounds, or the last outage, or that there was none. Returns rows used (1 to `most`).
int draw_outage(struct canvas *c, struct rect area, int y, int most, const struct dash *d);
// One row per fault in force (or asked for); returns rows used.
int draw_faults(struct canvas *c, struct rect area, int y, int most, const struct dash *d);

void draw_node_details(struct canvas *c, struct rect area, const struct dash *d, size_t node); // cluster_node.c
