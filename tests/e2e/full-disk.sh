#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 180
# The disk of the run folder fills up while a lab stands: the run ends as broken with that reason, the record keeps its end, nothing is left.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=full-$$
export BASCULE_LAB=$lab

# A small disk of our own: a tmpfs in a mount namespace, and in it the same user as outside.
if [ -z "${FULL_DISK_INSIDE:-}" ]; then
  id=$(id -u) group=$(id -g)
  unshare -Urm true 2>/dev/null || skip_all 'this host gives a user no mount namespace'
  trap - EXIT
  # shellcheck disable=SC2016
  FULL_DISK_INSIDE=1 unshare -Urm bash -c '
    mount -t tmpfs -o size=300M,mode=755 none "$1" && TMPDIR=$1 exec unshare -U "--map-user=$2" "--map-group=$3" "$4"
  ' sh "$work" "$id" "$group" "$0"
  code=$?
  rm -rf "$work"
  exit "$code"
fi
disk=$work/disk runs=$work/disk
mkdir "$disk"

cp "$BASCULE_TREE/tests/lib/one-node.yaml" "$work/one.yaml"
cat >"$work/long.yaml" <<'YAML'
title: a minute of nothing
topology: one.yaml
settle: 0s
observe: 0s
steps:
  - wait: {stays: writes flow, for: 60s}
expect: {split_brain: no}
YAML

fill() {
  head -c 1G /dev/zero >"$disk/filler" 2>/dev/null
  test "$(df --output=avail "$disk" | tail -n 1)" -lt 1024
}
running() { grep -qs '"ev":"client.tick"' "$disk"/*/events.jsonl; }

"$BASCULE" run "$work/long.yaml" --lab "$lab" --runs-dir "$runs" >"$work/said" 2>&1 &
pid=$!
check 'a run is under way' within 60 running
run=$(find "$disk" -mindepth 1 -maxdepth 1 -type d -name '*-long')
check 'somebody fills its disk' fill
wait "$pid"
code=$?
check 'the run ends, as broken' test "$code" = 3
check 'and says why' grep -qF "ERROR: the record could not be written: No space left on device (folder" "$work/said"
check 'no lab is left' not_listed "$lab"
check 'every line of the record is whole, the last ones say why and that it is over' python3 - "$run" <<'PYTHON'
import json, sys
text = open(sys.argv[1] + "/events.jsonl").read()
assert text.endswith("\n")
events = [json.loads(line) for line in text.splitlines()]
end = next(e for e in events if e["ev"] == "run.end")
assert end["reason"] == "broken" and end["detail"] == f"the record could not be written: No space left on device (folder {sys.argv[1]})", end
assert any(e["ev"] == "final.read" and e["ok"] for e in events), "the rows were not read at the end"
written = sum(e.get("w_ok", 0) for e in events if e["ev"] == "client.tick")
import os
records = (os.stat(sys.argv[1] + "/ledger.bin").st_size - 16) / 48
assert records == int(records) and records >= written > 0, (records, written)
PYTHON
exits 3 'report tells it again' "$BASCULE" report "$run"
says 'ERROR: the record could not be written' 'with the reason'

rm "$disk/filler"
exits 0 'a lab that stands by itself' "$BASCULE" up "$work/one.yaml" --lab "$lab" --runs-dir "$runs" || exit 1
run=$(find "$disk" -mindepth 1 -maxdepth 1 -type d -name '*-one')
check 'its disk is filled' fill
check 'it ends' within 60 not_listed "$lab"
exits 3 'its record' "$BASCULE" report "$run"
says 'ERROR: the record could not be written: No space left on device' 'has the reason'
lab=
