// SPDX-License-Identifier: PostgreSQL
// What an administrator does with patronictl, done as patronictl does it: through the REST API (patroni/ctl.py, patroni/api.py).
// Verified, as far as there is something to see: done says what was seen, not what was asked.
#include "injector/fault/check.h"
#include "injector/patroni/patroni.h"
#include "lab/base/fs.h"
#include "lab/node/places.h"

static void refused(struct errand_io *io, int status, const struct strbuf *answer) {
    if (status)
        errand_no(io, "Patroni refused (HTTP %d): %s", status, strbuf_str(answer));
    else
        errand_no(io, "Patroni's REST API gave no answer: %s", strbuf_str(answer));
}

// ---- failover ------------------------------------------------------------------------------------------------------

// No leader in the request: POST /failover works with and without one, and does not look at lag
// (patroni/ha.py, manual_failover_process_no_leader: check_replication_lag=False).
static void failover(struct errand_io *io) {
    cleanup_strbuf struct strbuf body = {0}, answer = {0};
    strbuf_add(&body, "{\"candidate\":");
    json_quote(&body, errand_param(io, "candidate"));
    strbuf_add(&body, "}");
    int status = errand_http("POST", STACK_PATRONI_PORT, "/failover", strbuf_str(&body), 85 * SEC, &answer);
    if (status == 0)
        errand_pass(io, "Patroni's REST API on %s gave no answer: %s", io->node, strbuf_str(&answer));
    else if (status == 200)
        errand_ok(io, 0, "%s", strbuf_str(&answer));
    else
        refused(io, status, &answer);
}

// ---- restart, reload, reinit ---------------------------------------------------------------------------------------

static void restart(struct errand_io *io) {
    cleanup_strbuf struct strbuf answer = {0};
    const char *json = str_eq(errand_param(io, "only_pending"), "yes") ? "{\"restart_pending\":true}" : "{}";
    int status = errand_http("POST", STACK_PATRONI_PORT, "/restart", json, 110 * SEC, &answer);
    if (status == 200)
        errand_ok(io, 0, "%s", strbuf_str(&answer));
    else
        refused(io, status, &answer);
}

// 202 says "scheduled": the next loop reads the file. config.yml was changed before, or there is nothing to see.
static void reload(struct errand_io *io) {
    cleanup_strbuf struct strbuf answer = {0};
    int status = errand_http("POST", STACK_PATRONI_PORT, "/reload", "{}", 10 * SEC, &answer);
    if (status == 202)
        errand_ok(io, 0, "%s", strbuf_str(&answer));
    else
        refused(io, status, &answer);
}

// Started, then over: first the state leaves "running", then it is running (or streaming, since 3.1) again.
static void reinit(struct errand_io *io) {
    cleanup_strbuf struct strbuf answer = {0};
    int status = errand_http("POST", STACK_PATRONI_PORT, "/reinitialize", "{\"force\":true}", 15 * SEC, &answer);
    if (status != 200) {
        refused(io, status, &answer);
        return;
    }
    bool left = false;
    for (usec_t end = usec_now() + 85 * SEC; usec_now() < end && !errand_stopped(io, 100 * MSEC);) {
        cleanup_json cJSON *now = patroni_get("/patroni", 2 * SEC);
        const char *state = json_str(now, "state", "");
        bool running = str_eq(state, "running") || str_eq(state, "streaming");
        left = left || (now && !running);
        if (left && running) {
            errand_ok(io, usec_now(), "copied anew from the leader; state %s, role %s", state,
                      json_str(now, "role", "?"));
            return;
        }
    }
    errand_no(io, left ? "the copy was begun and is not over" : "Patroni accepted it and never began");
}

// ---- pause, resume, settings ---------------------------------------------------------------------------------------

static bool is_paused(const cJSON *status, void *arg) {
    return json_bool(status, "pause", false) == *(const bool *)arg;
}

static void set_pause(struct errand_io *io, bool paused) {
    cleanup_strbuf struct strbuf seen = {0};
    if (!patroni_patch(io, paused ? "{\"pause\":true}" : "{\"pause\":null}"))
        return;
    // Each Patroni sees it in its next loop: loop_wait at the latest, which is at most a minute here.
    if (patroni_all(io, is_paused, &paused, 45 * SEC, &seen))
        errand_ok(io, usec_now(), "%s %s", strbuf_str(&seen), paused ? "paused" : "resumed");
    else
        errand_no(io, "not everywhere within 45 s: %s", strbuf_str(&seen));
}

static void do_pause(struct errand_io *io) {
    set_pause(io, true);
}

static void do_resume(struct errand_io *io) {
    set_pause(io, false);
}

// GET /config answers with the cluster as the last HA loop has read it (api.py, do_GET_config: dcs.cluster), so right after PATCH it can
// be the old one. PATCH wakes the loop; when one is running the new value is there after the next, loop_wait later.
static bool config_becomes(struct errand_io *io, const char *key, const cJSON *wanted) {
    const cJSON *should = patroni_config_find(wanted, key);
    usec_t end = usec_now() + 20 * SEC;
    do {
        cleanup_json cJSON *config = patroni_get("/config", 5 * SEC);
        const cJSON *is = patroni_config_find(config, key);
        if (config && (cJSON_IsNull(should) ? !is : cJSON_Compare(is, should, true)))
            return true;
    } while (usec_now() < end && !errand_stopped(io, 100 * MSEC));
    return false;
}

static void edit_config(struct errand_io *io) {
    cleanup_strbuf struct strbuf patch = {0};
    const char *key = errand_param(io, "key");
    patroni_config_patch(&patch, key, errand_param(io, "value"));
    if (!patroni_patch(io, strbuf_str(&patch)))
        return;
    cleanup_json cJSON *wanted = cJSON_Parse(strbuf_str(&patch));
    if (config_becomes(io, key, wanted))
        errand_ok(io, usec_now(), "PATCH /config %s, read back", strbuf_str(&patch));
    else
        errand_no(io, "PATCH /config %s was accepted, but does not read back within 20 s", strbuf_str(&patch));
}

// ---- tags ----------------------------------------------------------------------------------------------------------

// The line "  TAG: VALUE ..." below "tags:", as conf_patroni writes it.
static bool set_tag(const char *text, const char *tag, const char *value, struct strbuf *out) {
    const char *section = strstr(text, "\ntags:\n");
    cleanup_free char *start = xasprintf("\n  %s:", tag);
    const char *line = section ? strstr(section, start) : NULL;
    if (!line)
        return false;
    const char *end = strchr(line + 1, '\n');
    strbuf_addn(out, text, (size_t)(line - text));
    strbuf_addf(out, "%s %s", start, value);
    strbuf_add(out, end ? end : "\n");
    return true;
}

static bool write_tag(struct errand_io *io, const char *tag, const char *value) {
    cleanup_strbuf struct strbuf text = {0}, changed = {0};
    struct err err = {0};
    if (fs_read(STACK_PATRONI_CONF, 1 << 20, &text, &err) < 0)
        errand_no(io, "%s", err.msg);
    else if (!set_tag(strbuf_str(&text), tag, value, &changed))
        errand_no(io, "%s has no line for the tag %s", STACK_PATRONI_CONF, tag);
    else if (fs_write(STACK_PATRONI_CONF, changed.data, changed.len, 0644, &err) < 0)
        errand_no(io, "%s", err.msg);
    return !io->told;
}

static bool shows_tag(const char *name, const char *tag, bool on) {
    cleanup_json cJSON *cluster = patroni_get("/cluster", 2 * SEC);
    const cJSON *m;
    cJSON_ArrayForEach (m, cJSON_GetObjectItemCaseSensitive(cluster, "members"))
        if (str_eq(json_str(m, "name", ""), name))
            return json_bool(cJSON_GetObjectItemCaseSensitive(m, "tags"), tag, false) == on;
    return false;
}

static void set_tags(struct errand_io *io) {
    const char *tag = errand_param(io, "tag");
    bool on = str_eq(errand_param(io, "value"), "yes");
    cleanup_strbuf struct strbuf answer = {0};
    if (!write_tag(io, tag, on ? "true" : "false"))
        return;
    if (errand_http("POST", STACK_PATRONI_PORT, "/reload", "{}", 10 * SEC, &answer) != 202) {
        errand_no(io, "reload: %s", strbuf_str(&answer));
        return;
    }
    // The others know it from the member's key in the DCS, which it writes in its next loop: a failover looks there.
    for (usec_t end = usec_now() + 30 * SEC; usec_now() < end && !errand_stopped(io, 100 * MSEC);)
        if (shows_tag(io->node, tag, on)) {
            errand_ok(io, usec_now(), "GET /cluster shows the tag %s of %s %s", tag, io->node, on ? "set" : "gone");
            return;
        }
    errand_no(io, "%s is changed, but the cluster does not show it within 30 s", STACK_PATRONI_CONF);
}

// ---- the table -----------------------------------------------------------------------------------------------------

static int check_members(const struct topology *t, const setting_list *params, struct err *err) {
    (void)params;
    return topology_count(t, SERVICE_POSTGRES) > 1
               ? 0
               : err_set(err, EINVAL, "it needs two PostgreSQL nodes; topology %s has one",
                         t->name ? t->name : "(inline)");
}

static int check_patroni(const struct topology *t, const struct node_def *n, const setting_list *params,
                         struct err *err) {
    (void)params;
    return check_service_on(t, n, "patroni", err);
}

static const struct mechanism_param failover_params[] = {{"candidate", "nodes", NULL, NULL, "who is to lead"}, {0}};
static const struct mechanism_param restart_params[] = {
    {"only_pending", "word", "yes|no", "no", "only where a changed setting waits for a restart"}, {0}};
static const struct mechanism_param config_params[] = {
    {"key", "text", NULL, NULL, "path in the dynamic configuration: ttl, postgresql.parameters.max_connections, ..."},
    {"value", "text", NULL, "", "the new value; empty = the key is removed"},
    {0}};
static const struct mechanism_param tag_params[] = {
    {"tag", "word", "nofailover|noloadbalance|clonefrom|nosync", NULL, "which tag"},
    {"value", "word", "yes|no", "yes", "set or not"},
    {0}};

static const struct action_row rows[] = {
    {.about = {.name = "cluster.failover",
               .action = true,
               .no_target = true,
               .summary = "makes a chosen node the leader, with or without a leader now, whatever its lag",
               .params = failover_params},
     .how = "POST /failover to the first Patroni that answers, as `patronictl failover --force` does.",
     .check = check_members,
     .errand = {ERRAND_PATRONI, failover},
     .patience = 90 * SEC},
    {.about = {.name = "cluster.restart",
               .action = true,
               .summary = "restarts PostgreSQL on a node",
               .params = restart_params},
     .how = "POST /restart to its Patroni, as `patronictl restart` does; over when PostgreSQL runs again.",
     .check_node = check_patroni,
     .errand = {ERRAND_TARGETS, restart},
     .patience = 115 * SEC},
    {.about = {.name = "cluster.reload", .action = true, .summary = "lets Patroni read its file again"},
     .how =
         "POST /reload to its Patroni, as `patronictl reload` does; it answers \"scheduled\", the next loop does it.",
     .check_node = check_patroni,
     .errand = {ERRAND_TARGETS, reload}},
    {.about = {.name = "cluster.reinit",
               .action = true,
               .summary = "throws a replica's data away and copies them anew"},
     .how = "POST /reinitialize to its Patroni, as `patronictl reinit --force --wait` does.",
     .check_node = check_patroni,
     .errand = {ERRAND_TARGETS, reinit},
     .patience = 100 * SEC},
    {.about = {.name = "cluster.pause",
               .action = true,
               .no_target = true,
               .summary = "switches automatic failover off (maintenance mode)"},
     .how = "PATCH /config with pause, as `patronictl pause --wait` does; over when every member says so.",
     .errand = {ERRAND_PATRONI, do_pause}},
    {.about = {.name = "cluster.resume", .action = true, .no_target = true, .summary = "ends maintenance mode"},
     .how = "PATCH /config without pause, as `patronictl resume --wait` does; over when every member says so.",
     .errand = {ERRAND_PATRONI, do_resume}},
    {.about = {.name = "cluster.edit_config",
               .action = true,
               .no_target = true,
               .summary = "changes one key of the dynamic configuration, sensible or not",
               .params = config_params},
     .how = "PATCH /config, as `patronictl edit-config` does; read back.",
     .errand = {ERRAND_PATRONI, edit_config}},
    {.about = {.name = "cluster.set_tags",
               .action = true,
               .summary = "sets or removes a tag of a node",
               .params = tag_params},
     .how = "Changes the line in the node's config.yml and reloads its Patroni; over when GET /cluster shows it.",
     .check_node = check_patroni,
     .errand = {ERRAND_TARGETS, set_tags}},
};
const struct action_table patroni_actions = {rows, ARRAY_SIZE(rows)};
