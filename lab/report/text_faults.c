// SPDX-License-Identifier: PostgreSQL
// When each fault was asked for, took effect, was verified, was healed, and when the healing was verified.
#include <stdio.h>

#include "lab/report/text_faults.h"

// ", effective +2.9 ms": after what came before it. Nothing when it did not happen.
static void step(struct strbuf *out, const char *word, usec_t from, usec_t to) {
    if (!to || to < from)
        return;
    if (to - from < SEC)
        strbuf_addf(out, ", %s +%.1f ms", word, (double)(to - from) / 1e3);
    else
        strbuf_addf(out, ", %s +%.2f s", word, (double)(to - from) / 1e6);
}

void text_fault_steps(const struct fault_measure *f, struct strbuf *out) {
    usec_t at = f->effective ? f->effective : f->asked;
    strbuf_addf(out, "%s on %s: asked at %.3f s", f->mechanism,
                *f->nodes    ? f->nodes
                : *f->target ? f->target
                             : "?",
                (double)f->asked / 1e6);
    step(out, "effective", f->asked, f->effective);
    step(out, "verified", at, f->verified);
    step(out, "healed", at, f->healed);
    step(out, "healing verified", f->healed, f->heal_verified);
}
