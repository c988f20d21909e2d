// SPDX-License-Identifier: PostgreSQL
#pragma once
// etcd's JSON gateway, decoded: bytes are base64, 64-bit numbers are strings. Text in, structs out; no socket here.
#include "lab/base/json.h"
#include "lab/base/vec.h"
#include "lab/record/event.h"

// ---- base64 (RFC 4648, padded) ---------------------------------------------------------------------------------------
void base64_encode(struct strbuf *out, const void *data, size_t n);
bool base64_decode(struct strbuf *out, const char *text); // false on anything malformed; out may then hold a part

// ---- what etcd says --------------------------------------------------------------------------------------------------
struct dcs_header {
    uint64_t cluster, member, term;
    int64_t revision;
};
struct dcs_kv {
    char *key, *value; // owned; the key without the cluster's prefix
    bool gone;         // a DELETE event
    int64_t revision;  // mod_revision
    int64_t created;   // create_revision; 0 in a DELETE event
    uint64_t lease;    // 0 = none
};
typedef VEC(struct dcs_kv) dcs_kv_list;
void dcs_kv_list_clear(dcs_kv_list *l);
void dcs_kv_list_done(dcs_kv_list *l);

// All of these: false when the text is not what is expected (an error answer, cut, not JSON).
bool dcs_read_range(const char *json, struct dcs_header *ret, dcs_kv_list *ret_kvs);
struct dcs_watch {
    struct dcs_header header;
    bool created, canceled;
    int64_t compacted; // canceled because the wanted revision is gone: the oldest one left
};
bool dcs_read_watch(const char *line, struct dcs_watch *ret, dcs_kv_list *ret_kvs); // one line of the stream
struct dcs_ttl {
    struct dcs_header header;
    int64_t remaining, granted; // seconds; remaining -1 = expired or unknown
};
bool dcs_read_ttl(const char *json, struct dcs_ttl *ret);
struct dcs_status {
    struct dcs_header header;
    uint64_t leader; // 0 = none
    int64_t term, raft_index, db_bytes;
};
bool dcs_read_status(const char *json, struct dcs_status *ret);

// ---- what we ask -----------------------------------------------------------------------------------------------------
void dcs_ask_range(struct strbuf *out);
void dcs_ask_watch(struct strbuf *out, int64_t from_revision);
void dcs_ask_ttl(struct strbuf *out, uint64_t lease);

// Cuts a stream into lines whatever the chunks are. feed calls fn for each whole line; false from fn stops.
struct line_splitter {
    struct strbuf rest;
};
void line_feed(struct line_splitter *l, const char *data, size_t n, bool (*fn)(void *arg, const char *line), void *arg);
