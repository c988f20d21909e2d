// SPDX-License-Identifier: PostgreSQL
// Template and data -> page. The template is lab/report/html/, turned into arrays at build time.
//
// Everything that a run can say (log lines, file contents, names) goes into one JSON block and is put on the page as text by the
// script, never as markup. Inside the block no `<` survives: a log line with "</script>" in it can't end the block.
#include "lab/report/html_fold.h"

#include "lab/base/plain.h"

#include "lab/report/report.h"

extern const unsigned char html_template_html[], html_template_css[], html_template_js[];

enum { TEXT_WIDTH = 100 };

static void add_json_for_html(struct strbuf *out, const char *json) {
    for (const char *p = json; *p;) {
        size_t n = strcspn(p, "<>&");
        strbuf_addn(out, p, n);
        p += n;
        if (*p) // these three stand only inside JSON strings, where \u is allowed
            strbuf_addf(out, "\\u%04x", (unsigned)*p++);
    }
}

static void add_text_for_html(struct strbuf *out, const char *text) {
    cleanup_strbuf struct strbuf plain = {0};
    plain_add(&plain, text, strlen(text), true);
    for (const char *p = strbuf_str(&plain); *p; p++) {
        switch (*p) {
        case '<':
            strbuf_add(out, "&lt;");
            break;
        case '>':
            strbuf_add(out, "&gt;");
            break;
        case '&':
            strbuf_add(out, "&amp;");
            break;
        case '"':
            strbuf_add(out, "&quot;");
            break;
        default:
            strbuf_addn(out, p, 1);
        }
    }
}

static void add_title(const struct measures *m, struct strbuf *out) {
    cleanup_strbuf struct strbuf title = {0};
    strbuf_addf(&title, "%s: %s", *m->run.scenario ? m->run.scenario : "a lab without a scenario",
                verdict_name(m->verdict));
    add_text_for_html(out, strbuf_str(&title));
}

static void add_story(const struct html_page *p, const struct measures *m,
                      struct strbuf *out) { // for a reader without scripts
    cleanup_strbuf struct strbuf text = {0};
    report_text(m, p->story, "", &(struct report_style){.utf8 = true, .width = TEXT_WIDTH}, &text);
    add_text_for_html(out, strbuf_str(&text));
}

static void add_data(const struct html_page *p, const struct measures *m, struct strbuf *out) {
    cleanup_strbuf struct strbuf json = {0};
    html_data(p, m, &json);
    cleanup_strbuf struct strbuf plain = {
        0}; // controls are escaped in JSON; marks that turn the direction of text are not
    plain_add(&plain, strbuf_str(&json), json.len, true);
    add_json_for_html(out, strbuf_str(&plain));
}

static void fill(const struct html_page *p, const struct measures *m, const char *name, size_t len,
                 struct strbuf *out) {
    if (strncmp(name, "css", len) == 0)
        strbuf_add(out, (const char *)html_template_css);
    else if (strncmp(name, "js", len) == 0)
        strbuf_add(out, (const char *)html_template_js);
    else if (strncmp(name, "data", len) == 0)
        add_data(p, m, out);
    else if (strncmp(name, "title", len) == 0)
        add_title(m, out);
    else if (strncmp(name, "story", len) == 0)
        add_story(p, m, out);
}

void html_page_write(struct html_page *p, const struct measures *m, struct strbuf *out) {
    report_end_story(p->story, m);
    html_moments(p);
    html_holes(p, &m->holes);
    const char *rest = (const char *)html_template_html, *mark;
    while ((mark = strstr(rest, "{{")) != NULL) {
        const char *name = mark + 2, *end = strstr(name, "}}");
        if (!end)
            break;
        strbuf_addn(out, rest, (size_t)(mark - rest));
        fill(p, m, name, (size_t)(end - name), out);
        rest = end + 2;
    }
    strbuf_add(out, rest);
}
