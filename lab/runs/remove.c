// SPDX-License-Identifier: PostgreSQL
#include <ftw.h>
#include <sys/stat.h>

#include "lab/base/fs.h"
#include "lab/runs/runs.h"

static _Thread_local uint64_t counted; // nftw(3) hands no argument to its function

static int count_file(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)path;
    (void)at;
    if (type != FTW_NS)
        counted += (uint64_t)st->st_blocks * 512; // st_blocks counts units of 512 bytes (stat(2))
    return 0;
}

int runs_remove(const struct run_entry *run, uint64_t *ret_bytes, struct err *err) {
    enum { OPEN_FOLDERS = 16 };
    cleanup_free char *events = xasprintf("%s/events.jsonl", run->path);
    if (runs_is_live(events))
        return err_set(err, EBUSY, "the run %s is being recorded by a lab: end that first (`bascule list`)", run->name);
    counted = 0;
    (void)nftw(run->path, count_file, OPEN_FOLDERS, FTW_PHYS | FTW_MOUNT);
    int r = fs_remove_tree(run->path, err);
    if (r == 0)
        *ret_bytes += counted;
    return r;
}
