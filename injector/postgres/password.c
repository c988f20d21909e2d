// SPDX-License-Identifier: PostgreSQL
// postgres.rotate_password: the replication role gets another password in the database, and nobody tells the config.yml files.
#include "injector/fault/check.h"
#include "injector/postgres/faults.h"
#include "injector/postgres/postgres.h"
#include "lab/stack/stack.h"

const char *postgres_replication_login(char sqlstate[static 6], struct strbuf *why) {
    const char *const keys[] = {"hostaddr", "port", "user", "password", "replication", "gssencmode", NULL};
    const char *const values[] = {"127.0.0.1", "5432",    "replicator", stack_password("replication"),
                                  "1",         "disable", NULL};
    return errand_login(keys, values, 3 * SEC, sqlstate, why);
}

static bool alter(struct errand_io *io, const char *password) {
    cleanup_pq PGconn *c = errand_sql_primary(io, 5 * SEC);
    cleanup_strbuf struct strbuf why = {0};
    if (!c)
        return false;
    cleanup_free char *sql = xasprintf("SET synchronous_commit = local; ALTER ROLE replicator PASSWORD '%s'", password);
    if (!errand_exec(c, sql, &why))
        errand_no(io, "%s", strbuf_str(&why));
    return !io->told;
}

static void rotate(struct errand_io *io) {
    if (alter(io, "rotated-and-told-nobody"))
        errand_ok(io, usec_now(), "ALTER ROLE replicator PASSWORD on %s", io->node);
}

// What PostgreSQL answers to a login with the password of config.yml: "" = it let us in. False after errand_pass: nothing was asked.
static bool try_login(struct errand_io *io, char sqlstate[static 6], struct strbuf *why) {
    cleanup_pq PGconn *c = errand_sql_primary(io, 5 * SEC);
    if (c)
        (void)postgres_replication_login(sqlstate, why);
    return c != NULL;
}

static void see_refused(struct errand_io *io) {
    char sqlstate[6];
    cleanup_strbuf struct strbuf why = {0};
    if (!try_login(io, sqlstate, &why))
        return;
    if (!*sqlstate)
        errand_no(io, "a login of ours with the password of config.yml succeeded");
    else if (str_eq(sqlstate, "28P01")) // invalid_password
        errand_ok(io, 0, "a login of ours with the password of config.yml: %s %s", sqlstate, strbuf_str(&why));
    else
        errand_no(io, "a login of ours failed for another reason: %s %s", sqlstate, strbuf_str(&why));
}

static void give_back(struct errand_io *io) {
    if (alter(io, stack_password("replication")))
        errand_ok(io, usec_now(), "ALTER ROLE replicator PASSWORD on %s: the one of config.yml", io->node);
}

static void see_accepted(struct errand_io *io) {
    char sqlstate[6];
    cleanup_strbuf struct strbuf why = {0};
    if (!try_login(io, sqlstate, &why))
        return;
    if (!*sqlstate)
        errand_ok(io, 0, "a login of ours with the password of config.yml succeeded");
    else
        errand_no(io, "%s %s", sqlstate, strbuf_str(&why));
}

static void describe(const struct fault *f, struct strbuf *out) {
    (void)f;
    strbuf_add(out, "# in psql on the leader\nALTER ROLE replicator PASSWORD 'something else';\n");
}

static const struct errand_ops errands = {.inject = {ERRAND_PRIMARY, rotate},
                                          .verify = {ERRAND_PRIMARY, see_refused},
                                          .heal = {ERRAND_PRIMARY, give_back},
                                          .verify_healed = {ERRAND_PRIMARY, see_accepted}};

const struct fault_ops postgres_rotate_password_fault = {
    .about = {.name = "postgres.rotate_password",
              .no_target = true,
              .summary = "changes the replication role's password in the database, and nowhere else"},
    .mechanism = "ALTER ROLE on the primary; verified by a replication login of ours that is refused. Healed: the "
                 "password of config.yml.",
    .still_works = "Every WAL receiver that is connected: a password is asked for at the login alone. The failure "
                   "waits for the next one.",
    .exercises =
        "A change whose failure comes days later, with the next restart or switchover; where its first sign is.",
    .needs = "nothing",
    .check = check_postgres_somewhere,
    ERRAND_PHASES(errands),
    .describe = describe,
};
