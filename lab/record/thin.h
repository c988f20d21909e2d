// SPDX-License-Identifier: PostgreSQL
#pragma once
// A record that stays small: lines that say the same are merged before they are written. Pure; its clock is that of the events.
//
// Nothing is thinned until nothing new has been said for `after`: no fault, no step, no command, no change of any role, state, key or
// connection, no write that ends otherwise than those before. Then one line stands for many, up to THIN_TICKS (client.tick) or THIN_OTHERS
// (observations), and after six times as long again up to THIN_TICKS_LATER and THIN_OTHERS_LATER. record.thinned says so, and when it ends.
// The first news writes out all that is held, before itself; so does somebody who begins to watch (`bascule top`).
//
// What a merged line promises, so that the measures stay what they are:
//   every line merged into it says the same but for positions, latencies and counts; it has the newest of them (of noise the worst; a
//   standby was nowhere behind by THIN_LAG more than in the lines that are written)
//   `repeats` of them were merged, and no two that follow each other lie further apart than `pause`: nobody failed to watch in between
//   a client.tick: every bucket in it ended the same way (acknowledged, failed, read), counts are sums, and between its first and its last
//   acknowledged write is no pause that the measures would call one (event_longest_gap)
#include "lab/record/event.h"

#define THIN_TICKS        SEC
#define THIN_OTHERS       (10 * SEC)
#define THIN_TICKS_LATER  (10 * SEC)
#define THIN_OTHERS_LATER (60 * SEC)
#define THIN_LAG          (1 << 20) // bytes

struct thinner;
typedef void thin_write(void *arg, const struct event *ev); // must not keep ev
// `after` = 0: nothing is ever merged.
struct thinner *thin_new(usec_t after, thin_write *write, void *arg);
void thin_free(struct thinner *th);
// Takes the next event of the run: calls `write` for each line that is to be written now, in order.
void thin_event(struct thinner *th, const struct event *ev);
// Somebody looks at the record as it grows (or nobody any more): nothing is held back from him, and calm begins when he has gone.
void thin_watched(struct thinner *th, bool watched);
// Writes out all that is held: the record is about to be sealed.
void thin_flush(struct thinner *th);
// What one tick may stand for now; 0 = nothing is merged. The ledger keeps to the same.
usec_t thin_ticks(const struct thinner *th);
