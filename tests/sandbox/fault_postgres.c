// SPDX-License-Identifier: PostgreSQL
#include "tests/sandbox/fault_postgres.h"

#include <glob.h>
#include <stdio.h>

#include "lab/base/fs.h"
#include "lab/node/places.h"

static char bin[128];

bool pg_find(void) {
    glob_t g;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &g) == 0 && g.gl_pathc) {
        (void)snprintf(bin, sizeof bin, "%s", g.gl_pathv[g.gl_pathc - 1]);
        *strrchr(bin, '/') = '\0';
    }
    globfree(&g);
    return *bin;
}

void pg_script(struct fixture *x, int node, const char *name, const char *script) {
    cleanup_free char *text = xasprintf("export PATH=%s:$PATH D=%s; set -e; %s", bin, STACK_PGDATA, script);
    const char *argv[] = {"/bin/sh", "-c", text, NULL};
    cleanup_free char *log = xasprintf("%s.log", name);
    struct service_spec spec = {.name = name, .argv = argv, .log = log};
    struct err err = {0};
    if (node_service_start(fixture_node(x, node), &spec, &err) < 0)
        fail_msg("%s", err.msg);
}

static void show_log(struct fixture *x, int node, const char *name) {
    cleanup_free char *file = xasprintf("/var/log/%s.log", name);
    cleanup_strbuf struct strbuf text = {0};
    (void)fs_read(fixture_path(x, node, file), 1 << 20, &text, NULL);
    print_message("%s\n", strbuf_str(&text));
}

void pg_wait_script(struct fixture *x, int node, const char *name) {
    assert_true(fixture_service_ends(x, node, name, 60 * SEC));
    for (size_t i = x->events.n; i-- > 0;) {
        const struct event *e = &x->events.items[i];
        if (e->kind != EVENT_SERVICE || !str_eq(e->u.SERVICE.service, name) ||
            e->u.SERVICE.state == SERVICE_STATE_STARTED)
            continue;
        if (e->u.SERVICE.status || e->u.SERVICE.signal)
            show_log(x, node, name);
        assert_int_equal(0, e->u.SERVICE.status);
        return;
    }
    fail_msg("%s did not end", name);
}

static const char keeper[] =
    "while :; do pg_ctl -D $D status >/dev/null 2>&1 || pg_ctl -D $D start -w -l /var/log/pg.log; sleep 0.1; done";

static int start_keeper(struct fixture *x, const char *node, const char *service, struct err *err) {
    (void)service, (void)err;
    pg_script(x, fault_world_index(&x->world, node), "patroni", keeper);
    return 0;
}

int pg_count(struct fixture *x, int node, enum pg_process what) {
    process_list all = {0};
    struct err err = {0};
    int n = 0;
    assert_int_equal(0, process_scan(fixture_node(x, node), &all, &err));
    for (size_t i = 0; i < all.n; i++) {
        char title[128];
        process_title(fixture_node(x, node), all.items[i].pid, title, sizeof title);
        n += pg_process_by_title(title) == what;
    }
    VEC_DONE(&all);
    return n;
}

bool pg_comes(struct fixture *x, int node, enum pg_process what, int wanted, usec_t within) {
    for (usec_t end = usec_now() + within; usec_now() < end; fixture_run(x, 50 * MSEC))
        if (pg_count(x, node, what) == wanted)
            return true;
    return false;
}

int64_t pg_postmaster(struct fixture *x, int node) {
    return node_postmaster_pid(fixture_node(x, node), STACK_PGDATA);
}

int pg_setup(void **state) {
    struct fixture *x = fixture_new();
    *state = x;
    x->start = start_keeper;
    pg_script(x, N1, "initdb",
              "initdb -D $D -A trust -N --no-locale >/dev/null; "
              "printf "
              "\"listen_addresses='*'\\nfsync=off\\nshared_buffers=16MB\\ncluster_name='demo'\\nmax_wal_senders="
              "4\\nmax_connections=20\\n"
              "wal_retrieve_retry_interval=200ms\\nunix_socket_directories='/tmp'\\n\" >>$D/postgresql.conf; "
              "echo 'host all,replication all 10.77.0.0/24 trust' >>$D/pg_hba.conf; pg_ctl -D $D start -w -l "
              "/var/log/pg.log; psql -h /tmp -U postgres -d postgres -qc 'create role app login' -c 'create database "
              "app owner "
              "app'");
    pg_wait_script(x, N1, "initdb");
    pg_script(x, N2, "basebackup",
              "pg_basebackup -h 10.77.0.11 -U postgres -D $D -R -c fast; pg_ctl -D $D start -w -l /var/log/pg.log");
    pg_wait_script(x, N2, "basebackup");
    assert_true(pg_comes(x, N2, PG_WALRECEIVER, 1, 10 * SEC));
    pg_script(x, N1, "patroni", keeper);
    pg_script(x, N1, "client", "exec psql -h /tmp -U postgres -d postgres -c 'select pg_sleep(1000)'");
    assert_true(pg_comes(x, N1, PG_BACKEND, 1, 10 * SEC));
    fixture_run(x, 300 * MSEC);
    return 0;
}
int pg_teardown(void **state) {
    fixture_free(*state);
    return 0;
}
