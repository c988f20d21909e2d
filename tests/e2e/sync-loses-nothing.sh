#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# The same power cut on the synchronous topology: whatever was acknowledged is still there.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
exits 0 'the crash of a synchronous leader passes' "$BASCULE" run "$BASCULE_TREE/scenarios/leader-crash-sync.yaml" --runs-dir "$runs"
run=$(find "$runs" -mindepth 1 -maxdepth 1 -type d | tail -n 1)
result 'no acknowledged write is lost' 'r["writes"]["lost"] == 0'
result 'it was counted over more than a thousand writes' 'r["writes"]["acknowledged"] > 1000'
