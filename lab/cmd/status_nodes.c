// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/status_nodes.h"

#include <ctype.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <string.h>

#include "lab/base/str.h"
#include "lab/topology/topology.h"

enum column {
    COL_NODE,
    COL_ADDRESS,
    COL_POWER,
    COL_ROLE,
    COL_MANAGER,
    COL_POSTGRES,
    COL_TIMELINE,
    COL_LSN,
    COL_LAG,
    COL_REPLICATION,
    COL_ARBITER,
    COLUMNS
};
static const char *const heads[COLUMNS] = {"NODE", "ADDRESS", "POWER", "ROLE",        "MANAGER", "POSTGRESQL",
                                           "TL",   "LSN",     "LAG",   "REPLICATION", "ETCD"};

struct row {
    char cells[COLUMNS][64];
};

static void set(struct row *row, enum column column, const char *text) {
    (void)str_copy(row->cells[column], sizeof row->cells[column], str_empty(text) ? "-" : text);
}

static void lag_text(const cJSON *n, char *out, size_t size) {
    const cJSON *lag = cJSON_GetObjectItemCaseSensitive(n, "lag_bytes");
    if (!cJSON_IsNumber(lag))
        (void)snprintf(out, size, "-");
    else if (lag->valuedouble < 1 << 20)
        (void)snprintf(out, size, "%.0f B", lag->valuedouble);
    else
        (void)snprintf(out, size, "%.1f MB", lag->valuedouble / (1 << 20));
}

static const char *replication_text(const cJSON *n) {
    if (json_bool(n, "leader", false))
        return "leader";
    if (str_eq(json_str(n, "history", ""), "diverged"))
        return "DIVERGED";
    if (str_eq(json_str(n, "history", ""), "in doubt"))
        return "in doubt";
    if (!json_bool(n, "streaming", false))
        return "not streaming";
    return str_eq(json_str(n, "sync_state", ""), "sync") ? "streaming, sync" : "streaming";
}

static void fill_row(const cJSON *n, struct row *row) {
    bool on = json_bool(n, "on", false), pg = on && cJSON_HasObjectItem(n, "postgres");
    char text[64];
    set(row, COL_NODE, json_str(n, "name", "?"));
    set(row, COL_ADDRESS, json_str(n, "address", "?"));
    set(row, COL_POWER, on ? "on" : "OFF");
    set(row, COL_ROLE, pg ? json_str(n, "role", "") : "");
    set(row, COL_MANAGER, pg ? json_str(n, "state", "") : "");
    set(row, COL_POSTGRES, pg ? json_str(n, "postgres", "") : "");
    (void)snprintf(text, sizeof text, "%.0f", json_num(n, "timeline", 0));
    set(row, COL_TIMELINE, pg ? text : "");
    set(row, COL_LSN, pg ? json_str(n, "lsn", "") : "");
    lag_text(n, text, sizeof text);
    set(row, COL_LAG, pg ? text : "");
    set(row, COL_REPLICATION, pg ? replication_text(n) : "");
    set(row, COL_ARBITER, on ? json_str(n, "etcd", "") : "");
}

// Which columns to leave out so that a line fits. Names and words of the supervisor are ASCII.
static void choose_columns(const struct row *rows, size_t n, int width, bool hidden[static COLUMNS]) {
    static const enum column least[] = {COL_ADDRESS, COL_LSN};
    size_t need = 0, widths[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) {
        widths[c] = strlen(heads[c]);
        for (size_t i = 0; i < n; i++)
            widths[c] = strlen(rows[i].cells[c]) > widths[c] ? strlen(rows[i].cells[c]) : widths[c];
        need += hidden[c] ? 0 : widths[c] + 1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(least) && width > 0 && need - 1 > (size_t)width; i++) {
        hidden[least[i]] = true;
        need -= widths[least[i]] + 1;
    }
}

void status_print_nodes(const cJSON *status, int width) {
    struct row rows[NODES_MAX] = {0};
    bool hidden[COLUMNS] = {[COL_ARBITER] = true}; // unless a node has it
    size_t n = 0;
    const cJSON *node;
    cJSON_ArrayForEach (node, cJSON_GetObjectItemCaseSensitive(status, "nodes")) {
        hidden[COL_ARBITER] &= !cJSON_HasObjectItem(node, "etcd");
        if (n < NODES_MAX)
            fill_row(node, &rows[n++]);
    }
    choose_columns(rows, n, width, hidden);
    struct libscols_table *table = scols_new_table();
    char manager[64];
    (void)str_copy(manager, sizeof manager,
                   json_str(cJSON_GetObjectItemCaseSensitive(status, "stack"), "title", heads[COL_MANAGER]));
    for (char *at = manager; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    for (size_t c = 0; c < COLUMNS; c++)
        if (!hidden[c])
            (void)scols_table_new_column(table, c == COL_MANAGER ? manager : heads[c], 0.1,
                                         c == COL_TIMELINE || c == COL_LAG ? SCOLS_FL_RIGHT : 0);
    for (size_t i = 0; i < n; i++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        size_t at = 0;
        for (size_t c = 0; c < COLUMNS; c++)
            if (!hidden[c])
                (void)scols_line_set_data(line, at++, rows[i].cells[c]);
    }
    (void)scols_print_table(table);
    scols_unref_table(table);
}
