// SPDX-License-Identifier: PostgreSQL
#include "lab/observe/patroni/patroni_json.h"

#include <stdio.h>

#include "lab/base/json.h"
#include "lab/stack/patroni/versions.h"

static lsn_t position(const cJSON *xlog, const char *key) {
    int64_t v = json_int(xlog, key, 0); // a byte count, exact below 2^53
    return v > 0 ? (lsn_t)v : 0;
}

bool patroni_read_state(const char *json, struct event *ev) {
    cleanup_json cJSON *o = cJSON_Parse(json);
    if (!cJSON_IsObject(o))
        return false;
    const cJSON *xlog = cJSON_GetObjectItemCaseSensitive(o, "xlog");
    bool sync = json_bool(o, "sync_standby", false) || json_bool(o, "quorum_standby", false);
    ev->u.MANAGER.role = patroni_role(json_str(o, "role", ""), sync);
    STR_COPY(ev->u.MANAGER.state, json_str(o, "state", ""));
    ev->u.MANAGER.timeline = json_int(o, "timeline", 0);
    ev->u.MANAGER.lsn = position(xlog, "location");
    if (!ev->u.MANAGER.lsn)
        ev->u.MANAGER.lsn = position(xlog, "received_location");
    ev->u.MANAGER.replayed = position(xlog, "replayed_location");
    ev->u.MANAGER.paused = json_bool(o, "pause", false);
    ev->u.MANAGER.pending_restart = json_bool(o, "pending_restart", false);
    ev->u.MANAGER.dcs_last_seen = json_int(o, "dcs_last_seen", 0);
    return true;
}

// ---- configuration ---------------------------------------------------------------------------------------------------
struct config_reader {
    void (*fn)(void *arg, const char *key, const char *value);
    void *arg;
};

static bool is_whole_number(double v) {
    return v > -9e15 && v < 9e15 && v == (double)(int64_t)v;
}

static void emit_setting(const struct config_reader *c, const char *prefix, const char *key, const cJSON *v) {
    char name[EVENT_NAME_MAX], number[40];
    const char *value = number;
    if (cJSON_IsString(v))
        value = v->valuestring;
    else if (cJSON_IsBool(v))
        value = cJSON_IsTrue(v) ? "true" : "false";
    else if (cJSON_IsNumber(v) && is_whole_number(v->valuedouble))
        (void)snprintf(number, sizeof number, "%.0f", v->valuedouble);
    else if (cJSON_IsNumber(v))
        (void)snprintf(number, sizeof number, "%g", v->valuedouble);
    else
        return; // lists, objects and null say nothing that a bound is computed from
    (void)snprintf(name, sizeof name, "%s%s", prefix, key);
    c->fn(c->arg, name, value);
}

static void tell_all(const struct config_reader *c, const char *prefix, const cJSON *o) {
    const cJSON *v;
    cJSON_ArrayForEach (v, o)
        if (v->string)
            emit_setting(c, prefix, v->string, v);
}

// Names of before 3.0 still work in 3.x and are what older clusters have stored.
static const char *present_name(const char *key) {
    static const char *const renamed[][2] = {{"master_start_timeout", "primary_start_timeout"},
                                             {"master_stop_timeout", "primary_stop_timeout"}};
    for (size_t i = 0; i < ARRAY_SIZE(renamed); i++)
        if (str_eq(key, renamed[i][0]))
            return renamed[i][1];
    return key;
}

// patroni/config.py, Config.__DEFAULT_CONFIG.
static const char *const defaults[][2] = {{"ttl", "30"},
                                          {"loop_wait", "10"},
                                          {"retry_timeout", "10"},
                                          {"maximum_lag_on_failover", "1048576"},
                                          {"primary_start_timeout", "300"},
                                          {"primary_stop_timeout", "0"},
                                          {"synchronous_mode", "false"},
                                          {"synchronous_mode_strict", "false"},
                                          {"synchronous_node_count", "1"},
                                          {"failsafe_mode", "false"},
                                          {"check_timeline", "false"}};

static bool has_setting(const cJSON *o, const char *key) {
    const cJSON *v;
    cJSON_ArrayForEach (v, o)
        if (v->string && str_eq(present_name(v->string), key) && !cJSON_IsNull(v))
            return true;
    return false;
}

bool patroni_read_config(const char *json, void (*fn)(void *arg, const char *key, const char *value), void *arg) {
    cleanup_json cJSON *o = cJSON_Parse(json);
    struct config_reader c = {fn, arg};
    const cJSON *v;
    if (!cJSON_IsObject(o))
        return false;
    cJSON_ArrayForEach (v, o)
        if (v->string)
            emit_setting(&c, "patroni.", present_name(v->string), v);
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
        char name[EVENT_NAME_MAX];
        (void)snprintf(name, sizeof name, "patroni.%s", defaults[i][0]);
        if (!has_setting(o, defaults[i][0]))
            fn(arg, name, defaults[i][1]);
    }
    const cJSON *pg = cJSON_GetObjectItemCaseSensitive(o, "postgresql");
    tell_all(&c, "patroni.postgresql.", pg);
    tell_all(&c, "postgresql.", cJSON_GetObjectItemCaseSensitive(pg, "parameters"));
    return true;
}
