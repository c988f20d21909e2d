// SPDX-License-Identifier: PostgreSQL
#pragma once
// A growing array of any type: `VEC(struct step) steps;` zero-initialised is empty. The owner frees with VEC_DONE.
#include <stddef.h>
#include <stdlib.h>

#include "lab/base/str.h"

#define VEC(type)                                                                                                      \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t n, cap;                                                                                                 \
    }

// For the static analyzer, which takes a list with n > 0 and no items for possible.
#ifdef __clang_analyzer__
#define VEC_BELIEVE(v) ((v)->items ? (void)0 : __builtin_unreachable())
#else
#define VEC_BELIEVE(v) ((void)0)
#endif

// Adds a zeroed item and gives its address; addresses of older items may change.
#define VEC_ADD(v)                                                                                                     \
    ({                                                                                                                 \
        if ((v)->n == (v)->cap) {                                                                                      \
            (v)->cap = (v)->cap ? (v)->cap * 2 : 8;                                                                    \
            (v)->items = xrealloc((v)->items, (v)->cap * sizeof *(v)->items);                                          \
        }                                                                                                              \
        VEC_BELIEVE(v);                                                                                                \
        memset(&(v)->items[(v)->n], 0, sizeof *(v)->items);                                                            \
        &(v)->items[(v)->n++];                                                                                         \
    })
#define VEC_PUSH(v, value) (*VEC_ADD(v) = (value))
// Takes out item i; those behind it move up. What it owned has been freed.
#define VEC_REMOVE(v, i)                                                                                               \
    ({                                                                                                                 \
        VEC_BELIEVE(v);                                                                                                \
        size_t vec_i = (i);                                                                                            \
        memmove(&(v)->items[vec_i], &(v)->items[vec_i + 1], (--(v)->n - vec_i) * sizeof *(v)->items);                  \
    })
#define VEC_CLEAR(v)         ((void)((v)->n = 0))
#define VEC_DONE(v)          (free((v)->items), (v)->items = NULL, (v)->n = (v)->cap = 0)
// VEC_FOREACH(&list, it) walks the items; `it` is a pointer. Don't add to the list inside.
#define VEC_FOREACH(v, it)   for (__auto_type it = (v)->items; it && it < (v)->items + (v)->n; it++)
// Sorts by a comparison as qsort(3) wants it. An empty list has no items to give to qsort.
#define VEC_SORT(v, compare) ((v)->n > 1 ? qsort((v)->items, (v)->n, sizeof *(v)->items, (compare)) : (void)0)
