// SPDX-License-Identifier: PostgreSQL
// Patroni's REST API (patroni/api.py), from an errand's process.
#include "injector/patroni/patroni.h"

#include "lab/node/places.h"

const cJSON *patroni_config_find(const cJSON *config, const char *path) {
    cleanup_free char *copy = xstrdup(path);
    char *save = NULL;
    for (char *w = strtok_r(copy, ".", &save); w && config; w = strtok_r(NULL, ".", &save))
        config = cJSON_GetObjectItemCaseSensitive(config, w);
    return config;
}

static void add_value(struct strbuf *out, const char *value) {
    cleanup_json cJSON *json =
        *value ? cJSON_ParseWithOpts(value, NULL, 1) : cJSON_CreateNull(); // 1: "8MB" is no number
    if (!json) {
        json_quote(out, value);
        return;
    }
    char *text = cJSON_PrintUnformatted(json);
    strbuf_add(out, text ? text : "null");
    cJSON_free(text);
}

void patroni_config_patch(struct strbuf *out, const char *path, const char *value) {
    cleanup_free char *copy = xstrdup(path);
    char *save = NULL;
    size_t depth = 0;
    for (char *w = strtok_r(copy, ".", &save); w; w = strtok_r(NULL, ".", &save), depth++) {
        strbuf_add(out, "{");
        json_quote(out, w);
        strbuf_add(out, ":");
    }
    add_value(out, value);
    for (; depth; depth--)
        strbuf_add(out, "}");
}

bool patroni_patch(struct errand_io *io, const char *json) {
    cleanup_strbuf struct strbuf body = {0};
    int status = errand_http("PATCH", STACK_PATRONI_PORT, "/config", json, 15 * SEC, &body);
    if (status == 200)
        return true;
    if (status == 0)
        errand_pass(io, "Patroni's REST API on %s gave no answer: %s", io->node, strbuf_str(&body));
    else
        errand_no(io, "Patroni refused (HTTP %d): %s", status, strbuf_str(&body));
    return false;
}

cJSON *patroni_get(const char *path, usec_t deadline) {
    cleanup_strbuf struct strbuf body = {0};
    return errand_http("GET", STACK_PATRONI_PORT, path, NULL, deadline, &body) ? cJSON_Parse(strbuf_str(&body)) : NULL;
}

// "done" or who is missing. A member that gives no answer is named, and not waited for: it reads its settings when it is back.
static bool look(bool (*is)(const cJSON *, void *), void *arg, struct strbuf *text) {
    cleanup_json cJSON *cluster = patroni_get("/cluster", 3 * SEC);
    const cJSON *m;
    size_t n = 0, missing = 0;
    strbuf_clear(text);
    cJSON_ArrayForEach (m, cJSON_GetObjectItemCaseSensitive(cluster, "members")) {
        cleanup_strbuf struct strbuf body = {0};
        int status = errand_http_url("GET", json_str(m, "api_url", ""), NULL, SEC, &body);
        cleanup_json cJSON *json = status ? cJSON_Parse(strbuf_str(&body)) : NULL;
        n++;
        if (json && is(json, arg))
            continue;
        missing += json != NULL;
        strbuf_addf(text, "%s%s %s", text->len ? ", " : "", json_str(m, "name", "?"),
                    json ? "has not" : "gives no answer");
    }
    if (!text->len)
        strbuf_addf(text, "all %zu members have", n);
    return n > 0 && missing == 0;
}

bool patroni_all(const struct errand_io *io, bool (*is)(const cJSON *status, void *arg), void *arg, usec_t within,
                 struct strbuf *text) {
    for (usec_t end = usec_now() + within; !look(is, arg, text);)
        if (usec_now() >= end || errand_stopped(io, 200 * MSEC))
            return false;
    return true;
}
