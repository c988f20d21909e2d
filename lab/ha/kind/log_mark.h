// SPDX-License-Identifier: PostgreSQL
#pragma once
// A line of a daemon's log that proves a step which nothing else shows: the story tells it, the page marks it. Everything else that a daemon says stays in its log.

enum moment_weight {
    TOLD_DETAIL, // for somebody who watches: live lines, a large dashboard
    TOLD_EVENT,  // belongs into every report
    TOLD_MAIN    // what a class must see
};
enum moment_mood { MOOD_NEUTRAL, MOOD_GOOD, MOOD_BAD, MOOD_WARN };

enum log_step {
    LOG_SAYS,     // just that
    LOG_DEMOTES,  // it begins to take its server's writes away: told once, until one of the next two
    LOG_DEMOTED,  // and has done so
    LOG_PROMOTES, // it makes its server the primary
    LOG_NO_STORE  // it can't reach the store: told once, until it has written to it
};

struct log_mark {
    const char *words; // what the line holds; the first mark that fits counts. NULL ends a list
    enum log_step step;
    enum moment_weight weight;
    enum moment_mood mood;
    const char *before, *after; // the node stands between them
};
