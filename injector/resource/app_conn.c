// SPDX-License-Identifier: PostgreSQL
#include "injector/resource/app_conn.h"

#include <fcntl.h>
#include <sched.h>

#include "lab/node/places.h"
#include "lab/stack/stack.h"

struct node *app_conn_home(const struct fault_world *w) {
    for (size_t i = 0; i < w->topology->nodes.n; i++)
        if (w->topology->nodes.items[i].services & SERVICE_APP)
            return w->nodes[i];
    return NULL;
}

int app_conn_open(const struct fault_world *w, const struct node *from, const char *to_node,
                  const struct pgconn_ops *ops, void *arg, struct pgconn **ret, struct err *err) {
    int i = fault_world_index(w, to_node);
    if (i < 0)
        return err_set(err, ENOENT, "there is no node '%s'", to_node);
    char port[8];
    (void)snprintf(port, sizeof port, "%d", STACK_PGPORT);
    // One address and no SSL: libpq makes one socket, now, while we are in that node's network.
    const char *keys[] = {"hostaddr",         "port",    "user",       "dbname", "password",
                          "application_name", "sslmode", "gssencmode", NULL};
    const char *values[] = {w->topology->nodes.items[i].address,
                            port,
                            STACK_APP_USER,
                            STACK_DATABASE,
                            stack_password("app"),
                            "bascule-fault",
                            "disable",
                            "disable",
                            NULL};
    cleanup_close int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return err_sys(err, errno, "open our own network namespace");
    if (setns(node_ns(from, NODE_NS_NET), CLONE_NEWNET) < 0)
        return err_sys(err, errno, "enter the network of %s", node_name(from));
    int r = pgconn_open(w->loop, keys, values, ops, arg, ret, err);
    if (setns(home, CLONE_NEWNET) < 0)
        abort(); // every later socket of this program would be opened in the wrong place
    return r;
}

// ---- one question --------------------------------------------------------------------------------------------------

struct app_ask {
    struct pgconn *c;
    sd_event_source *deadline;
    char *sql;
    char sqlstate[PGCONN_STATE_MAX], text[PGCONN_TEXT_MAX];
    app_ask_done done;
    void *arg;
    struct app_ask **home;
};

static void forget(struct app_ask *a) {
    pgconn_close(a->c);
    sd_event_source_disable_unref(a->deadline);
    free(a->sql);
    free(a);
}

void app_ask_drop(struct app_ask **a) {
    if (*a)
        forget(STEAL(*a));
}

static void end(struct app_ask *a, const char *sqlstate, const char *text) {
    char s[PGCONN_STATE_MAX], t[PGCONN_TEXT_MAX];
    STR_COPY(s, sqlstate);
    STR_COPY(t, text);
    app_ask_done done = a->done;
    void *arg = a->arg;
    *a->home = NULL;
    forget(a);
    done(arg, s, t);
}

static void on_ready(void *arg) {
    struct app_ask *a = arg;
    if (!a->sql)
        end(a, "", "connected");
    else if (!pgconn_send(a->c, a->sql, 0, NULL))
        end(a, "none", "the question could not be sent");
}

static void on_result(void *arg, const PGresult *r) {
    struct app_ask *a = arg;
    STR_COPY(a->sqlstate, pgconn_sqlstate(r));
    if (*a->sqlstate) {
        char state[PGCONN_STATE_MAX];
        pgconn_explain(PQresultErrorMessage(r), state, a->text);
    } else if (PQntuples(r) > 0) {
        STR_COPY(a->text, PQgetvalue(r, 0, 0));
    }
}

static void on_done(void *arg) {
    struct app_ask *a = arg;
    end(a, a->sqlstate, a->text);
}

static void on_lost(void *arg, const struct pgconn_loss *why) {
    end(arg, *why->sqlstate ? why->sqlstate : "none", why->text);
}

static int on_deadline(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    end(arg, "none", "no answer in time");
    return 0;
}

int app_ask(const struct fault_world *w, const struct node *from, const char *to_node, const char *sql, usec_t within,
            app_ask_done done, void *arg, struct app_ask **ret, struct err *err) {
    static const struct pgconn_ops ops = {.ready = on_ready, .result = on_result, .done = on_done, .lost = on_lost};
    if (!from || !node_is_on(from))
        return err_set(err, EHOSTDOWN, "there is no running node to ask from");
    app_ask_drop(ret);
    struct app_ask *a = xcalloc(1, sizeof *a);
    *a = (struct app_ask){.sql = sql ? xstrdup(sql) : NULL, .done = done, .arg = arg, .home = ret};
    int r = app_conn_open(w, from, to_node, &ops, a, &a->c, err);
    if (r >= 0) {
        int k = sd_event_add_time_relative(w->loop, &a->deadline, CLOCK_MONOTONIC, within, 1, on_deadline, a);
        r = k < 0 ? err_sys(err, -k, "timer on the event loop") : 0;
    }
    if (r < 0) {
        forget(a);
        return r;
    }
    *ret = a;
    return 0;
}
