// SPDX-License-Identifier: PostgreSQL
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/base/json.h"
#include "lab/record/digest.h"
#include "lab/record/run.h"
#include "lab/runs/runs.h"

static const size_t RESULT_MAX = 16 << 20; // result.json of a run with very many expectations takes some 100 KB

static bool is_regular(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool runs_is_live(const char *events_path) {
    cleanup_close int fd = open(events_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    return false; // closing it gives the lock back
}

static bool take_begin(void *arg, const struct event *ev) {
    struct run_entry *r = arg;
    if (ev->kind == EVENT_RUN_BEGIN) {
        STR_COPY(r->scenario, ev->u.RUN_BEGIN.scenario);
        STR_COPY(r->topology, ev->u.RUN_BEGIN.topology);
        STR_COPY(r->lab, ev->u.RUN_BEGIN.lab);
        r->began = ev->u.RUN_BEGIN.wall;
    }
    return false; // the first event says it, or the log is damaged
}

static double number_or_unknown(const cJSON *o, const char *key) {
    return json_num(o, key, -1); // null is no number
}

static bool is_later(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

// Not shorter than what was judged, and not touched since the verdict was written. (What lies behind the judged bytes, the seal itself and what
// a kept lab went through, is no part of them.)
static bool looks_untouched(const char *events, const struct stat *result, int64_t bytes) {
    struct stat st;
    return stat(events, &st) == 0 && st.st_size >= bytes && !is_later(&st.st_mtim, &result->st_mtim);
}

// A verdict holds for the events that it was given for. Without a seal there is no hash; `report` judges such a record by rules. Hundreds of
// runs are listed while somebody waits for TAB: only a log that does not look untouched is hashed here (docs/measures.md).
static bool is_as_judged(const struct run_entry *r, const struct stat *result, const cJSON *record) {
    const char *want = json_str(record, "sha256", "");
    int64_t bytes = json_int(record, "bytes", 0);
    cleanup_free char *path = xasprintf("%s/events.jsonl", r->path);
    struct digest found;
    char hex[DIGEST_HEX];
    if (!*want || looks_untouched(path, result, bytes))
        return true;
    if (digest_beginning(path, bytes, &found, NULL) < 0)
        return false;
    digest_hex(&found, hex);
    return str_eq(hex, want);
}

static void take_result(struct run_entry *r) {
    cleanup_free char *path = xasprintf("%s/result.json", r->path);
    cleanup_strbuf struct strbuf text = {0};
    r->outage_ms = r->error_ms = -1;
    r->lost = -1;
    cleanup_json cJSON *o = NULL;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && fs_read(path, RESULT_MAX, &text, NULL) == 0)
        o = cJSON_ParseWithLength(strbuf_str(&text), text.len);
    r->judged = cJSON_IsObject(o) && *json_str(o, "verdict", "");
    r->reason = xstrdup(r->judged ? json_str(o, "reason", "") : "");
    if (!r->judged)
        return;
    if (!is_as_judged(r, &st, cJSON_GetObjectItemCaseSensitive(o, "record"))) {
        r->judged = false;
        r->changed = true;
        return;
    }
    STR_COPY(r->verdict, json_str(o, "verdict", ""));
    r->outage_ms = number_or_unknown(o, "write_outage_ms");
    r->error_ms = number_or_unknown(o, "resolution_ms");
    r->lost = json_int(cJSON_GetObjectItemCaseSensitive(o, "writes"), "lost", -1);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name); // a name begins with its time: the order of names is that of time
}

static int visible(const struct dirent *e) {
    return e->d_name[0] != '.';
}

int runs_list(const char *parent, run_entry_list *out, struct err *err) {
    struct dirent **names = NULL;
    int n = scandir(parent, &names, visible, by_name);
    if (n < 0)
        return errno == ENOENT ? 0 : err_sys(err, errno, "read the folder of runs '%s'", parent);
    for (int i = 0; i < n; i++) {
        cleanup_free char *path = xasprintf("%s/%s", parent, names[i]->d_name),
                          *events = xasprintf("%s/events.jsonl", path);
        if (is_regular(events)) {
            struct run_entry *r = VEC_ADD(out);
            r->path = STEAL(path);
            r->name = xstrdup(names[i]->d_name);
            r->live = runs_is_live(events);
            (void)run_log_read(events, take_begin, r, NULL, NULL);
            take_result(r);
        }
        free(names[i]);
    }
    free(names);
    return 0;
}

void runs_done(run_entry_list *list) {
    VEC_FOREACH (list, r) {
        free(r->path);
        free(r->name);
        free(r->reason);
    }
    VEC_DONE(list);
}
