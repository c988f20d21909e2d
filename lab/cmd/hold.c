// SPDX-License-Identifier: PostgreSQL
// bascule hold, next, go: stepping through a scenario by hand.
#include "lab/cli/simple.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"

static int ask(const char *verb, const char *doc, int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse(verb, SIMPLE_LAB | SIMPLE_NO_ARGS, "", doc, 0, argc, argv, &o);
    struct err err = {0};
    cleanup_json cJSON *reply = NULL;
    cleanup_close int fd = client_connect(o.lab, &err);
    if (fd < 0 || client_command(fd, verb, &reply, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    (void)printf("%s\n", json_str(reply, "words", "done"));
    return EXIT_PASS;
}

int hold_main(int argc, char **argv) {
    return ask("hold",
               "Holds the scenario of a running lab: no further step starts until `bascule next` or `bascule go`.",
               argc, argv);
}

int next_main(int argc, char **argv) {
    return ask("next", "Lets a held scenario take one step: its delay is over, its condition must still become true.",
               argc, argv);
}

int go_main(int argc, char **argv) {
    return ask("go", "Lets a held scenario go on by itself.", argc, argv);
}
