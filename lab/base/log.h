// SPDX-License-Identifier: PostgreSQL
#pragma once
// Messages to people, one line each. Only lab/cli, lab/cmd, lab/supervisor and the node's init log; every other room returns its error.
#include "lab/base/cleanup.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

// Lines above `level` are dropped. Default INFO to stderr. fd is borrowed. Environment: BASCULE_DEBUG=1 sets DEBUG.
void log_setup(enum log_level level, int fd);
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
