// SPDX-License-Identifier: PostgreSQL
#pragma once
// Files and folders.
#include <sys/types.h>

#include "lab/base/err.h"
#include "lab/base/str.h"

// Creates path and its missing parents (mkdir -p). 0 when it exists already.
int fs_mkdirs(const char *path, mode_t mode, struct err *err);
// Is the path that of the folder, or of something in it? By the text alone.
bool fs_is_below(const char *path, const char *folder);
// With our effective rights. access(2) asks as the real user, without the capabilities that /proc/PID/root of a node wants.
bool fs_exists(const char *path);
// read(2), again when a signal interrupts it. Async-signal-safe.
ssize_t fs_read_some(int fd, void *to, size_t size);
// The whole file, at most `max` bytes (-EFBIG beyond). Appends to buf. NUL bytes are kept; buf->data stays terminated.
int fs_read(const char *path, size_t max, struct strbuf *buf, struct err *err);
// The rest of an open file; path is for the message.
int fs_read_fd(int fd, const char *path, size_t max, struct strbuf *buf, struct err *err);
// Opens a regular file for reading and refuses whatever else has that name (-EINVAL): a pipe or a device, of which a reader could wait
// for ever, a folder. Returns the descriptor, which the caller closes.
int fs_open_file(const char *path, struct err *err);
// fs_read of a file that somebody else may have put there: refuses what fs_open_file refuses.
int fs_read_file(const char *path, size_t max, struct strbuf *buf, struct err *err);
// Creates or truncates. Not atomic, not synced: for files of a new folder that only we write.
int fs_write(const char *path, const char *data, size_t len, mode_t mode, struct err *err);
// A file that appears whole: a reader sees the old or the new one, never half of one, and a writer that is killed leaves nothing. It
// has no name until new_file_publish, which names it path.PID.tmp and renames that over path. (Where the file system has no
// unnamed files, the half-written path.PID.tmp stays behind a kill -9.)
struct new_file {
    int fd; // to write to; -1 = none
    // Private.
    bool named; // tmp exists
    char *path, *tmp;
};
int new_file_open(const char *path, mode_t mode, struct new_file *ret, struct err *err);
int new_file_sync(const struct new_file *f,
                  struct err *err); // before it is published, for what must outlive a power cut
int new_file_publish(struct new_file *f, struct err *err);
void new_file_close(struct new_file *f); // in any case, also one that was not published or not opened
// All of it for a text in memory; atomic: synced, too.
int fs_write_whole(const char *path, const char *data, size_t len, mode_t mode, struct err *err);
int fs_write_atomic(const char *path, const char *data, size_t len, mode_t mode, struct err *err);
// write(2) until all is out. Returns 0 or -errno.
int fs_write_all(int fd, const void *data, size_t len);
// rm -rf that never crosses a mount point or follows a link. 0 when path does not exist.
int fs_remove_tree(const char *path, struct err *err);
// Copies a folder tree (files, folders, links, modes) into the existing folder dst, and writes through no link that lies there; holes stay holes where cheap. For data
// directories: copies with copy_file_range(2), falling back to read/write.
int fs_copy_tree(const char *src, const char *dst, struct err *err);
