// SPDX-License-Identifier: PostgreSQL
#pragma once
// fakeha: a stack with neither arbiter nor lease, for the tests of everything that must not need one. A program that links kind.c knows it beside Patroni,
// one that has measures or a dashboard links system.c, too (they define ha_kinds and ha_systems). run.c makes the record of one run.
#include "lab/base/vec.h"
#include "lab/ha/kind/kind.h"
#include "lab/record/event.h"
#include "lab/record/ledger.h"

extern const struct ha_kind fakeha_kind;

// A leader's machine loses its power, as a record tells it. Three nodes and an application that writes every 10 ms from 5 s to 40 s.
#define FAKE_FAULT    (12 * SEC)     // n1, which leads
#define FAKE_WRITABLE (17400 * MSEC) // n2 accepts writes; the probe before was 100 ms earlier
#define FAKE_CLAIM    (17550 * MSEC) // n2's manager says that it leads; it said something else a second earlier
#define FAKE_BACK     (18200 * MSEC) // writes of the application succeed from here on
#define FAKE_HEALED   (25 * SEC)     // n1 has power again
#define FAKE_REJOINED (28 * SEC)     // it streams from n2
#define FAKE_END      (40 * SEC)     // of the application
struct fake_run {
    VEC(struct event) events; // in order of time
    VEC(struct ledger_record) ledger;
};
void fake_run_make(struct fake_run *r);
void fake_run_done(struct fake_run *r);
