// SPDX-License-Identifier: PostgreSQL
// The one file of the views that knows curses' key codes.
#include <curses.h>

#include "dashboard/views/parts.h"

enum nav nav_of(int key) {
    const int escape = 27;
    switch (key) {
    case KEY_UP:
    case 'k':
        return NAV_UP;
    case KEY_DOWN:
    case 'j':
        return NAV_DOWN;
    case KEY_LEFT:
    case 'h':
        return NAV_LEFT;
    case KEY_RIGHT:
    case 'l':
        return NAV_RIGHT;
    case KEY_PPAGE:
        return NAV_PAGE_UP;
    case KEY_NPAGE:
        return NAV_PAGE_DOWN;
    case KEY_HOME:
        return NAV_HOME;
    case KEY_END:
        return NAV_END;
    case KEY_ENTER:
    case '\n':
    case '\r':
        return NAV_ENTER;
    case KEY_BACKSPACE:
        return NAV_BACK;
    default:
        return key == escape ? NAV_BACK : NAV_NONE;
    }
}

void scroll_to_show(struct scroll *s, size_t n, size_t visible) {
    if (s->follow || s->selected >= n)
        s->selected = n ? n - 1 : 0;
    if (!visible)
        visible = 1;
    if (s->selected < s->first)
        s->first = s->selected;
    if (s->selected >= s->first + visible)
        s->first = s->selected - visible + 1;
    size_t last_first = n > visible ? n - visible : 0;
    if (s->first > last_first)
        s->first = last_first;
}

static void move_by(struct scroll *s, size_t n, long by) {
    long last = n ? (long)n - 1 : 0, at = (long)(s->follow ? (size_t)last : s->selected) + by;
    s->selected = (size_t)(at < 0 ? 0 : at > last ? last : at);
    s->follow =
        s->follow ? by >= 0 : by > 0 && at > last; // a step back lets go of the end, a step beyond it takes it again
}

bool scroll_key(struct scroll *s, enum nav nav, size_t n, size_t page) {
    page = page ? page : 1;
    switch ((int)nav) {
    case NAV_UP:
        move_by(s, n, -1);
        return true;
    case NAV_DOWN:
        move_by(s, n, 1);
        return true;
    case NAV_PAGE_UP:
        move_by(s, n, -(long)page);
        return true;
    case NAV_PAGE_DOWN:
        move_by(s, n, (long)page);
        return true;
    case NAV_HOME:
        s->selected = 0;
        s->follow = false;
        return true;
    case NAV_END:
        s->follow = true;
        return true;
    default:
        return false;
    }
}
