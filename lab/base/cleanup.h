// SPDX-License-Identifier: PostgreSQL
#pragma once
// Ownership visible at the declaration: `cleanup_free char *path = NULL;`. Hand an object over with STEAL(path).
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_fn(void *p) {
    free(*(void **)p);
}
static inline void cleanup_close_fn(const int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
}
static inline void cleanup_file_fn(FILE **f) {
    if (*f)
        (void)fclose(*f);
}
static inline void cleanup_dir_fn(DIR **d) {
    if (*d)
        (void)closedir(*d);
}

#define cleanup_free  __attribute__((cleanup(cleanup_free_fn)))  // free(3) on leaving the scope
#define cleanup_close __attribute__((cleanup(cleanup_close_fn))) // close(2) when >= 0
#define cleanup_file  __attribute__((cleanup(cleanup_file_fn)))  // fclose(3)
#define cleanup_dir   __attribute__((cleanup(cleanup_dir_fn)))   // closedir(3)

// Takes the value out of a cleanup variable: the caller owns it now, the scope no longer frees it.
#define STEAL(p)                                                                                                       \
    ({                                                                                                                 \
        __auto_type steal_tmp = (p);                                                                                   \
        (p) = NULL;                                                                                                    \
        steal_tmp;                                                                                                     \
    })
#define STEAL_FD(fd)                                                                                                   \
    ({                                                                                                                 \
        int steal_tmp = (fd);                                                                                          \
        (fd) = -1;                                                                                                     \
        steal_tmp;                                                                                                     \
    })

#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
