// SPDX-License-Identifier: PostgreSQL
#pragma once
// A story that is told event by event, for the tests of it: three PostgreSQL nodes with etcd, all switched on; what a node, a
// daemon, a person or the application does is one call. Times are seconds since the run began.
#include "lab/story/story.h"

struct teller {
    struct story *s;
    struct strbuf news; // what was told, in the order of telling
};

// cmocka's setup and teardown of one teller, which is the test's *state.
int teller_open(void **state);
int teller_close(void **state);
#define TELLER_TEST(name) cmocka_unit_test_setup_teardown(name, teller_open, teller_close)

struct event teller_at(enum event_kind kind, double s);
void teller_put(struct teller *x, const struct event *ev);
void teller_ready(struct teller *x); // the lab is up; what was told before is forgotten

// The cluster. A leader key with an empty holder is gone; `created` is the revision of its creation. `previous` is when the probe
// last saw the node's earlier state; `asked` is when it asked for the position.
void teller_key(struct teller *x, double t, const char *holder, int64_t created);
void teller_lease(struct teller *x, double t, const char *holder, double renewed);
enum probe { WRITES, STANDBY, REFUSES, SILENT };
void teller_sql(struct teller *x, double t, double previous, const char *node, enum probe p, int64_t timeline);
void teller_position(struct teller *x, double asked, const char *node, bool standby, lsn_t lsn);
void teller_etcd(struct teller *x, double t, const char *node, bool answered, const char *leader);
void teller_service(struct teller *x, double t, const char *node, const char *name, const char *state);
void teller_log_line(struct teller *x, double t, const char *node, const char *text); // of Patroni

// The application, which tries ten writes in each 0.1 s.
void teller_tick(struct teller *x, double from, int64_t ok, int64_t failed, double first_ok, double last_ok);
void teller_good_ticks(struct teller *x, double from, double to);
void teller_bad_ticks(struct teller *x, double from, double to);

// The scenario and people. A fault kills a process of the leader; a step is the one named "elected".
void teller_fault(struct teller *x, double t, const char *id, const char *phase, const char *nodes);
void teller_command(struct teller *x, double t, const char *verb, const char *args);
void teller_step(struct teller *x, double t, const char *state, const char *detail);

// What was told since the lab was ready, or since the test cleared it: a line per moment, details behind two spaces.
#define TOLD(x, text) assert_string_equal(strbuf_str(&(x)->news), text)
// The first moment that says `words`; the test fails when there is none.
const struct moment *teller_find(const struct story *s, const char *words);
