// SPDX-License-Identifier: PostgreSQL
#pragma once
// `bascule run --random` and `--replay`: the text of a scenario that no author wrote, or that a run has kept.
#include "lab/cmd/start.h"

// A length for --duration: 30 s to RANDOM_DURATION_MAX. -EINVAL with the reason.
int random_duration(const char *text, usec_t *ret, struct err *err);
// Draws a scenario: o->seed (one is chosen and stored when it is 0), the topology of --set topology=NAME or
// patroni-3-etcd-3-sync. *path is "random-SEED.yaml", a name and no file. -ENOTSUP: this host can't run any of it.
int random_make(struct start_options *o, usec_t duration, struct strbuf *path, struct strbuf *text, struct err *err);
// The scenario, seed and settings of a run folder. Settings and seed given on the command line win.
int random_again(const char *run, struct start_options *o, struct strbuf *path, struct strbuf *text, struct err *err);
