// SPDX-License-Identifier: PostgreSQL
// bascule shell, exec, psql: on a node, as its postgres user, with the terminal that we have.
#include "lab/cli/simple.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"
#include "lab/node/enter.h"
#include "lab/node/places.h"

// The words of the command for the run's log: "kill -9 42". A NULL-terminated list; "" for a shell.
static char *in_words(const char *const *argv) {
    struct strbuf words = {0};
    for (; *argv; argv++)
        strbuf_addf(&words, "%s%s", words.len ? " " : "", *argv);
    return words.data ? words.data : xstrdup("");
}

// verb and words go into the log: what a person does inside a machine belongs to the run's story.
static int enter(const char *lab, const char *verb, const char *node, const char *const *argv,
                 const char *const *said) {
    struct err err = {0};
    cleanup_close int fd = client_connect(lab, &err);
    if (fd < 0)
        return cli_fail(EXIT_USAGE, &err);
    cleanup_json cJSON *request = cJSON_CreateObject(), *reply = NULL;
    (void)cJSON_AddStringToObject(request, "cmd", "enter");
    (void)cJSON_AddStringToObject(request, "node", node);
    (void)cJSON_AddStringToObject(request, "verb", verb);
    cleanup_free char *words = in_words(said);
    (void)cJSON_AddStringToObject(request, "words", words);
    int ns[NODE_NS_COUNT];
    if (client_request(fd, request, &reply, ns, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    (void)close(STEAL_FD(fd)); // a session may last for days; the supervisor's places for askers are few
    int r = node_enter_exec(ns, argv, NULL, &err);
    for (size_t i = 0; i < NODE_NS_COUNT; i++)
        if (ns[i] >= 0)
            (void)close(ns[i]);
    return r < 0 ? cli_fail(EXIT_BROKEN, &err) : r;
}

int shell_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("shell", SIMPLE_LAB, "NODE", "A login shell on a node: look around with patronictl, etcdctl, psql.", 1,
                 argc, argv, &o);
    return enter(o.lab, "shell", o.args[0], (const char *const[]){"/bin/bash", "-l", NULL},
                 (const char *const[]){NULL});
}

int exec_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("exec", SIMPLE_LAB | SIMPLE_IN_ORDER, "NODE [--] COMMAND [ARG...]",
                 "Runs a command on a node and gives its exit code.", 2, argc, argv, &o);
    char **args = o.args + 1;
    if (str_eq(*args, "--"))
        args++;
    if (!*args) {
        log_error("exec: which command?");
        return EXIT_USAGE;
    }
    return enter(o.lab, "exec", o.args[0], (const char *const *)args, (const char *const *)args);
}

int psql_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("psql", SIMPLE_LAB | SIMPLE_IN_ORDER, "NODE [PSQL OPTION...]",
                 "psql on a node, as superuser over its socket.", 1, argc, argv, &o);
    const char **args = xcalloc(o.n_args + 8, sizeof *args);
    size_t n = 0;
    args[n++] = "psql";
    args[n++] = "-h";
    args[n++] = STACK_PGSOCKET;
    for (size_t i = 1; i < o.n_args; i++)
        if (i > 1 || !str_eq(o.args[i], "--"))
            args[n++] = o.args[i];
    int code = enter(o.lab, "psql", o.args[0], args, args + 3);
    free(args);
    return code;
}
