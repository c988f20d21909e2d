// SPDX-License-Identifier: PostgreSQL
#include "lab/scenario/yaml/diag.h"

#include "lab/base/json.h"

enum { DIAG_TEXT_MAX = 1000 }; // longer is no message any more

// What we quote comes from a file of unknown origin: no escape sequence of it may reach a terminal.
static void blank_controls(char *text) {
    for (unsigned char *p = (unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) // U+0080-U+009F: the 8-bit control characters
            p[0] = p[1] = '?';
}

void diag_add(struct diags *d, enum diag_level level, const char *file, int line, int col, const char *fmt, ...) {
    cleanup_strbuf struct strbuf text = {0};
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    struct diag *diag = VEC_ADD(&d->list);
    diag->level = level;
    diag->line = line;
    diag->col = col;
    diag->file = xstrdup(file);
    diag->text = xstrndup(strbuf_str(&text), DIAG_TEXT_MAX);
    blank_controls(diag->text);
    if (level == DIAG_ERROR)
        d->errors++;
}

struct placed {
    const struct diag *diag;
    size_t file, order; // file: index of the first complaint about the same file
};

static int placed_compare(const void *pa, const void *pb) {
    const struct placed *a = pa, *b = pb;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->diag->line != b->diag->line)
        return a->diag->line < b->diag->line ? -1 : 1;
    if (a->diag->col != b->diag->col)
        return a->diag->col < b->diag->col ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

// The complaints in the order of their places; files in the order in which they were first complained about.
static struct placed *sorted(const struct diags *d) {
    struct placed *list = xcalloc(d->list.n, sizeof *list);
    for (size_t i = 0; i < d->list.n; i++) {
        list[i] = (struct placed){.diag = &d->list.items[i], .file = i, .order = i};
        for (size_t j = 0; j < i; j++)
            if (str_eq(d->list.items[j].file, d->list.items[i].file)) {
                list[i].file = list[j].file;
                break;
            }
    }
    if (d->list.n > 1)
        qsort(list, d->list.n, sizeof *list, placed_compare);
    return list;
}

static const char *level_name(enum diag_level level) {
    return level == DIAG_ERROR ? "error" : "warning";
}

void diags_to_text(const struct diags *d, struct strbuf *out) {
    cleanup_free struct placed *list = sorted(d);
    for (size_t i = 0; i < d->list.n; i++) {
        const struct diag *diag = list[i].diag;
        strbuf_add(out, diag->file);
        if (diag->line > 0)
            strbuf_addf(out, ":%d:%d", diag->line, diag->col);
        strbuf_addf(out, ": %s: %s\n", level_name(diag->level), diag->text);
    }
}

void diags_to_json(const struct diags *d, struct strbuf *out) {
    cleanup_free struct placed *list = sorted(d);
    strbuf_add(out, "[");
    for (size_t i = 0; i < d->list.n; i++) {
        const struct diag *diag = list[i].diag;
        strbuf_add(out, i ? ",\n {\"file\":" : "{\"file\":");
        json_quote(out, diag->file);
        strbuf_addf(out, ",\"line\":%d,\"col\":%d,\"level\":\"%s\",\"text\":", diag->line, diag->col,
                    level_name(diag->level));
        json_quote(out, diag->text);
        strbuf_add(out, "}");
    }
    strbuf_add(out, "]\n");
}

void diags_done(struct diags *d) {
    for (size_t i = 0; i < d->list.n; i++) {
        free(d->list.items[i].file);
        free(d->list.items[i].text);
    }
    VEC_DONE(&d->list);
    d->errors = 0;
}
