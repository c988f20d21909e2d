// SPDX-License-Identifier: PostgreSQL
// Feeds the page of a run: the log, the ledger, the plan, and each node's configuration as it was used.
#include <dirent.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/cmd/result.h"
#include "lab/record/run.h"
#include "lab/report/html.h"

enum {
    FILE_MAX = 64 * 1024,   // a configuration file; a longer one is no reading matter
    FILES_MAX = 512 * 1024, // all of them: the page stays small
    DEPTH_MAX = 4,          // below nodes/NAME/etc
    PLAN_MAX = 4 * 1024 * 1024,
};

static bool take_event(void *arg, const struct event *ev) {
    html_page_event(arg, ev);
    return true;
}

static bool take_operation(void *arg, const struct ledger_record *r) {
    html_page_ledger(arg, r);
    return true;
}

struct gather {
    struct html_page *page;
    const char *node;
    size_t total;
};

static void take_file(struct gather *g, const char *path, const char *shown) {
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read_file(path, FILE_MAX, &text, NULL) < 0 || g->total + text.len > FILES_MAX ||
        strlen(strbuf_str(&text)) != text.len)
        return; // unreadable, too much, or with a NUL in it: the folder still has it
    g->total += text.len;
    html_page_file(g->page, g->node, shown, strbuf_str(&text));
}

static int visible(const struct dirent *e) {
    return e->d_name[0] != '.';
}

static void take_folder(struct gather *g, const char *dir, const char *shown, int depth) {
    struct dirent **names = NULL;
    int n = depth <= DEPTH_MAX ? scandir(dir, &names, visible, alphasort) : 0;
    for (int i = 0; i < n; i++) {
        struct stat st;
        cleanup_free char *path = xasprintf("%s/%s", dir, names[i]->d_name),
                          *name = xasprintf("%s/%s", shown, names[i]->d_name);
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            take_folder(g, path, name, depth + 1);
        else if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
            take_file(g, path, name);
        free(names[i]);
    }
    free(names);
}

static void take_configuration(struct html_page *page, const char *run_dir) {
    cleanup_free char *scenario = xasprintf("%s/scenario.yaml", run_dir), *plan = xasprintf("%s/plan.json", run_dir),
                      *nodes = xasprintf("%s/nodes", run_dir), *overrides = xasprintf("%s/overrides.txt", run_dir);
    cleanup_strbuf struct strbuf text = {0};
    struct gather g = {.page = page, .node = ""};
    if (fs_read_file(plan, PLAN_MAX, &text, NULL) == 0)
        html_page_plan(page, strbuf_str(&text));
    strbuf_clear(&text);
    if (fs_read_file(overrides, FILE_MAX, &text, NULL) == 0)
        html_page_overrides(page, strbuf_str(&text));
    take_file(&g, scenario, "scenario.yaml");
    struct dirent **names = NULL;
    int n = scandir(nodes, &names, visible, alphasort);
    for (int i = 0; i < n; i++) {
        cleanup_free char *etc = xasprintf("%s/%s/etc", nodes, names[i]->d_name);
        g.node = names[i]->d_name;
        take_folder(&g, etc, "/etc", 0);
        free(names[i]);
    }
    free(names);
}

int result_page(const char *run_dir, const struct measures *m, struct strbuf *out, struct err *err) {
    cleanup_free char *events = xasprintf("%s/events.jsonl", run_dir), *ledger = xasprintf("%s/ledger.bin", run_dir);
    struct html_page *page = html_page_new();
    int r = run_log_read(events, take_event, page, NULL, err);
    if (r == 0 && access(ledger, F_OK) == 0 && ledger_read(ledger, take_operation, page, err) < 0)
        r = -EIO;
    if (r == 0) {
        take_configuration(page, run_dir);
        html_page_write(page, m, out);
    }
    html_page_free(page);
    return r;
}

int result_write_page(const char *run_dir, const struct measures *m, const char *path, struct err *err) {
    cleanup_strbuf struct strbuf page = {0};
    int r = result_page(run_dir, m, &page, err);
    return r < 0 ? r : fs_write_atomic(path, strbuf_str(&page), page.len, 0644, err);
}
