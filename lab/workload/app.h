// SPDX-License-Identifier: PostgreSQL
#pragma once
// Inside the application's process: shared by its files and nobody else. All times are run time.
//
// How it connects, as a careful driver does and as docs/measures.md says:
// - a pool of POOL_WRITERS lasting connections for writes, one per PostgreSQL node for reads;
// - the conninfo's host list is tried host by host, each host on its own and all at the same time: libpq itself would go through
//   the list in order within one attempt, and a silent host would hold up the rest until TCP gives up;
// - while no connection is usable, a host that refused is tried again after RETRY_REFUSED, one that is read-only after
//   RETRY_READ_ONLY, and a silent one by a further, overlapping attempt every RETRY_SILENT, each with the connect timeout and at
//   most PENDING_MAX of them. So the application's own share of an outage is at most the pause of its kind plus a connect;
// - a statement's time runs from when it was sent; one that waits for a connection gives up after the same time unsent.
#include <systemd/sd-event.h>

#include "lab/observe/pgconn.h"
#include "lab/plan/plan.h"
#include "lab/record/event.h"
#include "lab/record/ledger.h"
#include "lab/workload/classify.h"

enum { POOL_WRITERS = 4, PENDING_MAX = 8 };
#define RETRY_REFUSED   (50 * MSEC)
#define RETRY_READ_ONLY (100 * MSEC) // dearer: a SCRAM login costs both sides some ms of CPU
#define RETRY_SILENT    (250 * MSEC)
#define TICK            EVENT_BUCKET

// What the process needs to know; lives in memory copied by the fork.
struct app_config {
    struct workload_def def;
    const struct topology *topology;
    const char *conninfo;
    usec_t base; // CLOCK_MONOTONIC at run time 0
};

struct app;
struct pool;

struct op {
    uint64_t id;               // writes only
    usec_t scheduled, invoked; // invoked 0 = not sent
    bool counted;              // part of the statistics (reads of the warm-up are not)
};

struct host {
    char name[EVENT_NAME_MAX]; // node's name, or the address when it is none of the topology's
    char address[64], port[8];
    uint8_t node; // index in the topology + 1, 0 = none
    usec_t next_try;
    char told
        [2]
        [PGCONN_TEXT_MAX]; // the last two kinds of error reported (attempts overlap, so kinds alternate); "" after a success
};

enum slot_state { SLOT_CONNECTING, SLOT_IDENTIFYING, SLOT_SETUP, SLOT_IDLE, SLOT_BUSY, SLOT_DEAD };

struct slot { // one connection of a pool, from the first SYN to the end
    struct pool *pool;
    struct host *host;
    struct pgconn *pg;
    enum slot_state state;
    usec_t deadline; // of what it is doing; USEC_NEVER when idle
    struct op op;    // BUSY only
    bool op_open;    // the op has no outcome yet
    bool op_failed, local_only;
    char op_sqlstate[PGCONN_STATE_MAX];
    uint8_t node;    // the server that answers, index + 1
    unsigned number; // of the connection, within its pool: column `client` of the ledger table
};

struct pool {
    struct app *app;
    uint8_t kind;           // LEDGER_WRITE, LEDGER_READ
    size_t want;            // lasting connections
    VEC(struct host) hosts; // fixed once made: slots point into it
    VEC(struct slot *) slots;
    VEC(struct op) queue; // waiting, oldest first, from queue_at on
    size_t queue_at;
    unsigned n_made; // connections begun so far
    double period;   // µs; 0 = nothing is scheduled
    usec_t t0;       // first schedule; USEC_NEVER = not begun
    uint64_t n_scheduled;
    bool warm; // its operations count
};

struct app {
    const struct app_config *o;
    sd_event *loop;
    int fd;                      // to the supervisor
    struct ledger_writer ledger; // none until it was handed over
    sd_event_source *timer, *control;
    struct pool *pools; // [0] writes, then one per PostgreSQL node
    size_t n_pools;
    char *user, *password, *dbname, *session_attrs; // from the conninfo
    bool table_ready, stopping, ended;
    uint64_t first_id; // of this process; 1 in a fresh lab
    usec_t warm_until;
    struct event tick; // the bucket being filled
    int64_t in_flight;
    VEC(struct ledger_record) records; // not yet written
    usec_t merge;                      // what one record of the ledger may stand for; 0 = one operation
    VEC(struct event) unsent;          // the supervisor's socket was full
    uint8_t server_node;               // last one told by client.server, with its timeline
    int64_t server_timeline;
};

// app.c
int app_main(const struct app_config *o, int fd); // the whole life of the process; returns its exit status
usec_t app_now(const struct app *a);
void app_begin_load(struct app *a, uint64_t first_id); // the table is there: schedules start now
void app_schedule(struct app *a, usec_t now);          // what is due by now becomes operations, in order
void app_turn(struct app *a);                          // after anything happened: do what is due, set the timer

// hosts.c: reading the conninfo
int app_read_conninfo(struct app *a, struct err *err);
void hosts_for_node(struct pool *p, const struct node_def *n, size_t index);

// pool.c: operations meet connections
usec_t pool_due(const struct pool *p);                        // when its next operation is to start
void pool_schedule(struct pool *p, usec_t now);               // puts that one into the queue
void pool_set_rate(struct pool *p, double per_s, usec_t now); // operations a second from now on
void pool_work(struct pool *p, usec_t now);                   // deadlines, dispatch, attempts
usec_t pool_next(const struct pool *p);                       // when pool_work has something to do next
size_t pool_usable(const struct pool *p);
bool pool_quiet(const struct pool *p); // nothing queued, nothing in flight
void pool_done(struct pool *p);

// attempt.c: making connections
void attempts_work(struct pool *p, usec_t now);
usec_t attempts_next(const struct pool *p);
void attempt_failed(struct slot *s, const struct pgconn_loss *why, usec_t now);
extern const struct pgconn_ops slot_ops;

// op.c: one operation on one connection
void op_start(struct slot *s, const struct op *op, usec_t now);
void op_result(struct slot *s, const PGresult *r);
void op_done(struct slot *s, usec_t now);
void op_lost(struct slot *s, const struct pgconn_loss *why, usec_t now);
void op_deadline(struct slot *s, usec_t now);
void op_unsent(struct pool *p, const struct op *op, usec_t now);
void slot_kill(struct slot *s); // closes it; pool_work removes it

// report.c: what the supervisor and the ledger get
void report_scheduled(struct app *a, uint8_t kind, usec_t scheduled, usec_t now);
void report_finished(struct app *a, const struct ledger_record *r);
void report_error(struct app *a, struct host *h, enum client_phase phase, const char *sqlstate, const char *text);
void report_well(struct host *h); // a success: the next error is news again
void report_server(struct app *a, const char *node, const char *address, int64_t timeline, int64_t pid, uint8_t index);
void report_advance(struct app *a, usec_t now); // closes buckets that are over
usec_t report_next(const struct app *a);
void report_merge(struct app *a, usec_t merge); // from now on; what waits is written as it is when it becomes 0
void report_end(struct app *a);                 // last tick, all records, the end mark
