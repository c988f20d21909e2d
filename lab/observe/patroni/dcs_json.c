// SPDX-License-Identifier: PostgreSQL
// etcd's gateway speaks JSON made of protobuf: keys and values in base64, 64-bit numbers as strings, zero fields left out. A watch is an
// endless answer of one JSON object a line, which arrives in pieces: line_feed keeps the piece that is not whole yet.
#include "lab/observe/patroni/dcs_json.h"

#include <stdlib.h>

#include "lab/node/places.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
enum { WATCH_LINE_MAX = 8 * 1024 * 1024 };

void base64_encode(struct strbuf *out, const void *data, size_t n) {
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0U);
        char quad[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                        i + 2 < n ? digits[v & 63] : '='};
        strbuf_addn(out, quad, sizeof quad);
    }
}

static int digit(char c) {
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

bool base64_decode(struct strbuf *out, const char *text) {
    size_t n = strlen(text);
    if (n % 4)
        return false;
    for (size_t i = 0; i < n; i += 4) {
        bool last = i + 4 == n;
        size_t pad = last ? (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=') : 0;
        unsigned v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : digit(text[i + k]);
            if (d < 0)
                return false;
            v = v << 6 | (unsigned)d;
        }
        char bytes[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};
        strbuf_addn(out, bytes, 3 - pad);
    }
    return true;
}

// protobuf's JSON mapping writes 64-bit numbers as strings and leaves zero fields out.
static uint64_t number_u64(const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (cJSON_IsString(v))
        return strtoull(v->valuestring, NULL, 10);
    int64_t n = json_whole(v, 0);
    return n > 0 ? (uint64_t)n : 0;
}

static int64_t number(const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (cJSON_IsString(v))
        return strtoll(v->valuestring, NULL, 10);
    return json_whole(v, 0);
}

static struct dcs_header read_header(const cJSON *o) {
    const cJSON *h = cJSON_GetObjectItemCaseSensitive(o, "header");
    return (struct dcs_header){.cluster = number_u64(h, "cluster_id"),
                               .member = number_u64(h, "member_id"),
                               .term = number_u64(h, "raft_term"),
                               .revision = number(h, "revision")};
}

static char *decoded(const cJSON *o, const char *key) {
    cleanup_strbuf struct strbuf b = {0};
    (void)base64_decode(&b, json_str(o, key, ""));
    return xstrdup(strbuf_str(&b)); // a NUL byte inside ends it: Patroni writes text
}

static void read_kv(const cJSON *kv, bool gone, dcs_kv_list *ret) {
    cleanup_free char *key = decoded(kv, "key");
    if (!str_starts(key, STACK_PREFIX))
        return;
    struct dcs_kv *n = VEC_ADD(ret);
    n->key = xstrdup(key + strlen(STACK_PREFIX));
    n->value = decoded(kv, "value");
    n->gone = gone;
    n->revision = number(kv, "mod_revision");
    n->created = number(kv, "create_revision");
    n->lease = number_u64(kv, "lease");
}

void dcs_kv_list_clear(dcs_kv_list *l) {
    VEC_FOREACH (l, kv) {
        free(kv->key);
        free(kv->value);
    }
    VEC_CLEAR(l);
}

void dcs_kv_list_done(dcs_kv_list *l) {
    dcs_kv_list_clear(l);
    VEC_DONE(l);
}

bool dcs_read_range(const char *json, struct dcs_header *ret, dcs_kv_list *ret_kvs) {
    cleanup_json cJSON *o = cJSON_Parse(json);
    if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(o, "header")))
        return false;
    *ret = read_header(o);
    const cJSON *kv;
    cJSON_ArrayForEach (kv, cJSON_GetObjectItemCaseSensitive(o, "kvs"))
        read_kv(kv, false, ret_kvs);
    return true;
}

bool dcs_read_watch(const char *line, struct dcs_watch *ret, dcs_kv_list *ret_kvs) {
    cleanup_json cJSON *o = cJSON_Parse(line);
    const cJSON *r = cJSON_GetObjectItemCaseSensitive(o, "result");
    if (!cJSON_IsObject(r))
        return false;
    *ret = (struct dcs_watch){.header = read_header(r),
                              .created = json_bool(r, "created", false),
                              .canceled = json_bool(r, "canceled", false),
                              .compacted = number(r, "compact_revision")};
    const cJSON *ev;
    cJSON_ArrayForEach (ev, cJSON_GetObjectItemCaseSensitive(r, "events")) {
        const cJSON *kv = cJSON_GetObjectItemCaseSensitive(ev, "kv");
        if (cJSON_IsObject(kv))
            read_kv(kv, str_eq(json_str(ev, "type", "PUT"), "DELETE"), ret_kvs);
    }
    return true;
}

bool dcs_read_ttl(const char *json, struct dcs_ttl *ret) {
    cleanup_json cJSON *o = cJSON_Parse(json);
    if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(o, "header")))
        return false;
    *ret =
        (struct dcs_ttl){.header = read_header(o), .remaining = number(o, "TTL"), .granted = number(o, "grantedTTL")};
    return true;
}

bool dcs_read_status(const char *json, struct dcs_status *ret) {
    cleanup_json cJSON *o = cJSON_Parse(json);
    if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(o, "header")))
        return false;
    *ret = (struct dcs_status){.header = read_header(o),
                               .leader = number_u64(o, "leader"),
                               .term = number(o, "raftTerm"),
                               .raft_index = number(o, "raftIndex"),
                               .db_bytes = number(o, "dbSize")};
    return true;
}

// ---- what we ask -----------------------------------------------------------------------------------------------------
// etcd's prefix range: up to the key whose last byte is one greater ('/' -> '0').
static void add_prefix(struct strbuf *out) {
    char end[] = STACK_PREFIX;
    end[sizeof end - 2]++;
    strbuf_add(out, "\"key\":\"");
    base64_encode(out, STACK_PREFIX, strlen(STACK_PREFIX));
    strbuf_add(out, "\",\"range_end\":\"");
    base64_encode(out, end, strlen(end));
    strbuf_add(out, "\"");
}

void dcs_ask_range(struct strbuf *out) {
    strbuf_add(out, "{");
    add_prefix(out);
    strbuf_add(out, "}");
}

void dcs_ask_watch(struct strbuf *out, int64_t from_revision) {
    strbuf_add(out, "{\"create_request\":{");
    add_prefix(out);
    strbuf_addf(out, ",\"start_revision\":\"%" PRId64 "\"}}", from_revision);
}

void dcs_ask_ttl(struct strbuf *out, uint64_t lease) {
    strbuf_addf(out, "{\"ID\":\"%" PRIu64 "\"}", lease);
}

void line_feed(struct line_splitter *l, const char *data, size_t n, bool (*fn)(void *arg, const char *line),
               void *arg) {
    if (l->rest.len + n > WATCH_LINE_MAX)
        strbuf_clear(&l->rest); // no sane answer: drop it rather than grow for ever
    strbuf_addn(&l->rest, data, n);
    size_t done = 0;
    bool more = true;
    for (char *end; more && (end = memchr(l->rest.data + done, '\n', l->rest.len - done));
         done = (size_t)(end - l->rest.data) + 1) {
        *end = '\0';
        if (end > l->rest.data + done)
            more = fn(arg, l->rest.data + done);
    }
    memmove(l->rest.data, l->rest.data + done, l->rest.len - done + 1);
    l->rest.len -= done;
}
