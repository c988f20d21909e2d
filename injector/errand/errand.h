// SPDX-License-Identifier: PostgreSQL
#pragma once
// An errand: a conversation with the daemons of a node (etcd's JSON gateway, Patroni's REST API, PostgreSQL), held by a
// process of ours inside that node. The process may block; the supervisor's loop does not, and kills it when a phase has
// lasted too long. Being a fork, it sees the supervisor's memory as it was: topology, parameters, notes of earlier phases.
//
// A mechanism gives one function for each phase (struct errand_ops); ERRAND_PHASES puts them into its row of faults.
// All of this is out of band: the node's loopback and unix socket, so no network fault is in the way. Only ERRAND_APP
// goes through the lab's network, as an application does.
#include <libpq-fe.h>

#include "injector/fault/fault.h"
#include "lab/base/json.h"

// ---- in the process: what a phase's function may use ----------------------------------------------------------------
struct errand_io {
    const struct fault_world *world;
    const struct mechanism *about;
    const char *node;   // whom it is about: the target, or the node that is asked
    const char *target; // the first target of the fault or action, "" = it has none
    const setting_list *params, *notes;
    int fd;
    bool told; // its answer is given
};
typedef void (*errand_fn)(struct errand_io *io);

const char *errand_param(const struct errand_io *io, const char *name); // as written or the table's fallback, "" = none
int64_t errand_number(const struct errand_io *io, const char *name);    // kinds count, size; 0 when it is no number
// What an earlier phase wrote down (for this node, else for any); NULL = nothing. Texts up to 16 kB.
const char *errand_noted(const struct errand_io *io, const char *key);
void errand_note(struct errand_io *io, const char *key, const char *text);
// The answer of the phase, once. t: when the effect was seen, absolute monotonic; 0 = it was not observed.
void errand_ok(struct errand_io *io, usec_t t, const char *fmt, ...) PRINTF_LIKE(3, 4);
void errand_no(struct errand_io *io, const char *fmt, ...) PRINTF_LIKE(2, 3);
// This node is not the one to ask (no answer, not the primary): where nodes are tried in turn, the next one is. Else a no.
void errand_pass(struct errand_io *io, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Waits up to this long. True: the errand is to end now (heal, or the supervisor is gone).
bool errand_stopped(const struct errand_io *io, usec_t wait);
const struct node_def *errand_node(const struct errand_io *io);

// HTTP to the node's loopback. Returns the status, 0 = no answer (then body says why). json NULL = no body.
int errand_http(const char *method, int port, const char *path, const char *json, usec_t deadline,
                struct strbuf *ret_body);
int errand_http_url(const char *method, const char *url, const char *json, usec_t deadline, struct strbuf *ret_body);

// SQL as superuser over the node's unix socket; as the application's role over the network (where the errand runs in the
// application's node). NULL after errand_pass. Statements have a deadline on the server: statement_timeout, 0 = none.
PGconn *errand_sql(struct errand_io *io, const char *name, usec_t timeout);
// errand_sql as "bascule-fault", to a primary alone: NULL after errand_pass when this PostgreSQL is a standby, too.
PGconn *errand_sql_primary(struct errand_io *io, usec_t timeout);
PGconn *errand_sql_app(struct errand_io *io, const char *name);
// Tries to log in, for at most `within`, and hangs up. "" = it was let in; else the SQLSTATE of the refusal, "none" when no server
// refused. Its words, in the server's language or libpq's, are appended to why.
const char *errand_login(const char *const *keys, const char *const *values, usec_t within, char sqlstate[static 6],
                         struct strbuf *why);
static inline void cleanup_pq_fn(PGconn **c) {
    if (*c)
        PQfinish(*c);
}
#define cleanup_pq __attribute__((cleanup(cleanup_pq_fn)))
static inline void cleanup_pqresult_fn(PGresult **r) {
    PQclear(*r);
}
#define cleanup_pqresult __attribute__((cleanup(cleanup_pqresult_fn)))
// Runs one statement. False (with the server's words in why, and its SQLSTATE before them) when it failed.
bool errand_exec(PGconn *c, const char *sql, struct strbuf *why);
// The first column of the first row, "" when there is none or it is null. Appends to out.
bool errand_value(PGconn *c, const char *sql, struct strbuf *out);
// Polls a question until its value is `wanted`. The last value is in out.
bool errand_value_becomes(const struct errand_io *io, PGconn *c, const char *sql, const char *wanted, usec_t within,
                          struct strbuf *out);

// etcd through the member on this node; paths as in its gateway ("/v3/kv/put"). NULL (with words in why) unless it answered 200.
// The caller deletes the object.
cJSON *errand_etcd(const char *path, const char *json, struct strbuf *why);
int64_t etcd_revision(const cJSON *answer);           // of the header
int64_t etcd_number(const cJSON *o, const char *key); // a number or a string of digits; 0 = not there
// {"key":..., "value":...,} with what is given; raw: further members such as "\"revision\":7". value, raw NULL = none.
void etcd_ask(struct strbuf *out, const char *key, const char *value, const char *raw);
struct etcd_entry {
    bool found;
    char *value; // owned
    uint64_t lease;
    int64_t create_revision, mod_revision;
};
void etcd_entry_done(struct etcd_entry *e);
#define cleanup_entry __attribute__((cleanup(etcd_entry_done)))
// The key as it was at a revision (0 = now). False: no answer, words in why.
bool etcd_get(const char *key, int64_t revision, struct etcd_entry *ret, struct strbuf *why);

// Runs a program of the node to its end (at most `deadline`), both outputs into out. Its exit status; -1 = it could not be run.
int errand_command(const char *const *argv, usec_t deadline, struct strbuf *out);

// ---- of a mechanism --------------------------------------------------------------------------------------------------
enum errand_where {
    ERRAND_NOWHERE, // nothing to do in this phase
    ERRAND_TARGETS, // on each target, at once; all must succeed
    ERRAND_ETCD,    // through one etcd member, tried in turn until one succeeds
    ERRAND_PATRONI, // on one node with Patroni, tried in turn; likewise
    ERRAND_PRIMARY, // on the node whose PostgreSQL is not in recovery: tried in turn as well, errand_sql_primary() decides
    ERRAND_APP,     // in the application's node, once for each target
    ERRAND_OTHER_ETCD, // through one etcd member that is no target, in turn
    ERRAND_ALL_ETCD,   // on every node of the topology with etcd that has power, at once; all must succeed
};
struct errand_phase {
    enum errand_where where;
    errand_fn fn;
};
struct errand_ops {
    struct errand_phase inject, verify, heal, verify_healed;
    bool holds;               // the errand of inject goes on after its answer, and heal ends it first
    struct errand_phase then; // part of inject: once its first errand has answered, this one
    // In the supervisor, between errands: starts services and the like. They must not block. NULL = nothing.
    int (*before_then)(struct fault *f, struct err *err);
    int (*after_inject)(struct fault *f, struct err *err);
    int (*settle)(struct fault *f, struct err *err); // after a heal's errand
};
// The fields of struct fault_ops of a mechanism whose phases are errands.
#define ERRAND_PHASES(errands)                                                                                         \
    .inject = errand_inject, .verify = errand_verify, .heal = errand_heal, .verify_healed = errand_verify_healed,      \
    .done = errand_done, .errand = &(errands)
void errand_inject(struct fault *f, fault_phase_done done);
void errand_verify(struct fault *f, fault_phase_done done);
void errand_heal(struct fault *f, fault_phase_done done);
void errand_verify_healed(struct fault *f, fault_phase_done done);
void errand_done(struct fault *f);
bool errand_ran_patroni(const struct fault *f, size_t node); // did this node run Patroni when the fault was injected?
