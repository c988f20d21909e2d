#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
"""Whatever part of a lab is stopped (SIGSTOP) before `bascule down`, and the application before the end of a run: the lab ends, in bounded time and by itself,
says in its record what it could not learn, and leaves nothing. The supervisor itself: silent-supervisor.sh."""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing

import labview

BASCULE = os.environ["BASCULE"]
TREE = pathlib.Path(os.environ["BASCULE_TREE"])
work = pathlib.Path(tempfile.mkdtemp(prefix="hung."))
LIMIT = 90  # seconds; the longest way down is 9 s for the application, 10 s for the final read, on a machine that is busy
CUT = "did not end within"
NODES = {"n1": "{services: [postgres, etcd], address: 10.77.0.11}", "app": "{services: [app], address: 10.77.0.100}"}
TWO = {**NODES, "n2": "{services: [postgres, etcd], address: 10.77.0.12}", "w1": "{services: [etcd], address: 10.77.0.13}"}
PROXY = {**NODES, "proxy": "{services: [haproxy], address: 10.77.0.50}"}

PATIENT = ["--set", "patroni.ttl=90s", "--set", "patroni.retry_timeout=30s"]  # no leader steps down before its etcd's silence is in the record
LOST_NOTHING = "NOTHING LOST: all {n} acknowledged writes are in the table of n1, and every node that was read has its history"
NOT_READ = "NOT KNOWN: the leader's table was not read at the end n1: its table was not read (no answer before the deadline)"


class Part(typing.NamedTuple):
    """A part of a lab that is stopped before `down`."""
    name: str
    comm: str
    code: int  # exit status of `down`
    words: str  # its last word, {n} = a number
    seen: dict | None = None  # the event that says, before `down`, that something is silent; None: nobody asks this process anything
    told: dict | None = None  # the event that says at the end what could not be learnt; None: it was all learnt
    nodes: dict = NODES
    options: list = []
    faults: list = []


PARTS = [
    Part("application", "bascule-app", 4, "NOT KNOWN: the application's process ended before it had reported everything", told={"ev": "client.error", "phase": "process", "text": CUT}),
    Part("postgres", "postgres", 4, NOT_READ, seen={"ev": "sql", "node": "n1", "error": "no answer for 2 s"}, told={"ev": "final.read", "node": "n1", "error": "deadline"}),
    Part("etcd", "etcd", 0, LOST_NOTHING, seen={"ev": "arbiter", "node": "n1", "error": "no answer for 2.0 s"}, options=PATIENT),
    Part("patroni", "patroni", 0, LOST_NOTHING, seen={"ev": "manager", "node": "n1", "error": "no answer for 2.0 s"}, options=PATIENT),
    Part("haproxy", "haproxy", 0, LOST_NOTHING, seen={"ev": "client.error", "node": "proxy", "text": "no answer"}, nodes=PROXY),
    Part("node-init", "init", 0, LOST_NOTHING),
    Part("disk-agent", "disk-agent", 4, NOT_READ, seen={"ev": "sql", "node": "n1", "error": "a write was not acknowledged for 2 s"}, told={"ev": "final.read", "node": "n1", "error": "deadline"}, options=["--set", "disk_faults=true"]),
    Part("relay", "bascule-relay", 0, LOST_NOTHING, seen={"ev": "link", "from": "n1", "to": "n2", "intended": True, "measured": None}, nodes=TWO, faults=[["net.delay", "n2", "delay=5ms"]]),
    Part("errand", "bascule-errand", 0, LOST_NOTHING, faults=[["postgres.long_transaction", "n1"]]),
]


def processes_of(supervisor, comm):
    """Of this lab only: what lives in its user namespace."""
    mark = labview.namespace(supervisor, "user")
    found = []
    for pid in labview.in_namespace("user", mark):
        try:
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == comm and labview.state_of(pid) != "Z":
                found.append(pid)
        except OSError:
            pass
    return found


def bascule(*args, limit=LIMIT):
    return subprocess.run([BASCULE, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=False)


def topology(name, nodes):
    path = work / f"{name}.yaml"
    path.write_text("title: a small lab\nstack: patroni\nnodes:\n" + "".join(f"  {n}: {text}\n" for n, text in nodes.items()))
    return path


def events(runs):
    log = next(runs.glob("*/events.jsonl"))
    return [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]


def within(seconds, true):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def all_stand(supervisor, comm):
    """Stops what does not; a process may have ended since it was listed."""
    pids = processes_of(supervisor, comm)
    moving = [pid for pid in pids if labview.state_of(pid) != "T"]
    for pid in moving:
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            pass
    return bool(pids) and not moving


def stop_all(supervisor, comm):
    """True once there are such processes and each of them is seen to stand still."""
    return within(10, lambda: all_stand(supervisor, comm))


def says(event, what):
    """Texts are looked for as a part, the rest has to be equal; None: the event has no such field."""
    return all(value in event.get(key, "") if isinstance(value, str) else event.get(key) == value for key, value in what.items())


def said(runs, what, since=0):
    return any(says(e, what) for e in events(runs)[since:])


def last_word(text, words):
    """Lines are folded to the width of a terminal. A number of writes is one above zero."""
    pattern = re.escape(words).replace(re.escape("{n}"), "[1-9][0-9]*")
    return re.search(pattern, " ".join(text.split())) is not None


def left(supervisor):
    return not within(10, lambda: labview.state_of(supervisor) in (None, "Z", "X"))


def before_down(part):
    name = part.name
    lab, runs = f"hung-{name}-{os.getpid()}", work / f"runs-{name}"
    up = bascule("up", str(topology(name, part.nodes)), "--lab", lab, "--runs-dir", str(runs), *part.options)
    if up.returncode:
        return [(f"{name}: a lab comes up", False, up.stderr)]
    results = []
    try:
        results.append((f"{name}: the application writes", within(60, lambda: any(e.get("w_ok") for e in events(runs) if e["ev"] == "client.tick")), ""))
        for fault in part.faults:
            done = bascule("inject", "--lab", lab, *fault)
            results.append((f"{name}: {fault[0]} is injected", done.returncode == 0, done.stdout + done.stderr))
        supervisor = json.loads(bascule("status", "--json", "--lab", lab).stdout)["supervisor_pid"]
        before = len(events(runs))
        results.append((f"{name}: there is such a process, and it stands still", stop_all(supervisor, part.comm), part.comm))
        if part.seen:
            results.append((f"{name} stopped: the record says that something is silent", within(30, lambda: said(runs, part.seen, before)), str(part.seen)))
        began = time.monotonic()
        down = bascule("down", lab)
        results.append((f"{name} stopped: down ends the lab without the help of --force, in bounded time", " is down; " in down.stdout and time.monotonic() - began < LIMIT, down.stdout + down.stderr))
        results.append((f"{name} stopped: down's exit status is {part.code}", down.returncode == part.code, f"{down.returncode}\n" + down.stdout + down.stderr))
        results.append((f"{name} stopped: down's last word is \"{part.words.split(':')[0]}\", and why", last_word(down.stdout, part.words), down.stdout))
        results.append((f"{name} stopped: the record has its end", any(e["ev"] == "run.end" for e in events(runs)), ""))
        if part.told:
            results.append((f"{name} stopped: the record says what was not learnt", said(runs, part.told, before), str(part.told)))
        results.append((f"{name} stopped: nothing is left", not left(supervisor), str(supervisor)))
    except subprocess.TimeoutExpired as e:
        results.append((f"{name} stopped: every command ends", False, str(e)))
    finally:
        bascule("down", "--force", lab)
    return results


def before_the_end(name, comm, verdict, told):
    """Stopped in the middle of a run of 6 s."""
    lab, runs = f"hung-run-{name}-{os.getpid()}", work / f"runs-run-{name}"
    scenario = work / f"run-{name}.yaml"
    nodes = "".join(f"    {n}: {text}\n" for n, text in NODES.items())
    scenario.write_text(f"title: nothing happens\ntopology:\n  stack: patroni\n  nodes:\n{nodes}settle: 1s\nobserve: 1s\ntimeout: 60s\nsteps:\n  - name: stay\n    wait: 6s\nexpect:\n  lost_writes: 0\n")
    with open(work / f"{name}.out", "w", encoding="utf-8") as out, \
            subprocess.Popen([BASCULE, "run", str(scenario), "--lab", lab, "--runs-dir", str(runs)], stdin=subprocess.DEVNULL, stdout=out, stderr=out) as run:
        try:
            end = time.monotonic() + 60
            supervisor = None
            while not supervisor and time.monotonic() < end and run.poll() is None:
                time.sleep(0.1)
                begun = any('"ev":"step"' in log.read_text() for log in runs.glob("*/events.jsonl"))
                supervisor = labview.supervisor_below(run.pid) if begun else None
            stopped = supervisor is not None and stop_all(supervisor, comm)
            code = run.wait(LIMIT)
        except subprocess.TimeoutExpired:
            code, stopped = "none: it did not end", False
        finally:
            run.kill()
    text = (work / f"{name}.out").read_text()
    result = next(iter(runs.glob("*/result.json")), None)
    given = json.loads(result.read_text())["verdict"] if result else "there is no result"
    return [(f"{name} stopped in a run: there is such a process, and it stands still", stopped, text[-400:]),
            (f"{name} stopped in a run: it ends by itself", isinstance(code, int), str(code)),
            (f"{name} stopped in a run: the verdict is {verdict}", given == verdict, given + text[-800:]),
            (f"{name} stopped in a run: the record says what was not learnt", said(runs, told), str(told))]


def main():
    checks = failures = 0
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(before_down, part) for part in PARTS]
        jobs.append(pool.submit(before_the_end, "application", "bascule-app", "invalid", {"ev": "client.error", "phase": "process", "text": CUT}))
        for job in jobs:
            for sentence, ok, detail in job.result():
                checks += 1
                failures += not ok
                print(f"{'ok' if ok else 'not ok'} - {sentence}" + ("" if ok else "\n# " + detail.strip().replace("\n", "\n# ")), flush=True)
    shutil.rmtree(work, ignore_errors=True)
    print(f"1..{checks}")
    sys.exit(1 if failures else 0)


main()
