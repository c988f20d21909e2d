#!/bin/bash
# SPDX-License-Identifier: PostgreSQL
# The report page in a real browser: tests/report/check.sh BASCULE [--shots DIR] [RUN_FOLDER...]
# Makes run folders (tests/report/make_runs.py), their pages, and looks at them with headless Chromium and axe-core.
# Exit 77 = skipped, with the reason: no Chromium, no node, or the pinned modules are neither installed nor to be had.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bascule=$(realpath "${1:?which bascule?}")
shift
skip() { echo "ok - the report page in a browser # SKIP $*"; exit 77; }
command -v node >/dev/null || skip "node is not installed"
export CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
[ -n "$CHROMIUM" ] || skip "chromium is not installed"

shots=()
if [ "${1:-}" = --shots ]; then mkdir -p "$2"; shots=(--shots "$(realpath "$2")"); shift 2; fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The modules: those beside this file, else a copy fetched as the lock file says, where the registry answers.
if [ ! -d "$here/node_modules/puppeteer-core" ] || [ ! -d "$here/node_modules/axe-core" ]; then
  cp "$here"/package.json "$here"/package-lock.json "$here"/check.mjs "$work"/
  command -v npm >/dev/null || skip "npm is not installed"
  (cd "$work" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund --fetch-retries 0 >"$work/npm.log" 2>&1) ||
    skip "the npm modules are not there and the registry does not answer: $(tail -1 "$work/npm.log")"
  check=$work/check.mjs
else
  check=$here/check.mjs
fi

failed=0
tell() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; failed=1; fi; }

python3 "$here/make_runs.py" "$work/runs" || exit 1
pages=()
for run in "$work"/runs/* "$@"; do
  name=$(basename "$run")
  "$bascule" report "$run" "--html=$work/$name.html" >/dev/null
  [ -s "$work/$name.html" ]
  tell $? "$name: the page is written"
  if [ "$name" = hour ]; then
    size=$(stat -c %s "$work/hour.html")
    echo "# an hour: $size bytes"
    [ "$size" -lt 5000000 ]; tell $? "hour: the page is smaller than 5 MB"
  fi
  pages+=("$name=$work/$name.html")
done
[ "$(grep -c -i '</script>' "$work/hostile.html")" = 2 ]
tell $? "hostile: a log line can't end the data block"

node "$check" ${shots[@]+"${shots[@]}"} "${pages[@]}" || failed=1
exit $failed
