// SPDX-License-Identifier: PostgreSQL
#include "lab/scenario/random.h"

#include <stdlib.h>

#include "lab/base/random.h"
#include "lab/base/str.h"

enum {
    FAULTS_MAX = 3, // at a time
    LEAD_MAX = 10,  // s: faults of one round begin within so long: before, in and after the failover they cause
    QUIET_MIN = 2,  // s: of a complete cluster before a round
    QUIET_MAX = 6,
    CONVERGE = 240,     // s: rewind or a new base backup on a busy machine, with a few loop_waits between the attempts
    CONVERGE_USUAL = 8, // s: what it takes as a rule (7 to 9 over ten seeds), to fit the rounds into the duration
};

typedef VEC(const struct random_use *) use_list; // those that exist here

struct draw { // one fault of a round
    const struct random_use *use;
    const struct node_def *node;
    uint64_t delay_ms, duration_ms;
};

// "service=postgres process=startup"
static void read_with(const char *with, setting_list *out) {
    cleanup_free char *copy = xstrdup(with ? with : "");
    char *save = NULL;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(w, '=');
        if (eq)
            VEC_PUSH(out, ((struct setting){.key = xstrndup(w, (size_t)(eq - w)), .value = xstrdup(eq + 1)}));
    }
}

static void settings_done(setting_list *l) {
    VEC_FOREACH (l, s) {
        free(s->key);
        free(s->value);
    }
    VEC_DONE(l);
}

static bool node_fits(const struct topology *t, unsigned services) {
    for (size_t i = 0; i < t->nodes.n; i++)
        if (t->nodes.items[i].services & services)
            return true;
    return false;
}

static bool usable(const struct random_options *o, const struct random_use *use) {
    setting_list params = {0};
    read_with(use->with, &params);
    bool yes = node_fits(o->t, use->services) && (!o->usable || o->usable(o->arg, use->mechanism, &params));
    settings_done(&params);
    return yes;
}

static void collect(const struct random_options *o, use_list *out) {
    for (size_t i = 0; i < o->n_uses; i++)
        if (usable(o, &o->uses[i]))
            VEC_PUSH(out, &o->uses[i]);
}

static const struct random_use *draw_use(struct random *r, const use_list *uses) {
    uint64_t sum = 0;
    VEC_FOREACH (uses, u)
        sum += (*u)->weight;
    uint64_t at = random_below(r, sum);
    size_t i = 0;
    for (; at >= uses->items[i]->weight; i++)
        at -= uses->items[i]->weight;
    return uses->items[i];
}

// A node that runs the service and is in no other fault of the round; NULL when there is none left.
static const struct node_def *draw_node(struct random *r, const struct topology *t, unsigned services,
                                        const struct draw *taken, size_t n_taken) {
    const struct node_def *fit[NODES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < t->nodes.n; i++) {
        bool free_ = (t->nodes.items[i].services & services) != 0;
        for (size_t k = 0; k < n_taken; k++)
            free_ = free_ && taken[k].node != &t->nodes.items[i];
        if (free_)
            fit[n++] = &t->nodes.items[i];
    }
    return n ? fit[random_below(r, n)] : NULL;
}

static size_t draw_round(struct random *r, const struct random_options *o, const use_list *uses, struct draw *out) {
    size_t wanted = 1 + random_below(r, FAULTS_MAX), n = 0;
    for (size_t i = 0; i < wanted; i++) {
        const struct random_use *u = draw_use(r, uses);
        const struct node_def *node = draw_node(r, o->t, u->services, out, n);
        // The draws are made whether the fault finds a node or not: a round does not depend on the one before.
        uint64_t delay = random_below(r, LEAD_MAX * 1000);
        uint64_t span = (u->most - u->least) / MSEC + 1;
        uint64_t duration = u->least / MSEC + random_below(r, span);
        if (node)
            out[n++] = (struct draw){u, node, i == 0 ? 0 : delay, duration};
    }
    return n;
}

static void write_seconds(struct strbuf *out, uint64_t ms) {
    strbuf_addf(out, "%llu.%03llus", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
}

static void write_with(struct strbuf *out, const char *with) {
    setting_list params = {0};
    read_with(with, &params);
    for (size_t i = 0; i < params.n; i++)
        strbuf_addf(out, "%s%s: %s", i ? ", " : "    with: {", params.items[i].key, params.items[i].value);
    if (params.n)
        strbuf_add(out, "}\n");
    settings_done(&params);
}

static void write_fault(struct strbuf *out, size_t round, size_t i, const struct draw *d) {
    strbuf_addf(out, "  - name: round-%zu-%c\n    inject: %s\n    target: %s\n", round, (char)('a' + i),
                d->use->mechanism, d->node->name);
    write_with(out, d->use->with);
    strbuf_addf(out, "    after: {step: round-%zu, delay: ", round);
    write_seconds(out, d->delay_ms);
    strbuf_add(out, "}\n    duration: ");
    write_seconds(out, d->duration_ms);
    strbuf_add(out, "\n");
}

// Returns how long the round will take.
static usec_t write_round(struct strbuf *out, struct random *r, const struct random_options *o, const use_list *uses,
                          size_t round) {
    struct draw faults[FAULTS_MAX];
    uint64_t quiet = QUIET_MIN * 1000 + random_below(r, (QUIET_MAX - QUIET_MIN) * 1000), over = 0;
    size_t n = draw_round(r, o, uses, faults);
    strbuf_addf(out, "  - name: round-%zu\n    wait: {becomes: cluster is complete, for: ", round);
    write_seconds(out, quiet);
    strbuf_addf(out, ", within: %ds}\n", CONVERGE);
    for (size_t i = 0; i < n; i++) {
        write_fault(out, round, i, &faults[i]);
        uint64_t end = faults[i].delay_ms + faults[i].duration_ms;
        over = end > over ? end : over;
    }
    over += 1000; // healing and its verification
    strbuf_addf(out, "  - name: round-%zu-over\n    wait: ", round);
    write_seconds(out, over);
    strbuf_addf(out, "\n    after: round-%zu\n", round);
    return (over + quiet) * MSEC + CONVERGE_USUAL * SEC;
}

static void write_head(struct strbuf *out, const struct random_options *o) {
    strbuf_addf(
        out,
        "title: Random faults, seed %llu\n"
        "lesson: |\n"
        "  Faults drawn by a seed, one to three at a time. After each round all of them are healed, and the cluster\n"
        "  must become complete by itself.\n"
        "\n"
        "  A run that fails can be repeated with the same schedule: bascule run --replay RUN-FOLDER. This file is an\n"
        "  ordinary scenario: cut it down to the round that matters and run it alone.\n"
        "topology: %s\n"
        "set: {patroni.ttl: 20s, patroni.loop_wait: 5s, patroni.retry_timeout: 5s}\n",
        (unsigned long long)o->seed, o->topology_name);
}

static void write_expectations(struct strbuf *out, const struct topology *t) {
    strbuf_add(out, "expect:\n  split_brain: no\n");
    if (t->patroni.synchronous_mode)
        strbuf_add(out, "  lost_writes: 0 # synchronous: what was acknowledged is on two nodes\n");
}

int random_scenario(const struct random_options *o, struct strbuf *out, struct err *err) {
    use_list uses = {0};
    collect(o, &uses);
    if (uses.n == 0)
        return err_set(err, ENOENT, "random mode: this host and topology %s allow none of the faults it may use",
                       o->topology_name);
    struct random r = {splitmix64(o->seed)};
    cleanup_strbuf struct strbuf steps = {0};
    usec_t spent = 0;
    size_t rounds = 0;
    while (rounds == 0 || (spent < o->duration && rounds < RANDOM_ROUNDS_MAX))
        spent += write_round(&steps, &r, o, &uses, ++rounds);
    write_head(out, o);
    strbuf_addf(out, "timeout: %llus\n", (unsigned long long)(spent / SEC + (rounds + 1) * CONVERGE));
    strbuf_addf(out, "steps:\n%s  - name: converged\n    wait: {becomes: cluster is complete, for: 5s, within: %ds}\n",
                strbuf_str(&steps), CONVERGE);
    write_expectations(out, o->t);
    VEC_DONE(&uses);
    return (int)rounds;
}
