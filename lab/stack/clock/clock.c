// SPDX-License-Identifier: PostgreSQL
#include "lab/stack/clock/clock.h"

#include <fcntl.h>
#include <unistd.h>

#include "lab/base/inside.h"
#include "lab/stack/internal.h"

const char *const clock_env[] = {"LD_PRELOAD=" STACK_CLOCKS "/clock.so", "BASCULE_CLOCK=" STACK_CLOCKS, NULL};

static const char *root_of(const struct node *n, char buf[static 32]) {
    (void)snprintf(buf, 32, "/proc/%d/root", (int)node_init_pid(n));
    return buf;
}

static int write_new(const char *root, const char *path, const void *data, size_t len, mode_t mode, struct err *err) {
    return inside_exists(root, path) ? 0 : inside_write(root, path, data, len, mode, err);
}

int clock_prepare(const struct node *n, struct err *err) {
    const int64_t right = 0;
    char buf[32];
    const char *root = root_of(n, buf);
    int r = inside_mkdirs(root, STACK_CLOCKS, 0755, err);
    if (r == 0)
        r = write_new(root, STACK_CLOCKS "/postgres", &right, sizeof right, 0644, err);
    if (r == 0)
        r = write_new(root, STACK_CLOCKS "/patroni", &right, sizeof right, 0644, err);
    return r < 0 ? r
                 : write_new(root, STACK_CLOCKS "/clock.so", clock_shim, (size_t)(clock_shim_end - clock_shim), 0755,
                             err);
}

// In place: the file is mapped, and a reader of a truncated one would get SIGBUS.
static int open_clock(const struct node *n, const char *service, unsigned flags, struct err *err) {
    char buf[32];
    cleanup_free char *path = xasprintf(STACK_CLOCKS "/%s", service);
    int fd = inside_open(root_of(n, buf), path, flags, 0);
    return fd < 0 ? err_sys(err, -fd, "%s: the clock " STACK_CLOCKS "/%s", node_name(n), service) : fd;
}

int clock_get(const struct node *n, const char *service, int64_t *ret_ns, struct err *err) {
    cleanup_close int fd = open_clock(n, service, O_RDONLY, err);
    if (fd < 0)
        return fd;
    return pread(fd, ret_ns, sizeof *ret_ns, 0) == sizeof *ret_ns
               ? 0
               : err_set(err, EIO, "%s: the clock " STACK_CLOCKS "/%s is too short", node_name(n), service);
}

int clock_set(const struct node *n, const char *service, int64_t ns, struct err *err) {
    cleanup_close int fd = open_clock(n, service, O_WRONLY, err);
    if (fd < 0)
        return fd;
    return pwrite(fd, &ns, sizeof ns, 0) == sizeof ns
               ? 0
               : err_sys(err, errno, "%s: write the clock " STACK_CLOCKS "/%s", node_name(n), service);
}
