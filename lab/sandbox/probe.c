// SPDX-License-Identifier: PostgreSQL
// What this host can do, found by doing it: each probe makes a throw-away lab, tries in it, and lets it vanish.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "lab/base/fs.h"
#include "lab/sandbox/explain.h"
#include "lab/sandbox/mounts.h"
#include "lab/sandbox/sandbox.h"
#include "lab/sandbox/spawn.h"
#include "lab/sandbox/switch.h"

static int in_throwaway_lab(int (*try)(const char *arg, struct err *err), const char *arg, struct err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "make a pipe");
    cleanup_close int in = ends[0], out = ends[1];
    pid_t pid = 0;
    cleanup_close int pidfd = -1;
    int r = sandbox_clone(true, &pid, &pidfd, err);
    if (r == 0) {
        struct err report = {0};
        if (try && try(arg, &report) < 0 && !report.code)
            report.code = EIO;
        spawn_report(out, &report);
        _exit(0);
    }
    if (r < 0)
        return r;
    (void)close(STEAL_FD(out));
    r = spawn_report_wait(in, "the throw-away lab", err);
    (void)spawn_end(pid);
    return r;
}

int sandbox_probe_userns(struct err *err) {
    return in_throwaway_lab(NULL, NULL, err);
}

// As a node does it: a file of ours over the host's /etc, upper layer on a tmpfs.
static int try_overlay(const char *arg, struct err *err) {
    (void)arg;
    int r = mount_mkdir(SANDBOX_STATE "/etc", 0755, err);
    if (r == 0)
        r = mount_mkdir(SANDBOX_STATE "/etc.work", 0755, err);
    if (r == 0)
        r = mount_overlay("/etc", SANDBOX_STATE, "etc", err);
    if (r == -EINVAL) // lab/node/root.c knows it
        return err_set(err, EINVAL,
                       "not over this /etc, in which something is mounted, as container engines do: nodes get a copy");
    if (r < 0)
        return explain_refusal(err, err->code, "overlay over /etc (nodes get a copy of it instead)");
    return fs_write("/etc/bascule-probe", "x", 1, 0644, err);
}

int sandbox_probe_overlay(struct err *err) {
    return in_throwaway_lab(try_overlay, NULL, err);
}

// As a node made of an image does it; what is below may be refused as a layer (too many of them already, a remote file system).
static int try_overlay_of(const char *lower, struct err *err) {
    int r = mount_mkdir(SANDBOX_STATE "/root", 0755, err);
    if (r == 0)
        r = mount_mkdir(SANDBOX_STATE "/root.work", 0755, err);
    if (r == 0)
        r = mount_mkdir(SANDBOX_STATE "/at", 0755, err);
    if (r == 0)
        r = mount_overlay_of(lower, SANDBOX_STATE "/at", SANDBOX_STATE, "root", err);
    if (r < 0)
        return err_wrap(err, "nodes can't be made of images on this host (`image: host` needs no overlay)");
    return fs_write(SANDBOX_STATE "/at/bascule-probe", "x", 1, 0644, err);
}

int sandbox_probe_overlay_of(const char *lower, struct err *err) {
    return in_throwaway_lab(try_overlay_of, lower, err);
}

static int try_network(const char *arg, struct err *err) {
    (void)arg;
    struct switch_net *sw = NULL;
    int r = switch_new(&sw, err);
    cleanup_close int mine = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (r == 0)
        r = switch_attach(sw, "a", "10.77.0.1", mine, err);
    struct switch_cut cut = {.from = "a", .to = "a"};
    if (r == 0)
        r = switch_set_cuts(sw, &cut, 1, err);
    switch_free(sw);
    return r;
}

int sandbox_probe_network(struct err *err) {
    return in_throwaway_lab(try_network, NULL, err);
}

int sandbox_probe(int (*try)(const char *arg, struct err *err), struct err *err) {
    return in_throwaway_lab(try, NULL, err);
}
