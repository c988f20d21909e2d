// SPDX-License-Identifier: PostgreSQL
// All labs are asked at once, so that several that hang take no longer than one.
#include <sys/types.h>

#include "lab/cli/simple.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"
#include "lab/sandbox/sandbox.h"

struct asked {
    int fd; // < 0: could not be asked
    usec_t at;
    struct err err;
};

static void ask(const struct lab_ref *lab, struct asked *a) {
    cleanup_json cJSON *request = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(request, "cmd", "status");
    a->fd = lab_socket_connect(lab, &a->err);
    a->at = usec_now();
    if (a->fd >= 0 && client_send(a->fd, request, &a->err) < 0)
        (void)close(STEAL_FD(a->fd));
}

// What can be said of a lab whose supervisor does not answer, by the keys of a status.
static cJSON *silent_status(const struct lab_ref *lab, const struct err *why) {
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(o, "lab", lab->name);
    (void)cJSON_AddStringToObject(o, "state", "no answer");
    (void)cJSON_AddStringToObject(o, "run_dir", lab->run_dir);
    (void)cJSON_AddNumberToObject(o, "supervisor_pid", lab->pid);
    (void)cJSON_AddBoolToObject(o, "healthy", false);
    (void)cJSON_AddStringToObject(o, "why", why->msg);
    return o;
}

static void tell_lab(const struct lab_ref *lab, struct asked *a, bool json, cJSON *array) {
    cleanup_json cJSON *status = NULL;
    int r = a->fd < 0 ? -a->err.code : client_receive(a->fd, a->at, &status, NULL, &a->err);
    if (r == -ECONNREFUSED || r == -ECONNRESET)
        return; // it ended between the list and the answer
    if (r < 0)
        status = silent_status(lab, &a->err);
    if (json) {
        (void)cJSON_AddItemToArray(array, STEAL(status));
        return;
    }
    (void)printf("%-24s %-11s %-20s %-20s %s\n", lab->name, json_str(status, "state", "?"),
                 json_str(status, "topology", ""), json_str(status, "scenario", ""),
                 json_bool(status, "healthy", false) ? "healthy" : json_str(status, "why", ""));
}

static cJSON *ask_all(const lab_list *labs, bool json) {
    cJSON *array = cJSON_CreateArray();
    cleanup_free struct asked *all = xcalloc(labs->n + 1, sizeof *all);
    for (size_t i = 0; i < labs->n; i++)
        ask(&labs->items[i], &all[i]);
    for (size_t i = 0; i < labs->n; i++) {
        tell_lab(&labs->items[i], &all[i], json, array);
        if (all[i].fd >= 0)
            (void)close(all[i].fd);
    }
    return array;
}

int list_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("list", SIMPLE_JSON | SIMPLE_NAMES | SIMPLE_NO_ARGS, "", "Lists the labs that you are running.", 0,
                 argc, argv, &o);
    struct err err = {0};
    lab_list labs = {0};
    if (sandbox_drop_root(&err) < 0 || lab_list_running(&labs, &err) < 0)
        return cli_fail(EXIT_BROKEN, &err);
    if (o.names) {
        VEC_FOREACH (&labs, l)
            (void)printf("%s\n", l->name);
        VEC_DONE(&labs);
        return EXIT_PASS;
    }
    if (labs.n == 0 && !o.json)
        (void)printf("no lab is running\n");
    cleanup_json cJSON *array = ask_all(&labs, o.json);
    if (o.json) {
        char *text = cJSON_Print(array);
        (void)printf("%s\n", text);
        cJSON_free(text);
    }
    VEC_DONE(&labs);
    return EXIT_PASS;
}
