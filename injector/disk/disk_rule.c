// SPDX-License-Identifier: PostgreSQL
// One rule per node. Every phase is a request to each node's agent and ends with the last answer. A node that loses its
// power meanwhile has nothing to verify and nothing to undo: its next boot begins with the rules then in force.
#include "injector/disk/disk_rule.h"

#include "injector/fault/phases.h"

static const usec_t HEALED_WITHIN = 2 * SEC; // of a probe after the heal, on a busy host

struct slot { // one node
    struct fault *f;
    size_t k;
    uint32_t rule; // 0 = none of ours in force
    struct disk_answer answer;
};
struct state {
    struct slot slots[NODES_MAX];
    size_t waiting;
    bool sending; // answers may come while requests still leave
    void (*all)(struct fault *f);
    fault_phase_done done;
};

static void maybe_all(struct fault *f) {
    struct state *s = f->state;
    if (s->waiting == 0 && !s->sending)
        s->all(f);
}

static void on_answer(void *arg, const struct disk_answer *a) {
    struct slot *slot = arg;
    struct state *s = slot->f->state;
    slot->answer = *a;
    s->waiting--;
    maybe_all(slot->f);
}

static struct node *node_of(const struct slot *slot) {
    return fault_world_node(slot->f->world, slot->f->nodes[slot->k]);
}

static void ask(struct slot *slot, struct disk_ask *q) {
    struct state *s = slot->f->state;
    struct err err = {0};
    slot->answer = (struct disk_answer){0};
    s->waiting++;
    if (node_disk_ask(node_of(slot), q, on_answer, slot, &err) < 0) {
        slot->answer.error = err.code ? err.code : EIO;
        s->waiting--;
    }
}

// Asks the same of every node. DROP and COUNT are about the slot's own rule.
static void ask_each(struct fault *f, const struct disk_ask *what, void (*all)(struct fault *f)) {
    struct state *s = f->state;
    for (size_t k = 0; k < f->n_nodes; k++) // what an abandoned phase still waits for
        node_disk_forget(node_of(&s->slots[k]), &s->slots[k]);
    s->waiting = 0;
    s->all = all;
    s->sending = true;
    for (size_t k = 0; k < f->n_nodes; k++) {
        struct disk_ask q = *what;
        if (q.kind == DISK_ASK_DROP || q.kind == DISK_ASK_COUNT)
            q.rule.id = s->slots[k].rule;
        ask(&s->slots[k], &q);
        if (q.kind == DISK_ASK_ADD)
            s->slots[k].rule = q.rule.id;
    }
    s->sending = false;
    maybe_all(f);
}

static const struct slot *first_error(const struct fault *f) {
    const struct state *s = f->state;
    for (size_t k = 0; k < f->n_nodes; k++)
        if (s->slots[k].answer.error)
            return &s->slots[k];
    return NULL;
}

// ---- inject --------------------------------------------------------------------------------------------------------

static void injected(struct fault *f) {
    struct state *s = f->state;
    const struct slot *bad = first_error(f);
    cleanup_strbuf struct strbuf where = {0};
    fault_nodes_text(f, &where);
    if (bad)
        phase_no(f, s->done, "the disk agent of %s did not take the rule: %s", f->nodes[bad->k],
                 strerror(bad->answer.error));
    else
        phase_ok(f, s->done, sink_now(f->world->sink), "the disk agent of %s has the rule", strbuf_str(&where));
}

void disk_rule_inject(struct fault *f, fault_phase_done done) {
    struct err err = {0};
    if (disk_check_power(f, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    struct state *s = f->state = xcalloc(1, sizeof *s);
    s->done = done;
    for (size_t k = 0; k < f->n_nodes; k++)
        s->slots[k] = (struct slot){.f = f, .k = k};
    struct disk_ask q = {.kind = DISK_ASK_ADD, .rule = {.disk = disk_of(f), .files = disk_files_of(f)}};
    f->ops->disk_rule->rule(f, &q.rule);
    f->touched = true;
    ask_each(f, &q, injected);
}

// ---- verify: a probe, then the count of what else met it -----------------------------------------------------------

static void counted(struct fault *f) {
    struct state *s = f->state;
    uint64_t hits = 0, held = 0;
    for (size_t k = 0; k < f->n_nodes; k++) {
        hits += s->slots[k].answer.hits;
        held += s->slots[k].answer.held;
        // The probe itself is one: a rule that nothing met is not in force, whatever the probe saw.
        if (s->slots[k].answer.error || s->slots[k].answer.hits == 0) {
            phase_no(f, s->done, "no system call on %s met the rule", f->nodes[s->slots[k].k]);
            return;
        }
    }
    char *text = f->extra;
    phase_ok(f, s->done, 0, "%s; %" PRIu64 " system calls met it so far, %" PRIu64 " wait now", text, hits, held);
}

static void probed(struct fault *f) {
    struct state *s = f->state;
    cleanup_strbuf struct strbuf text = {0};
    for (size_t k = 0; k < f->n_nodes; k++) {
        const struct disk_answer *a = &s->slots[k].answer;
        strbuf_addf(&text, "%s%s: ", k ? "; " : "", f->nodes[k]);
        if (a->error)
            strbuf_addf(&text, "no probe (%s)", strerror(a->error));
        if (a->error || !f->ops->disk_rule->met(f, a, &text)) {
            phase_no(f, s->done, "%s", strbuf_str(&text));
            return;
        }
    }
    free(f->extra);
    f->extra = xstrdup(strbuf_str(&text));
    ask_each(f, &(struct disk_ask){.kind = DISK_ASK_COUNT}, counted);
}

static void probe(struct fault *f, usec_t patience, void (*all)(struct fault *f)) {
    ask_each(f,
             &(struct disk_ask){
                 .kind = DISK_ASK_PROBE, .patience = patience, .rule = {.disk = disk_of(f), .files = disk_files_of(f)}},
             all);
}

void disk_rule_verify(struct fault *f, fault_phase_done done) {
    struct state *s = f->state;
    s->done = done;
    probe(f, f->ops->disk_rule->patience(f), probed);
}

// ---- heal ----------------------------------------------------------------------------------------------------------

static void dropped(struct fault *f) {
    struct state *s = f->state;
    for (size_t k = 0; k < f->n_nodes; k++)
        s->slots[k].rule = 0;
    phase_ok(f, s->done, sink_now(f->world->sink), "the rule is gone, what it held goes on");
}

void disk_rule_heal(struct fault *f, fault_phase_done done) {
    struct state *s = f->state;
    if (!s) {
        phase_ok(f, done, 0, "nothing was done");
        return;
    }
    s->done = done;
    ask_each(f, &(struct disk_ask){.kind = DISK_ASK_DROP}, dropped);
}

static void probed_healed(struct fault *f) {
    struct state *s = f->state;
    cleanup_strbuf struct strbuf text = {0};
    for (size_t k = 0; k < f->n_nodes; k++) {
        const struct disk_answer *a = &s->slots[k].answer;
        struct node *n = node_of(&s->slots[k]);
        strbuf_addf(&text, "%s%s: ", k ? "; " : "", f->nodes[k]);
        if (!node_is_on(n))
            strbuf_add(&text, "off; its next boot begins without it");
        else if (node_disk_rules(n, disk_of(f)) || node_disk_limits(n, disk_of(f), NULL))
            strbuf_add(&text, "another fault is in force on this disk");
        else if (a->error || a->unfinished || a->open_error || a->write_error || a->sync_error || a->read_error) {
            int error = a->error         ? a->error
                        : a->open_error  ? a->open_error
                        : a->write_error ? a->write_error
                        : a->sync_error  ? a->sync_error
                                         : a->read_error;
            phase_no(f, s->done, "%s: a probe %s", f->nodes[k], error ? strerror(error) : "still hangs");
            return;
        } else
            strbuf_addf(&text, "a probe wrote and synced in %.2f ms", (double)a->took / 1000.0);
    }
    phase_ok(f, s->done, 0, "%s", strbuf_str(&text));
}

void disk_rule_verify_healed(struct fault *f, fault_phase_done done) {
    struct state *s = f->state;
    if (!s) {
        phase_ok(f, done, 0, "nothing was done");
        return;
    }
    s->done = done;
    probe(f, HEALED_WITHIN, probed_healed);
}

void disk_rule_done(struct fault *f) {
    struct state *s = f->state;
    for (size_t k = 0; s && k < f->n_nodes; k++) {
        struct node *n = node_of(&s->slots[k]);
        if (n)
            node_disk_forget(n, &s->slots[k]);
    }
    free(s);
    free(f->extra);
    f->state = f->extra = NULL;
}
