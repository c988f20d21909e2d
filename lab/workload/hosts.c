// SPDX-License-Identifier: PostgreSQL
// Takes a libpq conninfo apart: the application tries its hosts one by one (see app.h). Names of nodes become addresses here,
// because a resolver would block.
#include <libpq-fe.h>
#include <stdio.h>

#include "lab/node/places.h"
#include "lab/workload/app.h"

static const char *option(const PQconninfoOption *opts, const char *key) {
    for (const PQconninfoOption *o = opts; o->keyword; o++)
        if (str_eq(o->keyword, key) && o->val && *o->val)
            return o->val;
    return NULL;
}

// The i-th item of a comma-separated list; a list of one serves every i (libpq: "the same port for all hosts").
static bool list_item(const char *list, size_t i, char *ret, size_t size) {
    bool single = !strchr(list, ',');
    for (size_t k = 0; !single && k < i; k++) {
        list = strchr(list, ',');
        if (!list)
            return false;
        list++;
    }
    size_t n = strcspn(list, ",");
    if (n >= size)
        return false;
    memcpy(ret, list, n);
    ret[n] = '\0';
    return true;
}

static size_t list_length(const char *list) {
    size_t n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static void place_host(struct host *h, const struct topology *t, const char *written) {
    STR_COPY(h->address, written);
    STR_COPY(h->name, written);
    for (size_t i = 0; i < t->nodes.n; i++) {
        const struct node_def *n = &t->nodes.items[i];
        if (!str_eq(written, n->name) && !str_eq(written, n->address))
            continue;
        STR_COPY(h->address, n->address);
        STR_COPY(h->name, n->name);
        h->node = (uint8_t)(i + 1);
    }
}

static int add_hosts(struct app *a, const char *hosts, const char *ports, struct err *err) {
    struct pool *p = &a->pools[0];
    for (size_t i = 0; i < list_length(hosts); i++) {
        char written[64];
        struct host *h = VEC_ADD(&p->hosts);
        if (!list_item(hosts, i, written, sizeof written) || !list_item(ports, i, h->port, sizeof h->port))
            return err_set(err, EINVAL, "the application's conninfo: hosts '%s' and ports '%s' do not match", hosts,
                           ports);
        place_host(h, a->o->topology, written);
    }
    return 0;
}

static char *copy_option(const PQconninfoOption *opts, const char *key, const char *fallback) {
    const char *v = option(opts, key);
    return v || fallback ? xstrdup(v ? v : fallback) : NULL;
}

int app_read_conninfo(struct app *a, struct err *err) {
    char *message = NULL;
    PQconninfoOption *opts = PQconninfoParse(a->o->conninfo, &message);
    if (!opts) {
        (void)err_set(err, EINVAL, "the application's conninfo: %s", message ? message : "out of memory");
        PQfreemem(message);
        return -EINVAL;
    }
    const char *hosts = option(opts, "hostaddr") ? option(opts, "hostaddr") : option(opts, "host");
    const char *ports = option(opts, "port") ? option(opts, "port") : "5432";
    a->user = copy_option(opts, "user", STACK_APP_USER);
    a->password = copy_option(opts, "password", NULL);
    a->dbname = copy_option(opts, "dbname", STACK_DATABASE);
    a->session_attrs = copy_option(opts, "target_session_attrs", "read-write");
    int r = hosts ? add_hosts(a, hosts, ports, err) : err_set(err, EINVAL, "the application's conninfo names no host");
    PQconninfoFree(opts);
    return r;
}

// Reads go to each node directly. Their port is the stack's; a writer's host that is the same node knows better (tests).
void hosts_for_node(struct pool *p, const struct node_def *n, size_t index) {
    struct host *h = VEC_ADD(&p->hosts);
    (void)snprintf(h->port, sizeof h->port, "%d", STACK_PGPORT);
    VEC_FOREACH (&p->app->pools[0].hosts, w)
        if (w->node == index + 1 && (n->services & SERVICE_POSTGRES))
            STR_COPY(h->port, w->port);
    STR_COPY(h->name, n->name);
    STR_COPY(h->address, n->address);
    h->node = (uint8_t)(index + 1);
}
