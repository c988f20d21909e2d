// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/cmd.h"

// Many type -h; argp's own short form is -?. Only as the first word: after it, `exec n1 -- ls -h` is somebody else's option.
static void accept_h(int argc, char **argv) {
    static char help[] = "--help";
    if (argc > 1 && str_eq(argv[1], "-h"))
        argv[1] = help;
}

void cmd_parse(const struct argp *argp, const char *name, int argc, char **argv, unsigned flags, void *input) {
    cleanup_free char *full = xasprintf("bascule %s", name);
    char *saved = argv[0];
    argv[0] = full;
    accept_h(argc, argv);
    argp_err_exit_status = EXIT_USAGE;
    error_t r = argp_parse(argp, argc, argv, flags, NULL, input);
    argv[0] = saved;
    if (r != 0) {
        log_error("%s: %s", name, strerror(r));
        exit(EXIT_USAGE);
    }
}

int cmd_fail(int code, const struct err *err) {
    log_error("%s", err->msg);
    return code;
}

int cmd_worse(int a, int b) {
    static const int rank[] = {[EXIT_PASS] = 0,        [EXIT_SKIPPED] = 1, [EXIT_KNOWN_DEFECT] = 2,
                               [EXIT_EXPECTATION] = 3, [EXIT_USAGE] = 4,   [EXIT_BROKEN] = 5};
    return rank[a] >= rank[b] ? a : b;
}
