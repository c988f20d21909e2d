#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Makes run folders for the checks of the report page: make_runs.py DIR. No daemon is asked; the words are those of real logs.

  outage  a leader's crash, 26 s without writes      hostile  log lines, titles and files that try to be markup
  quiet   nothing was injected                       cut      the log of `outage`, cut in mid-line
  split   two nodes take writes, writes are lost     broken   the lab broke before there was a cluster
  hour    an hour of ticks, probes and chatter
"""
import json
import pathlib
import struct
import sys

SEC = 1_000_000
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & --> <!-- ]]> \x1b[31m \u2028 {{data}}"


class Run:
    def __init__(self, path, title="a run", lesson="Look at\n- the `leader` key\n\nLearn\n- nothing"):
        self.path, self.lines, self.ledger = path, [], []
        path.mkdir(parents=True, exist_ok=True)
        (path / "plan.json").write_text(json.dumps({"lesson": lesson, "topology": {"title": "three nodes"}}))
        etc = path / "nodes/n1/etc/patroni"
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "config.yml").write_text(f"scope: demo\n# {NASTY if 'hostile' in path.name else 'a comment'}\nttl: 30\n")
        self.add(0, "run.begin", scenario=path.name, title=title, topology="patroni-3", seed=1, wall=1700000000 * SEC,
                 program="0.1.0", kernel="6.1", cpus=4, memory_mb=8000, period_us=10000)
        for n in "n1", "n2", "n3":
            self.add(10, "node.info", node=n, address="10.77.0.1" + n[1], services="postgres,patroni,etcd")
            self.add(20, "node.power", node=n, on=True)
        self.add(30, "version", component="PostgreSQL", version="15.18")
        self.add(40, "config", key="patroni.ttl", value="30")
        self.add(50, "expect", kind="write_outage", has_max=True, max=34.0 * SEC, text="at most 34s")

    def add(self, t, ev, **fields):
        self.lines.append((t, json.dumps({"t": t, "ev": ev, **fields})))

    def writable(self, t, node, on, error=""):
        self.add(t, "sql", node=node, answered=not error, writable=on, in_recovery=not on and not error, timeline=1, asked=t - 1000,
                 previous=t - 50000, error=error)

    def cluster(self):
        for i, n in enumerate(("n1", "n2", "n3")):
            self.add(SEC, "arbiter", node=n, service="etcd", answered=True, leads=i == 1, id=str(i + 1), follows="2", term=2)
            self.writable(SEC + 10 + i, n, i == 0)
        self.add(SEC + 100, "authority", voice="etcd", holder="n1", grant="a1")
        for n in "n2", "n3":
            self.add(SEC + 200, "replication", node="n1", standby=n, state="streaming", sync_state="async")
        self.add(SEC + 300, "lab.state", state="ready")
        self.add(SEC + 400, "client.server", node="n1", address="10.77.0.11", timeline=1, backend_pid=1)

    def lease(self, t, holder="n1"):
        self.add(t, "grant", id="a1", holder=holder, renewed=t - 1000, error_us=40000, length=30 * SEC, remaining_s=30)

    def ticks(self, start, stop, ok=10, failed=0):
        for t in range(start, stop, 100_000):
            extra = {"w_first_ok": t + 2000, "w_last_ok": t + 92000, "w_first_ok_scheduled": t + 1000,
                     "w_last_ok_scheduled": t + 91000} if ok else {}
            self.add(t + 100_000, "client.tick", **{"from": t}, w_tried=10, w_ok=ok, w_failed=failed, r_tried=1, r_ok=1,
                     w_max_us=1000 + t % 7919, r_max_us=800, **extra)

    def write(self, ident, t, result, node=1):
        self.ledger.append(struct.pack("=QQQQ6sBBBBB5x", ident, t, t, t + 1000, b"", 1, result, node, 0, 0))

    def fault(self, t, mechanism="node.power_off", healed=None):
        for phase, at in ("asked", t - 1000), ("effective", t), ("verified", t + 200_000), ("healed", healed):
            if at:
                self.add(at, "fault", id="f1", mechanism=mechanism, phase=phase, target="leader", nodes="n1",
                         detail="seen gone" if phase == "verified" else "", effective_seen=phase == "effective")

    def log(self, t, node, service, text, level="info"):
        self.add(t, "log", node=node, service=service, level=level, text=text)

    def finish(self, t, rows="", reason="completed"):
        self.add(t, "final.rows", node="n1", ranges=rows)
        self.add(t + 1, "final.read", node="n1", ok=True, leader=True, rows=1, chunks=1)
        self.add(t + 2, "run.end", reason=reason)
        return self.save()

    def save(self):
        self.lines.sort(key=lambda x: x[0])
        (self.path / "events.jsonl").write_text("".join(line + "\n" for _, line in self.lines))
        if self.ledger:
            (self.path / "ledger.bin").write_bytes(struct.pack("=8sII", b"BASCLED1", 48, 0x01020304) + b"".join(self.ledger))
        return self


def outage(path, nasty="", title="The leader's machine loses power"):
    r = Run(path, title=title + nasty, lesson="Look at\n- the key " + nasty)
    r.cluster()
    r.lease(5 * SEC)
    r.ticks(2 * SEC, 8 * SEC)
    r.fault(8 * SEC, healed=40 * SEC)
    r.add(8 * SEC, "node.power", node="n1")
    r.ticks(8 * SEC, 34 * SEC, ok=0, failed=10)
    r.log(15 * SEC, "n2", "patroni", "ERROR: Exception when working with leader" + nasty, "error")
    r.add(32 * SEC, "authority", voice="etcd", gone=True)
    r.log(33 * SEC, "n3", "patroni", "INFO: promoted self to leader by acquiring session lock" + nasty)
    r.add(33 * SEC, "authority", voice="etcd", holder="n3", grant="b1")
    r.lease(33 * SEC + 2000, "n3")
    r.writable(33 * SEC + 400_000, "n3", True)
    r.log(33 * SEC + 100_000, "n3", "postgresql", "LOG:  selected new timeline ID: 2")
    r.add(33 * SEC + 900_000, "client.server", node="n3", address="10.77.0.13", timeline=2, backend_pid=2)
    r.ticks(34 * SEC, 50 * SEC)
    r.add(40 * SEC, "node.power", node="n1", on=True)
    return r.finish(51 * SEC)


def quiet(path):
    r = Run(path, title="Nothing happens")
    r.cluster()
    r.lease(5 * SEC)
    r.ticks(2 * SEC, 20 * SEC)
    return r.finish(21 * SEC)


def split(path):
    r = Run(path, title="Two nodes take writes")
    r.cluster()
    r.lease(3 * SEC)
    r.ticks(2 * SEC, 30 * SEC)
    r.fault(5 * SEC, "process.kill", healed=25 * SEC)
    r.add(15 * SEC, "authority", voice="etcd", gone=True)
    r.add(15 * SEC + 100_000, "authority", voice="etcd", holder="n2", grant="b1")
    for t in range(16 * SEC, 24 * SEC, SEC):
        r.writable(t, "n1", True)
        r.writable(t + 300_000, "n2", True)
    r.writable(25 * SEC, "n1", False, "the server does not answer")
    for i in range(1, 2801):
        r.write(i, 2 * SEC + i * 10_000, 1)
    return r.finish(31 * SEC, rows="1-1400,1405,2300-2790")


def hour(path):
    r = Run(path, title="An hour")
    r.cluster()
    r.ticks(2 * SEC, 1800 * SEC)
    r.fault(1800 * SEC, healed=1900 * SEC)
    r.ticks(1800 * SEC, 1826 * SEC, ok=0, failed=10)
    r.add(1824 * SEC, "authority", voice="etcd", gone=True)
    r.add(1825 * SEC, "authority", voice="etcd", holder="n2", grant="b1")
    r.ticks(1826 * SEC, 3600 * SEC)
    for t in range(2, 3600):
        r.add(t * SEC, "noise", late_max_us=30000, late_p99_us=25000)
        for n in "n1", "n2", "n3":
            r.add(t * SEC + 10, "sql", node=n, answered=True, in_recovery=n != "n1", writable=n == "n1", timeline=1)
            r.add(t * SEC + 20, "manager", node=n, service="patroni", answered=True, http=200, role="replica", state="running")
            r.log(t * SEC + 30, n, "patroni", f"INFO: no action. I am ({n}), a secondary, loop {t} " + "x" * 120)
        if t % 10 == 0:
            r.lease(t * SEC + 40, "n1" if t < 1800 else "n2")
    for i in range(1, 360001):
        t = 2 * SEC + i * 10_000
        r.write(i, t, 2 if 1800 * SEC <= t < 1826 * SEC else 1, 1 if t < 1800 * SEC else 2)
    return r.finish(3601 * SEC, rows="1-179799,182400-360000")


def main():
    base = pathlib.Path(sys.argv[1])
    outage(base / "outage")
    outage(base / "hostile", nasty=" " + NASTY)
    quiet(base / "quiet")
    split(base / "split")
    hour(base / "hour")
    cut = outage(base / "cut").path / "events.jsonl"
    cut.write_bytes(cut.read_bytes()[:int(cut.stat().st_size * 0.6)])
    broken = Run(base / "broken", title="The lab breaks")
    broken.add(SEC, "lab.state", state="broken", detail="postgres exited with status 1")
    broken.add(SEC + 1, "run.end", reason="broken", detail="postgres exited with status 1")
    broken.save()


main()
