// SPDX-License-Identifier: PostgreSQL
#pragma once
// Reads a topology: a file of its own or a mapping inside a scenario. Internal to the room; topology_read in read.h is for others.
#include "lab/scenario/yaml/decode.h"
#include "lab/topology/topology.h"

// The topology that `name` means: a file of o->topology_dir, or a path (has a '/' or ends in .yaml) relative to the
// folder of the file that names it. NULL after a complaint at `at`.
struct topology *topology_load(struct reader *r, struct mark at, const char *name);
// The value of `topology:`: a name or a mapping, with `from:` for what it builds upon.
struct topology *topology_from_node(struct reader *r, const struct ynode *n, const char *default_name);
// The value of `nodes:`; adds to and changes t->nodes.
void topology_read_nodes(struct reader *r, struct topology *t, const struct ynode *nodes);
// What can only be judged once every setting is known; at: where to complain.
void topology_check(struct reader *r, const struct topology *t, struct mark at);
// Walsenders and slots for every standby: sets what the file left open, complains about less than there are standbys.
void topology_fit_replication(struct reader *r, struct topology *t, struct mark at);
