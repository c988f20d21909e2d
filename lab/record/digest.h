// SPDX-License-Identifier: PostgreSQL
#pragma once
// A running hash of a file of the record, SHA-256 (FIPS 180-4) by nettle: what record.seal says of it, and what a reader finds.
// docs/decisions/record-proof.md.
#include <nettle/sha2.h>

#include "lab/base/err.h"

enum { DIGEST_HEX = 2 * SHA256_DIGEST_SIZE + 1 };

struct digest {
    struct sha256_ctx state;
    int64_t bytes, lines; // lines: newlines
};
void digest_begin(struct digest *d);
void digest_add(struct digest *d, const void *data, size_t n);
// The hash of all bytes so far, in hex; more may be added afterwards.
void digest_hex(const struct digest *d, char out[DIGEST_HEX]);
// The first `bytes` of a file, all of it when it is shorter. Errors as digest_file.
int digest_beginning(const char *path, int64_t bytes, struct digest *ret, struct err *err);
// A whole file. Refuses what is no regular file. Negative when it can't be read (-ENOENT: there is none).
int digest_file(const char *path, struct digest *ret, struct err *err);
