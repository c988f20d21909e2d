// SPDX-License-Identifier: PostgreSQL
#include <poll.h>

#include "lab/cmd/client.h"
#include "lab/cmd/simple.h"
#include "lab/sandbox/sandbox.h"
#include "lab/supervisor/lab.h"

// The supervisor closes the connection when it leaves, which is how we know.
static int end_lab(const char *name, struct err *err) {
    cleanup_close int fd = client_connect(name, err);
    if (fd < 0)
        return fd;
    cleanup_json cJSON *status = NULL, *reply = NULL;
    int r = client_command(fd, "status", &status, err);
    if (r == 0)
        r = client_command(fd, "down", &reply, err);
    if (r < 0)
        return r;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 30000) <= 0)
        return err_set(err, ETIMEDOUT, "the lab did not end within 30 s; its supervisor is pid %.0f",
                       json_num(status, "supervisor_pid", 0));
    (void)printf("lab '%s' is down; its run folder stays: %s\n", json_str(status, "lab", ""),
                 json_str(status, "run_dir", ""));
    return 0;
}

int down_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("down", SIMPLE_LAB | SIMPLE_ALL, "[NAME]", "Ends a lab. Nothing of it is left but its run folder.", 0,
                 argc, argv, &o);
    struct err err = {0};
    if (!o.all)
        return end_lab(o.n_args ? o.args[0] : o.lab, &err) < 0 ? cmd_fail(EXIT_USAGE, &err) : EXIT_PASS;
    name_list names = {0};
    if (sandbox_drop_root(&err) < 0 || lab_names(getuid(), &names, &err) < 0)
        return cmd_fail(EXIT_BROKEN, &err);
    int code = EXIT_PASS;
    VEC_FOREACH (&names, n)
        if (end_lab(*n, &err) < 0)
            code = cmd_fail(EXIT_BROKEN, &err);
    name_list_done(&names);
    return code;
}
