// SPDX-License-Identifier: PostgreSQL
#pragma once
// Looking for programs. Private to lab/stack.
#include "lab/stack/ops.h"

struct wanted { // a program that is looked for
    const struct stack_program *program;
    bool needed;
    char path[256], version[64]; // "" = not found, not told
    pid_t pid;                   // while it is asked
    int fd;
    struct strbuf said;
};
// Asks those that are needed and there for their versions, all at once, with one deadline. Only for the host's programs: those
// of an image would need its libraries.
void programs_ask(struct wanted *programs, size_t n);
