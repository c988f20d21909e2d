// SPDX-License-Identifier: PostgreSQL
#pragma once
// Network faults are verified by what arrives, never by what was configured: silence over the flows that should be
// silent, each direction and port on its own, while control flows that should be open get through (else the probe itself
// may be broken): the way back of a one-way cut, other ports of a cut port, small packets where large ones vanish.
#include "injector/fault/fault.h"
#include "lab/reach/flows.h"

struct net_check;
// Just before the fault: opens the probes and sends one baseline packet over each flow that is open now. Costs well under
// a millisecond and does not wait. *ret stays where it is until the check has ended: it is set to NULL then.
int net_check_begin(const struct fault_world *w, const flow_list *silent, struct net_check **ret, struct err *err);
void net_check_free(struct net_check *c); // NULL is fine

// The check has ended and is gone; the text lives through the call. Another check may be begun.
typedef void (*net_check_done)(void *arg, bool ok, const char *text);
// Did the flows fall silent? Takes 150 ms.
void net_check_silence(struct net_check *c, net_check_done done, void *arg);
// Do packets arrive again over every flow of `flows` that nothing else holds shut? Repeats until they do or `within` has
// passed. Opens its own probes; *ret as above. May call done before it returns, when nothing can be heard.
int net_check_open(const struct fault_world *w, const flow_list *flows, usec_t within, net_check_done done, void *arg,
                   struct net_check **ret, struct err *err);
