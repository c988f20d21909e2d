// SPDX-License-Identifier: PostgreSQL
#pragma once
// Who is held by SIGSTOP, and by how many faults: two pauses of the same process compose, and only the last heal lets
// it run.
#include "injector/process/victims.h"

struct frozen; // opaque, one per world

struct frozen *frozen_new(void);
void frozen_free(struct frozen *z);
void frozen_hold(struct frozen *z, const struct victim *v);
void frozen_release(struct frozen *z, const struct victim *v); // one hold less; none there is fine
bool frozen_held(const struct frozen *z, const struct victim *v);
