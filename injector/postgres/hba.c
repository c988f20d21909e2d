// SPDX-License-Identifier: PostgreSQL
// postgres.bad_hba: pg_hba.conf loses its lines for replication, by hand and with a reload. Patroni writes the file again when it reloads
// its own settings or starts PostgreSQL (patroni/postgresql/config.py, replace_pg_hba); until then the broken one counts.
#include <ctype.h>

#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/postgres/faults.h"
#include "injector/postgres/postgres.h"
#include "lab/base/fs.h"
#include "lab/node/places.h"

static const char HBA[] = STACK_PGDATA "/pg_hba.conf";

static bool reload(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql(io, "bascule-fault", 5 * SEC);
    cleanup_strbuf struct strbuf why = {0};
    if (c && !errand_exec(c, "SELECT pg_reload_conf()", &why))
        errand_no(io, "%s", strbuf_str(&why));
    return !io->told;
}

static bool write_hba(struct errand_io *io, const char *text) {
    struct err err = {0};
    if (fs_write(HBA, text, strlen(text), 0600, &err) < 0)
        errand_no(io, "%s", err.msg);
    return !io->told;
}

// The second word of a rule is its database: "host replication replicator ...". "all" does not stand for replication.
static bool is_replication(const char *line) {
    const char *word = line + strcspn(line, " \t\n");
    word += strspn(word, " \t");
    return str_starts(word, "replication") && isspace((unsigned char)word[strlen("replication")]);
}

static void break_it(struct errand_io *io) {
    cleanup_strbuf struct strbuf text = {0}, changed = {0};
    struct err err = {0};
    size_t dropped = 0;
    if (fs_read(HBA, 12000, &text, &err) < 0) {
        errand_no(io, "%s", err.msg);
        return;
    }
    for (const char *line = strbuf_str(&text); *line;) {
        size_t len = strcspn(line, "\n") + (strchr(line, '\n') != NULL);
        if (is_replication(line))
            dropped++;
        else
            strbuf_addn(&changed, line, len);
        line += len;
    }
    if (!dropped) {
        errand_no(io, "%s has no line for replication", HBA);
        return;
    }
    errand_note(io, "hba", strbuf_str(&text));
    if (write_hba(io, strbuf_str(&changed)) && reload(io))
        errand_ok(io, usec_now(), "%zu lines for replication taken out of %s, reloaded", dropped, HBA);
}

// The postmaster reads the file again some milliseconds after the signal.
static bool login_is(const struct errand_io *io, bool wanted, char sqlstate[static 6], struct strbuf *text) {
    for (usec_t end = usec_now() + 3 * SEC;;) {
        strbuf_clear(text);
        bool ok = !*postgres_replication_login(sqlstate, text);
        if (ok == wanted || usec_now() >= end || errand_stopped(io, 50 * MSEC))
            return ok;
    }
}

static void see_refused(struct errand_io *io) {
    char sqlstate[6];
    cleanup_strbuf struct strbuf why = {0};
    if (login_is(io, false, sqlstate, &why))
        errand_no(io, "a replication login of ours on %s succeeded", io->node);
    else if (str_eq(sqlstate, "28000")) // invalid_authorization_specification: no entry; a wrong password is 28P01
        errand_ok(io, 0, "a replication login of ours: %s %s", sqlstate, strbuf_str(&why));
    else
        errand_no(io, "a replication login of ours failed for another reason: %s %s", sqlstate, strbuf_str(&why));
}

static void mend(struct errand_io *io) {
    const char *text = errand_noted(io, "hba");
    if (!text)
        errand_ok(io, 0, "%s was not changed", HBA);
    else if (write_hba(io, text) && reload(io))
        errand_ok(io, usec_now(), "%s as it was, reloaded", HBA);
}

static void see_accepted(struct errand_io *io) {
    char sqlstate[6];
    cleanup_strbuf struct strbuf why = {0};
    if (login_is(io, true, sqlstate, &why))
        errand_ok(io, usec_now(), "a replication login of ours on %s succeeded", io->node);
    else
        errand_no(io, "%s %s", sqlstate, strbuf_str(&why));
}

static void describe(const struct fault *f, struct strbuf *out) {
    for (size_t i = 0; i < f->n_nodes; i++)
        strbuf_addf(out, "# on %s\nsed -i '/^host replication/d' %s; psql -c 'SELECT pg_reload_conf()'\n", f->nodes[i],
                    HBA);
}

static const struct errand_ops errands = {.inject = {ERRAND_TARGETS, break_it},
                                          .verify = {ERRAND_TARGETS, see_refused},
                                          .heal = {ERRAND_TARGETS, mend},
                                          .verify_healed = {ERRAND_TARGETS, see_accepted}};

const struct fault_ops postgres_bad_hba_fault = {
    .about = {.name = "postgres.bad_hba", .summary = "takes the lines for replication out of pg_hba.conf"},
    .mechanism = "The file is changed and reloaded on the target; verified by a replication login of ours that is "
                 "refused (\"no pg_hba.conf "
                 "entry\"). Healed: the old text; verified by a login.",
    .still_works = "Replication that is connected, and all other logins. Patroni writes its own text again at its next "
                   "reload or start.",
    .exercises = "A broken configuration that is silent until the next connection; who owns pg_hba.conf.",
    .needs = "nothing",
    .check_node = check_runs_postgres,
    ERRAND_PHASES(errands),
    .describe = describe,
};
