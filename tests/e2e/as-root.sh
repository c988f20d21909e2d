#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
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

# ---- two administrators: both are the same user then
home=/var/tmp/bascule-$(id -u nobody)
nobody() { env -u SUDO_UID -u SUDO_GID -u HOME -u BASCULE_RUNS_DIR -u BASCULE_LAB -u XDG_CACHE_HOME "$@"; }
if getent passwd bascule >/dev/null; then
  skip 'two administrators' 'this host has a user bascule, whose home it is'
else
  cp "$BASCULE_TREE/tests/lib/one-node.yaml" "$work/one.yaml"
  nobody "$BASCULE" up "$work/one.yaml" --lab "$lab-a" >"$work/a" 2>&1 &
  first=$!
  exits 0 'two administrators start a lab at the same time' nobody "$BASCULE" up "$work/one.yaml" --lab "$lab-b"
  check 'and both labs come up' wait "$first"
  folder() { sed -n 's/^Its run folder: //p' "$1"; }
  check 'each with a run folder of its own' test "$(folder "$work/a")" != "$(folder "$out")"
  folders="$(folder "$work/a") $(folder "$out")"
  exits 0 'list shows both to each of them' nobody "$BASCULE" list
  check 'by their names' test "$(grep -cE "^$lab-[ab] " "$out")" = 2
  exits 2 'the other ones lab is not taken for ones own' nobody "$BASCULE" up "$work/one.yaml" --lab "$lab-a"
  says "a lab named '$lab-a' is running" 'and its name is told'
  exits 2 'a command that does not say which' nobody "$BASCULE" status
  says "$lab-a" 'names them'

  # ---- a lab of a user with the same name beside root's
  place=$(mktemp -d /var/tmp/as-root.XXXXXX) # $work may lie where this user can't look
  chmod 755 "$place"
  cp -r "$BASCULE" "$BASCULE_TREE/scenarios" "$work/one.yaml" "$place"
  mkdir "$place/home" && chown daemon "$place/home"
  as_user() { setpriv --reuid daemon --regid daemon --clear-groups env -u SUDO_UID -u BASCULE_LAB "HOME=$place/home" BASCULE_DATA_DIR="$place/scenarios" BASCULE_RUNS_DIR="$place/home/runs" "$place/bascule" "$@"; }
  exits 0 'a user starts a lab of the same name' as_user up "$place/one.yaml" --lab "$lab-a"
  exits 0 'which is the only one in his list' as_user list
  check 'of these' test "$(grep -cE "^$lab-[ab] " "$out")" = 1
  exits 0 'he ends it' as_user down "$lab-a"
  exits 0 'and the one of root goes on' nobody "$BASCULE" exec --lab "$lab-a" n1 -- true
  exits 0 'one administrator ends one' nobody "$BASCULE" down "$lab-a"
  exits 0 'and the other one goes on' nobody "$BASCULE" exec --lab "$lab-b" n1 -- true
  exits 0 'until it is ended' nobody "$BASCULE" down "$lab-b"
  # shellcheck disable=SC2086 # two paths without blanks
  rm -rf $folders "$place"

  # ---- folders that somebody made before; /var/tmp is one of our own here
  # shellcheck disable=SC2016 # expanded in there
  before() { nobody unshare --mount --propagation private sh -c 'mount -t tmpfs -o mode=1777 x /var/tmp && eval "$1" && shift && exec "$@"' sh "$@"; }
  exits 3 'a home that another user has made' before "mkdir $home && chown daemon $home" "$BASCULE" list
  says "'$home' exists and belongs to somebody else; remove it" 'is not taken'
  exits 3 'a link in its place' before "ln -s /etc $home" "$BASCULE" list
  says "'$home' exists and belongs to somebody else; remove it" 'is not followed'
  exits 3 'a home that everybody can write to' before "mkdir -m 777 $home && chown nobody $home && chmod 777 $home" "$BASCULE" list
  says 'can be written to by others' 'is not taken either'
  exits 0 'none at all is made' before true "$BASCULE" list
  exits 3 'a runs folder of somebody else that everybody can write to' before 'mkdir /var/tmp/runs && chown daemon /var/tmp/runs && chmod 1777 /var/tmp/runs' "$BASCULE" up "$work/one.yaml" --lab "$lab-c" --runs-dir /var/tmp/runs
  says "'/var/tmp/runs' belongs to user daemon and everybody may write to it" 'is refused'
  exits 3 'a runs folder that is the link of another user' before 'mkdir -m 777 /var/tmp/r && ln -s r /var/tmp/runs && chown -h daemon /var/tmp/runs' "$BASCULE" up "$work/one.yaml" --lab "$lab-c" --runs-dir /var/tmp/runs
  says 'is a link that user daemon made' 'is refused'
  exits 3 'a runs folder without the sticky bit' before 'mkdir /var/tmp/runs && chmod 777 /var/tmp/runs' "$BASCULE" up "$work/one.yaml" --lab "$lab-c" --runs-dir /var/tmp/runs
  says "chmod o-w '/var/tmp/runs'" 'is refused, with the way out'
  exits 3 'a runs folder that is not ours' before 'mkdir -m 755 /var/tmp/runs && chown daemon /var/tmp/runs' "$BASCULE" up "$work/one.yaml" --lab "$lab-c" --runs-dir /var/tmp/runs
  says "no permission to write in '/var/tmp/runs'" 'is refused'
  code=$(before 'mkdir -m 1777 /var/tmp/images; chmod 1777 /var/tmp/images' env BASCULE_IMAGES_DIR=/var/tmp/images "$BASCULE" image list >"$out" 2>&1; echo $?)
  check 'a folder of images that everybody can write to' test "$code" != 0
  says "everybody on this host may write to '/var/tmp/images'" 'is refused'
  exits 0 'prepared data directories that everybody could have made' before "mkdir -p $home/.cache/bascule && chown -R nobody $home && chmod 700 $home && chmod 777 $home/.cache/bascule" sh -c '"$0" up "$1" --lab "$2" && "$0" down "$2"' "$BASCULE" "$work/one.yaml" "$lab-c"
  says 'warning: prepared data directories are not used: everybody' 'are not used, and that is said'
fi
