// SPDX-License-Identifier: PostgreSQL
#include "injector/net/cut_fault.h"

#include "injector/fault/phases.h"
#include "injector/net/flow_params.h"

// Adds or takes back what the fault holds, and makes it so.
static int hold(struct fault *f, bool on, struct err *err) {
    struct cut_fault *c = f->state;
    if (on == c->held)
        return net_cuts_commit(f->world, err); // also then: the switch may have been changed behind our back
    (on ? net_cuts_add : net_cuts_remove)(f->world->cuts, &c->flows, c->answer);
    int r = net_cuts_commit(f->world, err);
    if (r < 0)
        (on ? net_cuts_remove : net_cuts_add)(f->world->cuts, &c->flows, c->answer); // as before: may be tried again
    else
        c->held = on;
    return r;
}

int cut_fault_close(struct fault *f, struct err *err) {
    f->touched = true;
    return hold(f, true, err);
}

int cut_fault_open(struct fault *f, struct err *err) {
    return hold(f, false, err);
}

int cut_fault_begin(struct fault *f, size_t size, cut_select select, struct err *err) {
    struct cut_fault *c = f->state ? f->state : (f->state = xcalloc(1, size));
    VEC_CLEAR(&c->flows);
    int r = select(f, &c->flows, err);
    return r < 0 ? r : net_check_begin(f->world, &c->flows, &c->check, err);
}

void cut_fault_inject(struct fault *f, cut_select select, fault_phase_done done) {
    struct err err = {0};
    usec_t began = 0;
    int r = cut_fault_begin(f, sizeof(struct cut_fault), select, &err);
    if (r >= 0) {
        began = usec_now();
        r = cut_fault_close(f, &err);
    }
    if (r < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    usec_t effective = sink_now(f->world->sink);
    cleanup_strbuf struct strbuf text = {0};
    flows_text(f->world->topology, &((struct cut_fault *)f->state)->flows, &text);
    phase_ok(f, done, effective, "one transaction of %.2f ms, all at the same instant: the switch drops%s %s",
             (double)(usec_now() - began) / 1000.0, ((struct cut_fault *)f->state)->answer ? " and answers" : "",
             strbuf_str(&text));
}

static void on_check(void *arg, bool ok, const char *text) {
    struct fault *f = arg;
    struct cut_fault *c = f->state;
    c->done(f, ok, 0, text);
}

void cut_fault_verify(struct fault *f, fault_phase_done done) {
    struct cut_fault *c = f->state;
    c->done = done;
    net_check_silence(c->check, on_check, f);
}

void cut_fault_heal(struct fault *f, fault_phase_done done) {
    struct cut_fault *c = f->state;
    struct err err = {0};
    if (!c) {
        phase_ok(f, done, 0, "nothing was cut");
        return;
    }
    net_check_free(STEAL(c->check));
    if (cut_fault_open(f, &err) < 0)
        phase_no(f, done, "%s", err.msg);
    else
        phase_ok(f, done, sink_now(f->world->sink), "the switch forwards this again, unless another fault cuts it too");
}

void cut_fault_verify_healed(struct fault *f, fault_phase_done done) {
    struct cut_fault *c = f->state;
    struct err err = {0};
    c->done = done;
    net_check_free(STEAL(c->check));
    if (net_check_open(f->world, &c->flows, 3 * SEC, on_check, f, &c->check, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

void cut_fault_describe(const struct fault *f, cut_select select, struct strbuf *out) {
    flow_list flows = {0};
    struct err err = {0};
    if (select(f, &flows, &err) >= 0)
        flows_describe(f->world->topology, &flows, out);
    VEC_DONE(&flows);
}

void cut_fault_done(struct fault *f) {
    struct cut_fault *c = f->state;
    if (c) {
        net_check_free(c->check);
        VEC_DONE(&c->flows);
    }
    free(c);
    f->state = NULL;
}
