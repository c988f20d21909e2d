// SPDX-License-Identifier: PostgreSQL
#pragma once
// Frames of one directed pair of nodes taken out of the switch and handed to a process of ours (the link shaper's relay),
// by the kernel's traffic control: clsact on every port from the start, and per pair one u32 filter with a mirred
// redirect. Everything else stays in the kernel. As `tc` would do it:
//   tc filter add dev h-n2 egress pref 100 protocol ip u32 match ip src 10.77.0.11 action mirred egress redirect dev ks
#include "lab/base/err.h"
#include "lab/sandbox/switch.h"

// The way to the process: what is redirected leaves through `into` and is received on `from`, a veth pair beside the
// bridge. Interface indices in the switch's namespace. A frame between REDIRECT_TEST_* that is sent out of `from` by the
// usual way comes back to it; one sent around the queueing disciplines does not: so both can be tried.
struct switch_sink {
    int into, from;
};
#define REDIRECT_TEST_SRC "192.0.2.1" // RFC 5737, TEST-NET-1
#define REDIRECT_TEST_DST "192.0.2.2"
// Made on first use. Fails with what the kernel lacks.
int switch_sink(struct switch_net *sw, struct switch_sink *ret, struct err *err);
// From now on IP frames from -> to go into the sink, or (off) through the bridge again. Loses none. A filter that is gone
// already is no error.
int switch_redirect(struct switch_net *sw, const char *from, const char *to, bool on, struct err *err);
int switch_port_index(struct switch_net *sw, const char *node, struct err *err); // of its port, in the switch

int switch_enter(struct switch_net *sw, struct err *err); // the caller's thread, for good: for a throw-away lab

// A process of ours in the switch's network namespace: forked, open_fn(arg) while it may still open raw sockets, then no
// capability is left and main_fn(arg, fd) runs. fd is its end of a SOCK_SEQPACKET pair, *ret_fd ours. Dies with the
// caller. No other descriptor above stderr survives in it but those that open_fn opens.
int switch_run_function(struct switch_net *sw, int (*open_fn)(void *arg), int (*main_fn)(void *arg, int fd), void *arg,
                        pid_t *ret_pid, int *ret_pidfd, int *ret_fd, struct err *err);
