// SPDX-License-Identifier: PostgreSQL
#include "lab/cli/simple.h"

static const struct argp_option lab_option = {"lab", 'l', "NAME", 0, "which lab, when several are running", 0};
static const struct argp_option json_option = {"json", 'j', NULL, 0, "print JSON", 0};
static const struct argp_option all_option = {"all", 'a', NULL, 0, "all of them", 0};
static const struct argp_option watch_option = {"watch", 'w', NULL, 0, "again every second, until Ctrl-C", 0};
static const struct argp_option links_option = {"links", 'L', NULL, 0, "who reaches whom, also while nothing is cut",
                                                0};

static const struct argp_option force_option = {
    "force", 'f', NULL, 0, "at once, also one that hangs: nothing is read at its end", 0};
static const struct argp_option names_option = {"names", 'n', NULL, 0, "only their names; no lab is asked", 0};

struct simple {
    struct simple_options *o;
    unsigned flags;
    size_t min_args;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct simple *s = state->input;
    switch (key) {
    case 'l':
        s->o->lab = arg;
        return 0;
    case 'j':
        s->o->json = true;
        return 0;
    case 'a':
        s->o->all = true;
        return 0;
    case 'w':
        s->o->watch = true;
        return 0;
    case 'L':
        s->o->links = true;
        return 0;
    case 'f':
        s->o->force = true;
        return 0;
    case 'n':
        s->o->names = true;
        return 0;
    case ARGP_KEY_ARGS:
        s->o->args = state->argv + state->next;
        s->o->n_args = (size_t)(state->argc - state->next);
        if (s->flags & SIMPLE_NO_ARGS)
            argp_error(state, "unexpected argument '%s'", s->o->args[0]);
        return 0;
    case ARGP_KEY_END:
        if (s->o->n_args < s->min_args)
            argp_error(state, "an argument is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void simple_parse(const char *name, unsigned flags, const char *usage, const char *doc, size_t min_args, int argc,
                  char **argv, struct simple_options *ret) {
    struct argp_option options[8] = {{0}};
    size_t n = 0;
    if (flags & SIMPLE_LAB)
        options[n++] = lab_option;
    if (flags & SIMPLE_JSON)
        options[n++] = json_option;
    if (flags & SIMPLE_ALL)
        options[n++] = all_option;
    if (flags & SIMPLE_WATCH)
        options[n++] = watch_option;
    if (flags & SIMPLE_LINKS)
        options[n++] = links_option;
    if (flags & SIMPLE_NAMES)
        options[n++] = names_option;
    if (flags & SIMPLE_FORCE)
        options[n++] = force_option;
    struct simple s = {.o = ret, .flags = flags, .min_args = min_args};
    struct argp argp = {options, parse, usage, doc, NULL, NULL, NULL};
    cli_parse(&argp, name, argc, argv, flags & SIMPLE_IN_ORDER ? ARGP_IN_ORDER : 0, &s);
}
