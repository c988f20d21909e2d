// SPDX-License-Identifier: PostgreSQL
// bascule inject and bascule heal: faults by hand on a lab that is up. Both wait until the lab has verified what it did.
#include <poll.h>

#include "injector/injector.h"
#include "lab/cli/simple.h"
#include "lab/cmd/client.h"
#include "lab/cmd/cmd.h"

static const int LOOK_EVERY_MS = 50;

// An entry of the list `list` ("faults", "actions") of `bascule status --json`; NULL = there is none with that id.
static const cJSON *find_in_status(const cJSON *status, const char *list, const char *id) {
    const cJSON *entry;
    cJSON_ArrayForEach (entry, cJSON_GetObjectItemCaseSensitive(status, list)) {
        if (str_eq(json_str(entry, "id", ""), id))
            return entry;
    }
    return NULL;
}

static bool is_final(enum fault_phase phase, bool heal) {
    switch (phase) {
    case FAULT_PHASE_FAILED:
    case FAULT_PHASE_HEAL_VERIFIED: // also of an injection: it failed half-way, and what was done is undone already
    case FAULT_PHASE_HEAL_UNVERIFIED:
        return true;
    case FAULT_PHASE_VERIFIED:
    case FAULT_PHASE_UNVERIFIED:
        return !heal;
    case FAULT_PHASE_NONE:
    case FAULT_PHASE_UNKNOWN:
    case FAULT_PHASE_ASKED:
    case FAULT_PHASE_EFFECTIVE:
    case FAULT_PHASE_HEAL_ASKED:
    case FAULT_PHASE_HEALED:
        return false;
    }
    return false;
}

// Waits for the last phase of one fault. The supervisor bounds each phase, so this ends; the limit is for a lab that dies.
static int wait_for(int fd, const char *id, bool heal, struct err *err) {
    usec_t limit = usec_now() + 2 * MINUTE;
    while (usec_now() < limit) {
        cleanup_json cJSON *status = NULL;
        int r = client_command(fd, "status", &status, err);
        if (r < 0)
            return r;
        const cJSON *f = find_in_status(status, "faults", id);
        enum fault_phase phase = fault_phase_from(f ? json_str(f, "phase", "") : "");
        bool undone = phase == FAULT_PHASE_HEAL_VERIFIED || phase == FAULT_PHASE_HEAL_UNVERIFIED;
        if (is_final(phase, heal)) {
            const char *nodes = json_str(f, "nodes", ""), *detail = json_str(f, "detail", "");
            (void)printf("%s: %s%s%s: %s%s%s\n", id, json_str(f, "mechanism", ""), *nodes ? " on " : "", nodes,
                         !heal && undone ? "failed, and undone" : fault_phase_name(phase), *detail ? ": " : "", detail);
            return phase == (heal ? FAULT_PHASE_HEAL_VERIFIED : FAULT_PHASE_VERIFIED) ? 0 : -EIO;
        }
        (void)poll(NULL, 0, LOOK_EVERY_MS);
    }
    return err_set(err, ETIMEDOUT, "%s did not come to an end within 2 minutes (see `bascule status`)", id);
}

static int wait_for_action(int fd, const char *id, struct err *err) {
    usec_t limit = usec_now() + 2 * MINUTE;
    while (usec_now() < limit) {
        cleanup_json cJSON *status = NULL;
        int r = client_command(fd, "status", &status, err);
        if (r < 0)
            return r;
        const cJSON *a = find_in_status(status, "actions", id);
        enum action_phase phase = action_phase_from(json_str(a, "phase", ""));
        if (phase == ACTION_PHASE_DONE || phase == ACTION_PHASE_FAILED) {
            const char *detail = json_str(a, "detail", "");
            (void)printf("%s %s%s%s\n", json_str(a, "action", ""), action_phase_name(phase), *detail ? ": " : "",
                         detail);
            return phase == ACTION_PHASE_DONE ? 0 : -EIO;
        }
        (void)poll(NULL, 0, LOOK_EVERY_MS);
    }
    return err_set(err, ETIMEDOUT, "no outcome within 2 minutes (see `bascule status`)");
}

static int make_request(const struct simple_options *o, cJSON *request, struct err *err) {
    const struct mechanism *about = vocabulary_find(fault_vocabulary(), o->args[0]);
    size_t first = about && about->no_target ? 1 : 2;
    if (o->n_args < first)
        return err_set(err, EINVAL, "inject %s on what? (a node, or leader, replica, ...: `bascule faults %s`)",
                       about ? about->name : o->args[0], about ? about->name : o->args[0]);
    (void)cJSON_AddStringToObject(request, "cmd", "inject");
    (void)cJSON_AddStringToObject(request, "fault", o->args[0]);
    (void)cJSON_AddStringToObject(request, "target", first == 2 ? o->args[1] : "");
    cJSON *params = cJSON_AddObjectToObject(request, "params");
    for (size_t i = first; i < o->n_args; i++) {
        char *eq = strchr(o->args[i], '=');
        if (!eq)
            return err_set(err, EINVAL, "parameters are written key=value, not '%s'", o->args[i]);
        *eq = '\0';
        (void)cJSON_AddStringToObject(params, o->args[i], eq + 1);
    }
    return 0;
}

int inject_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("inject", SIMPLE_LAB, "FAULT [TARGET] [KEY=VALUE...]",
                 "Injects a fault into a lab that is up, and waits until it is verified. TARGET is a node or a role "
                 "(leader, replica, "
                 "any_replica, sync_standby, etcd_leader, ...). `bascule faults` lists faults and parameters.",
                 1, argc, argv, &o);
    struct err err = {0};
    cleanup_json cJSON *request = cJSON_CreateObject(), *reply = NULL;
    if (make_request(&o, request, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    cleanup_close int fd = client_connect(o.lab, &err);
    if (fd < 0 || client_request(fd, request, &reply, NULL, &err) < 0)
        return cli_fail(EXIT_USAGE, &err);
    const char *id = json_str(reply, "id", "");
    bool action = json_bool(reply, "action", false);
    int r = action ? wait_for_action(fd, id, &err) : wait_for(fd, id, false, &err);
    if (r == -EIO)
        return action ? EXIT_EXPECTATION : EXIT_SKIPPED;
    return r < 0 ? cli_fail(EXIT_BROKEN, &err) : EXIT_PASS;
}

// The faults that are there to be healed now, before we ask.
static int heal_and_wait(int fd, const char *id, struct err *err) {
    cleanup_json cJSON *status = NULL, *reply = NULL, *request = cJSON_CreateObject();
    int r = client_command(fd, "status", &status, err);
    if (r < 0)
        return r;
    (void)cJSON_AddStringToObject(request, "cmd", "heal");
    if (id)
        (void)cJSON_AddStringToObject(request, "id", id);
    r = client_request(fd, request, &reply, NULL, err);
    if (r < 0)
        return r;
    int worst = 0;
    size_t n = 0;
    const cJSON *f;
    cJSON_ArrayForEach (f, cJSON_GetObjectItemCaseSensitive(status, "faults")) {
        const char *phase = json_str(f, "phase", ""), *its = json_str(f, "id", "");
        if (str_starts(phase, "heal") || str_eq(phase, "failed") || (id && !str_eq(id, its)))
            continue;
        n++;
        r = wait_for(fd, its, true, err);
        worst = r < 0 ? r : worst;
    }
    if (n == 0)
        (void)printf("nothing to heal\n");
    return worst;
}

int heal_main(int argc, char **argv) {
    struct simple_options o = {0};
    simple_parse("heal", SIMPLE_LAB | SIMPLE_ALL, "[ID]",
                 "Undoes an injection (ID as `bascule inject` and `bascule status` say), or all of them.", 0, argc,
                 argv, &o);
    struct err err = {0};
    if (!o.all && o.n_args != 1) {
        (void)err_set(&err, EINVAL, "heal which? Give an ID (`bascule status` lists them), or --all");
        return cli_fail(EXIT_USAGE, &err);
    }
    cleanup_close int fd = client_connect(o.lab, &err);
    if (fd < 0)
        return cli_fail(EXIT_USAGE, &err);
    int r = heal_and_wait(fd, o.all ? NULL : o.args[0], &err);
    if (r == -EIO)
        return EXIT_SKIPPED;
    return r < 0 ? cli_fail(EXIT_USAGE, &err) : EXIT_PASS;
}
