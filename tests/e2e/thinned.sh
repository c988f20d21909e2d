#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# A record that is thinned (docs/decisions/bounded-record.md): in calm one line stands for many and the ledger's records too; who watches gets
# everything; a crash afterwards is measured and proven as ever, and the record is whole by its seal and by the rules.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=thinned-$$
export BASCULE_LAB=$lab

resolution() { # of ticks, in µs, by the last word of the log; 0 = whole
  grep '"record.thinned"' "$run/events.jsonl" | tail -n 1 | sed -nE 's/.*"ticks":([0-9]+).*/\1/p' | grep . || echo 0
}
thins() { [ "$(resolution)" = "$1" ]; }

exits 0 'up' "$BASCULE" up patroni-3 --runs-dir "$runs" --lab "$lab" --set record.thin_after=6s --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s || exit 1
run=$(dirname "$(find "$runs" -name events.jsonl | head -n 1)")
check 'nothing new for six seconds: a line of the application stands for up to a second' within 60 thins 1000000
check 'and for six times as long again: for up to ten' within 90 thins 10000000
check 'a tick of ten seconds is written' within 60 grep -q '"ev":"client.tick","repeats":99,' "$run/events.jsonl"
exits 0 'status knows the present all the same' "$BASCULE" status
says '^application: [0-9]+ writes/s on n1, last 0\.[0-9] s ago' 'the application of now'

# top in a terminal of its own, until it has shown the leader.
python3 - "$BASCULE" "$lab" "$run/events.jsonl" >"$out" 2>&1 <<'PYTHON'
import os, pty, select, sys, time
bascule, lab, log = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execv(bascule, [bascule, "top", "--readonly", "--ascii", "--lab", lab])
end, seen = time.monotonic() + 20, b""
whole = lambda: '"ticks"' not in [l for l in open(log) if '"record.thinned"' in l][-1]
while time.monotonic() < end and not (b"healthy" in seen and whole()):
    if select.select([fd], [], [], 0.2)[0]:
        seen += os.read(fd, 65536)
print("healthy is shown" if b"healthy" in seen else "nothing healthy is shown")
print("the record is whole" if whole() else "the record is thinned")
os.write(fd, b"q")
while True:  # what it still has to draw
    try:
        if not os.read(fd, 65536):
            break
    except OSError:
        break
print("top ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
says '^healthy is shown$' 'top shows the cluster'
says '^the record is whole$' 'and gets every line while it looks'
says '^top ended with 0$' 'top ends'
check 'when it has gone the calm begins anew' within 60 thins 1000000

exits 0 'the leader loses its power' "$BASCULE" inject node.power_off leader
check 'that is news: the record is whole again' thins 0
check 'another node leads and the application writes there' within 60 status "s['leader'] not in ('', 'n1') and s['client']['writes_per_s'] > 0"
exits 0 'heal' "$BASCULE" heal --all
check 'the cluster is complete again' within 90 status "s['complete']"
check 'and calm' within 60 thins 1000000
goes_down '0 1'
says '^(NOTHING LOST: all [0-9]+|DATA LOST: [0-9]{1,2} )' 'every write is accounted for; a round trip may be lost'

check 'ledger: ranges, and every write exactly once' python3 - "$run/ledger.bin" "$run/events.jsonl" <<'PYTHON'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
ids, merged, ok = [], 0, 0
for at in range(16, len(data), 48):
    id, _, _, _, _, op, result, _, _, _, _, more = struct.unpack("<QQQQ6sBBBBBBI", data[at:at + 48])
    if op == 1:
        ids += range(id, id + more + 1)
        merged += more > 0
        ok += (more + 1) * (result == 1)
assert sorted(ids) == list(range(1, len(ids) + 1)), "ids are missing or there twice"
assert merged > 10, merged
events = [json.loads(l) for l in open(sys.argv[2])]
ticks = [e for e in events if e["ev"] == "client.tick"]
assert sum(t.get("w_ok", 0) for t in ticks) == ok, "ticks and ledger disagree"
assert any(t.get("repeats") for t in ticks)
PYTHON
check 'one line stands for many: of the application for some seconds, of a server for several questions' python3 - "$run/events.jsonl" <<'PYTHON'
import json, sys
events = [json.loads(l) for l in open(sys.argv[1])]
at = [i for i, e in enumerate(events) if e["ev"] == "record.thinned"]
late = next(i for i in at if events[i].get("ticks") == 10000000)
after = next(i for i in at if i > late)
def stands_for(kind):  # a busy machine writes some of them whole
    lines = [1 + e.get("repeats", 0) for e in events[late:after] if e["ev"] == kind]
    return sum(lines) / len(lines)
assert stands_for("client.tick") > 20 and stands_for("sql") > 4, (stands_for("client.tick"), stands_for("sql"))
PYTHON
"$BASCULE" report --json "$run" >"$work/sealed.json" 2>"$out"
check 'the record is sealed and whole' python3 -c "import json,sys; r = json.load(open(sys.argv[1]))['record']; assert r['sealed'] and r['complete'] and not r['missing'], r" "$work/sealed.json"
check 'the outage is measured, with its resolution; no hole is found; how coarse the record is is told' python3 - "$work/sealed.json" <<'PYTHON'
import json, sys
r = json.load(open(sys.argv[1]))
assert 3000 < r["write_outage_ms"] < 40000, r["write_outage_ms"]
assert 0 < r["resolution_ms"] < 100, r["resolution_ms"]
assert not r["holes"], r["holes"]
assert "stands for up to 10.00 s of the application, 60.00 s of an observation" in r["record"]["text"], r["record"]["text"]
PYTHON
check 'the same without its seal, by the rules' python3 - "$run" "$BASCULE" <<'PYTHON'
import json, pathlib, subprocess, sys
run = pathlib.Path(sys.argv[1])
log = run / "events.jsonl"
lines = [l.replace(',"sealing":true', "") for l in log.read_text().splitlines(True) if '"record.seal"' not in l]
log.write_text("".join(lines))
r = json.loads(subprocess.run([sys.argv[2], "report", "--json", run], capture_output=True, text=True).stdout)
lacks = [m for m in r["record"]["missing"] if "seal" not in m]
assert not lacks, lacks
PYTHON
