// SPDX-License-Identifier: PostgreSQL
// Looking at a node's processes through its own /proc.
#include <inttypes.h>

#include "lab/base/fs.h"
#include "lab/base/inside.h"
#include "lab/node/init.h"
#include "lab/node/internal.h"

// The name is in parentheses and may hold any byte, ')' and blanks too: it ends at the last ')' (proc(5)).
int proc_stat_read(const char *proc, int64_t pid, struct proc_stat *ret) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%" PRId64 "/stat", proc, pid);
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read(path, 4096, &text, NULL) < 0)
        return -ESRCH;
    const char *open = text.data ? strchr(text.data, '(') : NULL, *close = text.data ? strrchr(text.data, ')') : NULL;
    int ppid;
    char state;
    if (!open || !close || close < open || sscanf(close + 1, " %c %d", &state, &ppid) != 2)
        return -ESRCH;
    *ret = (struct proc_stat){.state = state, .ppid = ppid};
    size_t n = (size_t)(close - open - 1);
    memcpy(ret->comm, open + 1, n < sizeof ret->comm ? n : sizeof ret->comm - 1);
    return 0;
}

static const char *node_proc(const struct node *n, char buf[static 64]) {
    (void)snprintf(buf, 64, "/proc/%d/root/proc", (int)n->init);
    return buf;
}

char node_process_state(const struct node *n, int64_t pid) {
    char proc[64];
    struct proc_stat st;
    if (!n->init || pid <= 0 || proc_stat_read(node_proc(n, proc), pid, &st) < 0)
        return 0;
    return st.state;
}

static bool read_lock_file(const char *root, const char *pgdata, struct strbuf *text) {
    cleanup_free char *path = xasprintf("%s/postmaster.pid", pgdata);
    return inside_read(root, path, 4096, text, NULL) == 0;
}

int64_t postmaster_pid_in(const char *root, const char *pgdata) {
    cleanup_strbuf struct strbuf text = {0};
    long long pid;
    if (!read_lock_file(root, pgdata, &text) || sscanf(strbuf_str(&text), "%lld", &pid) != 1)
        return 0;
    return pid > 0 ? pid : 0; // negative: a single-user backend, not a postmaster (miscinit.c, CreateLockFile)
}

// The file outlives a crash, and after a reboot its pid may be anybody's: only a living process named postgres counts.
int64_t node_postmaster_pid(const struct node *n, const char *pgdata) {
    if (!n->init)
        return 0;
    char root[64], proc[64];
    (void)snprintf(root, sizeof root, "/proc/%d/root", (int)n->init);
    int64_t pid = postmaster_pid_in(root, pgdata);
    struct proc_stat st;
    if (!pid || proc_stat_read(node_proc(n, proc), pid, &st) < 0)
        return 0;
    bool living = st.state != 'Z' && st.state != 'X';
    return living && (str_eq(st.comm, "postgres") || str_eq(st.comm, "postmaster")) ? pid : 0;
}

// pidfile.h: LOCK_FILE_LINE_PM_STATUS, a word of eight letters, filled up with blanks.
void node_postmaster_status(const struct node *n, const char *pgdata, char ret[static NODE_PM_STATUS_MAX]) {
    enum { LINE_PM_STATUS = 8 };
    char root[64];
    cleanup_strbuf struct strbuf text = {0};
    ret[0] = '\0';
    (void)snprintf(root, sizeof root, "/proc/%d/root", (int)n->init);
    if (!n->init || !read_lock_file(root, pgdata, &text))
        return;
    const char *line = strbuf_str(&text);
    for (int i = 1; line && i < LINE_PM_STATUS; i++)
        line = (line = strchr(line, '\n')) ? line + 1 : NULL;
    size_t len = line ? strcspn(line, " \n") : 0;
    if (len < NODE_PM_STATUS_MAX)
        (void)str_copy(ret, len + 1, line ? line : "");
}
