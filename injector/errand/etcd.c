// SPDX-License-Identifier: PostgreSQL
// etcd's JSON gateway (etcd 3.4, Documentation/dev-guide/api_grpc_gateway.md): keys and values in base64, 64-bit numbers as strings.
#include "injector/errand/errand.h"
#include "lab/node/places.h"
#include "lab/observe/patroni/dcs_json.h"

static const usec_t DEADLINE = 3 * SEC; // an election lasts 1 to 2 s

int64_t etcd_number(const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(v) ? strtoll(v->valuestring, NULL, 10) : json_int(o, key, 0);
}

int64_t etcd_revision(const cJSON *answer) {
    return etcd_number(cJSON_GetObjectItemCaseSensitive(answer, "header"), "revision");
}

cJSON *errand_etcd(const char *path, const char *json, struct strbuf *why) {
    cleanup_strbuf struct strbuf body = {0};
    int status = errand_http("POST", STACK_ETCD_PORT, path, json, DEADLINE, &body);
    cleanup_json cJSON *answer = status ? cJSON_Parse(strbuf_str(&body)) : NULL;
    if (status == 200 && answer)
        return STEAL(answer);
    if (status == 0)
        strbuf_addf(why, "etcd gave no answer: %s", strbuf_str(&body));
    else
        strbuf_addf(why, "etcd refused (HTTP %d): %s", status, json_str(answer, "error", strbuf_str(&body)));
    return NULL;
}

void etcd_ask(struct strbuf *out, const char *key, const char *value, const char *raw) {
    const char *comma = "";
    strbuf_add(out, "{");
    if (key) {
        strbuf_add(out, "\"key\":\"");
        base64_encode(out, key, strlen(key));
        strbuf_add(out, "\"");
        comma = ",";
    }
    if (value) {
        strbuf_addf(out, "%s\"value\":\"", comma);
        base64_encode(out, value, strlen(value));
        strbuf_add(out, "\"");
        comma = ",";
    }
    if (raw)
        strbuf_addf(out, "%s%s", comma, raw);
    strbuf_add(out, "}");
}

void etcd_entry_done(struct etcd_entry *e) {
    free(e->value);
    e->value = NULL;
}

bool etcd_get(const char *key, int64_t revision, struct etcd_entry *ret, struct strbuf *why) {
    cleanup_strbuf struct strbuf ask = {0}, value = {0};
    char raw[48];
    (void)snprintf(raw, sizeof raw, "\"revision\":%" PRId64, revision);
    *ret = (struct etcd_entry){0};
    etcd_ask(&ask, key, NULL, revision ? raw : NULL);
    cleanup_json cJSON *answer = errand_etcd("/v3/kv/range", strbuf_str(&ask), why);
    if (!answer)
        return false;
    const cJSON *kv = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "kvs"), 0);
    if (!kv)
        return true;
    (void)base64_decode(&value, json_str(kv, "value", ""));
    *ret = (struct etcd_entry){.found = true,
                               .value = xstrdup(strbuf_str(&value)),
                               .lease = strtoull(json_str(kv, "lease", "0"), NULL, 10),
                               .create_revision = etcd_number(kv, "create_revision"),
                               .mod_revision = etcd_number(kv, "mod_revision")};
    return true;
}
