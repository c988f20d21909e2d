// SPDX-License-Identifier: PostgreSQL
#pragma once
// One run as one HTML page: no network, no server, no second file. Fed with everything the run folder holds, in any number of
// calls and in this order: events, ledger, then the files; html_page_write ends it.
#include "lab/measure/measure.h"
#include "lab/record/ledger.h"

struct html_page;
struct html_page *html_page_new(void);
void html_page_free(struct html_page *p);
void html_page_event(struct html_page *p, const struct event *ev);
void html_page_ledger(struct html_page *p, const struct ledger_record *r);
// plan.json as it stands in the run folder: the lesson and the words of the steps come from it. What is no JSON is ignored.
void html_page_plan(struct html_page *p, const char *json);
// The settings given by --set, one "key=value" a line, as they stand in the run folder.
void html_page_overrides(struct html_page *p, const char *lines);
// A text shown under "Configuration": a node's file, or the scenario itself (node ""). The same text on several nodes is kept once.
void html_page_file(struct html_page *p, const char *node, const char *path, const char *text);
// m: the measures of the same events and ledger. Ends the story and appends the page; once.
void html_page_write(struct html_page *p, const struct measures *m, struct strbuf *out);
