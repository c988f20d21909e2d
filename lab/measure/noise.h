// SPDX-License-Identifier: PostgreSQL
#pragma once
// Was the host too busy for its times to be believed (docs/measures.md, "Noise and verdict"; measure.c)?
#include "lab/base/usec.h"

struct measured_noise {
    usec_t late_max; // worst scheduling lateness during the run
    int seconds;     // seconds with a 99th percentile of lateness above 100 ms
    bool noisy;
};
