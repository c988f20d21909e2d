// SPDX-License-Identifier: PostgreSQL
#include "lab/base/json.h"

const char *json_str(const cJSON *o, const char *key, const char *fallback) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(v) ? v->valuestring : fallback;
}

int64_t json_int(const cJSON *o, const char *key, int64_t fallback) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!cJSON_IsNumber(v) || !(v->valuedouble > -9.2e18 && v->valuedouble < 9.2e18))
        return fallback;
    return (int64_t)v->valuedouble;
}

double json_num(const cJSON *o, const char *key, double fallback) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : fallback;
}

bool json_bool(const cJSON *o, const char *key, bool fallback) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : fallback;
}

// Length of the valid UTF-8 sequence at s (1..4), or 0. Overlong forms and surrogates are refused (RFC 3629, section 4).
static size_t utf8_len(const unsigned char *s) {
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        return (s[1] & 0xC0) == 0x80 ? 2 : 0;
    if ((s[0] & 0xF0) == 0xE0) {
        if ((s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80)
            return 0;
        if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))
            return 0;
        return 3;
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        if ((s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80 || (s[3] & 0xC0) != 0x80)
            return 0;
        if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

void json_quote(struct strbuf *out, const char *s) {
    strbuf_addn(out, "\"", 1);
    const unsigned char *p = (const unsigned char *)s;
    while (*p) {
        if (*p == '"' || *p == '\\') {
            char two[2] = {'\\', (char)*p++};
            strbuf_addn(out, two, 2);
        } else if (*p == '\n') {
            strbuf_addn(out, "\\n", 2);
            p++;
        } else if (*p < 0x20 || *p == 0x7f) {
            strbuf_addf(out, "\\u%04x", *p++);
        } else {
            size_t n = utf8_len(p);
            if (n == 0) {
                strbuf_add(out, "\xEF\xBF\xBD");
                p++;
            } else {
                strbuf_addn(out, (const char *)p, n);
                p += n;
            }
        }
    }
    strbuf_addn(out, "\"", 1);
}
