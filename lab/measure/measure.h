// SPDX-License-Identifier: PostgreSQL
#pragma once
// Folds the log of a run (and its ledger) into numbers and a verdict. Pure: the same log gives the same result on any machine.
// docs/measures.md defines each number; the definitions come from docs/ARCHITECTURE.md section "What is measured".
#include "lab/base/vec.h"
#include "lab/failover/leadership.h"
#include "lab/measure/ahead.h"
#include "lab/measure/availability.h"
#include "lab/measure/cause.h"
#include "lab/measure/cluster.h"
#include "lab/measure/contents.h"
#include "lab/measure/defect.h"
#include "lab/measure/expect.h"
#include "lab/measure/noise.h"
#include "lab/measure/outage.h"
#include "lab/measure/phases.h"
#include "lab/measure/run.h"
#include "lab/measure/splitbrain.h"
#include "lab/measure/writes.h"
#include "lab/model/watch.h"
#include "lab/record/event.h"
#include "lab/record/ledger.h"

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_INVALID, VERDICT_SKIPPED, VERDICT_ERROR, VERDICT_KNOWN_DEFECT };
const char *verdict_name(enum verdict v);

// Everything that is measured, each struct in the header of its name.
struct measures {
    enum verdict verdict;
    char reason[EVENT_TEXT_MAX];
    struct measured_run run;
    struct measured_outage outage;
    struct measured_read_outage read_outage;
    struct measured_cause cause;
    struct measured_phases phases;
    struct measured_cluster cluster;
    struct measured_lag lag;
    struct measured_availability availability;
    struct measured_split_brain split_brain;
    struct measured_contents contents;
    struct measured_noise noise;
    struct write_counts writes;
    const struct leadership *leadership; // its history, until the lab was stopped. Lives as long as the measures
    VEC(struct fault_measure) faults;
    VEC(struct expect_result) expects;
    VEC(struct ahead_span) aheads; // longer than their resolution, in order of time
    VEC(struct defect_measure) defects;
    VEC(struct version_seen) versions;
    watch_hole_list holes; // when nobody watched, up to the end of the judged part
};

struct measure; // the fold
// Expectations come from the log too (expect events), so a report needs nothing but the run folder.
struct measure *measure_new(void);
void measure_event(struct measure *m, const struct event *ev);
void measure_ledger(struct measure *m, const struct ledger_record *r);
// Before measure_finish: whether the record is whole (lab/proof/); copied. A damaged one is never judged.
void measure_record(struct measure *m, const struct record_proof *record);
// Everything computed. The result is owned by m and lives until measure_free.
const struct measures *measure_finish(struct measure *m);
void measure_free(struct measure *m);
// "3599 acknowledged writes are lost; n2 and n3 follow another history", as far as that is proven. Appends to out; false: nothing to tell.
bool measure_loss_text(const struct measures *m, struct strbuf *out);
