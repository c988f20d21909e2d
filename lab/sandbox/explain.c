// SPDX-License-Identifier: PostgreSQL
// The known reasons for a host to refuse user namespaces, most telling first. Each is recognised by a file, never by a
// guess alone; when none fits, the system's own words stand.
#include "lab/sandbox/explain.h"

#include <stdbool.h>

#include "lab/base/fs.h"

static bool file_says(const char *path, const char *value) {
    cleanup_strbuf struct strbuf text = {0};
    if (fs_read(path, 64, &text, NULL) < 0)
        return false;
    size_t n = strlen(value);
    return text.len >= n && strncmp(text.data, value, n) == 0 && (text.len == n || text.data[n] == '\n');
}

static bool in_container(void) {
    cleanup_strbuf struct strbuf text = {0};
    return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
           (fs_read("/proc/1/environ", 65536, &text, NULL) == 0 && memmem(text.data, text.len, "container=", 10));
}

static bool seccomp_filtered(void) {
    cleanup_strbuf struct strbuf text = {0};
    return fs_read("/proc/self/status", 65536, &text, NULL) == 0 && strstr(strbuf_str(&text), "Seccomp:\t2");
}

static const char *cause(int code) {
    if (file_says("/proc/sys/user/max_user_namespaces", "0") || code == ENOSPC)
        return "user namespaces are switched off or used up (/proc/sys/user/max_user_namespaces); as root: "
               "sysctl -w user.max_user_namespaces=15000";
    if (file_says("/proc/sys/kernel/unprivileged_userns_clone", "0"))
        return "this kernel keeps user namespaces for root; as root: sysctl -w kernel.unprivileged_userns_clone=1";
    if (file_says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
        return "AppArmor restricts user namespaces (Ubuntu 23.10 and later); as root: sysctl -w "
               "kernel.apparmor_restrict_unprivileged_userns=0";
    if (access("/proc/self/ns/user", F_OK) < 0)
        return "this kernel was built without user namespaces (CONFIG_USER_NS)";
    if (in_container() && seccomp_filtered())
        return "this container's seccomp filter forbids it; start the container with --security-opt seccomp=unconfined "
               "--security-opt systempaths=unconfined";
    if (in_container())
        return "this container forbids it, or masks parts of /proc; start it with --security-opt "
               "systempaths=unconfined "
               "--security-opt apparmor=unconfined";
    if (seccomp_filtered())
        return "a seccomp filter is in force for this process";
    return NULL;
}

int explain_refusal(struct err *err, int code, const char *step) {
    int r = err_sys(err, code, "%s", step);
    if (code != EPERM && code != EACCES && code != ENOSPC && code != EINVAL && code != EUSERS && code != ENOSYS)
        return r;
    const char *why = cause(code);
    if (!why || !err)
        return r;
    struct err plain = *err;
    return err_set(err, code, "%s: %s", plain.msg, why);
}
