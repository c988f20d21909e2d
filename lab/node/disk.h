// SPDX-License-Identifier: PostgreSQL
#pragma once
// The disk layer of a node: what its services ask of its two disks (/var/lib/postgresql, /var/lib/etcd) can be held up,
// refused, or forgotten at a power cut. Services start with a seccomp filter that sends the chosen system calls to an
// agent of ours in the node (seccomp_unotify(2)); without a rule the agent lets each one go on at once. A node whose
// layer is 0 has no filter and no agent and pays nothing. docs/decisions/storage-faults.md says why and what it costs.
#include <stdbool.h>
#include <stdint.h>

#include "lab/base/err.h"
#include "lab/base/usec.h"

struct node;

enum disk { DISK_POSTGRESQL, DISK_ETCD };
enum disk_files { DISK_FILES_ALL, DISK_FILES_WAL, DISK_FILES_DATA }; // pg_wal and etcd's member/wal, or the rest

// Classes of system calls, bits. A layer is a set of them; only those are sent to the agent.
enum {
    DISK_SYNC = 1,   // fsync, fdatasync, syncfs
    DISK_WRITE = 2,  // write, pwrite64, writev, pwritev, pwritev2, ftruncate, fallocate
    DISK_READ = 4,   // pread64, preadv, preadv2; read(2) is left out, sockets use it too much
    DISK_NAMES = 8,  // open for writing, unlink, rename, mkdir, ... by path
    DISK_TRACK = 16, // keep what a power cut would forget; needs SYNC and WRITE
    DISK_LAYER_ALL = 31,
};

// What shall happen to the calls of these classes on these files. Several rules add up: the longest delay counts, a
// hold is a hold, and then the first error.
struct disk_rule {
    uint32_t id; // chosen by node_disk_ask
    uint32_t disk, files, calls;
    int32_t error; // a positive errno to answer with; 0 = the call is made
    bool hold;     // until the rule is dropped
    usec_t delay;
};

enum disk_ask_kind {
    DISK_ASK_ADD = 1,  // put a rule in force; answer.rule is its id
    DISK_ASK_DROP,     // rule.id; calls it held go on at once
    DISK_ASK_COUNT,    // rule.id: answer.hits
    DISK_ASK_PROBE,    // write 8 kB to an unnamed file there, fdatasync it: through the filter like any service
    DISK_ASK_ROLLBACK, // take back what was not fsynced, on both disks; every later call is held until the power goes
};
struct disk_ask {
    uint32_t kind, id;
    struct disk_rule rule; // PROBE: disk and files say where
    usec_t patience;       // PROBE: given up after this
};
struct disk_answer {
    uint32_t kind, id;
    int32_t error; // positive errno: the request itself failed
    uint32_t rule;
    uint64_t hits, held;                                     // COUNT: calls that met the rule so far; held by it now
    int32_t open_error, write_error, sync_error, read_error; // PROBE: what the probe's calls answered, 0 = done
    bool unfinished;                                         // PROBE: it hung until patience was over
    usec_t took;                                             // PROBE: write and fdatasync together
    uint64_t files, bytes;                                   // ROLLBACK: files that lost something, and how much
};
// Called once, on the loop: with the agent's answer, or error ECANCELED when the node lost its power first.
typedef void (*node_disk_done)(void *arg, const struct disk_answer *a);

// Sends a request (a few µs); the answer comes on the loop. A rule outlives a power-off: the next boot begins with it.
// ENOSYS: the node has no layer; EHOSTDOWN: it is off (ADD and DROP are then answered at once all the same).
// ADD chooses the rule's id and writes it into *ask.
int node_disk_ask(struct node *n, struct disk_ask *ask, node_disk_done done, void *arg, struct err *err);
void node_disk_forget(struct node *n, const void *arg); // answers for arg are dropped from here on

// Can this kernel do it? 0, or negative with the reason.
int node_disk_supported(struct err *err);

// The disks as file systems of their own (spec.own_disks): how much room there is. Never blocks: they are in memory.
struct disk_room {
    uint64_t size, used; // bytes
};
int node_disk_room(const struct node *n, enum disk d, struct disk_room *ret, struct err *err);
// Limits the size on behalf of `owner` (any address); the smallest of all owners' limits is in force, but never less than
// what is in use. 0 = this owner no longer limits it; without owners it has the size it was made with.
int node_disk_limit(struct node *n, enum disk d, const void *owner, uint64_t size, struct err *err);
size_t node_disk_limits(const struct node *n, enum disk d, const void *but); // how many other owners limit it
size_t node_disk_rules(const struct node *n, enum disk d);                   // rules in force for this disk
// Writes to an unnamed file there, at most `most` bytes, and takes it away again. 0 and *ret_room = what was written, or
// -ENOSPC with what could be written; other errors in err.
int node_disk_fill(const struct node *n, enum disk d, uint64_t most, uint64_t *ret_room, struct err *err);
