// SPDX-License-Identifier: PostgreSQL
// bascule: the table of commands.
#include <stdio.h>
#include <stdlib.h>

#include "lab/base/terminal.h"
#include "lab/cmd/cmd.h"
#include "lab/cmd/image/image.h"
#include "lab/cmd/limits.h"
#include "lab/cmd/matrix/matrix.h"

static const struct command commands[] = {
    {"run", "run scenarios: start a lab, inject, measure, give a verdict", run_main},
    {"matrix", "run scenarios on several images (Debian releases) and compare", matrix_main},
    {"up", "start a lab and leave it standing", up_main},
    {"top", "the dashboard: watch a running lab, break it, heal it", top_main},
    {"status", "what the cluster looks like now", status_main},
    {"inject", "inject a fault by hand", inject_main},
    {"heal", "undo an injection, or all of them", heal_main},
    {"hold", "hold the scenario of a lab before its next step", hold_main},
    {"next", "let a held scenario take one step", next_main},
    {"go", "let a held scenario go on by itself", go_main},
    {"shell", "a shell on a node", shell_main},
    {"exec", "run a command on a node", exec_main},
    {"psql", "psql on a node", psql_main},
    {"logs", "the daemons' logs of a node", logs_main},
    {"list", "the labs that you are running", list_main},
    {"down", "end a lab", down_main},
    {"scenarios", "the shipped scenarios, by what they teach", scenarios_main},
    {"check", "check scenario and topology files without running them", check_main},
    {"replay", "the dashboard over a recorded run", replay_main},
    {"runs", "your recorded runs; `runs prune` removes old ones", runs_main},
    {"report", "tell a recorded run again", report_main},
    {"compare", "recorded runs beside each other", compare_main},
    {"faults", "the catalogue of faults", faults_main},
    {"settings", "what --set and a topology take", settings_main},
    {"image", "Debian releases as the nodes' world: build, list and more", image_main},
    {"doctor", "what this host can do and what is missing", doctor_main},
};

static void help(FILE *out) {
    (void)fprintf(
        out,
        "Usage: bascule COMMAND [OPTION...]\n"
        "A failure-injection lab for PostgreSQL high availability: real daemons, real faults, measured recovery.\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        (void)fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(
        out,
        "\n  bascule COMMAND --help tells more. First steps: bascule doctor, then\n"
        "  bascule run leader-crash\n\n"
        "Exit codes: 0 pass, 1 an expectation failed, 2 usage or bad file, 3 the lab broke, 4 skipped or invalid,\n"
        "5 known defect.\n");
}

static const struct command *find(const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (str_eq(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int unknown(const char *name) {
    const char *words[ARRAY_SIZE(commands) + 1] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        words[i] = commands[i].name;
    const char *near = str_nearest(name, words);
    if (near)
        log_error("unknown command '%s' (did you mean '%s'?)", name, near);
    else
        log_error("unknown command '%s' (`bascule --help` lists them)", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    const char *debug = getenv("BASCULE_DEBUG");
    terminal_guard();
    log_setup(debug && *debug && !str_eq(debug, "0") ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, STDERR_FILENO);
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (str_eq(argv[1], "--help") || str_eq(argv[1], "-h") || str_eq(argv[1], "help")) {
        help(stdout);
        return EXIT_PASS;
    }
    if (str_eq(argv[1], "--version") || str_eq(argv[1], "-V")) {
        (void)printf("bascule %s\n", BASCULE_VERSION);
        return EXIT_PASS;
    }
    const struct command *c = find(argv[1]);
    struct err err = {0};
    if (limits_check(&err) < 0)
        return cli_fail(EXIT_SKIPPED, &err);
    return c ? c->main(argc - 1, argv + 1) : unknown(argv[1]);
}
