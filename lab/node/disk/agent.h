// SPDX-License-Identifier: PostgreSQL
#pragma once
// The agent: a process of the node that answers for its disks. Private to lab/node.
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/types.h>

#include "lab/node/disk.h"

// ---- filter.c ------------------------------------------------------------------------------------------------------
// The class of a system call (one DISK_* bit), 0 = none of ours. by_path: its argument `path_arg` is a path, not fd 0.
struct disk_call {
    int nr;
    unsigned class;
    int path_arg;  // -1 = args[0] is a descriptor
    int flags_arg; // only when this argument has a flag that writes; -1 = always
};
const struct disk_call *disk_call_find(int nr);
// In the child that becomes a service, last thing before exec: installs the filter and hands its listener to the agent
// over `handoff`. 0 or -errno. Sets no_new_privs: a node has no setuid programs to run.
int disk_filter_install(unsigned layer, int handoff);

// ---- undo.c --------------------------------------------------------------------------------------------------------
// What a power cut would take back: for each file with unsynced changes its length at the last sync and the old content
// of every block changed since. Names are durable at once, as after a journal commit; contents only when synced, or
// after the kernel's own writeback (vm.dirty_expire_centisecs, 30 s, looked at every 5 s).
struct undo;
struct undo *undo_new(void);
void undo_free(struct undo *u); // NULL is fine
// Before a call that changes content. fd_path: /proc/PID/fd/N. len 0 and truncate: everything from offset on.
void undo_before(struct undo *u, const char *fd_path, uint64_t offset, uint64_t len);
void undo_synced(struct undo *u, const char *fd_path); // fsync or fdatasync is about to be done
void undo_synced_all(struct undo *u);                  // syncfs
void undo_writeback(struct undo *u, usec_t now);       // forgets what the kernel would have written by now
// Puts the old content back. 0, or -errno (-ENOBUFS: more was changed than could be kept).
int undo_apply(struct undo *u, uint64_t *ret_files, uint64_t *ret_bytes);

// ---- agent.c -------------------------------------------------------------------------------------------------------
// control: the supervisor's requests; handoff: listeners arrive here, handoff_out is its other end (for probes).
_Noreturn void disk_agent_main(unsigned layer, int control, int handoff, int handoff_out);

// ---- probe.c -------------------------------------------------------------------------------------------------------
struct probe_result {
    int32_t open_error, write_error, sync_error, read_error;
    usec_t took;
};
// Forks a child that goes through the filter; *ret_fd gets one struct probe_result, or end of file.
pid_t disk_probe_start(unsigned layer, int handoff_out, enum disk disk, enum disk_files files, int *ret_fd);
