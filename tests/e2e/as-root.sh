#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 200
# needs: root
# Root starts a lab: it becomes an unprivileged user first, and everything else is the same.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=root-$$
export BASCULE_LAB=$lab
private=$work/private # as a checkout below /root: nobody else may look into it
mkdir -m 700 "$private"
mkdir "$private/build"
cp "$BASCULE" "$private/build/bascule"
cp -r "$BASCULE_TREE/scenarios" "$private/scenarios"
chmod 755 "$work"

cd "$private" || exit 1
exits 0 'up as root, from a folder only root can read' build/bascule up patroni-2 --lab "$lab" || exit 1
check 'status answers' status 's["healthy"]'
pid=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["supervisor_pid"])' "$work/status.json")
check 'the supervisor is not root' test "$(stat -c %u "/proc/$pid")" != 0
no_root_process() {
  python3 - "$pid" <<'PYTHON'
import os, sys
sys.path.insert(0, os.environ["PYTHONPATH"])
import labview
mark = labview.namespace(sys.argv[1], "user")
assert mark != labview.namespace("self", "user"), "the lab has no user namespace of its own"
owners = {os.stat(f"/proc/{pid}").st_uid for pid in labview.in_namespace("user", mark)}
print("owners:", owners)
sys.exit(0 if owners and 0 not in owners else 1)
PYTHON
}
check 'nor is any process of the lab' no_root_process
exits 0 'exec as root' build/bascule exec n1 -- id -un
says '^postgres$' 'is postgres in there'
# shellcheck disable=SC2016
exits 0 'no file of root, and none of the user that it became, can be touched' build/bascule exec n1 -- sh -c 'for d in "$1" /root /home /var/lib /var/tmp/bascule-*; do ! touch "$d/x" 2>/dev/null || exit 1; done; ! cat /proc/1/environ' sh "$private"
exits 0 'down as root' build/bascule down
runs_as_user=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["run_dir"])' "$work/status.json")
check 'the run folder is there' test -s "$runs_as_user/events.jsonl"
check 'and does not belong to root' test "$(stat -c %u "$runs_as_user/events.jsonl")" != 0
rm -rf "$runs_as_user"
check 'the tests of who root becomes pass' "$(dirname "$BASCULE")/tests/sandbox/test_sandbox_identity"
