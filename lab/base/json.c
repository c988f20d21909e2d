// SPDX-License-Identifier: PostgreSQL
#include "lab/base/json.h"

#include "lab/base/utf8.h"

const char *json_str(const cJSON *o, const char *key, const char *fallback) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(v) ? v->valuestring : fallback;
}

int64_t json_whole(const cJSON *v, int64_t fallback) {
    // A cast of a double beyond the type's range is undefined behaviour, and 2^63 itself is beyond it.
    if (!cJSON_IsNumber(v) || !(v->valuedouble > -9.2e18 && v->valuedouble < 9.2e18))
        return fallback;
    return (int64_t)v->valuedouble;
}

int64_t json_int(const cJSON *o, const char *key, int64_t fallback) {
    return json_whole(cJSON_GetObjectItemCaseSensitive(o, key), fallback);
}

double json_num(const cJSON *o, const char *key, double fallback) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : fallback;
}

bool json_bool(const cJSON *o, const char *key, bool fallback) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : fallback;
}

void json_quote(struct strbuf *out, const char *s) {
    strbuf_addn(out, "\"", 1);
    const char *p = s;
    while (*p) {
        if (*p == '"' || *p == '\\') {
            char two[2] = {'\\', *p++};
            strbuf_addn(out, two, 2);
        } else if (*p == '\n') {
            strbuf_addn(out, "\\n", 2);
            p++;
        } else if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            strbuf_addf(out, "\\u%04x", (unsigned char)*p++);
        } else {
            size_t n = utf8_len(p);
            if (n == 0) {
                strbuf_add(out, UTF8_REPLACEMENT);
                p++;
            } else {
                strbuf_addn(out, p, n);
                p += n;
            }
        }
    }
    strbuf_addn(out, "\"", 1);
}
