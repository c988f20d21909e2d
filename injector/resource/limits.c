// SPDX-License-Identifier: PostgreSQL
#include "injector/resource/limits.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lab/base/fs.h"

// The number that our own pid namespace has for a process of the node: /proc/PID/status, NSpid, lists it from ours
// inwards (proc(5)). 0 = not found.
static pid_t pid_of_ours(const struct victim *v) {
    struct stat ns, st;
    cleanup_dir DIR *dir = opendir("/proc");
    if (!dir || node_ns(v->node, NODE_NS_PID) < 0 || fstat(node_ns(v->node, NODE_NS_PID), &ns) < 0)
        return 0;
    for (const struct dirent *e; (e = readdir(dir));) {
        char path[64];
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        (void)snprintf(path, sizeof path, "/proc/%.20s/ns/pid", e->d_name);
        if (stat(path, &st) < 0 || st.st_ino != ns.st_ino)
            continue;
        cleanup_strbuf struct strbuf text = {0};
        (void)snprintf(path, sizeof path, "/proc/%.20s/status", e->d_name);
        long long ours, theirs;
        const char *line = fs_read(path, 8192, &text, NULL) < 0 ? NULL : strstr(strbuf_str(&text), "\nNSpid:");
        if (line && sscanf(line, " NSpid: %lld %lld", &ours, &theirs) == 2 && theirs == v->process.pid)
            return (pid_t)ours;
    }
    return 0;
}

int limit_lower(const struct victim *v, int resource, rlim_t soft, limited_list *out, struct err *err) {
    struct rlimit was;
    pid_t pid = pid_of_ours(v);
    if (!pid || !process_alive(v->node, &v->process))
        return err_set(err, ESRCH, "%s %lld on %s is gone", v->what, (long long)v->process.pid, node_name(v->node));
    if (prlimit(pid, (enum __rlimit_resource)resource, NULL, &was) < 0)
        return err_sys(err, errno, "read a limit of %s on %s", v->what, node_name(v->node));
    struct rlimit now = {.rlim_cur = soft < was.rlim_max ? soft : was.rlim_max, .rlim_max = was.rlim_max};
    if (prlimit(pid, (enum __rlimit_resource)resource, &now, NULL) < 0)
        return err_sys(err, errno, "lower a limit of %s on %s", v->what, node_name(v->node));
    *VEC_ADD(out) = (struct limited){.victim = *v, .before = was.rlim_cur};
    return 0;
}

size_t limit_restore(const limited_list *list, int resource) {
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct rlimit now;
        pid_t pid = process_alive(list->items[i].victim.node, &list->items[i].victim.process)
                        ? pid_of_ours(&list->items[i].victim)
                        : 0;
        if (!pid || prlimit(pid, (enum __rlimit_resource)resource, NULL, &now) < 0)
            continue;
        now.rlim_cur = list->items[i].before;
        n += prlimit(pid, (enum __rlimit_resource)resource, &now, NULL) == 0;
    }
    return n;
}

rlim_t limit_read(const struct victim *v, int resource) {
    struct rlimit now;
    pid_t pid = pid_of_ours(v);
    return pid && prlimit(pid, (enum __rlimit_resource)resource, NULL, &now) == 0 ? now.rlim_cur : 0;
}

int64_t limit_parse_mb(const char *text, int64_t least, int64_t most) {
    char *end;
    long long n = strtoll(text, &end, 10);
    return str_eq(end, "MB") && n >= least && n <= most ? n << 20 : -1;
}
