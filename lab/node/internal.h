// SPDX-License-Identifier: PostgreSQL
#pragma once
// The node as its own files see it. Private to lab/node.
#include <sys/epoll.h>

#include "lab/base/vec.h"
#include "lab/node/disk.h"
#include "lab/node/node.h"
#include "lab/node/proto.h"

struct node_service {
    char name[64];
    int64_t pid; // inside the node; 0 = not running
};

struct node_wait { // a signal under way
    uint32_t id;
    struct node *node;
    node_signal_done done;
    void *arg;
    sd_event_source *timer; // fires when the init itself does not answer
};

struct node_disk_ask { // a request to the disk agent under way
    uint32_t id;
    node_disk_done done; // NULL = nobody waits any more
    void *arg;
};

struct node_disk_limit {
    const void *owner;
    enum disk disk;
    uint64_t size;
};

struct node {
    char name[NODE_NAME_MAX];
    char *image_root; // NULL = the host's file system
    char *disk_dir, *etc_dir, *postgresql_dir, *etcd_dir, *log_dir;
    sd_event *loop;
    struct switch_net *sw;
    struct event_sink sink;
    int ns[NODE_NS_COUNT]; // -1 = not open; MNT and PID are those of the current boot
    unsigned disk_layer;   // 0 = no filter, no agent
    bool own_disks;
    uint64_t disk_size[2]; // as made; 0 = never limited
    VEC(struct node_disk_limit) disk_limits;
    VEC(struct disk_rule) disk_rules; // in force, at every boot
    int base_mnt;                     // the mount namespace every boot starts from
    // of the current boot
    pid_t init; // 0 = off
    int init_pidfd, control;
    int disk; // to the disk agent; -1 = none
    sd_event_source *on_disk;
    VEC(struct node_disk_ask) disk_asks;
    sd_event_source *on_control, *on_end, *on_pending;
    VEC(struct answer) pending;        // answers read while we waited for another one
    VEC(struct node_service) services; // of this boot
    VEC(struct node_wait *) waits;
    VEC(int) functions; // pidfds of node_run_function
    bool watchdog;      // it has one
    bool cut_by_power;  // power-off took the port down, so power-on brings it back
    uint32_t last_id;
};

// service.c: waits for this answer for at most a second; others that come first are handled later, on the loop
int node_answer_wait(struct node *n, uint32_t kind, uint32_t id, struct answer *ret, struct err *err);
int node_read_answers(struct node *n); // reads and handles all that is there; -ENODATA once the init has closed its end
// signal.c
void node_signal_answered(struct node *n, const struct answer *a);
void node_signals_abandon(struct node *n, int error); // every one still waiting gets this error
// disk/node_disk.c
int node_disk_boot(struct node *n, struct err *err);
void node_disk_abandon(struct node *n); // closes; whoever waits for an answer gets ECANCELED
// run.c
void node_functions_kill(struct node *n);
// process.c
int64_t postmaster_pid_in(const char *root, const char *pgdata); // from the file alone; 0 = none
// root.c: the base of the node's mounts, in a helper child that has its own mount namespace
int root_build(const struct node *n, struct err *err);
int root_boot(struct err *err); // what a boot puts on top: fresh /proc, /run, /tmp, /dev/shm, /dev/pts
// root_dev.c: devices are picked while the host's /dev is there, and placed in the node's own.
enum { ROOT_DEVICES = 6 };
struct root_devices {
    int fd[ROOT_DEVICES];
};
int root_pick_devices(struct root_devices *d, struct err *err);
int root_place_devices(const struct root_devices *d, struct err *err);
void root_drop_devices(struct root_devices *d); // also after a failed pick
int root_boot_devices(struct err *err);
// root_host.c: the host's files read-only, people's folders covered, /var/tmp the node's own.
int root_hide_host(struct err *err);
// root_image.c: moves into an overlay of the node's own over its image; the mounts of a running system are on it.
int root_enter_image(const struct node *n, const struct root_devices *devices, struct err *err);
// etc_users.c: the image's passwd and group into etc_dir, with postgres at our own ids.
int etc_users(const char *image_root, const char *etc_dir, struct err *err);
// etc_copy.c: what we may read and is not there yet, within limits; what they left out is told in to/NODE_ETC_LEFT_OUT.
int etc_copy(const char *from, const char *to, struct err *err);
