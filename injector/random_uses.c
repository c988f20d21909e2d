// SPDX-License-Identifier: PostgreSQL
// Only what the cluster must get over by itself once it is healed, and what a synchronous cluster must get over without
// losing an acknowledged write. Not here: what an operator has to repair (a bad configuration), what asks for a split
// brain (a promotion behind Patroni's back), what changes the promise itself (fsync off). Nor resource.oom: its check asks for
// memory that a host has at one moment and not at another, so the same seed would not draw the same faults everywhere, and what it
// does to the cluster is process.kill of a backend or of the postmaster.
#include "injector/random_uses.h"

enum { PG = SERVICE_POSTGRES, DCS = SERVICE_ETCD, MACHINE = SERVICE_POSTGRES | SERVICE_ETCD };

// Less than ttl - loop_wait, what a lease has left at least. A Patroni that sleeps or is gone for longer fences nothing: PostgreSQL goes
// on writing beside its successor (1.0 to 1.2 s of split brain were proven in three runs of fifteen, with no acknowledged write lost).
// That is the lesson of patroni-frozen and patroni-kill, not a finding.
#define LEASE_LEFT (12 * SEC)

// Shorter and longer than the lease of 20 s that random mode sets, so that some heal before a failover and some after.
static const struct random_use rows[] = {
    {"node.power_off", MACHINE, 4, 3 * SEC, 40 * SEC, NULL},
    {"node.freeze", MACHINE, 2, 2 * SEC, LEASE_LEFT, NULL},
    {"node.reboot", MACHINE, 2, 2 * SEC, 15 * SEC, "off=5s"},
    {"node.slow", MACHINE, 1, 5 * SEC, 25 * SEC, "share=25%"},
    {"link.down", MACHINE, 2, 1 * SEC, 35 * SEC, NULL},
    {"net.drop", MACHINE, 4, 1 * SEC, 35 * SEC, NULL},
    {"net.drop", MACHINE, 1, 5 * SEC, 35 * SEC, "direction=in"},
    {"net.drop", MACHINE, 1, 5 * SEC, 35 * SEC, "direction=out"},
    {"net.drop", PG, 2, 3 * SEC, 30 * SEC, "path=replication"},
    {"net.drop", PG, 2, 3 * SEC, 30 * SEC, "path=etcd_client"},
    {"net.drop", DCS, 1, 3 * SEC, 30 * SEC, "path=etcd_peer"},
    {"net.reject", MACHINE, 2, 3 * SEC, 30 * SEC, NULL},
    {"net.flap", MACHINE, 2, 8 * SEC, 25 * SEC, "down=1s up=2s"},
    {"net.size_blackhole", PG, 1, 5 * SEC, 25 * SEC, "path=replication"},
    {"net.delay", MACHINE, 2, 5 * SEC, 30 * SEC, "delay=40ms jitter=10ms"},
    {"net.loss", MACHINE, 2, 5 * SEC, 30 * SEC, "loss=10%"},
    {"net.duplicate", MACHINE, 1, 5 * SEC, 30 * SEC, "duplicate=20%"},
    {"net.reorder", MACHINE, 1, 5 * SEC, 30 * SEC, "reorder=20% by=20ms"},
    {"net.corrupt", MACHINE, 1, 5 * SEC, 25 * SEC, "corrupt=2%"},
    {"net.rate", PG, 1, 5 * SEC, 30 * SEC, "rate=2mbit path=replication"},
    {"net.jam", PG, 1, 3 * SEC, 25 * SEC, "with=peers"},
    {"disk.slow", PG, 1, 5 * SEC, 25 * SEC, "delay=50ms"},
    {"disk.slow", DCS, 1, 5 * SEC, 25 * SEC, "disk=etcd delay=200ms"},
    {"disk.stall", PG, 1, 2 * SEC, LEASE_LEFT, NULL},
    {"disk.stall", DCS, 1, 2 * SEC, 25 * SEC, "disk=etcd"},
    {"process.kill", PG, 3, 2 * SEC, 10 * SEC, "service=postgres"},
    {"process.kill", PG, 1, 3 * SEC, LEASE_LEFT, "service=patroni"},
    {"process.kill", DCS, 2, 2 * SEC, 30 * SEC, "service=etcd"},
    {"process.stop", PG, 1, 5 * SEC, 20 * SEC, "service=patroni"},
    {"process.pause", PG, 2, 1 * SEC, LEASE_LEFT, "service=patroni"},
    {"process.pause", PG, 2, 1 * SEC, 20 * SEC, "service=postgres"},
    {"process.pause", DCS, 2, 1 * SEC, 30 * SEC, "service=etcd"},
    {"process.cycle", PG, 1, 8 * SEC, 25 * SEC, "service=patroni"},
    {"process.cycle", DCS, 1, 8 * SEC, 25 * SEC, "service=etcd"},
};

const struct random_use *random_uses(size_t *ret_n) {
    *ret_n = ARRAY_SIZE(rows);
    return rows;
}
