// SPDX-License-Identifier: PostgreSQL
#include "lab/stack/clock/clock.h"

#include <fcntl.h>
#include <unistd.h>

#include "lab/base/fs.h"
#include "lab/stack/internal.h"

const char *const clock_env[] = {"LD_PRELOAD=" STACK_CLOCKS "/clock.so", "BASCULE_CLOCK=" STACK_CLOCKS, NULL};

static char *path_of(const struct node *n, const char *file) {
    return xasprintf("/proc/%d/root" STACK_CLOCKS "/%s", (int)node_init_pid(n), file);
}

static int write_new(const struct node *n, const char *file, const void *data, size_t len, mode_t mode,
                     struct err *err) {
    cleanup_free char *path = path_of(n, file);
    return fs_exists(path) ? 0 : fs_write(path, data, len, mode, err);
}

int clock_prepare(const struct node *n, struct err *err) {
    const int64_t right = 0;
    cleanup_free char *folder = path_of(n, "");
    int r = fs_mkdirs(folder, 0755, err);
    if (r == 0)
        r = write_new(n, "postgres", &right, sizeof right, 0644, err);
    if (r == 0)
        r = write_new(n, "patroni", &right, sizeof right, 0644, err);
    return r < 0 ? r : write_new(n, "clock.so", clock_shim, (size_t)(clock_shim_end - clock_shim), 0755, err);
}

// In place: the file is mapped, and a reader of a truncated one would get SIGBUS.
static int open_clock(const struct node *n, const char *service, int flags, struct err *err) {
    cleanup_free char *path = path_of(n, service);
    int fd = open(path, flags | O_CLOEXEC);
    return fd < 0 ? err_sys(err, errno, "%s: the clock " STACK_CLOCKS "/%s", node_name(n), service) : fd;
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
