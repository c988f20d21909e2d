// SPDX-License-Identifier: PostgreSQL
#pragma once
// The nft side of the switch. Private to lab/sandbox.
#include "lab/base/err.h"
#include "lab/base/str.h"

// Runs `nft -f -` on this text inside the network namespace ns: one transaction, all or nothing. Errors carry nft's own
// words.
int nft_apply(int ns, const struct strbuf *text, struct err *err);
