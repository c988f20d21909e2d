// SPDX-License-Identifier: PostgreSQL
// What the measures of a finished run know and no single event tells goes into its story.
#include "lab/report/report.h"

void report_end_story(struct story *story, const struct measures *m) {
    story_finish(story);
    VEC_FOREACH (&m->aheads, a)
        story_ahead(story, a->from, a->node, a->leader, a->lsn, a->leader_lsn);
    VEC_FOREACH (&m->defects, d)
        if (d->seen)
            story_defect(story, d->at, d->node, d->id, d->detail, d->text, d->reference);
    if (m->outage.present)
        story_outage_resolution(story, m->outage.start, m->outage.end, m->outage.resolution);
    if (m->outage.present && m->cause.fault < 0)
        story_outage_unexplained(story, m->outage.start);
}
