// SPDX-License-Identifier: PostgreSQL
// The happy path:
//   PQconnectStartParams -> PQconnectPoll at each readiness (the socket may change: the source is made anew each time)
//   -> ready -> send -> readable -> PQconsumeInput, PQgetResult while not busy -> result... -> done
// What goes wrong:
//   connecting fails             lost (from the loop, by a deferred source when it failed at once)
//   the server ends the session  results that were read before come first, then lost
//   no answer                    nothing happens here; the owner has the deadline
#include "lab/observe/pgconn.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "lab/base/cleanup.h"
#include "lab/base/str.h"

enum state { STATE_CONNECTING, STATE_IDLE, STATE_BUSY, STATE_LOST };

struct pgconn {
    sd_event *loop;
    PGconn *pq;
    sd_event_source *io;
    uint32_t mask;
    enum state state;
    const struct pgconn_ops *ops;
    void *arg;
    int depth; // callbacks of ours on the stack: a close inside them frees later
    bool closed;
    struct pgconn_loss last; // what the server said when idle (57P01 before it hangs up)
};

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *arg);

const char *pgconn_sqlstate(const PGresult *r) {
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return state ? state : "";
}

static bool looks_like_sqlstate(const char *p) {
    for (int i = 0; i < 5; i++)
        if (!isdigit((unsigned char)p[i]) && !isupper((unsigned char)p[i]))
            return false;
    return p[5] == ':' || p[5] == '\0' || p[5] == '\n';
}

// Where the server's own words begin, at their code: "SEVERITY:  57P03: ...". A server says the severity in its own language. NULL:
// there is none.
static const char *find_code(const char *p) {
    while ((p = strstr(p, ":  ")) != NULL) {
        p += strlen(":  ");
        if (looks_like_sqlstate(p) && p[5] == ':')
            return p;
    }
    return NULL;
}

// libpq: "connection to server on socket "..." failed: FATAL:  57P03: the database system is starting up\nLOCATION:  ..."
void pgconn_explain(const char *message, char sqlstate[static PGCONN_STATE_MAX], char text[static PGCONN_TEXT_MAX]) {
    sqlstate[0] = '\0';
    const char *p = message ? message : "", *code = find_code(p);
    const char *const marks[] = {"FATAL:  ", "PANIC:  ", "ERROR:  ", "failed: "};
    p = code ? code : p;
    for (size_t i = 0; !code && i < ARRAY_SIZE(marks); i++) {
        const char *found = strstr(p, marks[i]);
        if (!found)
            continue;
        p = found + strlen(marks[i]);
        break;
    }
    if (looks_like_sqlstate(p)) {
        memcpy(sqlstate, p, 5);
        sqlstate[5] = '\0';
        p += p[5] == ':' ? 6 : 5;
        p += strspn(p, " ");
    }
    size_t n = strcspn(p, "\r\n");
    if (n >= PGCONN_TEXT_MAX)
        n = PGCONN_TEXT_MAX - 1;
    memcpy(text, p, n);
    text[n] = '\0';
}

static void remember_fatal(struct pgconn *c, const PGresult *r) {
    // A server that throws everybody out after a crash says so in a mere WARNING, 57P02 (quickdie in tcop/postgres.c).
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    bool last_words = severity && (str_eq(severity, "FATAL") || str_eq(severity, "PANIC") ||
                                   (str_eq(severity, "WARNING") && str_starts(pgconn_sqlstate(r), "57P")));
    if (!last_words)
        return;
    STR_COPY(c->last.sqlstate, pgconn_sqlstate(r));
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    STR_COPY(c->last.text, text ? text : "");
}

static void on_notice(void *arg, const PGresult *r) {
    struct pgconn *c = arg;
    remember_fatal(c, r); // a FATAL that arrives while idle is handed out as a notice by libpq
    if (c->ops->warning && !c->closed)
        c->ops->warning(c->arg, r);
}

static void drop(struct pgconn *c) {
    c->io = sd_event_source_disable_unref(c->io);
    if (c->pq)
        PQfinish(c->pq); // sends Terminate when it can, without waiting; closes
    c->pq = NULL;
}

static void release(struct pgconn *c) {
    if (--c->depth == 0 && c->closed)
        free(c);
}

void pgconn_close(struct pgconn *c) {
    if (!c || c->closed)
        return;
    c->closed = true;
    c->state = STATE_LOST;
    if (c->depth)
        return; // release() on the way out; drop() below would pull PGconn from under its user
    drop(c);
    free(c);
}

static void lose(struct pgconn *c) {
    if (c->state == STATE_LOST)
        return;
    struct pgconn_loss why = c->last;
    why.was_ready = c->state != STATE_CONNECTING;
    if (!*why.text)
        pgconn_explain(PQerrorMessage(c->pq), why.sqlstate, why.text);
    if (!*why.text)
        STR_COPY(why.text, "connection lost");
    c->state = STATE_LOST;
    c->io = sd_event_source_disable_unref(c->io);
    c->ops->lost(c->arg, &why);
}

// libpq may have closed one socket and opened another between two polls, even under the same number: a source kept over a poll
// would watch a descriptor that epoll has forgotten.
// On a descriptor of our own. libpq closes its socket when it likes, before we hear of it; should a child that was forked in
// between still hold a copy, epoll keeps the entry of a closed descriptor, nobody can take it out any more (epoll(7), question
// 6), and sd-event aborts on the event of a source that is gone.
static int watch(struct pgconn *c, uint32_t mask) {
    c->io = sd_event_source_disable_unref(c->io);
    cleanup_close int fd = fcntl(PQsocket(c->pq), F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return -errno;
    c->mask = mask;
    int r = sd_event_add_io(c->loop, &c->io, fd, mask, on_io, c);
    if (r < 0)
        return r;
    (void)sd_event_source_set_io_fd_own(c->io, true);
    (void)STEAL_FD(fd);
    return 0;
}

static void set_mask(struct pgconn *c, uint32_t mask) {
    if (c->mask == mask || !c->io)
        return;
    c->mask = mask;
    (void)sd_event_source_set_io_events(c->io, mask);
}

static void flush(struct pgconn *c) {
    int left = PQflush(c->pq);
    set_mask(c, left == 1 ? EPOLLIN | EPOLLOUT : EPOLLIN); // an error shows up when reading
}

static void connect_step(struct pgconn *c) {
    PostgresPollingStatusType st = PQconnectPoll(c->pq);
    if (st == PGRES_POLLING_FAILED) {
        lose(c);
    } else if (st == PGRES_POLLING_OK) {
        c->state = STATE_IDLE;
        if (PQsetnonblocking(c->pq, 1) < 0 || watch(c, EPOLLIN) < 0)
            lose(c);
        else
            c->ops->ready(c->arg);
    } else if (watch(c, st == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT) < 0) {
        lose(c);
    }
}

static void take_results(struct pgconn *c) {
    while (c->state == STATE_BUSY && !PQisBusy(c->pq)) {
        PGresult *r = PQgetResult(c->pq);
        if (!r) {
            if (PQstatus(c->pq) == CONNECTION_BAD)
                return; // on_io loses it
            c->state = STATE_IDLE;
            c->ops->done(c->arg);
            return;
        }
        ExecStatusType st = PQresultStatus(r);
        bool network = st == PGRES_FATAL_ERROR && !*pgconn_sqlstate(r); // libpq's own: `lost` tells it
        if (st == PGRES_FATAL_ERROR)
            remember_fatal(c, r);
        if (!network)
            c->ops->result(c->arg, r);
        PQclear(r);
    }
}

static void read_step(struct pgconn *c) {
    bool alive = PQconsumeInput(c->pq) == 1;
    take_results(c);
    if (c->state == STATE_LOST)
        return;
    if (c->state == STATE_IDLE)
        (void)PQisBusy(c->pq); // parses what a server says on its own: parameter changes, FATAL before it leaves
    if (!alive || PQstatus(c->pq) == CONNECTION_BAD)
        lose(c);
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s, (void)fd;
    struct pgconn *c = arg;
    c->depth++;
    if (c->state == STATE_CONNECTING) {
        connect_step(c);
    } else if (c->state != STATE_LOST) {
        if (revents & EPOLLOUT)
            flush(c);
        if (revents & (EPOLLIN | EPOLLERR | EPOLLHUP))
            read_step(c);
    }
    if (c->closed)
        drop(c);
    release(c);
    return 0;
}

static int on_failed_at_once(sd_event_source *s, void *arg) {
    struct pgconn *c = arg;
    (void)s;
    c->depth++;
    lose(c);
    if (c->closed)
        drop(c);
    release(c);
    return 0;
}

static int begin(struct pgconn *c) {
    if (PQstatus(c->pq) == CONNECTION_BAD || PQsocket(c->pq) < 0)
        return sd_event_add_defer(c->loop, &c->io, on_failed_at_once, c);
    PQsetErrorVerbosity(c->pq, PQERRORS_VERBOSE); // the only way to see the SQLSTATE of a refused connection
    PQsetNoticeReceiver(c->pq, on_notice, c);
    return watch(c, EPOLLOUT); // "behave as if PQconnectPoll had returned WRITING" (libpq, PQconnectStart)
}

int pgconn_open(sd_event *loop, const char *const *keys, const char *const *values, const struct pgconn_ops *ops,
                void *arg, struct pgconn **ret, struct err *err) {
    struct pgconn *c = xcalloc(1, sizeof *c);
    *c = (struct pgconn){.loop = loop, .ops = ops, .arg = arg, .pq = PQconnectStartParams(keys, values, 0)};
    int r = c->pq ? begin(c) : -ENOMEM;
    if (r < 0) {
        drop(c);
        free(c);
        return err_sys(err, -r, "begin a PostgreSQL connection");
    }
    *ret = c;
    return 0;
}

bool pgconn_send(struct pgconn *c, const char *sql, int n_params, const char *const *params) {
    if (c->state != STATE_IDLE)
        return false;
    int ok = n_params ? PQsendQueryParams(c->pq, sql, n_params, NULL, params, NULL, NULL, 0) : PQsendQuery(c->pq, sql);
    if (ok != 1)
        return false;
    c->state = STATE_BUSY;
    flush(c);
    return true;
}

bool pgconn_idle(const struct pgconn *c) {
    return c->state == STATE_IDLE;
}
