// SPDX-License-Identifier: PostgreSQL
#pragma once
// A fuzzer's bytes as the log of a run. Bytes that begin with '{' are lines as they stand in events.jsonl, so that recorded logs are
// seeds. Any others are read as a grammar, after an odd first byte with a cluster that stands and has just lost its leader (15, 31, ...: one of fakeha, tests/fake/fake.h): the kind of an event, how much later it is, then for each field a choice out of values
// that folds look for or that lie at the end of a range. So the folds are reached by most inputs, and not only the reader.
#include "lab/record/event.h"
#include "lab/record/ledger.h"

// Calls fn with each event that the reader takes, in order.
void log_input(const uint8_t *data, size_t size, void (*fn)(void *arg, const struct event *ev), void *arg);

// The last bytes of an input as ledger records: fn is called with up to 64 of them.
void log_input_ledger(const uint8_t *data, size_t size, void (*fn)(void *arg, const struct ledger_record *r),
                      void *arg);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
