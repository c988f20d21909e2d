// SPDX-License-Identifier: PostgreSQL
#pragma once
// Where dcs.save_snapshot leaves the file that dcs.restore_snapshot takes: on the member's own disk, beside its data, so that
// it survives a power-off. Below node_etcd_dir() it has the name DCS_SNAPSHOT_FILE.
#define DCS_SNAPSHOT_FILE "saved.snapshot"
#define DCS_SNAPSHOT      "/var/lib/etcd/" DCS_SNAPSHOT_FILE
