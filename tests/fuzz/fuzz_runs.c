// SPDX-License-Identifier: PostgreSQL
// Any bytes as a run folder: the first line of its log and its result.json, as `bascule runs` lists it and `report last` finds it.
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/runs/runs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char parent[PATH_MAX], folder[PATH_MAX + 32];

static void remove_parent(void) {
    (void)fs_remove_tree(parent, NULL);
}

static void make_parent(void) {
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(parent, sizeof parent, "%s/fuzz_runs.XXXXXX", tmp ? tmp : "/tmp");
    (void)snprintf(folder, sizeof folder, "%s/20260101-000000-x", mkdtemp(parent) ? parent : "/nonexistent");
    if (mkdir(folder, 0755) < 0)
        abort();
    (void)atexit(remove_parent);
}

static void put(const char *name, const uint8_t *data, size_t size) {
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    if (fs_write(path, (const char *)data, size, 0644, NULL) < 0)
        abort();
}

static void demand_entry(const struct run_entry *r) {
    if (r->judged != (*r->verdict != '\0') || !r->reason || !r->name || r->live)
        abort();
    if (!r->judged && (*r->reason || r->outage_ms >= 0 || r->lost >= 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_strbuf struct strbuf found = {0};
    run_entry_list list = {0};
    struct err err = {0};
    if (!*parent)
        make_parent();
    const uint8_t *split = size ? memchr(data, '\n', size) : NULL; // the log's first line | result.json
    size_t first = split ? (size_t)(split - data) + 1 : size;
    put("events.jsonl", data, first);
    put("result.json", data + first, size - first);
    if (runs_list(parent, &list, &err) < 0 || list.n != 1)
        abort();
    demand_entry(&list.items[0]);
    cleanup_free char *word = xstrdup(*list.items[0].scenario ? list.items[0].scenario : "2026");
    (void)runs_find(parent, word, &found, &err);
    runs_done(&list);
    return 0;
}
