// SPDX-License-Identifier: PostgreSQL
#pragma once
// What goes on while nothing happens: on a terminal one line that ticks in place, elsewhere a line every ten seconds.
#include "lab/model/outages.h"
#include "lab/record/event.h"
#include "lab/report/report.h"

struct ticker {
    bool terminal;
    int width;
    usec_t mono;                  // CLOCK_MONOTONIC at run time 0; 0 = not known yet
    char waiting[EVENT_TEXT_MAX]; // for what
    bool stands;                  // waiting: a held scenario, for a person
    usec_t since;                 // run time at which that began
    struct outages felt;
    usec_t said; // absolute time of the last line, elsewhere than on a terminal
    bool shown;  // the line is on the screen
};
void ticker_event(struct ticker *t, const struct event *ev);
void ticker_show(struct ticker *t, FILE *out); // call it a few times a second
void ticker_hide(struct ticker *t, FILE *out); // before anything else is printed
void ticker_done(struct ticker *t);
