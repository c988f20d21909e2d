// SPDX-License-Identifier: PostgreSQL
#pragma once
// What the mechanisms of a plan's steps have to say of their parameters and of the topology (injector/fault/fault.h, check).
#include "lab/scenario/read.h"

// Adds a mistake of the file as an error at its step: a parameter that can't be, a topology that does not fit. With
// host_too also, as a warning, what this host can't do: no mistake of the file. path as in the other diagnostics.
// 0, or -EINVAL when there was a mistake.
int plan_check_faults(const char *path, const struct plan *plan, bool host_too, struct diags *d);
