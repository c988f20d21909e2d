#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 500
# long
# The assertions of this scenario are its own expectations; what is common to all is in tests/lib/e2e.sh.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
run_scenario disk-stall-leader
result 'every fault was verified' 'r["fault"] is None or r["fault"]["verified"]'
result 'the application wrote before and after' 'r["writes"]["acknowledged"] > 500'
