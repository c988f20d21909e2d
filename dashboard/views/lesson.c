// SPDX-License-Identifier: PostgreSQL
// What the scenario teaches: its paragraphs and lists, folded to the width there is.
#include "dashboard/views/parts.h"

struct lesson {
    int top; // rows above the screen
};

static void *lesson_open(void) {
    return xcalloc(1, sizeof(struct lesson));
}

struct flow { // text on its way to rows; nothing is drawn where canvas is NULL
    struct canvas *canvas;
    struct rect area;
    int y, indent;
    struct strbuf block; // a paragraph, or an item of a list
};

static void end_block(struct flow *f, enum tone tone) {
    const int left = 1, right = 1;
    int x = left + f->indent, width = f->area.cols - x - right;
    const char *text = strbuf_str(&f->block);
    if (!*text)
        return;
    int rows = paragraph_rows(text, width);
    if (f->canvas && f->indent)
        (void)canvas_text(f->canvas, f->area, f->y, left, TONE_DIM, "-");
    if (f->canvas)
        (void)paragraph(f->canvas, rect_cols(f->area, 0, x + width), f->y, x, tone, text);
    f->y += rows;
    f->indent = 0;
    strbuf_clear(&f->block);
}

static bool is_item(const char *line) {
    return str_starts(line + strspn(line, " "), "- ");
}

// One line of the lesson as written; `next` is the one after it. Words right above a list are its heading.
static void add_line(struct flow *f, const char *line, size_t len, const char *next) {
    size_t blank = strspn(line, " ");
    if (blank >= len) {
        end_block(f, TONE_PLAIN);
        f->y++;
        return;
    }
    if (is_item(line)) {
        end_block(f, TONE_PLAIN);
        f->indent = 2;
        blank += 2;
    }
    strbuf_addf(&f->block, "%s%.*s", f->block.len ? " " : "", (int)(len - blank), line + blank);
    if (!f->indent && is_item(next))
        end_block(f, TONE_STRONG);
}

static int flow_lesson(struct canvas *c, struct rect area, int top, const char *lesson) {
    struct flow f = {.canvas = c, .area = area, .y = -top};
    while (*lesson) {
        size_t len = strcspn(lesson, "\n");
        const char *next = lesson + len + (lesson[len] == '\n');
        add_line(&f, lesson, len, next);
        lesson = next;
    }
    end_block(&f, TONE_PLAIN);
    strbuf_done(&f.block);
    return f.y + top;
}

static const char *why_none(const struct history *h) {
    if (!*h->scenario || !h->expects.n)
        return "No scenario, no lesson: this lab was started by hand. `bascule scenarios` lists what can be learned.";
    return "This record does not hold the lesson: the scenario has none, or an older bascule made it. "
           "`bascule scenarios NAME` tells those of the shipped ones.";
}

static void lesson_draw(void *view, const struct dash *d, struct canvas *c, struct rect area) {
    struct lesson *v = view;
    const struct history *h = d->history;
    (void)canvas_text(c, area, 0, 1, TONE_STRONG, "%s", *h->title ? h->title : "Lesson");
    struct rect text = rect_rows(area, 2, -1);
    if (!h->lesson.len) {
        (void)paragraph(c, rect_cols(text, 0, text.cols - 1), 0, 1, TONE_DIM, why_none(h));
        return;
    }
    const char *lesson = strbuf_str(&h->lesson);
    int last = flow_lesson(NULL, text, 0, lesson) - text.rows;
    v->top = v->top > last ? last : v->top;
    v->top = v->top < 0 ? 0 : v->top;
    (void)flow_lesson(c, text, v->top, lesson);
    if (v->top < last)
        (void)canvas_text(c, area, 0, area.cols - 10, TONE_KEY, "more: j/k");
}

static bool lesson_key(void *view, struct dash *d, int key, struct request *ret) {
    (void)d, (void)ret;
    struct lesson *v = view;
    const int page = 10, end = 1 << 20; // drawing brings it back into range
    switch ((int)nav_of(key)) {
    case NAV_UP:
        v->top--;
        return true;
    case NAV_DOWN:
        v->top++;
        return true;
    case NAV_PAGE_UP:
        v->top -= page;
        return true;
    case NAV_PAGE_DOWN:
        v->top += page;
        return true;
    case NAV_HOME:
        v->top = 0;
        return true;
    case NAV_END:
        v->top = end;
        return true;
    default:
        return false;
    }
}

const struct view_ops view_lesson = {
    .name = "lesson",
    .title = "Lesson",
    .letter = 'E',
    .open = lesson_open,
    .draw = lesson_draw,
    .key = lesson_key,
    .help = "What the scenario teaches: what to look at, what to learn\n"
            "Up Down  scroll, where it is longer than the screen\n",
    .close = free,
};
