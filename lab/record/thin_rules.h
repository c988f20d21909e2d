// SPDX-License-Identifier: PostgreSQL
#pragma once
// Which lines say the same: the table behind lab/record/thin.c.
#include "lab/record/event.h"

struct thin_rule {
    enum event_kind kind;
    const char *key;    // fields that name what is observed, with blanks between
    const char *moving; // fields that always move: positions, latencies. All others must be equal
    usec_t
        gap; // a line later than this after the one before is written whole: the watch (lab/model/watch.h, lab/proof) asks for it. 0 = any
    bool free; // another text is no news
};
// NULL: lines of this kind are never merged.
const struct thin_rule *thin_rule_of(enum event_kind kind);
bool thin_same_key(const struct thin_rule *rule, const struct event *a, const struct event *b);
bool thin_same(const struct thin_rule *rule, const struct event *a, const struct event *b);
// A kind without a rule that comes all the time and tells nothing new.
bool thin_is_routine(const struct event *ev);
