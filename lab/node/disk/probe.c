// SPDX-License-Identifier: PostgreSQL
// The probe: a write and an fdatasync by a process of the node that has the filter of a service. What it meets, the
// daemons meet. The file has no name, so nobody trips over it and nothing is left.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lab/base/vec.h"
#include "lab/node/disk/agent.h"

static int open_unnamed(enum disk disk, enum disk_files files) {
    static const char *const folders[2][2] = {{"/var/lib/postgresql", "/var/lib/postgresql/data/pg_wal"},
                                              {"/var/lib/etcd", "/var/lib/etcd/member/wal"}};
    const char *folder = folders[disk][files == DISK_FILES_WAL];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || errno != EOPNOTSUPP)
        return fd;
    cleanup_free char *path = xasprintf("%s/.bascule-probe-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

static void probe(enum disk disk, enum disk_files files, struct probe_result *r) {
    static const char block[8192] = "bascule";
    int fd = open_unnamed(disk, files);
    r->open_error = fd < 0 ? errno : 0;
    if (fd < 0)
        return;
    usec_t begin = usec_now();
    r->write_error = pwrite(fd, block, sizeof block, 0) < 0 ? errno : 0;
    r->sync_error = fdatasync(fd) < 0 ? errno : 0;
    r->took = usec_now() - begin;
    char back[sizeof block];
    r->read_error = pread(fd, back, sizeof back, 0) < 0 ? errno : 0;
}

pid_t disk_probe_start(unsigned layer, int handoff_out, enum disk disk, enum disk_files files, int *ret_fd) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        struct probe_result r = {0};
        int error = disk_filter_install(layer, handoff_out);
        if (error == 0)
            probe(disk, files, &r);
        else
            r.open_error = -error;
        (void)!write(ends[1], &r, sizeof r);
        _exit(0);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return -errno;
    }
    *ret_fd = ends[0];
    return pid;
}
