// SPDX-License-Identifier: PostgreSQL
// The end of a run, step by step: stop the application (operations in flight get their deadline), read the ledger table
// on every node that answers, keep the configuration as it was, write run.end, leave (or stay, --keep). Each step is
// bounded: a hung daemon delays the end by its deadline and no more. The seal is the record's last line (supervisor_main).
#include "lab/base/fs.h"
#include "lab/supervisor/internal.h"

static const usec_t FINAL_READ_DEADLINE = 10 * SEC; // a million rows on a slow host take about 2 s

// What the nodes' /etc looked like goes into the run folder: students edit it, and the report shows it.
static void keep_configuration(struct lab *lab) {
    for (size_t i = 0; i < lab->plan->topology->nodes.n; i++) {
        if (!lab->nodes[i])
            continue;
        cleanup_free char *dst =
            xasprintf("%s/nodes/%s/etc", lab->o->lab->run_dir, lab->plan->topology->nodes.items[i].name);
        if (fs_mkdirs(dst, 0755, NULL) == 0)
            (void)node_keep_etc(lab->nodes[i], dst, NULL);
    }
}

static void end_run(struct lab *lab) {
    if (lab->run_ended)
        return;
    lab->run_ended = true;
    keep_configuration(lab);
    struct event ev = EVENT_NEW(RUN_END);
    ev.u.RUN_END.reason = lab->end_reason;
    STR_COPY(ev.u.RUN_END.detail, lab->end_detail);
    sink_emit(&lab->sink, &ev);
    bool broken = lab->end_reason == END_REASON_BROKEN;
    if (lab->o->lab->keep && !lab->leaving && !broken && lab->end_reason != END_REASON_INTERRUPTED) {
        lab_set_state(lab, LAB_STATE_KEPT, NULL);
        lab_seal(lab); // the judged part; what the kept lab goes through is sealed once more when it leaves
        return;
    }
    lab_set_state(lab, LAB_STATE_STOPPING, NULL);
    if (lab->loop)
        lab_quit(lab, broken ? SUPERVISOR_EXIT_BROKEN : SUPERVISOR_EXIT_OK);
}

static void on_final_read(void *arg) {
    end_run(arg);
}

static void read_final(struct lab *lab) {
    struct err err = {0};
    lab_progress(lab, PROGRESS_PHASE_COLLECT, false, "reading the ledger on every node");
    if (!lab->observer || observer_final_read(lab->observer, FINAL_READ_DEADLINE, on_final_read, lab, &err) < 0)
        end_run(lab);
}

static void on_workload_stopped(void *arg) {
    read_final(arg);
}

void lab_collect(struct lab *lab) {
    struct err err = {0};
    if (!lab->workload) { // it never began: there is nothing to read
        end_run(lab);
        return;
    }
    if (lab->state != LAB_STATE_BROKEN)
        lab_set_state(lab, LAB_STATE_COLLECTING, NULL);
    if (workload_stop(lab->workload, on_workload_stopped, lab, &err) < 0)
        read_final(lab);
}
