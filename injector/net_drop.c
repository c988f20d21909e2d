// SPDX-License-Identifier: PostgreSQL
// net.drop: frames vanish in the switch. The nodes keep their carrier and get no error: connections hang, as behind a
// broken switch or a silent firewall. The happy path: the pairs are added to the shared counts, one nft transaction
// makes them true (4-5 ms, all pairs at the same instant), and probes show that they are silent while others are not.
// Failure: a transaction that is refused takes its counts back and changes nothing.
#include "injector/catalogue.h"
#include "injector/net_check.h"
#include "injector/phases.h"

struct drop {
    struct pair_set pairs;
    bool held; // our counts are in world->cuts
    usec_t took;
    struct net_check *check;
    fault_phase_done done;
};

static bool in_list(const char *list, const char *name) {
    size_t len = strlen(name);
    for (const char *at = list; *at;) {
        at += strspn(at, ", []");
        size_t word = strcspn(at, ", []");
        if (word == len && strncmp(at, name, len) == 0)
            return true;
        at += word;
    }
    return false;
}

static bool is_group(const char *with) {
    return str_eq(with, "others") || str_eq(with, "peers") || str_eq(with, "all");
}

static bool is_target(const struct fault *f, const char *name) {
    for (size_t i = 0; i < f->n_nodes; i++)
        if (str_eq(f->nodes[i], name))
            return true;
    return false;
}

// Is `other` on the far side of the cut? Targets stay connected among themselves, but for `with: all` and a list naming
// them.
static bool far_side(const struct fault *f, const char *with, const struct node_def *other) {
    if (str_eq(with, "all"))
        return true;
    if (str_eq(with, "others"))
        return !is_target(f, other->name);
    if (str_eq(with, "peers"))
        return !is_target(f, other->name) && !(other->services & SERVICE_APP);
    return in_list(with, other->name);
}

static void collect(const struct fault *f, struct pair_set *out) {
    const char *with = fault_param(f, "with"), *direction = fault_param(f, "direction");
    const struct topology *t = f->world->topology;
    for (size_t k = 0; k < f->n_nodes; k++) {
        int i = fault_world_index(f->world, f->nodes[k]);
        for (int j = 0; i >= 0 && j < (int)t->nodes.n; j++) {
            if (i == j || !far_side(f, with, &t->nodes.items[j]))
                continue;
            if (!str_eq(direction, "in"))
                pair_add(out, i, j);
            if (!str_eq(direction, "out"))
                pair_add(out, j, i);
        }
    }
}

static int check_list(const struct topology *t, const char *with, struct err *err) {
    for (const char *at = with + strspn(with, ", []"); *at;) {
        char name[NODE_NAME_MAX];
        size_t len = strcspn(at, ", []");
        bool known = false;
        (void)snprintf(name, sizeof name, "%.*s", (int)len, at);
        for (size_t i = 0; i < t->nodes.n; i++)
            known = known || str_eq(t->nodes.items[i].name, name);
        if (!known)
            return err_set(err, ENOENT,
                           "net.drop: there is no node '%s' to cut from; with is others, peers, all or node names",
                           name);
        at += len;
        at += strspn(at, ", []");
    }
    return 0;
}

static int check(const struct topology *t, const setting_list *params, struct err *err) {
    const char *with = mechanism_param(&net_drop_fault.about, params, "with");
    if (t->nodes.n < 2)
        return err_set(err, EINVAL, "net.drop: topology %s has one node only", t->name ? t->name : "(inline)");
    return is_group(with) ? 0 : check_list(t, with, err);
}

static void inject(struct fault *f, fault_phase_done done) {
    struct drop *d = f->state ? f->state : (f->state = xcalloc(1, sizeof *d));
    struct err err = {0};
    collect(f, &d->pairs);
    if (pair_count(&d->pairs) == 0) {
        phase_no(f, done, "nothing to cut: with %s leaves no node on the other side", fault_param(f, "with"));
        return;
    }
    if (net_check_begin(f->world, &d->pairs, &d->check, &err) < 0) {
        phase_no(f, done, "%s", err.msg);
        return;
    }
    usec_t asked = usec_now();
    f->touched = true;
    net_cuts_add(f->world->cuts, &d->pairs);
    if (net_cuts_commit(f->world, &err) < 0) {
        net_cuts_remove(f->world->cuts, &d->pairs);
        phase_no(f, done, "%s", err.msg);
        return;
    }
    d->held = true;
    usec_t effective = sink_now(f->world->sink);
    cleanup_strbuf struct strbuf text = {0};
    pair_text(f->world->topology, &d->pairs, &text);
    phase_ok(f, done, effective, "the switch drops %s since one transaction of %.1f ms", strbuf_str(&text),
             (double)(usec_now() - asked) / 1000.0);
}

static void on_check(void *arg, bool ok, const char *text) {
    struct fault *f = arg;
    struct drop *d = f->state;
    char copy[EVENT_TEXT_MAX];
    STR_COPY(copy, text);
    net_check_free(STEAL(d->check));
    d->done(f, ok, 0, copy);
}

static void verify(struct fault *f, fault_phase_done done) {
    struct drop *d = f->state;
    d->done = done;
    net_check_silence(d->check, on_check, f);
}

static void heal(struct fault *f, fault_phase_done done) {
    struct drop *d = f->state;
    struct err err = {0};
    if (!d) {
        phase_ok(f, done, 0, "nothing was cut");
        return;
    }
    net_check_free(STEAL(d->check));
    if (d->held)
        net_cuts_remove(f->world->cuts, &d->pairs);
    if (net_cuts_commit(f->world, &err) <
        0) { // also when nothing was held: the switch may have been changed behind our back
        if (d->held)
            net_cuts_add(f->world->cuts, &d->pairs); // still in force: a later heal tries again
        phase_no(f, done, "%s", err.msg);
        return;
    }
    d->held = false;
    phase_ok(f, done, sink_now(f->world->sink),
             "the switch forwards these pairs again, unless another fault cuts them too");
}

static void verify_healed(struct fault *f, fault_phase_done done) {
    struct drop *d = f->state;
    struct err err = {0};
    d->done = done;
    net_check_free(STEAL(d->check));
    if (net_check_open(f->world, &d->pairs, 3 * SEC, on_check, f, &d->check, &err) < 0)
        phase_no(f, done, "%s", err.msg);
}

static void describe(const struct fault *f, struct strbuf *out) {
    struct pair_set pairs = {0};
    collect(f, &pairs);
    const struct topology *t = f->world->topology;
    strbuf_add(out, "# on the switch (bridge family, forward hook; the set holds source . destination)\n");
    for (int i = 0; i < NODES_MAX; i++)
        for (int j = 0; j < NODES_MAX; j++)
            if (pair_has(&pairs, i, j))
                strbuf_addf(out, "nft add element bridge bascule cuts '{ %s . %s }'\n", t->nodes.items[i].address,
                            t->nodes.items[j].address);
}

static void done_with(struct fault *f) {
    struct drop *d = f->state;
    if (d)
        net_check_free(d->check);
    free(d);
    f->state = NULL;
}

static const struct mechanism_param params[] = {
    {"with", "nodes", "others|peers|all", "others",
     "the other side: others (every node that is no target, the application too), peers (others without the "
     "application), "
     "all (others, and the targets among themselves), or node names"},
    {"direction", "word", "both|in|out", "both", "frames to the target (in), from it (out), or both"},
    {0}};

const struct fault_ops net_drop_fault = {
    .about = {.name = "net.drop",
              .summary = "drops frames between the targets and other nodes, silently",
              .params = params},
    .mechanism = "A set of source and destination addresses in the switch's bridge forward chain, replaced by one nft "
                 "transaction: a whole partition bites at one instant, on established connections too.",
    .still_works =
        "Everything inside the node: its daemons run and talk to each other over loopback, the interface is up. "
        "Several targets still reach each other.",
    .exercises = "Lease expiry, quorum, demotion of an isolated leader, TCP timeouts against fast errors, split brain.",
    .needs = "nothing",
    .check = check,
    .inject = inject,
    .verify = verify,
    .heal = heal,
    .verify_healed = verify_healed,
    .describe = describe,
    .done = done_with,
};
