// SPDX-License-Identifier: PostgreSQL
#include <sys/types.h>

#include "lab/cmd/client.h"
#include "lab/cmd/simple.h"
#include "lab/sandbox/sandbox.h"
#include "lab/supervisor/lab.h"

static void tell_lab(const char *name, bool json, cJSON *array) {
    struct err err = {0};
    cleanup_close int fd = client_connect(name, &err);
    cleanup_json cJSON *status = NULL;
    if (fd < 0 || client_command(fd, "status", &status, &err) < 0)
        return; // it ended between the list and the question
    if (json) {
        (void)cJSON_AddItemToArray(array, STEAL(status));
        return;
    }
    (void)printf("%-24s %-11s %-20s %-20s %s\n", name, json_str(status, "state", "?"), json_str(status, "topology", ""),
                 json_str(status, "scenario", ""),
                 json_bool(status, "healthy", false) ? "healthy" : json_str(status, "why", ""));
}

int list_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("list", SIMPLE_JSON | SIMPLE_NO_ARGS, "", "Lists the labs that you are running.", 0, argc, argv, &o);
    struct err err = {0};
    name_list names = {0};
    if (sandbox_drop_root(&err) < 0 || lab_names(getuid(), &names, &err) < 0)
        return cmd_fail(EXIT_BROKEN, &err);
    cleanup_json cJSON *array = cJSON_CreateArray();
    if (names.n == 0 && !o.json)
        (void)printf("no lab is running\n");
    VEC_FOREACH (&names, n)
        tell_lab(*n, o.json, array);
    if (o.json) {
        char *text = cJSON_Print(array);
        (void)printf("%s\n", text);
        cJSON_free(text);
    }
    name_list_done(&names);
    return EXIT_PASS;
}
