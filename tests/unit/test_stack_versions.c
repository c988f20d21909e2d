// SPDX-License-Identifier: PostgreSQL
// What the table of versions says, and which versions may meet in one lab.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lab/stack/patroni/patroni.h"
#include "lab/stack/patroni/versions.h"

static struct node_def defs[4];
static struct topology topology;
static struct stack_paths paths[NODES_MAX];
static struct err err;

static void have(struct stack_paths *p, const char *program, const char *version) {
    size_t k = 0;
    while (k < p->n_found && !str_eq(p->found[k].name, program))
        k++;
    p->n_found = k == p->n_found ? k + 1 : p->n_found;
    STR_COPY(p->found[k].name, program);
    STR_COPY(p->found[k].version, version);
}

static void make(size_t i, const char *name, unsigned services, const char *image, const char *pg, const char *patroni,
                 const char *etcd) {
    defs[i] = (struct node_def){.services = services};
    paths[i] = (struct stack_paths){0};
    STR_COPY(defs[i].name, name);
    STR_COPY(paths[i].image, image);
    have(&paths[i], "postgres", pg);
    have(&paths[i], "patroni", patroni);
    have(&paths[i], "etcd", etcd);
    topology.nodes.items = defs;
    topology.nodes.n = i + 1;
    err = (struct err){0};
}

static void a_version_is_compared_as_numbers(void **state) {
    (void)state;
    assert_true(version_at_least("3.10.2", 3, 9) && !version_at_least("3.9.9", 3, 10));
    assert_true(version_at_least("17.12", 17, 0) && !version_at_least("9.6", 10, 0));
    assert_true(version_at_least("4.0.7", 4, 0) && !version_at_least("", 0, 1));
    struct version v = version_parse("4.0.7");
    assert_true(v.major == 4 && v.minor == 0 && v.patch == 7);
}

static void a_role_has_one_word_here_whatever_patroni_calls_it(void **state) {
    (void)state;
    assert_int_equal(patroni_role("master", false), MANAGER_ROLE_LEADER);
    assert_int_equal(patroni_role("primary", false), MANAGER_ROLE_LEADER);
    assert_int_equal(patroni_role("promoted", true), MANAGER_ROLE_LEADER);
    assert_int_equal(patroni_role("replica", true), MANAGER_ROLE_SYNC_STANDBY);
    assert_int_equal(patroni_role("demoted", false), MANAGER_ROLE_REPLICA);
    assert_int_equal(patroni_role("standby_leader", false), MANAGER_ROLE_STANDBY_LEADER);
    assert_int_equal(patroni_role("queen", false), MANAGER_ROLE_OTHER);
    assert_int_equal(patroni_role("", false), MANAGER_ROLE_NONE);
}

static void facts_hang_on_the_version_and_an_unknown_one_has_none(void **state) {
    (void)state;
    make(0, "n1", SERVICE_POSTGRES, "", "15.18", "3.0.2", "3.4.23");
    assert_false(versions_have(&paths[0], FACT_CONNINFO_DBNAME));
    assert_true(versions_have(&paths[0], FACT_ETCD_V2));
    have(&paths[0], "patroni", "4.0.7");
    assert_true(versions_have(&paths[0], FACT_CONNINFO_DBNAME));
    assert_false(versions_have(&paths[0], FACT_CONNINFO_SSLNEGOTIATION)); // it takes both
    have(&paths[0], "postgres", "17.12");
    assert_true(versions_have(&paths[0], FACT_CONNINFO_SSLNEGOTIATION));
    have(&paths[0], "etcd", "3.6.0");
    assert_false(versions_have(&paths[0], FACT_ETCD_V2));
    assert_false(versions_have(&(struct stack_paths){0}, FACT_ETCD_V2));
}

static void standbys_say_what_their_own_patroni_would_write(void **state) {
    (void)state;
    make(0, "n1", SERVICE_POSTGRES, "", "17.12", "4.0.7", "");
    make(1, "n2", SERVICE_POSTGRES, "", "17.12", "3.0.2", "");
    make(2, "n3", SERVICE_POSTGRES, "", "17.12", "4.0.7", "");
    struct conf c = {.ops = &patroni_ops, .topology = &topology, .paths = paths};
    cleanup_strbuf struct strbuf old = {0}, new = {0};
    conf_postgresql(&c, &defs[1], &old);
    conf_postgresql(&c, &defs[2], &new);
    assert_null(strstr(strbuf_str(&old), "dbname="));
    assert_non_null(strstr(strbuf_str(&new), "primary_conninfo = 'dbname=postgres user=replicator"));
    assert_non_null(strstr(strbuf_str(&new), "channel_binding=prefer sslnegotiation=postgres'"));
}

static void postgresql_of_two_majors_is_refused_with_who_has_what(void **state) {
    (void)state;
    make(0, "e1", SERVICE_ETCD, "debian-13", "17.12", "4.0.7", "3.5.16"); // runs no PostgreSQL: does not count
    make(1, "n1", SERVICE_POSTGRES, "", "15.18", "3.0.2", "3.4.23");
    make(2, "n2", SERVICE_POSTGRES, "", "15.3", "4.0.7", "3.4.23"); // minor versions and Patroni may differ
    assert_int_equal(versions_check(&patroni_ops, &topology, paths, &err), 0);
    make(3, "n3", SERVICE_POSTGRES, "debian-13", "17.12", "4.0.7", "");
    assert_int_equal(versions_check(&patroni_ops, &topology, paths, &err), -EINVAL);
    assert_non_null(strstr(err.msg, "n1 (host) has PostgreSQL 15.18, n3 (debian-13) has 17.12"));
}

static void etcd_members_are_neighbours_or_refused(void **state) {
    (void)state;
    make(0, "e1", SERVICE_ETCD, "", "", "", "3.4.23");
    make(1, "e2", SERVICE_ETCD, "debian-13", "", "", "3.5.16");
    assert_int_equal(versions_check(&patroni_ops, &topology, paths, &err), 0);
    make(2, "e3", SERVICE_ETCD, "debian-14", "", "", "3.6.1");
    assert_int_equal(versions_check(&patroni_ops, &topology, paths, &err), -EINVAL);
    assert_non_null(strstr(err.msg, "e1 (host) has etcd 3.4.23, e3 (debian-14) has 3.6.1"));
}

static void what_is_older_than_the_lab_knows_is_refused(void **state) {
    (void)state;
    make(0, "n1", SERVICE_POSTGRES | SERVICE_ETCD, "debian-11", "13.9", "2.0.1", "3.3.25");
    assert_int_equal(versions_check(&patroni_ops, &topology, paths, &err), -EINVAL);
    assert_non_null(strstr(err.msg, "n1 (debian-11) has Patroni 2.0.1: the lab knows 3.0 and later"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_is_compared_as_numbers),
        cmocka_unit_test(a_role_has_one_word_here_whatever_patroni_calls_it),
        cmocka_unit_test(facts_hang_on_the_version_and_an_unknown_one_has_none),
        cmocka_unit_test(standbys_say_what_their_own_patroni_would_write),
        cmocka_unit_test(postgresql_of_two_majors_is_refused_with_who_has_what),
        cmocka_unit_test(etcd_members_are_neighbours_or_refused),
        cmocka_unit_test(what_is_older_than_the_lab_knows_is_refused),
    };
    return cmocka_run_group_tests_name("versions", tests, NULL, NULL);
}
