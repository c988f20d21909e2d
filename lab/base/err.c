// SPDX-License-Identifier: PostgreSQL
#include "lab/base/err.h"

#include <stdarg.h>
#include <string.h>

#ifdef __clang_analyzer__
#undef err_set
#undef err_sys
#undef err_wrap
#endif

int err_set(struct err *err, int code, const char *fmt, ...) {
    if (code == 0)
        code = EINVAL;
    if (!err)
        return -code;
    err->code = code;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    return -code;
}

int err_sys(struct err *err, int code, const char *fmt, ...) {
    if (code == 0)
        code = EIO;
    if (!err)
        return -code;
    err->code = code;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof err->msg) {
        char buf[128];
        (void)snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", strerror_r(code, buf, sizeof buf));
    }
    return -code;
}

int err_wrap(struct err *err, const char *fmt, ...) {
    if (!err)
        return -EIO;
    char old[ERR_MSG_MAX];
    memcpy(old, err->msg, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof err->msg)
        (void)snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", old);
    return -(err->code ? err->code : EIO);
}
