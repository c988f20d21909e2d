// SPDX-License-Identifier: PostgreSQL
#include "lab/cmd/limits.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <sys/stat.h>

// 256 kB is the least that every command was seen to work with; PostgreSQL wants 100 kB of max_stack_depth and 512 kB in reserve
// (utils/guc.c, STACK_DEPTH_SLOP).
#define STACK_MIN  (UINT64_C(1) << 20)
#define STACK_GOOD (UINT64_C(8) << 20) // Linux's default

static int check_stack(struct err *err) {
    struct rlimit l;
    if (getrlimit(RLIMIT_STACK, &l) < 0 || l.rlim_cur == RLIM_INFINITY || l.rlim_cur >= STACK_MIN)
        return 0;
    uint64_t soft = l.rlim_cur;
    l.rlim_cur = l.rlim_max < STACK_GOOD ? l.rlim_max : STACK_GOOD; // RLIM_INFINITY is the largest of all
    if (l.rlim_max >= STACK_MIN && setrlimit(RLIMIT_STACK, &l) == 0)
        return 0; // the kernel looks at it when the stack grows
    return err_set(err, ENOMEM,
                   "the stack of a process is limited to %" PRIu64 " kB here, bascule and its daemons need %" PRIu64
                   " kB: ulimit -s 8192, in a new shell",
                   soft >> 10, STACK_MIN >> 10);
}

static int check_umask(struct err *err) {
    mode_t mask = umask(0);
    (void)umask(mask);
    if (!(mask & 0700))
        return 0;
    return err_set(err, EACCES, "the umask %04o takes your own rights away from all that is made: umask 022",
                   (unsigned)mask);
}

int limits_check(struct err *err) {
    int r = check_stack(err);
    return r < 0 ? r : check_umask(err);
}
