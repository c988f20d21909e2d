// SPDX-License-Identifier: PostgreSQL
#include <curses.h>

#include "dashboard/keys.h"
#include "dashboard/prompt.h"

static size_t put_utf8(char *out, unsigned ch) {
    if (ch < 0x80)
        return out[0] = (char)ch, 1;
    size_t n = ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
    for (size_t i = n; --i > 0; ch >>= 6)
        out[i] = (char)(0x80 | (ch & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xff) | ch);
    return n;
}

static void rub_out(char *text) {
    size_t n = strlen(text);
    while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
        n--;
    text[n > 0 ? n - 1 : 0] = '\0';
}

bool line_edit(char *text, size_t size, int key, bool function) {
    if ((function && key == KEY_BACKSPACE) || (!function && (key == 0x7f || key == '\b'))) {
        rub_out(text);
        return true;
    }
    if (!function && key == ('U' & 0x1f)) {
        text[0] = '\0';
        return true;
    }
    if (function || key < ' ')
        return false;
    char bytes[4];
    size_t n = put_utf8(bytes, (unsigned)key), len = strlen(text);
    if (len + n < size) {
        memcpy(text + len, bytes, n);
        text[len + n] = '\0';
    }
    return true;
}

void prompt_filter(struct prompt *p, const struct dash *d) {
    *p = (struct prompt){.kind = PROMPT_FILTER};
    STR_COPY(p->before, d->filter);
}

void prompt_confirm(struct prompt *p, const struct request *r, const char *question) {
    *p = (struct prompt){.kind = PROMPT_CONFIRM, .request = *r};
    STR_COPY(p->question, question);
}

static bool is_enter(int key, bool function) {
    return function ? key == KEY_ENTER : key == '\r' || key == '\n';
}

static void filter_key(struct prompt *p, struct dash *d, int key, bool function) {
    if (is_enter(key, function)) {
        p->kind = PROMPT_NONE;
    } else if (!function && key == KEY_ESCAPE) {
        p->kind = PROMPT_NONE;
        STR_COPY(d->filter, p->before[0] && !str_eq(p->before, d->filter) ? p->before : "");
    } else
        (void)line_edit(d->filter, sizeof d->filter, key, function);
}

void prompt_key(struct prompt *p, struct dash *d, int key, bool function, struct request *ret) {
    if (p->kind == PROMPT_FILTER) {
        filter_key(p, d, key, function);
        return;
    }
    bool yes = !function && (key == 'y' || key == 'Y');
    if (yes)
        *ret = p->request;
    else
        STR_COPY(d->message, "not done");
    p->kind = PROMPT_NONE;
}

int prompt_draw(const struct prompt *p, const struct dash *d, struct canvas *c, struct rect row) {
    canvas_fill(c, row, ' ', TONE_PLAIN);
    if (p->kind == PROMPT_FILTER) {
        int x = canvas_text(c, row, 0, 0, TONE_KEY, "filter: ");
        x = canvas_text(c, row, 0, x, TONE_PLAIN, "%s", d->filter);
        (void)canvas_text(c, row, 0, x + 3, TONE_DIM, "Enter keeps it, Esc drops it");
        return x;
    }
    int x = canvas_text(c, row, 0, 0, TONE_WARN, "%s", p->question);
    return canvas_text(c, row, 0, x + 1, TONE_KEY, "y/n ");
}
