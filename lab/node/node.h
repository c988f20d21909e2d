// SPDX-License-Identifier: PostgreSQL
#pragma once
// A node: a "machine" of the lab. Its net, mount, uts and ipc namespaces live as long as the struct; its pid namespace, /proc,
// /run, /tmp and /dev/shm live from power-on to power-off. Inside, a tiny init of ours (pid 1) starts, signals and reaps the
// services; it talks to the supervisor over a socket pair. Everything is asynchronous: what happens comes as events
// (node.power, service) through the sink, and as completions through callbacks, on the given sd-event loop.
#include <systemd/sd-event.h>

#include "lab/base/err.h"
#include "lab/node/disk.h"
#include "lab/record/event.h"
#include "lab/sandbox/switch.h"

struct node; // opaque

// Below node_etc_dir, only where something was left out: the node has a copy of the host's /etc (no overlay is possible there), and
// copies are bounded. The first line says how much, each other one what and why.
#define NODE_ETC_LEFT_OUT "bascule.left-out"
#define NODE_WATCHDOG     "/run/watchdog" // inside a node that has one: a pipe for Patroni's driver `testing`

// A node's root is the host's file system, read-only and with home folders and their like covered (node_hides), with its own /etc
// (overlay over the host's, `etc_dir` as upper layer: what the stack wrote there is what the node sees), private folders bound over
// /var/lib/postgresql, /var/lib/etcd, /var/log, an empty /var/tmp, a small /dev, and fresh tmpfs at /run, /tmp, /dev/shm at each
// boot. Or, with image_root, a writable overlay over that tree (disk_dir/root as upper layer, etc_dir in it), with the same folders
// on top.
struct node_spec {
    char name[NODE_NAME_MAX]; // also the hostname
    char address[ADDRESS_MAX];
    const char *hosts;    // text of /etc/hosts, borrowed during node_new
    const char *disk_dir; // folder for persistent state: disk_dir/{etc,etc.work,postgresql,etcd} are made by node_new
    bool watchdog;        // the machine has one, at NODE_WATCHDOG; when it expires the power goes (event `watchdog`)
    // Give each of postgresql and etcd a tmpfs of its own, so that one can be full and the other not. disk_dir must lie
    // in the lab's memory then.
    bool own_disks;
    unsigned
        disk_layer; // DISK_* bits (disk.h): which system calls of its services can be met by storage faults; 0 = none
    const char *log_dir;    // bound at /var/log; in the run folder, so that logs survive everything
    const char *image_root; // absolute path of an unpacked root file system, never written to; NULL = the host's
};

// Can a node on the host's file system not see this path? True for home folders, /tmp and their like.
bool node_hides(const char *path);

int node_new(sd_event *loop, struct switch_net *sw, const struct node_spec *spec, const struct event_sink *sink,
             struct node **ret, struct err *err);
void node_free(struct node *n); // powers off

const char *node_name(const struct node *n);
const char *
node_etc_dir(const struct node *n); // host-side path of the upper layer of its /etc: write configuration there
// Copies what is in that upper layer to a folder that exists, within the limits of a node's own copy (etc_copy.c): whoever works on a node may
// have put anything there, a sparse file of a terabyte too. What was left out is listed in to/NODE_ETC_LEFT_OUT.
int node_keep_etc(const struct node *n, const char *to, struct err *err);
const char *node_postgresql_dir(const struct node *n); // what it sees as /var/lib/postgresql
const char *node_etcd_dir(const struct node *n);       // what it sees as /var/lib/etcd
bool node_is_on(const struct node *n);
// The mount namespace that every boot starts from, borrowed. A child that enters it sees the node's files (not its processes, not
// its network), whether the node is on or off: so a program of an image can run against that image's libraries.
int node_files_ns(const struct node *n);

// Power. on: a fresh boot, init answers before this returns (a few ms). off: the link is cut first, then init is killed, and
// with it every process of the node at once, so that no RST or FIN leaves it; returns when the kernel has reaped them all.
int node_power_on(struct node *n, struct err *err);
int node_power_off(struct node *n, usec_t *ret_effective, struct err *err);

// The last one may be missing: without time namespaces (a kernel before 5.6, a host that refuses them) a node shows the host's uptime.
enum node_ns {
    NODE_NS_USER,
    NODE_NS_NET,
    NODE_NS_MNT,
    NODE_NS_UTS,
    NODE_NS_IPC,
    NODE_NS_PID,
    NODE_NS_TIME,
    NODE_NS_COUNT
};
// Borrowed fds for entering the node (`bascule exec`, observers). NODE_NS_MNT, NODE_NS_PID and NODE_NS_TIME are those of the current
// boot; -1 when the node is off, and NODE_NS_TIME where it has none of its own.
int node_ns(const struct node *n, enum node_ns which);
pid_t node_init_pid(
    const struct node *n); // in the supervisor's pid namespace; 0 when off. /proc/PID/root is the node's root

// Services. argv and env are copied. stdout and stderr go to /var/log/LOG inside the node (appended, one file).
struct service_spec {
    const char *name; // "patroni", "etcd", "haproxy"
    const char *const *argv;
    const char *const *env;      // NULL = a plain environment: PATH, HOME, USER, LANG=C.UTF-8
    const char *const *more_env; // in addition to it; NULL = nothing
    const char *cwd;             // NULL = /
    const char *log;             // "patroni/patroni.log" (below /var/log; folders are made)
};
// Starts it; an exec that fails is reported here with its reason. The init never restarts anything by itself.
int node_service_start(struct node *n, const struct service_spec *spec, struct err *err);
// The same, and content when it runs already. Its init is asked: node_service_pid still names a service that has just
// been killed.
int node_service_ensure(struct node *n, const struct service_spec *spec, struct err *err);
int64_t node_service_pid(const struct node *n, const char *service); // pid inside the node, 0 = not running

// Events: "started", and "exited" or "signalled" once it is gone; also under the name "postgres" for a postmaster that is not a service
// itself (Patroni detaches it). Service events and signal results come on the loop, in order, never from inside a call; callbacks
// may power the node off and on but not free it.

// Signals. The init opens a pidfd, sends, and when `await_exit` is set answers once the process is gone. Done is called on the
// loop with the times (run time) at which the signal was sent and the end was seen (0 = not awaited or not within 5 s).
struct node_signal_result {
    int error; // 0, or a negative errno: -ESRCH no such process, -EPERM pid 1 (use power), -ECANCELED the node went off
               // meanwhile, -ETIMEDOUT a SIGSTOP after which not everything was seen stopped within 200 ms
    usec_t sent, ended;
    int n; // processes signalled; for SIGSTOP: seen stopped
};
typedef void (*node_signal_done)(void *arg, const struct node_signal_result *r);
// pid inside the node. tree: also all its descendants (collected until the set is stable; for pause and resume).
int node_signal_pid(struct node *n, int64_t pid, int sig, bool tree, bool await_exit, node_signal_done done, void *arg,
                    struct err *err);
// Every process of the node but its init, at one instant: one kill(-1) inside. SIGSTOP answers once all were seen stopped.
int node_signal_all(struct node *n, int sig, node_signal_done done, void *arg, struct err *err);
// From now on every process of the node runs for `run` of each period and is stopped for `rest` (µs); rest 0 = full speed.
// A boot begins at full speed.
int node_duty_set(struct node *n, usec_t run, usec_t rest, node_signal_done done, void *arg, struct err *err);
// "T", "S", ... of /proc/PID/stat inside the node; 0 when there is no such process.
char node_process_state(const struct node *n, int64_t pid);

// The postmaster's pid inside the node from PGDATA/postmaster.pid, checked against a living process; 0 = none.
int64_t node_postmaster_pid(const struct node *n, const char *pgdata);
// What the postmaster says of itself in PGDATA/postmaster.pid, in no language: "starting", "stopping", "ready", "standby" (pidfile.h,
// PM_STATUS_*); "" = not known. The file outlives a crash: ask only about a postmaster that has just answered.
enum { NODE_PM_STATUS_MAX = 12 };
void node_postmaster_status(const struct node *n, const char *pgdata, char ret[static NODE_PM_STATUS_MAX]);

// Runs a function of ours as a process of the node (the workload): forked by the supervisor, enters the node's net, uts and mount
// namespaces, drops capabilities, calls main(arg, fd) and exits with its result. *ret_fd is the supervisor's end of a
// SOCK_SEQPACKET pair whose other end is fd. Dies with the supervisor, and with the node's power. Returns its pid: a child of the
// caller, who reaps it. Of the supervisor's descriptors it keeps stdio, plain files and folders; sockets, pipes and loops are closed.
int node_run_function(struct node *n, int (*main_fn)(void *arg, int fd), void *arg, pid_t *ret_pid, int *ret_fd,
                      struct err *err);
