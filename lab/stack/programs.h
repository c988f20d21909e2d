// SPDX-License-Identifier: PostgreSQL
#pragma once
// Looking for programs. Private to lab/stack.
#include "lab/stack/stack.h"

struct program {
    const char *name;    // for people
    const char *package; // Debian's
    const char *option;  // that makes it tell its version
    char *path;          // of struct stack_paths, 256 bytes
    char *version;       // of struct stack_paths, 64 bytes, or NULL
    bool needed;
    pid_t pid; // while it is asked
    int fd;
    struct strbuf said;
};
// Asks those that are needed and there for their versions, all at once, with one deadline. Only for the host's programs: those
// of an image would need its libraries.
void programs_ask(struct program *programs, size_t n);
