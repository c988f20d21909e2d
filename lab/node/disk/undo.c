// SPDX-License-Identifier: PostgreSQL
// The undo log of a node's disks. A block is kept once, as it was before its first change since the file's last sync.
// Our own descriptor keeps a file that is unlinked meanwhile; its name is durable, so it stays unlinked.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/base/vec.h"
#include "lab/node/disk/agent.h"

enum { BLOCK = 8192 };
static const uint64_t KEPT_MAX = 512ULL << 20; // bytes of old content; more is told as an error, not forgotten
static const usec_t EXPIRE = 30 * SEC;         // vm.dirty_expire_centisecs
static const usec_t LOOK = 5 * SEC;            // vm.dirty_writeback_centisecs

struct file {
    dev_t dev;
    ino_t ino;
    int fd;
    uint64_t size; // as synced
    usec_t since;  // first change since then
    char **blocks; // old content by block number; NULL = unchanged
    size_t n;
};
struct undo {
    VEC(struct file) files;
    uint64_t kept;
    usec_t looked;
    bool overflow;
};

struct undo *undo_new(void) {
    return xcalloc(1, sizeof(struct undo));
}

static void forget_file(struct undo *u, size_t i) {
    struct file *f = &u->files.items[i];
    for (size_t b = 0; b < f->n; b++)
        if (f->blocks[b]) {
            free(f->blocks[b]);
            u->kept -= BLOCK;
        }
    free(f->blocks);
    (void)close(f->fd);
    *f = u->files.items[--u->files.n];
}

void undo_free(struct undo *u) {
    if (!u)
        return;
    undo_synced_all(u);
    VEC_DONE(&u->files);
    free(u);
}

static size_t find(const struct undo *u, const struct stat *st) {
    size_t i = 0;
    while (i < u->files.n && (u->files.items[i].ino != st->st_ino || u->files.items[i].dev != st->st_dev))
        i++;
    return i;
}

// Room for the old content of everything it had when it was synced.
static struct file *file_of(struct undo *u, const char *fd_path) {
    struct stat st;
    if (stat(fd_path, &st) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    size_t i = find(u, &st);
    if (i < u->files.n)
        return &u->files.items[i];
    int fd = open(fd_path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        u->overflow = true;
        return NULL;
    }
    struct file *f = VEC_ADD(&u->files);
    *f = (struct file){.dev = st.st_dev,
                       .ino = st.st_ino,
                       .fd = fd,
                       .size = (uint64_t)st.st_size,
                       .since = usec_now(),
                       .n = ((size_t)st.st_size + BLOCK - 1) / BLOCK};
    f->blocks = xcalloc(f->n ? f->n : 1, sizeof *f->blocks);
    return f;
}

static void keep_old_block(struct undo *u, struct file *f, size_t b) {
    if (u->kept >= KEPT_MAX) {
        u->overflow = true;
        return;
    }
    char *old = xcalloc(1, BLOCK);
    if (pread(f->fd, old, BLOCK, (off_t)b * BLOCK) < 0) {
        u->overflow = true;
        free(old);
        return;
    }
    f->blocks[b] = old;
    u->kept += BLOCK;
}

void undo_before(struct undo *u, const char *fd_path, uint64_t offset, uint64_t len) {
    struct file *f = file_of(u, fd_path);
    if (!f)
        return;
    uint64_t end = len ? offset + len : f->size;
    for (size_t b = offset / BLOCK; b < f->n && (uint64_t)b * BLOCK < end; b++)
        if (!f->blocks[b])
            keep_old_block(u, f, b);
}

void undo_synced(struct undo *u, const char *fd_path) {
    struct stat st;
    if (stat(fd_path, &st) < 0)
        return;
    size_t i = find(u, &st);
    if (i < u->files.n)
        forget_file(u, i);
}

void undo_synced_all(struct undo *u) {
    while (u->files.n)
        forget_file(u, u->files.n - 1);
}

void undo_writeback(struct undo *u, usec_t now) {
    if (now < u->looked + LOOK)
        return;
    u->looked = now;
    for (size_t i = u->files.n; i-- > 0;)
        if (u->files.items[i].since + EXPIRE < now)
            forget_file(u, i);
}

static int put_back(const struct file *f, uint64_t *bytes) {
    struct stat st;
    if (fstat(f->fd, &st) < 0)
        return -errno;
    if ((uint64_t)st.st_size > f->size)
        *bytes += (uint64_t)st.st_size - f->size;
    if (ftruncate(f->fd, (off_t)f->size) < 0)
        return -errno;
    for (size_t b = 0; b < f->n; b++) {
        uint64_t at = (uint64_t)b * BLOCK, len = f->size - at < BLOCK ? f->size - at : BLOCK;
        if (!f->blocks[b])
            continue;
        if (pwrite(f->fd, f->blocks[b], len, (off_t)at) != (ssize_t)len)
            return errno ? -errno : -EIO;
        *bytes += len;
    }
    return 0;
}

int undo_apply(struct undo *u, uint64_t *ret_files, uint64_t *ret_bytes) {
    *ret_files = *ret_bytes = 0;
    if (u->overflow)
        return -ENOBUFS;
    for (size_t i = 0; i < u->files.n; i++) {
        int r = put_back(&u->files.items[i], ret_bytes);
        if (r < 0)
            return r;
        ++*ret_files;
    }
    return 0;
}
