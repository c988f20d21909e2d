// SPDX-License-Identifier: PostgreSQL
#pragma once
// The box that cannot leak: one user namespace (inner uid/gid = the host's postgres) with pid, mount, net, uts and ipc
// namespaces, whose pid 1 is the lab's supervisor. When it dies for any reason the kernel kills every process in it, and
// mounts, links and namespaces vanish with the last of them (pid_namespaces(7), "If the init process terminates").
#include <sys/types.h>

#include "lab/base/err.h"
#include "lab/base/str.h"

// The uid and gid that the lab's processes see themselves as: the host's "postgres" user (getpwnam), because initdb, psql and
// Patroni behave as on a server then. Fails with the way out when there is no such user.
int sandbox_identity(uid_t *ret_uid, gid_t *ret_gid, struct err *err);

// When run by root: becomes an unprivileged user for good (SUDO_UID/SUDO_GID, else the system user "bascule", else "nobody" with
// a warning-free HOME below /var/tmp). Does nothing for anybody else. Call once at program start, before anything is made.
int sandbox_drop_root(struct err *err);

// The home folder that passwd(5) has for whoever made this lab; "" when there is none, or outside of a lab.
const char *sandbox_home(void);

// Clones the calling (single-threaded) process into new namespaces. In the parent: returns 1 with *ret_pid and *ret_pidfd
// (close-on-exec, owned by the caller). In the child: returns 0; it is pid 1 of the lab, holds all capabilities of the new
// user namespace (does not exec), has a private mount tree, a fresh /proc, an empty tmpfs at SANDBOX_STATE (inside the lab;
// nodes do not see it), and lo up. The host's /run is covered, except for /run/user with the user's sockets.
// With die_with_parent the kernel also kills it with the parent.
// On a failed step: negative and err says which step, why, and the way out (docs: what doctor checks), nothing is left.
int sandbox_clone(bool die_with_parent, pid_t *ret_pid, int *ret_pidfd, struct err *err);
#define SANDBOX_STATE "/run/bascule" // the lab's tmpfs, inside the lab only

// What this host can do, found by trying it in a throw-away child. Each returns 0 or negative with the reason and the way out in
// err: for `bascule doctor` and for one clear message before a lab starts.
int sandbox_probe_userns(struct err *err);
int sandbox_probe_overlay(
    struct err *err); // not needed: without it nodes get a copy of /etc, which takes longer to make
int sandbox_probe_overlay_of(const char *lower, struct err *err); // a writable root over this folder: needed for images
int sandbox_probe_network(struct err *err);                       // veth, bridge, nft bridge family
// Any other question of that kind: `try` runs in a throw-away lab, with all capabilities there (arg is NULL).
int sandbox_probe(int (*try)(const char *arg, struct err *err), struct err *err);
