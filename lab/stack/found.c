// SPDX-License-Identifier: PostgreSQL
// What was found on a node: pure, so that whoever only asks for it links nothing that looks.
#include "lab/stack/stack.h"

static const struct stack_found *find_program(const struct stack_paths *p, const char *name) {
    for (size_t i = 0; i < p->n_found; i++)
        if (str_eq(p->found[i].name, name))
            return &p->found[i];
    return NULL;
}

const char *stack_program(const struct stack_paths *p, const char *name) {
    const struct stack_found *f = find_program(p, name);
    return f ? f->path : "";
}

const char *stack_version(const struct stack_paths *p, const char *name) {
    const struct stack_found *f = find_program(p, name);
    return f ? f->version : "";
}
