// SPDX-License-Identifier: PostgreSQL
#pragma once
// Rates of a link, as tc(8) writes them: "512kbit", "10mbit", "1gbit", "2.5mbit"; powers of 1000, bits a second.
#include <stdbool.h>
#include <stdint.h>

int rate_parse(const char *text, uint64_t *ret);           // 0, or -EINVAL with *ret untouched
char *rate_format(char buf[static 32], double bits_per_s); // "9.87 Mbit/s"
