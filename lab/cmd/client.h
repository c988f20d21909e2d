// SPDX-License-Identifier: PostgreSQL
#pragma once
// Talking to a running lab. Nothing here waits for a supervisor that hangs: -ETIMEDOUT with the way out after 5 s without a sign of
// life of it, or 30 s in all.
#include "lab/base/json.h"
#include "lab/cmd/cmd.h"
#include "lab/node/node.h"
#include "lab/supervisor/lab.h"

// The named lab; NULL = $BASCULE_LAB, else the only one that runs (more than one: an error that lists them). Its supervisor is not
// asked. Root becomes the lab's unprivileged owner first, as for every command.
int client_find(const char *lab, struct lab_ref *ret, struct err *err);
// Connects to it. Returns a connected fd or negative.
int client_connect(const char *lab, struct err *err);
// The same for a lab that this process has started.
int client_connect_started(const struct lab_handle *lab, struct err *err);
// One request, one reply. *ret_reply is owned by the caller; ret_fds (NODE_NS_COUNT entries, may be NULL) gets descriptors that came
// along, -1 where none. A reply that says ok = false becomes the error.
int client_request(int fd, const cJSON *request, cJSON **ret_reply, int *ret_fds, struct err *err);
// The same with only a command word.
int client_command(int fd, const char *command, cJSON **ret_reply, struct err *err);
// The two halves of a request, for who asks several labs at once. asked: usec_now() of the sending, from which the wait counts.
// A lab that has shut the door is told by client_receive, after what it may have said before.
int client_send(int fd, const cJSON *request, struct err *err);
int client_receive(int fd, usec_t asked, cJSON **ret_reply, int *ret_fds, struct err *err);

// Waits for the kernel to end what was killed or has left, every process in the lab: at most 10 s, then -ETIMEDOUT with what may hold the last of them.
int client_await_gone(int pidfd, const char *lab, struct err *err);

#define CLIENT_SILENCE_MAX (5 * SEC) // a supervisor without a sign of life for so long hangs
// Does a process that says nothing still get anything done?
struct life {
    pid_t pid;
    int64_t turns; // on the processor
    usec_t last;   // when they were seen to have grown, or the watch began
    char state;    // of /proc/PID/status: 'S', 'T', 'D', ...
};
struct life client_life(pid_t pid);
usec_t client_silence(struct life *l); // looks; the time since the last sign of life
// The error for a supervisor that gives none.
int client_hung(const struct life *l, const char *lab, usec_t silence, struct err *err);
