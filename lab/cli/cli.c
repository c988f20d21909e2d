// SPDX-License-Identifier: PostgreSQL
#include "lab/cli/cli.h"

#include <getopt.h>

#include "lab/base/vec.h"

// Many type -h; argp's own short form is -?. Only as the first word: after it, `exec n1 -- ls -h` is somebody else's option.
static void accept_h(int argc, char **argv) {
    static char help[] = "--help";
    if (argc > 1 && str_eq(argv[1], "-h"))
        argv[1] = help;
}

// ---- did you mean -----------------------------------------------------------------------------------------------------

typedef VEC(struct option) option_list;

static void add_options(const struct argp *argp, option_list *longs, struct strbuf *shorts) {
    for (const struct argp_option *o = argp->options; o && (o->name || o->key); o++) {
        const char *colons = !o->arg ? "" : o->flags & OPTION_ARG_OPTIONAL ? "::" : ":";
        if (o->name)
            VEC_PUSH(longs, ((struct option){.name = o->name, .has_arg = (int)strlen(colons)}));
        if (o->key > ' ' && o->key < 127)
            strbuf_addf(shorts, "%c%s", o->key, colons);
    }
    for (const struct argp_child *c = argp->children; c && c->argp; c++)
        add_options(c->argp, longs, shorts);
}

// The first word that is no option of the table, or NULL. getopt itself looks for it, with the rules that argp will go by: what is the
// argument of another option, and where options end.
static const char *first_unknown(const option_list *longs, const char *shorts, unsigned flags, int argc, char **argv) {
    VEC(char *) words = {0}; // it sorts them
    for (int i = 0; i < argc; i++)
        VEC_PUSH(&words, argv[i]);
    VEC_PUSH(&words, NULL);
    cleanup_free char *rules = xasprintf("%s%s", flags & ARGP_IN_ORDER ? "+" : "", shorts);
    opterr = optind = 0;
    int c;
    while ((c = getopt_long(argc, words.items, rules, longs->items, NULL)) != -1 && c != '?')
        ;
    const char *word = c == '?' ? words.items[optind - 1] : NULL;
    opterr = 1;
    VEC_DONE(&words);
    return word && str_starts(word, "--") ? word + strlen("--") : NULL;
}

// The option that a misspelt one looks like, or NULL. The beginning of an option's name is none that is misspelt.
static const char *nearest_option(const option_list *longs, const char *typed) {
    cleanup_free char *name = xstrndup(typed, strcspn(typed, "="));
    VEC(const char *) words = {0};
    bool beginning = false;
    VEC_FOREACH (longs, o) {
        VEC_PUSH(&words, o->name);
        beginning = beginning || (o->name && str_starts(o->name, name));
    }
    const char *near = beginning ? NULL : str_nearest(name, words.items);
    VEC_DONE(&words);
    return near;
}

// argp says of a misspelt option that it knows none of that name, and no more.
static void refuse_misspelt(const struct argp *argp, const char *command, unsigned flags, int argc, char **argv) {
    static const struct option ours[] = {{.name = "help"}, {.name = "usage"}, {0}};
    option_list longs = {0};
    cleanup_strbuf struct strbuf shorts = {0};
    add_options(argp, &longs, &shorts);
    strbuf_add(&shorts, "?");
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        VEC_PUSH(&longs, ours[i]);
    const char *typed = first_unknown(&longs, strbuf_str(&shorts), flags, argc, argv),
               *near = typed ? nearest_option(&longs, typed) : NULL;
    VEC_DONE(&longs);
    if (!near)
        return;
    log_error("%s: unknown option '--%.*s' (did you mean '--%s'?)", command, (int)strcspn(typed, "="), typed, near);
    exit(EXIT_USAGE);
}

void cli_parse(const struct argp *argp, const char *name, int argc, char **argv, unsigned flags, void *input) {
    cleanup_free char *full = xasprintf("bascule %s", name);
    char *saved = argv[0];
    argv[0] = full;
    accept_h(argc, argv);
    refuse_misspelt(argp, name, flags, argc, argv);
    argp_err_exit_status = EXIT_USAGE;
    error_t r = argp_parse(argp, argc, argv, flags, NULL, input);
    argv[0] = saved;
    if (r != 0) {
        log_error("%s: %s", name, strerror(r));
        exit(EXIT_USAGE);
    }
}

int cli_fail(int code, const struct err *err) {
    log_error("%s", err->msg);
    return code == EXIT_USAGE && err->code == ETIMEDOUT ? EXIT_BROKEN : code; // a lab that hangs is no wrong use
}

int cli_worse(int a, int b) {
    static const int rank[] = {[EXIT_PASS] = 0,        [EXIT_SKIPPED] = 1, [EXIT_KNOWN_DEFECT] = 2,
                               [EXIT_EXPECTATION] = 3, [EXIT_USAGE] = 4,   [EXIT_BROKEN] = 5};
    return rank[a] >= rank[b] ? a : b;
}
