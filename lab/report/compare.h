// SPDX-License-Identifier: PostgreSQL
#pragma once
// Runs beside each other: what differs in settings and versions first (it is the likely reason), then the outcomes and phases,
// then the recoveries drawn over one time axis. Pure: measures and settings in, text or JSON out.
#include "lab/base/vec.h"
#include "lab/report/report.h"

struct compare_setting {
    char key[EVENT_NAME_MAX]; // "patroni.ttl", as the live cluster reported it last
    char value[EVENT_TEXT_MAX];
};
struct compare_run {
    const char *name;         // of the run folder; borrowed
    const struct measures *m; // borrowed
    VEC(struct compare_setting) settings;
};
typedef VEC(struct compare_run) compare_list;
enum { COMPARE_RUNS_MAX = 8 }; // what a terminal holds; more runs are a campaign's work

// Takes a `config` event of the whole cluster into the run's settings, the latest value of a key stays; others are passed over.
void compare_take(struct compare_run *run, const struct event *ev);

void compare_text(const compare_list *runs, const struct report_style *style, struct strbuf *out);
// {"schema_version":1,"result":true,"runs":[...],"differ":[...],"numbers":[...]}, docs/measures.md. With a final newline.
void compare_json(const compare_list *runs, struct strbuf *out);
