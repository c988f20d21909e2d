// SPDX-License-Identifier: PostgreSQL
#pragma once
// Data directories, prepared by a worker: a forked child that runs initdb (or takes a cached template), makes each
// node's copy and tells its progress over a pipe. It works straight on, blocking as it likes; the loop only reads the
// pipe. A word from the worker counts, not its exit status: the lab's pid 1 may reap it first.
#include <systemd/sd-event.h>

#include "lab/stack/conf.h"

struct template_worker; // opaque

// Where the programs that make a template run. On the host there is one view of the files; the programs of an image run
// inside a node made of it.
struct template_world {
    const char *dir;    // scratch, as this process sees it
    const char *inside; // the same folder as the programs see it
    int mounts;         // mount namespace of the programs; -1 = this process's own
};

struct template_options {
    struct conf conf;
    const char *cache_dir; // NULL = no cache
    struct template_world world;
    const char *const *postgresql_dirs; // by index in topology->nodes, each node's /var/lib/postgresql, host side
    bool fresh;                         // ignore a cached template
};

enum template_step {
    TEMPLATE_WARM,   // the cache had it
    TEMPLATE_BUILT,  // initdb is done, the copies follow
    TEMPLATE_NODE,   // a node's data directory is ready; `node` is its index
    TEMPLATE_DONE,   // all of them
    TEMPLATE_NOTE,   // for people, nothing broke: `text` (the cache could not be written)
    TEMPLATE_FAILED, // `text` says why
    TEMPLATE_ENDED,  // the last report: the worker is gone
};
typedef void (*template_report)(void *arg, enum template_step step, size_t node, const char *text);

int template_start(sd_event *loop, const struct template_options *o, template_report report, void *arg,
                   struct template_worker **ret, struct err *err);
void template_free(struct template_worker *w); // ends the worker when it still runs

// The name of the template's folder: a hash of everything that decides what is in it, and of nothing else. So a
// scenario with another ttl starts warm too.
void template_name(const struct conf *c, char buf[static 40]);

// ---- the worker's own steps (template_build.c), blocking ---------------------------------------------------------

// What template_build's result depends on, as text.
void template_inputs(const struct conf *c, struct strbuf *out);
// Makes a cleanly shut down data directory `name` in the world's scratch folder, with the programs of the first leader: initdb, roles, the application's database, replication slots.
int template_build(const struct conf *c, const struct template_world *w, const char *name, struct err *err);
// Copies the template to dir/data and gives it this node's configuration files.
int template_instantiate(const struct conf *c, const struct node_def *n, const char *template_path, const char *dir,
                         struct err *err);
// Writes a file of a data directory, readable by its owner only.
int template_put(const char *dir, const char *name, const struct strbuf *text, struct err *err);
