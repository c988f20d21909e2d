// SPDX-License-Identifier: PostgreSQL
// Any bytes as what a daemon says: REST answers of Patroni, etcd's JSON, HAProxy's CSV, log lines, libpq's messages, rows of a query. The
// first byte chooses the reader.
#include <cjson/cJSON.h>

#include "lab/observe/log_lines.h"
#include "lab/observe/patroni/dcs_json.h"
#include "lab/observe/patroni/patroni_json.h"
#include "lab/observe/pgconn.h"
#include "lab/observe/proxy_csv.h"
#include "lab/observe/sql_row.h"
#include "lab/workload/classify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_text(const char *text, size_t size) {
    if (!memchr(text, '\0', size))
        abort();
}

// What was decoded must be an event that can be written and read.
static void demand_event(struct event *ev) {
    cleanup_strbuf struct strbuf line = {0};
    struct event back;
    event_to_json(ev, &line);
    if (event_from_json(line.data, line.len, &back, NULL) < 0)
        abort();
}

static void on_setting(void *arg, const char *key, const char *value) {
    *(size_t *)arg += strlen(key) + strlen(value);
}

static void on_server(void *arg, const struct proxy_server *s) {
    *(size_t *)arg += strlen(s->backend) + strlen(s->server) + strlen(s->state);
}

static void patroni(const char *text) {
    struct event ev = EVENT_NEW(MANAGER);
    size_t n = 0;
    if (patroni_read_state(text, &ev))
        demand_event(&ev);
    (void)patroni_read_config(text, on_setting, &n);
}

static void etcd(const char *text) {
    struct dcs_header header;
    struct dcs_watch watch;
    struct dcs_ttl ttl;
    struct dcs_status status;
    dcs_kv_list list = {0};
    (void)dcs_read_range(text, &header, &list);
    dcs_kv_list_clear(&list);
    (void)dcs_read_watch(text, &watch, &list);
    dcs_kv_list_done(&list);
    (void)dcs_read_ttl(text, &ttl);
    (void)dcs_read_status(text, &status);
    cleanup_strbuf struct strbuf raw = {0}, again = {0};
    if (!base64_decode(&raw, text))
        return;
    base64_encode(&again, strbuf_str(&raw), raw.len);
    strbuf_clear(&raw);
    if (!base64_decode(&raw, strbuf_str(&again)))
        abort();
}

static bool on_line(void *arg, const char *line) {
    *(size_t *)arg += strlen(line);
    return true;
}

static void stream(const uint8_t *data, size_t size) {
    struct line_splitter l = {0};
    size_t n = 0;
    for (size_t at = 0; at < size;) {
        size_t chunk = 1 + data[at] % 7;
        chunk = chunk < size - at ? chunk : size - at;
        line_feed(&l, (const char *)data + at, chunk, on_line, &n);
        at += chunk;
    }
    strbuf_done(&l.rest);
}

static void log_lines(const char *text) {
    static const char *const services[] = {"patroni", "postgres", "etcd", "haproxy", ""};
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        struct log_line line;
        memset(&line, 0x5a, sizeof line);
        if (!log_line_judge(services[i], text, &line))
            continue;
        if (line.level == LINE_LEVEL_NONE || line.level >= LINE_LEVEL_UNKNOWN)
            abort();
        demand_text(line.text, sizeof line.text);
    }
    (void)log_language_is_known(text);
}

static void messages(const char *text) {
    char sqlstate[PGCONN_STATE_MAX], shown[PGCONN_TEXT_MAX], explained[64];
    pgconn_explain(text, sqlstate, shown);
    demand_text(sqlstate, sizeof sqlstate);
    demand_text(shown, sizeof shown);
    sql_explain(text, explained, sizeof explained);
    demand_text(explained, sizeof explained);
    (void)sql_refusal(text, sqlstate);
    (void)classify_op(OP_ERROR, true, sqlstate);
    (void)classify_warning_is_local_only(shown, explained);
    (void)classify_error_ends_connection(sqlstate);
}

// The text cut at its newlines as the columns of one row.
static void rows(char *text) {
    enum { COLUMNS = 12 };
    static char name[] = "c";
    PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc attributes[COLUMNS] = {{0}};
    for (int i = 0; i < COLUMNS; i++)
        attributes[i].name = name;
    char *value;
    int n = 1 + *text % COLUMNS;
    n = n < 1 ? 1 : n;
    (void)PQsetResultAttrs(r, n, attributes);
    for (int i = 0; i < n && (value = strsep(&text, "\n")); i++)
        (void)PQsetvalue(r, 0, i, value, (int)strlen(value));
    struct sql_row row;
    struct repl_row repl;
    (void)sql_row_read(r, &row);
    if (repl_row_read(r, 0, &repl)) {
        demand_text(repl.name, sizeof repl.name);
        demand_text(repl.state, sizeof repl.state);
        demand_text(repl.sync_state, sizeof repl.sync_state);
    }
    PQclear(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    cleanup_free char *text = xstrndup((const char *)data + 1, size - 1);
    size_t n = 0;
    switch (data[0] % 7) {
    case 0:
        patroni(text);
        break;
    case 1:
        etcd(text);
        break;
    case 2:
        stream(data + 1, size - 1);
        break;
    case 3:
        proxy_csv_read(text, on_server, &n);
        break;
    case 4:
        log_lines(text);
        break;
    case 5:
        messages(text);
        break;
    default:
        rows(text);
        break;
    }
    return 0;
}
