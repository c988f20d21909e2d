// SPDX-License-Identifier: PostgreSQL
#include <stdio.h>

#include "lab/report/paint.h"

// "PASS          leader-crash          outage   24.91 s  recovery   24.90 s  lost 0": columns line up over many runs.
void report_line(const struct measures *m, const struct report_style *style, struct strbuf *out) {
    enum paint colour;
    const char *verdict = paint_verdict(m->verdict, &colour);
    char outage[32] = "         -", recovery[32] = "         -", lost[32] = "?";
    if (m->writes.attempted)
        (void)paint_seconds(outage, m->outage.length);
    if (m->cause.recovery)
        (void)paint_seconds(recovery, m->cause.recovery);
    if (m->writes.checked)
        (void)snprintf(lost, sizeof lost, "%" PRId64, m->writes.lost);
    paint_add(out, style, colour, verdict);
    strbuf_addf(out, "%*s", 14 - (int)strlen(verdict), "");
    paint_cell(out, style, 22, *m->run.scenario ? m->run.scenario : "-");
    strbuf_addf(out, " outage %s  recovery %s  lost %s", outage, recovery, lost);
    if (m->verdict != VERDICT_PASS) {
        strbuf_add(out, "  ");
        paint_clean(out, style, m->reason);
    }
    strbuf_addn(out, "\n", 1);
}
