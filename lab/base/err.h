// SPDX-License-Identifier: PostgreSQL
#pragma once
// Errors as values. A function that can fail returns int: 0 or positive is success, negative is -errno; its last parameter
// is `struct err *err`. Success leaves *err alone. Whoever gets the error either returns it (adding context) or logs it.
#include <errno.h>

#include "lab/base/cleanup.h"

#define ERR_MSG_MAX 1024

struct err {
    int code;              // positive errno-like code, 0 = no error
    char msg[ERR_MSG_MAX]; // "what we wanted: what failed: why"; cut at the end when too long
};

// Writes code and message, the strerror text of a non-zero code is NOT added (say why yourself, or use err_sys).
// Returns -code (-EINVAL for code 0). err may be NULL.
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
// As err_set, and appends ": " strerror(code).
int err_sys(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
// Puts "context: " in front of the message that is there. Returns -err->code, so `return err_wrap(err, ...)` works.
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#ifdef __clang_analyzer__ // It sees one file at a time: that these never return 0 would be news to it, in nearly every function.
static inline int err_negative(int r) {
    if (r >= 0)
        __builtin_unreachable();
    return r;
}
#define err_set(...)  err_negative(err_set(__VA_ARGS__))
#define err_sys(...)  err_negative(err_sys(__VA_ARGS__))
#define err_wrap(...) err_negative(err_wrap(__VA_ARGS__))
#endif
