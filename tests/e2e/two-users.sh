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
"${as[@]}" python3 - "$owner" "$lab" <<'PYTHON' &
import os, socket, sys, time
owner, lab = sys.argv[1:]
open("/proc/self/comm", "w").write("bascule-lab")
held = []
for name, backlog in ((lab + "-new", 16), ("full", 0), ("\x1b]0;PWN\x07\x1b[31mPWN", 16)):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(f"\0bascule/{owner}/{name}".encode())
    s.listen(backlog)
    held.append(s)
    for _ in range(0 if backlog else 3):
        c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        c.setblocking(False)
        held.append(c)
        try:
            c.connect(s.getsockname())
        except BlockingIOError:
            pass
time.sleep(230)
PYTHON
pids+=($!)
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
"${as[@]}" python3 - "$pid" "$lab" >"$out" 2>&1 <<'PYTHON'
import ctypes, os, signal, socket, sys
pid, lab = int(sys.argv[1]), sys.argv[2]
libc = ctypes.CDLL(None, use_errno=True)
children = [pid]
for p in os.listdir("/proc"):
    try:
        if p.isdigit() and int(open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[1]) in children:
            children.append(int(p))
    except (OSError, ValueError):
        pass
print(len(children), "processes of the lab")
bad = len(children) < 4
def refused(what, act, p=None):
    global bad
    try:
        if act() == "":  # a process that has ended and not been waited for: there is nothing to read
            return
    except OSError as e:
        if e.errno in (1, 13) or (e.errno in (2, 3) and p and not os.path.exists(f"/proc/{p}")):  # refused, or it has ended
            return
        print(what, "gave", e)
    else:
        print(what, "was allowed")
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
refused("connect", connect)
for p in children:
    for name in ("environ", "mem", "maps", "root/etc", "fd/0", "ns/net", "cwd/.", "auxv"):
        refused(f"{p} {name}", lambda: open(f"/proc/{p}/{name}").read(1), p)
    for sig in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        refused(f"{p} signal {sig}", lambda: os.kill(p, sig), p)
    refused(f"{p} pidfd_getfd", lambda: pidfd_getfd(p), p)
    refused(f"{p} ptrace", lambda: ptrace(p), p)
sys.exit(bad)
PYTHON
code=$?
[ "$code" = 0 ] || sed 's/^/# /' "$out"
check 'no process of the lab can be looked into, signalled, traced or entered, and its socket not reached' test "$code" = 0
check 'nobody else may write to the run folder' test -z "$(find "$run" -perm /022 ! -type l 2>/dev/null)"
check 'the lab has felt nothing' status 's["healthy"] and not s["faults"]'
exits 0 'and ends when its owner says so' timeout 60 "$BASCULE" down "$lab"
rm -rf "$run" "${run%/*}"/*-one-node
