// SPDX-License-Identifier: PostgreSQL
#include "injector/fault/phases.h"

static void end(struct fault *f, fault_phase_done done, bool ok, usec_t effective, const char *fmt, va_list ap) {
    char text[EVENT_TEXT_MAX];
    (void)vsnprintf(text, sizeof text, fmt, ap);
    done(f, ok, effective, text);
}

void phase_ok(struct fault *f, fault_phase_done done, usec_t effective, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    end(f, done, true, effective, fmt, ap);
    va_end(ap);
}

void phase_no(struct fault *f, fault_phase_done done, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    end(f, done, false, 0, fmt, ap);
    va_end(ap);
}

void fault_nodes_text(const struct fault *f, struct strbuf *out) {
    for (size_t i = 0; i < f->n_nodes; i++)
        strbuf_addf(out, "%s%s", i ? ", " : "", f->nodes[i]);
}

void spread_text(size_t targets, usec_t first, usec_t last, struct strbuf *out) {
    if (targets > 1)
        strbuf_addf(out, " (%.1f ms between the first and the last)", (double)(last - first) / 1000.0);
}
