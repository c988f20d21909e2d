#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 200
# A host that lacks something: one clear message, the documented exit status, nothing half-made left.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
name=lack-$$
scenario=$BASCULE_TREE/scenarios/leader-crash.yaml

# A user namespace in which we keep uid and capabilities: there a sysctl or a mount of ours takes a thing away.
without() { unshare --user --map-current-user --keep-caps --mount --propagation slave -- sh -c "$@"; }
without true sh || skip_all 'user namespaces cannot be made here at all'

one_message() { # SENTENCE: the last command said what is wrong, once
  check "$1: one message" test "$(grep -c 'error:' "$out")" = 1
}
no_lab() { # SENTENCE
  check "$1: no lab is left" not_listed "$name"
}
nothing_made() { # SENTENCE
  check "$1: no run folder is left half-made" test -z "$(find "$runs" -name events.jsonl 2>/dev/null)"
  no_lab "$1"
}

# ---- no user namespaces
# shellcheck disable=SC2016 # expanded in there
exits 4 'no user namespaces: exit status 4' without 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" run "$1" --runs-dir "$2" --lab "$3"' "$BASCULE" "$scenario" "$runs" "$name"
says 'user namespaces' 'and the message says so'
says 'max_user_namespaces|sysctl|apparmor|unprivileged' 'and names the knob'
one_message 'no user namespaces'
nothing_made 'no user namespaces'
# shellcheck disable=SC2016
exits 4 'doctor says it too' without 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" doctor' "$BASCULE"
says "can't run labs" 'and concludes'

# ---- something mounted inside /etc, as container engines do
exits 0 'no overlay over /etc: doctor does not count it' without 'mount --bind /dev/null /etc/hosts && exec "$0" doctor' "$BASCULE"
says '^-- overlay file system .*nodes get a copy' 'says what nodes get instead'
says '^This host can run labs' 'and concludes that labs can be run'
exits 0 'and a lab comes up' without 'mount --bind /dev/null /etc/hosts && exec "$0" up "$1" --runs-dir "$2" --lab "$3"' "$BASCULE" "$BASCULE_TREE/tests/lib/one-node.yaml" "$runs" "$name"
exits 0 'with its /etc' "$BASCULE" exec --lab "$name" n1 -- test -s /etc/passwd
exits 0 'and goes down' "$BASCULE" down --force "$name"
rm -rf "$runs"

# ---- no patroni
# shellcheck disable=SC2016
exits 4 'no patroni: exit status 4' without 'mount --bind /dev/null "$(readlink -f /usr/bin/patroni)" && exec "$0" run "$1" --runs-dir "$2" --lab "$3"' "$BASCULE" "$scenario" "$runs" "$name"
says 'patroni' 'and the message names it'
says 'apt|install' 'and what installs it'
one_message 'no patroni'
nothing_made 'no patroni'

# ---- a full disk, from the start
mkdir "$work/small"
# shellcheck disable=SC2016
exits 3 'a disk that is too small: exit status 3' without 'mount -t tmpfs -o size=8m small "$2" && exec "$0" run "$1" --runs-dir "$2" --lab "$3"' "$BASCULE" "$scenario" "$work/small" "$name"
says 'MB|space' 'and the message speaks of the room'
one_message 'a full disk'

# ---- a disk that fills up during the run: the lab ends by itself, with a verdict, and says why
# shellcheck disable=SC2016
full_later='mount -t tmpfs -o size=80m small "$2" && { (until grep -qs "\"ready\"" "$2"/*/events.jsonl; do sleep 0.1; done; dd if=/dev/zero of="$2/fill" bs=1M; true) >/dev/null 2>&1 & }; timeout 120 "$0" run "$1" --runs-dir "$2" --lab "$3"'
exits 3 'a disk that fills up during the run: exit status 3' without "$full_later" "$BASCULE" "$scenario" "$work/small" "$name"
says '[Nn]o space' 'and the message says so'
no_lab 'a disk that fills up'

# ---- a home that cannot be written
if [ "$(id -u)" = 0 ]; then
  skip 'a read-only home' 'root may write everywhere'
else
  mkdir -m 555 "$work/home"
  exits 3 'a read-only home: exit status 3' env -u BASCULE_RUNS_DIR -u XDG_STATE_HOME HOME="$work/home" "$BASCULE" run "$scenario"
  says 'runs-dir|permission|read-only' 'and the message says what to do'
  one_message 'a read-only home'
  check 'nothing was made in it' test -z "$(ls -A "$work/home")"
  exits 0 'with --runs-dir the home is not needed, nor a cache' env -u BASCULE_RUNS_DIR HOME="$work/home" "$BASCULE" run "$BASCULE_TREE/scenarios/switchover.yaml" --runs-dir "$runs"
fi
