// SPDX-License-Identifier: PostgreSQL
#pragma once
#include <unistd.h>

// A forked child shares the open file descriptions of its parent: a socket that the parent closes would live on here and keep the
// parent's epoll set reporting it. So the application keeps nothing but stdio and its own end of the socket.
static inline void process_forget_parent(int fd) {
    if (fd > 3)
        (void)close_range(3, (unsigned)fd - 1, 0);
    (void)close_range((unsigned)fd + 1, ~0U, 0);
}
