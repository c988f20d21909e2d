#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
"""Whatever part of a lab is stopped (SIGSTOP) before `bascule down`, and the application before the end of a run: the lab ends, in bounded time and by itself,
says in its record what it could not learn, and leaves nothing. The supervisor itself: silent-supervisor.sh."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import labview

BASCULE = os.environ["BASCULE"]
TREE = pathlib.Path(os.environ["BASCULE_TREE"])
work = pathlib.Path(tempfile.mkdtemp(prefix="hung."))
LIMIT = 90  # seconds; the longest way down is 9 s for the application, 10 s for the final read, on a machine that is busy
CUT = "did not end within"
NODES = {"n1": "{services: [postgres, etcd], address: 10.77.0.11}", "app": "{services: [app], address: 10.77.0.100}"}
TWO = {**NODES, "n2": "{services: [postgres, etcd], address: 10.77.0.12}", "w1": "{services: [etcd], address: 10.77.0.13}"}
PROXY = {**NODES, "proxy": "{services: [haproxy], address: 10.77.0.50}"}

# name, process (comm), nodes, options of `up`, faults injected before, what the record must say (event, words)
PARTS = [
    ("application", "bascule-app", NODES, [], [], ("client.error", CUT)),
    ("postgres", "postgres", NODES, [], [], ("final.read", "deadline")),
    ("etcd", "etcd", NODES, [], [], None),
    ("patroni", "patroni", NODES, [], [], None),
    ("haproxy", "haproxy", PROXY, [], [], None),
    ("node-init", "init", NODES, [], [], None),
    ("disk-agent", "disk-agent", NODES, ["--set", "disk_faults=true"], [], ("final.read", "deadline")),
    ("relay", "bascule-relay", TWO, [], [["net.delay", "n2", "delay=5ms"]], None),
    ("errand", "bascule-errand", NODES, [], [["postgres.long_transaction", "n1"]], None),
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
    return [json.loads(line) for line in log.read_text().splitlines()]


def stop_all(supervisor, comm):
    pids = processes_of(supervisor, comm)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return pids


def said(runs, words):
    if words is None:
        return True
    kind, text = words
    return any(e["ev"] == kind and text in json.dumps(e) for e in events(runs))


def left(supervisor):
    end = time.monotonic() + 10
    while labview.state_of(supervisor) not in (None, "Z", "X") and time.monotonic() < end:
        time.sleep(0.1)
    return labview.state_of(supervisor) not in (None, "Z", "X")


def before_down(part):
    name, comm, nodes, options, faults, words = part
    lab, runs = f"hung-{name}-{os.getpid()}", work / f"runs-{name}"
    up = bascule("up", str(topology(name, nodes)), "--lab", lab, "--runs-dir", str(runs), *options)
    if up.returncode:
        return [(f"{name}: a lab comes up", False, up.stderr)]
    results = []
    try:
        for fault in faults:
            done = bascule("inject", "--lab", lab, *fault)
            results.append((f"{name}: {fault[0]} is injected", done.returncode == 0, done.stdout + done.stderr))
        status = json.loads(bascule("status", "--json", "--lab", lab).stdout)
        supervisor = status["supervisor_pid"]
        pids = stop_all(supervisor, comm)
        results.append((f"{name}: there is such a process", bool(pids), comm))
        began = time.monotonic()
        down = bascule("down", lab)
        results.append((f"{name} stopped: down ends the lab", down.returncode == 0 and "is down" in down.stdout, down.stdout + down.stderr))
        results.append((f"{name} stopped: without the help of --force, in bounded time", time.monotonic() - began < LIMIT, ""))
        results.append((f"{name} stopped: the record has its end", any(e["ev"] == "run.end" for e in events(runs)), ""))
        results.append((f"{name} stopped: what was not learnt is said", said(runs, words), str(words)))
        results.append((f"{name} stopped: nothing is left", not left(supervisor), str(supervisor)))
    except subprocess.TimeoutExpired as e:
        results.append((f"{name} stopped: every command ends", False, str(e)))
    finally:
        bascule("down", "--force", lab)
    return results


def before_the_end(name, comm, verdicts, words):
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
            pids = stop_all(supervisor, comm) if supervisor else []
            code = run.wait(LIMIT)
        except subprocess.TimeoutExpired:
            code, pids = "none: it did not end", []
        finally:
            run.kill()
    text = (work / f"{name}.out").read_text()
    result = next(iter(runs.glob("*/result.json")), None)
    verdict = json.loads(result.read_text())["verdict"] if result else "there is no result"
    return [(f"{name} stopped in a run: there is such a process", bool(pids), text[-400:]),
            (f"{name} stopped in a run: it ends by itself", isinstance(code, int), str(code)),
            (f"{name} stopped in a run: the verdict is {' or '.join(verdicts)}", verdict in verdicts, verdict + text[-800:]),
            (f"{name} stopped in a run: what was not learnt is said", said(runs, words), str(words))]


def main():
    checks = failures = 0
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(before_down, part) for part in PARTS]
        jobs.append(pool.submit(before_the_end, "application", "bascule-app", ("invalid",), ("client.error", CUT)))
        for job in jobs:
            for sentence, ok, detail in job.result():
                checks += 1
                failures += not ok
                print(f"{'ok' if ok else 'not ok'} - {sentence}" + ("" if ok else "\n# " + detail.strip().replace("\n", "\n# ")), flush=True)
    shutil.rmtree(work, ignore_errors=True)
    print(f"1..{checks}")
    sys.exit(1 if failures else 0)


main()
