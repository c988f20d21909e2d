// SPDX-License-Identifier: PostgreSQL
#pragma once
// What older programs called the acts of today. Their names are read for good, wherever one can stand (scenarios, what a person types, logs),
// and never written: whoever looks a name up goes on with today's, so that no fold and no log of a new run meets an old one.
#include <stddef.h>

// The name of today: of an old name the one that took its place, of any other the name itself. Static or borrowed from `name`.
const char *old_name_now(const char *name);
// The name that this one had before; NULL: always the same. Static.
const char *old_name_then(const char *now);

// In a text of an older program, text[size], as UTF-8 and cut to fit as it was, an old name becomes today's. Whole words only: 'patroni.pause_all'
// is none. first: where the text begins with it, because what follows may be a person's own words; all: for sentences that are the program's own.
void old_name_renew_first(char *text, size_t size);
void old_name_renew_all(char *text, size_t size);
