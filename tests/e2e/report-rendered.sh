#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 600
# Report pages of recorded runs as Debian's Chromium shows and prints them; skipped where it is not installed. No lab.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
exec python3 "$BASCULE_TREE/tests/report/rendered.py" "$BASCULE"
