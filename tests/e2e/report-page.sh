#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 600
# The report page in headless Chromium, with axe-core; skipped where those are not to be had.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
exec "$BASCULE_TREE/tests/report/check.sh" "$BASCULE"
