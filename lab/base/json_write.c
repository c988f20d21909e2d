// SPDX-License-Identifier: PostgreSQL
#include "lab/base/json_write.h"

#include <inttypes.h>

#include "lab/base/json.h"

static void separate(struct strbuf *out) {
    char last = out->len ? out->data[out->len - 1] : '{';
    if (last != '{' && last != '[' && last != ':')
        strbuf_add(out, ",");
}

void json_put_key(struct strbuf *out, const char *key) {
    separate(out);
    if (!key)
        return;
    json_quote(out, key);
    strbuf_add(out, ":");
}

void json_begin(struct strbuf *out, const char *key, const char *bracket) {
    json_put_key(out, key);
    strbuf_add(out, bracket);
}

void json_end(struct strbuf *out, const char *brackets) {
    strbuf_add(out, brackets);
}

void json_put_text(struct strbuf *out, const char *key, const char *value) {
    json_put_key(out, key);
    json_quote(out, value ? value : "");
}

void json_put_int(struct strbuf *out, const char *key, int64_t value) {
    json_put_key(out, key);
    strbuf_addf(out, "%" PRId64, value);
}

void json_put_real(struct strbuf *out, const char *key, double value) {
    json_put_key(out, key);
    strbuf_addf(out, "%.15g", value);
}

void json_put_bool(struct strbuf *out, const char *key, bool value) {
    json_put_key(out, key);
    strbuf_add(out, value ? "true" : "false");
}

void json_put_usec(struct strbuf *out, const char *key, usec_t t) {
    json_put_key(out, key);
    strbuf_addf(out, "%" PRIu64, t);
}

// By integers: a program that called setlocale(3) would get a decimal comma from printf's %f.
void json_put_ms(struct strbuf *out, const char *key, usec_t t) {
    json_put_key(out, key);
    strbuf_addf(out, "%" PRIu64, t / 1000);
    if (t % 1000)
        strbuf_addf(out, ".%03" PRIu64, t % 1000);
}

void json_put_ms_or_null(struct strbuf *out, const char *key, usec_t t) {
    if (t != USEC_NEVER) {
        json_put_ms(out, key, t);
        return;
    }
    json_put_key(out, key);
    strbuf_add(out, "null");
}
