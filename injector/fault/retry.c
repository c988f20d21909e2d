// SPDX-License-Identifier: PostgreSQL
#include "injector/fault/retry.h"

#include "lab/base/str.h"

struct retry {
    sd_event_source *timer;
    usec_t every, until;
    bool (*met)(void *arg);
    void (*done)(void *arg, bool met);
    void *arg;
    struct retry **home; // the owner's pointer, cleared when we end by ourselves
};

void retry_stop(struct retry **r) {
    if (!*r)
        return;
    struct retry *gone = STEAL(*r);
    sd_event_source_disable_unref(gone->timer);
    free(gone);
}

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)at;
    struct retry *r = arg;
    bool met = r->met(r->arg);
    usec_t now = usec_now();
    if (!met && now < r->until) {
        (void)sd_event_source_set_time(s, now + r->every);
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
    }
    void (*done)(void *, bool) = r->done;
    void *done_arg = r->arg;
    retry_stop(r->home);
    done(done_arg, met);
    return 0;
}

int retry_start(sd_event *loop, usec_t every, usec_t within, bool (*met)(void *arg), void (*done)(void *arg, bool met),
                void *arg, struct retry **ret, struct err *err) {
    struct retry *r = xcalloc(1, sizeof *r);
    usec_t now = usec_now();
    *r = (struct retry){.every = every, .until = now + within, .met = met, .done = done, .arg = arg, .home = ret};
    int k = sd_event_add_time(loop, &r->timer, CLOCK_MONOTONIC, now, 1, on_timer, r);
    if (k < 0) {
        free(r);
        return err_sys(err, -k, "timer on the event loop");
    }
    retry_stop(ret);
    *ret = r;
    return 0;
}
