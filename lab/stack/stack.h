// SPDX-License-Identifier: PostgreSQL
#pragma once
// What a cluster is made of. Each system fills a stack_ops (ops.h); `patroni` is the first. A stack writes each daemon's
// configuration the way an administrator would, knows the start order, and starts again what a node runs.
#include <limits.h>
#include <systemd/sd-event.h>

#include "lab/model/model.h"
#include "lab/node/node.h"
#include "lab/record/event.h"
#include "lab/topology/topology.h"

struct stack; // opaque: one running cluster

enum { STACK_PROGRAMS_MAX = 12 };
struct stack_found {   // a program that is there
    char name[24];     // "patroni"; PostgreSQL's server is "postgres"
    char title[24];    // "Patroni", "" = its version is of no interest
    unsigned services; // of the nodes that run it
    char path[256];    // as the node sees it
    char version[64];  // "" = not asked, or it did not say
};
struct stack_paths {                          // one node's programs, found by stack_find_programs
    char image[IMAGE_NAME_MAX], image_id[80]; // "" = the host's file system
    char root[PATH_MAX];                      // of the image, outside; "" = the host's
    char debian_version[32];                  // "" = not a Debian
    char pg_bin[256];                         // /usr/lib/postgresql/15/bin
    struct stack_found found[STACK_PROGRAMS_MAX];
    size_t n_found;
};
const char *stack_program(const struct stack_paths *p, const char *name); // its path, "" = not there
const char *stack_version(const struct stack_paths *p, const char *name); // "" = not known
// Looks for what each node needs, in its image or on the host; ret by index in topology->nodes. Fails with the missing ones and
// the command that installs them or builds the image (-ENOENT), or when versions can't live in one cluster (-EINVAL,
// versions.h). No network. Images are the user's: call it after sandbox_drop_root.
int stack_find_programs(const struct topology *t, struct stack_paths ret[static NODES_MAX], struct err *err);

struct stack_options {
    sd_event *loop;
    const struct topology *topology;
    const struct stack_paths *paths; // by index in topology->nodes
    struct node *const *nodes;       // by index in topology->nodes, not yet powered on
    const struct event_sink *sink;
    const char *cache_dir; // prepared templates (the user's cache); NULL = neither read nor write
    const char *work_dir;  // scratch inside the lab's tmpfs, for building a template
    bool fresh;            // ignore a cached template (measuring a cold start)
};
int stack_new(const struct stack_options *o, struct stack **ret, struct err *err);
void stack_free(struct stack *s);

// Writes all configuration, powers the nodes on and starts everything in order, driven by the loop and by stack_on_event (feed
// it every event). Progress comes as progress events; the end is visible in the model (model_complete). A failed step (a daemon
// that exits at once, no etcd leader in 60 s) comes as lab.state "broken" with the log's last lines in detail.
int stack_start(struct stack *s, struct err *err);
void stack_on_event(struct stack *s, const struct event *ev, const struct model *m);
// Starts a node's services again after a power-on, or one killed service. For faults and `heal`.
int stack_start_services(struct stack *s, const char *node, const char *service, struct err *err);
bool stack_was_warm(const struct stack *s); // a cached template was used

// Connection data for the workload and people. Text for libpq; static passwords of the lab are in it.
void stack_app_conninfo(const struct topology *t, enum service via,
                        struct strbuf *out); // multi-host or through HAProxy
// Passwords inside every lab (it is a closed box): "superuser", "replication", "rewind", "app".
const char *stack_password(const char *role);
