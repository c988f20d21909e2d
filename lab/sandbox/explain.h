// SPDX-License-Identifier: PostgreSQL
#pragma once
// Why this host refuses a namespace or a mount, and the way out. Private to lab/sandbox and lab/node.
#include "lab/base/err.h"

// Sets err to "<step>: <strerror>: <cause and way out>", the cause looked up on this host. Returns -code.
int explain_refusal(struct err *err, int code, const char *step);
