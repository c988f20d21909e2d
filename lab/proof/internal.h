// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the room: what is kept of a record, and the groups of rules.
#include "lab/base/json.h"
#include "lab/measure/idset.h"
#include "lab/model/model.h"
#include "lab/proof/proof.h"

enum { SAID_MAX = 40 }; // a record in ruins is told by its first holes; the rest is a number

struct proof {
    struct record_proof out;
    size_t unsaid; // lacks beyond SAID_MAX
    struct event begin;
    int64_t kinds[EVENT_KIND_COUNT];
    enum event_kind first;
    char end_reason[EVENT_NAME_MAX];
};

// One thing that is missing.
void proof_lack(struct proof *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
