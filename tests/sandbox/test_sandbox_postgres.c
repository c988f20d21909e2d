// SPDX-License-Identifier: PostgreSQL
// A real PostgreSQL as a service of a node: what all of this is for.
#include <glob.h>
#include <signal.h>

#include "lab/node/places.h"
#include "tests/sandbox/fixture.h"

static bool have_postgres(void) {
    glob_t g = {0};
    bool found = glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &g) == 0;
    globfree(&g);
    return found;
}

static void start_postgres(struct lab *lab, const char *name) {
    const char *const argv[] = {"postgres", "-D", STACK_PGDATA, "-c", "listen_addresses=*", "-c", "fsync=off", NULL};
    struct service_spec spec = {.name = name, .argv = argv, .log = "postgresql.log"};
    CHECK_OK(node_service_start(lab->nodes[0], &spec, err));
    CHECK(NODE_SH(lab, lab->nodes[0], "for i in $(seq 100); do pg_isready -q && exit 0; sleep 0.1; done; exit 1") == 0);
}

static void killed(void *arg, const struct node_signal_result *r) {
    *(struct node_signal_result *)arg = *r;
}

static void kill_postmaster(struct lab *lab, int64_t pid) {
    struct node_signal_result r = {.error = 1};
    CHECK_OK(node_signal_pid(lab->nodes[0], pid, SIGKILL, false, true, killed, &r, err));
    for (int i = 0; i < 100 && r.error == 1; i++)
        lab_spin(lab, 10 * MSEC);
    CHECK(r.error == 0 && r.ended);
}

static void postgres_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 2, true);
    struct node *n = lab->nodes[0];
    CHECK(NODE_SH(lab, n,
                  "initdb -N -D " STACK_PGDATA " -A trust && echo 'host all all 10.77.0.0/24 trust' >> " STACK_PGDATA
                  "/pg_hba.conf") == 0);
    CHECK(node_postmaster_pid(n, STACK_PGDATA) == 0);
    start_postgres(lab, "pg1");
    int64_t pid = node_postmaster_pid(n, STACK_PGDATA);
    CHECK(pid > 0 && pid == node_service_pid(n, "pg1"));
    CHECK(NODE_SH(lab, n, "psql -qAtc 'create table t as select 42 as a; checkpoint'") == 0);
    CHECK(NODE_SH(lab, lab->nodes[1], "test \"$(psql -h n1 -U postgres -Atc 'select a from t' postgres)\" = 42") == 0);
    CHECK(NODE_SH(lab, n, "ls /dev/shm | grep -q PostgreSQL") == 0); // its own /dev/shm ...
    CHECK(NODE_SH(lab, lab->nodes[1], "test -z \"$(ls /dev/shm)\"") == 0);
    CHECK_OK(node_power_off(n, NULL, err));
    CHECK(node_postmaster_pid(n, STACK_PGDATA) == 0);
    CHECK_OK(node_power_on(n, err));
    CHECK(node_postmaster_pid(n, STACK_PGDATA) == 0); // the stale file is there and names nobody
    start_postgres(lab, "pg2");
    CHECK(NODE_SH(lab, n, "test \"$(psql -Atc 'select a from t')\" = 42") == 0); // crash recovery found the row
    kill_postmaster(lab, node_postmaster_pid(n, STACK_PGDATA));
    const struct event *ev = lab_service_ended(lab, "pg2", 2 * SEC);
    CHECK(ev && ev->u.SERVICE.signal == SIGKILL);
}
static void postgresql_runs_crashes_and_recovers_in_a_node(void **state) {
    (void)state;
    if (!have_postgres())
        SKIP("PostgreSQL is not installed: apt-get install postgresql");
    in_lab(postgres_body, NULL);
}

// As Patroni does it: the postmaster is nobody's child but init's.
static void detached_body(struct lab *lab, void *arg) {
    (void)arg;
    lab_nodes(lab, 1, true);
    struct node *n = lab->nodes[0];
    CHECK(NODE_SH(lab, n,
                  "initdb -N -D " STACK_PGDATA " -A trust && pg_ctl -w -D " STACK_PGDATA " -l /tmp/pg.log start") == 0);
    int64_t pid = node_postmaster_pid(n, STACK_PGDATA);
    CHECK(pid > 0);
    kill_postmaster(lab, pid);
    const struct event *ev = lab_service_ended(lab, "postgres", 2 * SEC);
    CHECK(ev && ev->u.SERVICE.pid == pid && ev->u.SERVICE.signal == SIGKILL);
    lab_spin(lab, 500 * MSEC); // its backends end as orphans: not one more event
    size_t told = 0;
    VEC_FOREACH (&lab->events, e)
        told += e->kind == EVENT_SERVICE && str_eq(e->u.SERVICE.service, "postgres");
    CHECK(told == 1);
    VEC_CLEAR(&lab->events);
    CHECK(NODE_SH(lab, n, "pg_ctl -w -D " STACK_PGDATA " -l /tmp/pg.log start") == 0);
    pid = node_postmaster_pid(n, STACK_PGDATA);
    CHECK(NODE_SH(lab, n, "pg_ctl -w -D " STACK_PGDATA " -m fast stop") == 0);
    ev = lab_service_ended(lab, "postgres", 2 * SEC); // a tidy end, its pid file gone
    CHECK(ev && ev->u.SERVICE.pid == pid && ev->u.SERVICE.state == SERVICE_STATE_EXITED && ev->u.SERVICE.status == 0);
}
static void the_end_of_a_detached_postmaster_is_told_once(void **state) {
    (void)state;
    if (!have_postgres())
        SKIP("PostgreSQL is not installed: apt-get install postgresql");
    in_lab(detached_body, NULL);
}

SANDBOX_TEST_MAIN(cmocka_unit_test(postgresql_runs_crashes_and_recovers_in_a_node),
                  cmocka_unit_test(the_end_of_a_detached_postmaster_is_told_once))
