// SPDX-License-Identifier: PostgreSQL
#pragma once
// How much of the time the application was served (docs/measures.md, "The write outage", availability; availability.c).
#include <stdint.h>

struct measured_availability {
    double writes, reads; // percent of 100 ms buckets, from the first good one to the end of the workload
    int64_t reads_ok, reads_failed;
};
