// SPDX-License-Identifier: PostgreSQL
#pragma once
// The probes of this folder, for the table in probes.c.
#include "lab/observe/probe.h"

// patroni.c
int patroni_open(struct watched *w, void **ret, struct err *err);
void patroni_turn(void *probe);
void patroni_close(void *probe);

// etcd.c, etcd_member.c, etcd_lease.c
int etcd_open(struct observer *o, void **ret, struct err *err);
void etcd_turn(void *probe);
void etcd_close(void *probe);

// config.c: tells the settings in Patroni's configuration key.
void config_emit(struct observer *o, const char *json);
