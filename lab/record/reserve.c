// SPDX-License-Identifier: PostgreSQL
#include "lab/record/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool beyond_limit(uint64_t size) {
    struct rlimit l;
    return getrlimit(RLIMIT_FSIZE, &l) == 0 && l.rlim_cur != RLIM_INFINITY && l.rlim_cur < size;
}

static int guess(int fd, uint64_t ahead) {
    struct statvfs s;
    return fstatvfs(fd, &s) == 0 && (uint64_t)s.f_bavail * s.f_frsize < ahead ? -ENOSPC : 0;
}

static int ask(int fd, uint64_t from, uint64_t until, uint64_t ahead) {
    if (beyond_limit(until))
        return -EFBIG;
    int r;
    do
        r = fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(until - from));
    while (r < 0 && errno == EINTR);
    if (r == 0)
        return 0;
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return full ? -errno : guess(fd, ahead);
}

int reserve_ahead(struct reserve *r, int fd, uint64_t size, uint64_t ahead) {
    // An eighth more than needed, so that one call serves for many writes.
    uint64_t step = ahead / 8, until = size + ahead + step;
    if (r->refused || size + ahead - step <= r->until)
        return 0;
    int code = ask(fd, r->until > size ? r->until : size, until, ahead);
    if (code < 0)
        r->refused = true;
    else
        r->until = until;
    return code;
}

void reserve_release(struct reserve *r, int fd, uint64_t size) {
    if (r->until > size)
        (void)!ftruncate(fd, (off_t)size); // the same size: only the blocks beyond it go
    *r = (struct reserve){.refused = true};
}
