// SPDX-License-Identifier: PostgreSQL
// The disk of the run folder. A run whose record has holes proves nothing, and a daemon that finds its disk full behaves as if a fault had been
// injected: so the run ends as soon as there is no room, with that reason, while the reserves of event log and ledger still hold their last
// lines (lab/record/reserve.h). The files say it themselves at the next block; a look at the free space each second is sooner.
#include "lab/base/log.h"
#include "lab/supervisor/internal.h"

// With storage: memory only logs and the record grow, some kB a second. With storage: disk PostgreSQL wants a WAL segment of 16 MB at any
// moment, on each of several nodes.
static const int64_t ROOM_LEAST = 4 << 20, ROOM_LEAST_DISK = 64 << 20;
static const usec_t LOOK_EVERY = 1 * SEC;

static const char *failure_words(int code) {
    return code == EFBIG ? "the limit on the size of a file (ulimit -f) is reached" : strerror(code);
}

void lab_record_failed(struct lab *lab, int code) {
    if (lab->record_failed)
        return;
    lab->record_failed = true;
    char why[EVENT_TEXT_MAX];
    (void)snprintf(why, sizeof why, "the record could not be written: %s (folder %s)", failure_words(code),
                   lab->o->lab->run_dir);
    log_error("%s", why);
    if (!lab->run_ended && lab->end_reason) { // it is being collected: how it ends is not written yet
        lab->end_reason = END_REASON_BROKEN;
        STR_COPY(lab->end_detail, why);
        lab_set_state(lab, LAB_STATE_BROKEN, why);
        return;
    }
    if (!lab->run_ended) {
        lab_finish(lab, END_REASON_BROKEN, why);
        return;
    }
    lab_set_state(lab, LAB_STATE_STOPPING,
                  why); // a lab that was kept: its run is told, what it goes through now is not
    lab_quit(lab, SUPERVISOR_EXIT_BROKEN);
}

static int check_free_space(sd_event_source *s, uint64_t at, void *arg) {
    struct lab *lab = arg;
    bool disk = lab->plan->topology->storage == STORAGE_DISK;
    int64_t room = lab->log ? run_log_room(lab->log) : -1;
    if (room >= 0 && room < (disk ? ROOM_LEAST_DISK : ROOM_LEAST))
        lab_record_failed(lab, ENOSPC);
    (void)at;
    (void)sd_event_source_set_time(s, usec_now() + LOOK_EVERY);
    return 0;
}

int lab_watch_room(struct lab *lab) {
    int r = sd_event_add_time(lab->loop, &lab->room_timer, CLOCK_MONOTONIC, usec_now() + LOOK_EVERY, 1,
                              check_free_space, lab);
    return r < 0 ? r : sd_event_source_set_enabled(lab->room_timer, SD_EVENT_ON);
}
