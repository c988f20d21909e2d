#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 200
# A student is left alone with a node: the files, the environment and the terminal of the user who started the lab are safe, and
# what belongs to a machine works. tests/sandbox/test_sandbox_inside.c tries the same on bare nodes, and more.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=inside-$$
export BASCULE_LAB=$lab BASCULE_TEST_SECRET=swordfish-$$
mkdir -p "$HOME/.ssh"
echo "key-$$" >"$HOME/.ssh/id_$$"
passwd_home=$(getent passwd "$(id -u)" | cut -d: -f6)
inside() { "$BASCULE" exec n1 -- sh -c "$1" sh "${@:2}"; }

exits 0 'up' "$BASCULE" up patroni-2 --lab "$lab" --runs-dir "$runs" --set clock=adjustable || exit 1
check 'status answers' status 's["healthy"]'
pid=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["supervisor_pid"])' "$work/status.json")

# ---- the environment
nobody_has_the_secret() {
  python3 - "$pid" <<'PYTHON'
import os, sys, time
sys.path.insert(0, os.environ["PYTHONPATH"])
import labview
mark = labview.namespace(sys.argv[1], "user")
assert mark != labview.namespace("self", "user"), "the lab has no user namespace of its own"
pids = list(labview.in_namespace("user", mark))
secret = os.environ["BASCULE_TEST_SECRET"].encode()
assert secret in open("/proc/self/environ", "rb").read(), "the control"
def has_secret(pid):
    """A process that has just forked or is in its exec can't be read for a moment, or is still its parent's image: one look is not enough."""
    end = time.monotonic() + 10
    while labview.state_of(pid) not in (None, "Z", "X"):
        try:
            if secret not in open(f"/proc/{pid}/environ", "rb").read():
                return False
            found = "holds the secret"
        except OSError as e:
            found = e.strerror
        if time.monotonic() > end:
            return found
        time.sleep(0.05)
    return False
holders = [(pid, labview.name_of(pid), what) for pid in pids if (what := has_secret(pid))]
print(len(pids), "processes, with the secret:", holders)
sys.exit(0 if len(pids) > 10 and not holders else 1)
PYTHON
}
check "no process of the lab shows the user's environment, pid 1 neither" nobody_has_the_secret
# shellcheck disable=SC2016
exits 0 'a command has a fresh one' inside 'env; test -z "$BASCULE_TEST_SECRET" && test "$HOME" = /var/lib/postgresql'
# shellcheck disable=SC2016
exits 0 'init and its sockets are out of reach' inside '! cat /proc/1/environ && ! readlink /proc/1/fd/3 && ! cat /proc/1/maps'

# ---- the files
# shellcheck disable=SC2016
exits 0 'rm -rf of whatever can be named' inside 'mkdir -p ~/own/own && rm -rf "$@" /home /root /var/tmp/* /srv /mnt ~/own; test ! -e ~/own' "$HOME" "$passwd_home" "$BASCULE_TREE" "$runs" "$work"
says '(cannot remove|Read-only|Permission denied|busy)' 'is refused, but for what is its own'
check 'the key is still there' grep -q "key-$$" "$HOME/.ssh/id_$$"
check 'the run folder too' test -s "$(find "$runs" -name events.jsonl)"
check "and bascule's own tree" test -x "$BASCULE_TREE/tests/e2e/inside-a-node.sh"
# shellcheck disable=SC2016
exits 0 'the key cannot be read' inside '! cat "$1"' "$HOME/.ssh/id_$$"
# shellcheck disable=SC2016
exits 0 'nothing of the host can be written' inside 'for d in "$@" /usr /var/lib /var/cache /opt /home; do ! touch "$d/bascule-was-here" 2>/dev/null || exit 1; done' "$BASCULE_TREE" "$runs" "$HOME"
exits 0 'a machine has folders of its own' inside 'touch ~/a /tmp/a /var/tmp/a /etc/a /var/log/a'
check "which are not the host's" test ! -e /etc/a -a ! -e /var/tmp/a -a ! -e /var/log/a

# ---- the files that the lab itself writes in a node: a link there must not lead it to the host
echo "precious-$$" >"$HOME/precious"
# shellcheck disable=SC2016
exits 0 'a link where the lab keeps a clock' inside 'rm /run/clock/patroni && ln -s "$1" /run/clock/patroni' "$HOME/precious"
"$BASCULE" inject clock.skew n1 offset=+1h service=patroni >"$out" 2>&1
check 'the clock is asked for' grep -q 'clock' "$out"
check 'and the file that the link names is as it was' grep -qx "precious-$$" "$HOME/precious"
exits 0 'healed' "$BASCULE" heal --all

# ---- and what people do on a machine still works
exits 0 'psql' "$BASCULE" psql n1 -Atc 'select 1'
exits 0 'patronictl' "$BASCULE" exec n1 -- patronictl -c /etc/patroni/config.yml list
exits 0 'a history and a configuration in its home' inside 'echo "\\q" >~/.psqlrc && echo x >>~/.psql_history && mkdir -p ~/.config/x'
exits 0 'a terminal of its own' inside 'test ! -x /usr/bin/script || script -qec "test -t 0 && tty" /dev/null | grep -q /dev/pts/'
# shellcheck disable=SC2016
exits 0 'a power cut and back' bash -c '"$0" inject node.power_off n2 && "$0" heal --all' "$BASCULE"
exits 0 'a machine that booted again is as safe' "$BASCULE" exec n2 -- sh -c '! touch /opt/x && ! cat /proc/1/environ && touch /var/tmp/x ~/x && test -z "$(ls -A /home)"'
exits 0 'down' "$BASCULE" down
