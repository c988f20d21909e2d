// SPDX-License-Identifier: PostgreSQL
// postgres.abandoned_slot: a permanent physical slot that nobody reads, declared in Patroni's dynamic configuration. A slot made by hand
// would be dropped at Patroni's next look (patroni/postgresql/slots.py, "Dropped unknown replication slot").
#include "injector/errand/errand.h"
#include "injector/fault/check.h"
#include "injector/patroni/patroni.h"
#include "injector/postgres/faults.h"

#define SLOT   "bascule_abandoned"
#define EXISTS "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" SLOT "' AND NOT active"

static void declare(struct errand_io *io) {
    if (patroni_patch(io, "{\"slots\":{\"" SLOT "\":{\"type\":\"physical\"}}}"))
        errand_ok(io, usec_now(), "slot " SLOT " declared in the dynamic configuration");
}

static void see_slot(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql_primary(io, 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    // Patroni makes it in its next loop.
    if (!errand_value_becomes(io, c, EXISTS, "1", 25 * SEC, &v)) {
        errand_no(io, "there is no such slot on %s: %s", io->node, strbuf_str(&v));
        return;
    }
    // It keeps WAL from its restart_lsn on; PostgreSQL reserves at creation when Patroni asks for it, else at the first use.
    if (errand_value_becomes(io, c,
                             "SELECT restart_lsn IS NOT NULL FROM pg_replication_slots WHERE slot_name = '" SLOT "'",
                             "t", 2 * SEC, &v)) {
        strbuf_clear(&v);
        (void)errand_value(c,
                           "SELECT 'restart_lsn ' || restart_lsn || ', wal_status ' || wal_status FROM "
                           "pg_replication_slots WHERE slot_name = '" SLOT "'",
                           &v);
        errand_ok(io, 0, "pg_replication_slots: inactive, %s", strbuf_str(&v));
    } else {
        errand_no(io, "the slot is there, but keeps no WAL (no restart_lsn)");
    }
}

static void undeclare(struct errand_io *io) {
    if (patroni_patch(io, "{\"slots\":{\"" SLOT "\":null}}"))
        errand_ok(io, usec_now(), "slot " SLOT " taken out of the dynamic configuration");
}

static void see_no_slot(struct errand_io *io) {
    cleanup_pq PGconn *c = errand_sql_primary(io, 3 * SEC);
    cleanup_strbuf struct strbuf v = {0};
    if (!c)
        return;
    if (errand_value_becomes(io, c, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" SLOT "'", "0",
                             25 * SEC, &v))
        errand_ok(io, usec_now(), "Patroni has dropped the slot");
    else
        errand_no(io, "the slot is still there: %s", strbuf_str(&v));
}

static void describe(const struct fault *f, struct strbuf *out) {
    (void)f;
    strbuf_add(out, "patronictl -c /etc/patroni/config.yml edit-config --force -s slots." SLOT ".type=physical\n");
}

static const struct errand_ops errands = {.inject = {ERRAND_PATRONI, declare},
                                          .verify = {ERRAND_PRIMARY, see_slot},
                                          .heal = {ERRAND_PATRONI, undeclare},
                                          .verify_healed = {ERRAND_PRIMARY, see_no_slot}};

const struct fault_ops postgres_abandoned_slot_fault = {
    .about = {.name = "postgres.abandoned_slot",
              .no_target = true,
              .summary = "makes a replication slot that nobody reads"},
    .mechanism = "A permanent physical slot in Patroni's dynamic configuration; verified in pg_replication_slots: "
                 "inactive, with a "
                 "restart_lsn. Healed: taken out again; verified when Patroni has dropped it.",
    .still_works = "Everything, until pg_wal has filled the disk: no WAL after its restart_lsn is removed.",
    .exercises = "Who owns a slot; retained bytes and wal_status; max_slot_wal_keep_size; that dropping it by hand "
                 "does not last.",
    .needs = "nothing",
    .check = check_postgres_somewhere,
    ERRAND_PHASES(errands),
    .describe = describe,
    .patience = 35 * SEC,
};
