// SPDX-License-Identifier: PostgreSQL
#pragma once
// Ending a phase in one line.
#include "injector/fault/fault.h"

// Calls done with a formatted text. The last thing a mechanism does in a phase.
void phase_ok(struct fault *f, fault_phase_done done, usec_t effective, const char *fmt, ...) PRINTF_LIKE(4, 5);
void phase_no(struct fault *f, fault_phase_done done, const char *fmt, ...) PRINTF_LIKE(3, 4);
// "n1, n3": the fault's nodes.
void fault_nodes_text(const struct fault *f, struct strbuf *out);
// " (1.2 ms between the first and the last)" for faults with several targets, nothing for one.
void spread_text(size_t targets, usec_t first, usec_t last, struct strbuf *out);
