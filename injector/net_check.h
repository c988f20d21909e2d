// SPDX-License-Identifier: PostgreSQL
#pragma once
// Network faults are verified by what arrives, never by what was configured: silence over the pairs that should be
// silent, while a control pair that should be open gets through (else the probe itself may be broken).
#include "injector/probe_net.h"

struct net_check;
// Just before the fault: opens the probes and sends one baseline datagram over each pair that is open now. Costs well
// under a millisecond and does not wait.
int net_check_begin(const struct fault_world *w, const struct pair_set *silent, struct net_check **ret,
                    struct err *err);
void net_check_free(struct net_check *c); // NULL is fine

typedef void (*net_check_done)(void *arg, bool ok, const char *text);
// Did the pairs fall silent? Takes 150 ms.
void net_check_silence(struct net_check *c, net_check_done done, void *arg);
// Do frames arrive again over every pair of `pairs` that nothing else holds shut? Repeats until they do or `within` has
// passed. Opens its own probes; *ret is what to free.
int net_check_open(const struct fault_world *w, const struct pair_set *pairs, usec_t within, net_check_done done,
                   void *arg, struct net_check **ret, struct err *err);
