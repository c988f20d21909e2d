// SPDX-License-Identifier: PostgreSQL
#include "lab/record/digest.h"

#include <string.h>
#include <unistd.h>

#include "lab/base/fs.h"

void digest_begin(struct digest *d) {
    d->bytes = d->lines = 0;
    sha256_init(&d->state);
}

void digest_add(struct digest *d, const void *data, size_t n) {
    sha256_update(&d->state, n, data);
    d->bytes += (int64_t)n;
    for (const char *p = data, *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        d->lines++;
}

void digest_hex(const struct digest *d, char out[DIGEST_HEX]) {
    struct sha256_ctx copy = d->state; // the digest empties its state
    uint8_t sum[SHA256_DIGEST_SIZE];
    sha256_digest(&copy, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

int digest_beginning(const char *path, int64_t bytes, struct digest *ret, struct err *err) {
    cleanup_close int fd = fs_open_file(path, err);
    if (fd < 0)
        return fd;
    enum { BLOCK = 256 * 1024 };
    cleanup_free char *data = xmalloc(BLOCK);
    digest_begin(ret);
    for (;;) {
        int64_t left = bytes - ret->bytes;
        if (left <= 0)
            return 0;
        ssize_t n = fs_read_some(fd, data, left < BLOCK ? (size_t)left : BLOCK);
        if (n < 0)
            return err_sys(err, errno, "read '%s'", path);
        if (n == 0)
            return 0;
        digest_add(ret, data, (size_t)n);
    }
}

int digest_file(const char *path, struct digest *ret, struct err *err) {
    return digest_beginning(path, INT64_MAX, ret, err);
}
