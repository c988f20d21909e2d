// SPDX-License-Identifier: PostgreSQL
#pragma once
// How large a cluster can be, and what its machines run: what every room takes for granted, from the log's folds to the switch.

enum { NODE_NAME_MAX = 32, NODES_MAX = 16, ADDRESS_MAX = 16 };

// Service bits. "postgres" is PostgreSQL run by Patroni in the patroni stack.
enum service { SERVICE_POSTGRES = 1, SERVICE_ETCD = 2, SERVICE_HAPROXY = 4, SERVICE_APP = 8 };
