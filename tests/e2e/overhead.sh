#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 120
# alone
# The instrument must not disturb what it measures: less than 5 % of one core and 40 MB on an idle lab.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# The sanitizers' own memory and time are not ours.
if grep -q __asan_init "$BASCULE"; then skip_all 'a build with sanitizers is not what users run'; fi
exits 0 'supervisor, observer and workload stay below 5 % of a core and 40 MB' python3 "$BASCULE_TREE/tests/bench/overhead.py" "$BASCULE" 15
sed 's/^/# /' "$out"
