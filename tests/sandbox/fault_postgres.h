// SPDX-License-Identifier: PostgreSQL
#pragma once
// A real PostgreSQL on n1 with a standby on n2, for tests of faults that hit it. "patroni" is a stand-in that starts the
// postmaster again when it is gone, as Patroni would, and is not its parent.
#include "tests/sandbox/fault_fixture.h"

#include "injector/process/process.h"

bool pg_find(void); // false: PostgreSQL is not installed
int pg_setup(void **state);
int pg_teardown(void **state);
// A shell script as a service of the node, with PostgreSQL's programs in PATH and the data directory as $D.
void pg_script(struct fixture *x, int node, const char *name, const char *script);
void pg_wait_script(struct fixture *x, int node, const char *name); // ends well, or the test fails
int pg_count(struct fixture *x, int node, enum pg_process what);    // processes of this kind
bool pg_comes(struct fixture *x, int node, enum pg_process what, int wanted, usec_t within);
int64_t pg_postmaster(struct fixture *x, int node); // pid inside the node, 0 = none
