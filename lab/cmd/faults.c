// SPDX-License-Identifier: PostgreSQL
// bascule faults: the catalogue, from the same table that scenarios are checked against.
#include "injector/fault.h"
#include "lab/cmd/simple.h"

static void tell_params(const struct mechanism *m) {
    for (const struct mechanism_param *p = m->params; p && p->name; p++) {
        (void)printf("  %-12s %s", p->name, p->help);
        if (p->words)
            (void)printf(" (%s)", p->words);
        (void)printf("; %s%s\n", p->fallback ? "default " : "required",
                     p->fallback ? (*p->fallback ? p->fallback : "none") : "");
    }
}

static int tell_one(const char *name) {
    const struct mechanism *m = vocabulary_find(fault_vocabulary(), name);
    if (!m) {
        log_error("there is no fault or action '%s' (`bascule faults` lists them)", name);
        return EXIT_USAGE;
    }
    (void)printf("%s: %s\n", m->name, m->summary);
    tell_params(m);
    const struct fault_ops *ops = m->action ? NULL : fault_find(name);
    if (!ops)
        return EXIT_PASS;
    (void)printf("\nMechanism:   %s\nStill works: %s\nTeaches:     %s\nNeeds:       %s\n", ops->mechanism,
                 ops->still_works, ops->exercises, ops->needs);
    return EXIT_PASS;
}

int faults_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("faults", 0, "[NAME]", "Lists the faults and actions, or explains one.", 0, argc, argv, &o);
    if (o.n_args)
        return tell_one(o.args[0]);
    const struct vocabulary *v = fault_vocabulary();
    for (int actions = 0; actions < 2; actions++) {
        (void)printf("%s%s\n", actions ? "\n" : "", actions ? "Actions (do:)" : "Faults (inject:)");
        for (size_t i = 0; i < v->n; i++)
            if (v->mechanisms[i].action == (actions == 1))
                (void)printf("  %-20s %s\n", v->mechanisms[i].name, v->mechanisms[i].summary);
    }
    return EXIT_PASS;
}
