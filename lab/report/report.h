// SPDX-License-Identifier: PostgreSQL
#pragma once
// Numbers to text and JSON. Reads measures and the log, nothing else.
#include "lab/measure/measure.h"
#include "lab/story/story.h"

struct report_style {
    bool colour, utf8;
    int width;
    const char *mark; // behind "\033[" of a colour: terminal_mark (lab/base/terminal.h), NULL = none
};
// The run in one sentence, which begins the text report and the page and ends `bascule run`: what the application felt, what the time
// was spent with, and first of all what is worse than an outage. One line, no full stop. Only the style's utf8 counts.
void report_sentence(const struct measures *m, const struct report_style *style, struct strbuf *out);
// The story of the run for people: timeline, phases with bounds, outage, writes, verdict. `run_dir` is printed at the end.
void report_text(const struct measures *m, const struct story *story, const char *run_dir,
                 const struct report_style *style, struct strbuf *out);
// Ends the story of a finished run: story_finish, and what only its measures know (defects, a standby ahead, the ledger's resolution).
void report_end_story(struct story *story, const struct measures *m);
// The end of a lab by hand on one screen: what became of the application's writes. Returns what its exit status says: pass (nothing lost, or nobody
// wrote), fail or known-defect (a loss), invalid (not known), error.
enum verdict report_farewell(const struct measures *m, const struct report_style *style, struct strbuf *out);
// One line for a table of several runs.
void report_line(const struct measures *m, const struct report_style *style, struct strbuf *out);
// result.json (schema in docs/measures.md). Appends to out, with a final newline.
void report_json(const struct measures *m, struct strbuf *out);
// Live: the moments of the story that one event makes known, a line each, or nothing. Appends to out.
// The first paragraph of a scenario's lesson (may be NULL) in at most four lines, and `whole`, where the rest stands. Nothing without a lesson.
void report_lesson(const char *lesson, const char *whole, const struct report_style *style, struct strbuf *out);

struct report_live;
struct report_live *report_live_new(const struct report_style *style);
void report_live_free(struct report_live *r);
void report_live_event(struct report_live *r, const struct event *ev, struct strbuf *out);
