#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 240
# needs: root
# Another user of the host tries what he can against a lab that is not his: names, sockets, /proc, signals, namespaces, folders. Nothing
# waits, nothing is shown that he says, nothing of the lab can be reached.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
by_itself "$0"
lab=owner-$$ stranger=54321
export BASCULE_LAB=$lab

one=$BASCULE_TREE/tests/lib/one-node.yaml
as=(setpriv --reuid "$stranger" --regid "$stranger" --clear-groups env -i PATH="$PATH" HOME=/nonexistent) # an array: its $! is the command's
"${as[@]}" "$BASCULE" --version >/dev/null 2>&1 || skip_all "another user can not run the program where it lies: $BASCULE"

exits 0 'a lab of one user' "$BASCULE" up "$one" --lab "$lab" || exit 1
check 'it answers' status 's["healthy"]'
read -r pid run < <(python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); print(s["supervisor_pid"], s["run_dir"])' "$work/status.json")
owner=$(stat -c %u "/proc/$pid")

# ---- what he can name
pids=()
"${as[@]}" python3 - "$owner" "$lab-new" 'full!' '\x1b]0;PWN\x07\x1b[31mPWN' <"$BASCULE_TREE/tests/lib/forge_names.py" >"$work/forged.out" 2>&1 &
pids+=($!)
check 'he holds three names' within 20 grep -qx 'bound 3' "$work/forged.out"
"${as[@]}" unshare --user --map-root-user --mount --pid --fork --kill-child --mount-proc python3 - "$lab" PWN <"$BASCULE_TREE/tests/lib/fake_lab.py" >"$work/fake.out" 2>&1 &
pids+=($!)
check 'he has a process that looks like a lab' within 20 grep -q listening "$work/fake.out"
exits 0 'list of the owner' timeout 20 "$BASCULE" list
says "^$lab +ready" 'has his lab'
check 'and nothing else' test "$(wc -l <"$out")" = 1
exits 0 'status is of his lab' timeout 20 "$BASCULE" status --json
says "\"supervisor_pid\":[[:space:]]*$pid" 'and of no other'
exits 0 'a lab by the name that the other one holds' timeout 60 "$BASCULE" up "$one" --lab "$lab-new"
exits 0 'ends like any other' timeout 60 "$BASCULE" down "$lab-new"

kill -KILL "${pids[@]}"
wait "${pids[@]}" 2>/dev/null || true

# ---- what he can ask of the program
b() { "${as[@]}" timeout 20 "$BASCULE" "$@"; }
for command in status top 'exec n1 -- true' 'psql n1' 'inject node.power_off n1' 'heal --all' 'logs n1' hold down 'down --force'; do
  # shellcheck disable=SC2086
  exits 2 "$command as the other user" b ${command%% *} --lab "$lab" ${command#"${command%% *}"}
  says "no lab named '$lab' is running" 'knows no such lab'
done
exits 0 'down --all --force as the other user' b down --all --force
check 'ends no lab of somebody else' status "s['supervisor_pid'] == $pid"

# ---- what he can reach without it
cat >"$work/reach.py" <<'PYTHON'
"""reach.py PID LAB ROLE: what the stranger is refused ("stranger"), and the control: that the same, but for the signals, is there for root."""
import ctypes, os, signal, socket, sys
pid, lab, stranger = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "stranger"
libc = ctypes.CDLL(None, use_errno=True)
def stat(p):
    try:
        return open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
    except OSError:
        return ["X", "0"]
children = [pid]
for p in sorted(map(int, filter(str.isdigit, os.listdir("/proc")))):
    if int(stat(p)[1]) in children and stat(p)[0] not in "ZX":
        children.append(p)
print(len(children), "processes of the lab")
bad = len(children) < 4
def attempt(what, act, p):
    global bad
    try:
        act()
        allowed, how = True, "was allowed"
    except OSError as e:
        allowed, how = e.errno not in (1, 13), f"gave {e}"
    if allowed == stranger and stat(p)[0] not in "ZX":  # of one that has ended there is nothing to reach
        print(what, how)
        bad = True
def pidfd_getfd(p):
    fd = os.pidfd_open(p)
    if libc.syscall(438, fd, 3, 0) < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
def ptrace(p):
    if libc.ptrace(0x4206, p, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(f"/proc/{pid}/root/run/bascule/control/{lab}")
attempt("connect", connect, pid)
for p in children:
    for name in ("environ", "mem", "maps", "root/etc", "fd/0", "ns/net", "cwd/.", "auxv"):
        attempt(f"{p} {name}", lambda: open(f"/proc/{p}/{name}", "rb").read(1), p)
    for sig in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM) if stranger else (0,):
        attempt(f"{p} signal {sig}", lambda: os.kill(p, sig), p)
    attempt(f"{p} pidfd_getfd", lambda: pidfd_getfd(p), p)
    if stranger:
        attempt(f"{p} ptrace", lambda: ptrace(p), p)
sys.exit(bad)
PYTHON
exits 0 'control: root finds it all where the stranger looks for it' python3 "$work/reach.py" "$pid" "$lab" root
exits 0 'no process of the lab can be looked into, signalled, traced or entered, and its socket not reached' \
  "${as[@]}" python3 -c "$(<"$work/reach.py")" "$pid" "$lab" stranger
his=$(mktemp -d /var/tmp/his.XXXXXX) && touch "$his/file" && chown -R "$stranger" "$his"
"${as[@]}" rm -rf "$his/file" "$run" >"$out" 2>&1
check 'control: his rm -rf takes what is his' rmdir "$his"
check 'and of the run folder nothing: the record is there, and goes on' python3 - "$run/events.jsonl" <<'PYTHON'
import os, sys, time
first = os.stat(sys.argv[1]).st_size
time.sleep(2)
assert os.stat(sys.argv[1]).st_size > first > 0
assert '"ev":"run.begin"' in open(sys.argv[1]).readline()
PYTHON
check 'nobody else may write to the run folder' sh -c 'found=$(find "$1" -perm /022 ! -type l) && test -z "$found"' sh "$run"
check 'the lab has felt nothing' status 's["healthy"] and not s["faults"]'
exits 0 'and ends when its owner says so' timeout 60 "$BASCULE" down "$lab"
rm -rf "$run" "${run%/*}"/*-one-node
