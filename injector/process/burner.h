// SPDX-License-Identifier: PostgreSQL
#pragma once
// A busy loop as a service of a node: a probe of the processor time that a node gets, and the load of resource.cpu.
#include "injector/process/process.h"

struct burner {
    struct node *node; // NULL = none
    struct process at; // as it began
    usec_t since;
};

// nice 0 to 19. `name` gets a number appended, to be a service name of its own.
int burner_start(struct node *n, const char *name, int nice, struct burner *ret, struct err *err);
void burner_stop(struct burner *b); // SIGKILL; safe when there is none, or the node is off
// Share of one processor it used since its start (1.0 = all of one), to the 10 ms of /proc; 0 when it is gone.
double burner_share(const struct burner *b);
char burner_state(const struct burner *b); // 'R', 'T', ...; 0 when it is gone
