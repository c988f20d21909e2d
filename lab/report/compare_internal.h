// SPDX-License-Identifier: PostgreSQL
#pragma once
// Private to the comparison: what its printers share.
#include "lab/report/compare.h"

char compare_letter(size_t i); // of the run with this index: 'A', 'B', ...
void compare_lanes(const compare_list *runs, const struct report_style *style, struct strbuf *out);
