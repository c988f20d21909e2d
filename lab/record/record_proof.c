// SPDX-License-Identifier: PostgreSQL
#include "lab/record/record_proof.h"

#include "lab/base/str.h"

enum record_state record_state(const struct record_proof *r) {
    if (!r)
        return RECORD_WHOLE;
    if (r->live)
        return RECORD_LIVE;
    return !r->complete ? RECORD_DAMAGED : r->sealed ? RECORD_WHOLE : RECORD_UNSEALED;
}

const char *record_mark(const struct record_proof *r) {
    switch (record_state(r)) {
    case RECORD_WHOLE:
        return "";
    case RECORD_UNSEALED:
        return "UNSEALED";
    case RECORD_LIVE:
        return "UNFINISHED";
    case RECORD_DAMAGED:
        return "DAMAGED";
    }
    return "";
}

void record_words(const struct record_proof *r, struct strbuf *out) {
    if (!r || (record_state(r) == RECORD_WHOLE && !*r->unknown))
        return;
    strbuf_addf(out, "%s", r->text);
    if (record_state(r) != RECORD_DAMAGED || !r->missing.n)
        return;
    strbuf_addf(out, ": %s", r->missing.items[0].text);
    if (r->missing.n > 1)
        strbuf_addf(out, "; and %zu more", r->missing.n - 1);
}
