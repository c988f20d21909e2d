#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""What bascule itself costs on an idle healthy lab: CPU in percent of one core, memory in MB (proportional set size).

Counted is every process of the lab that runs bascule's own program: supervisor with its observer, the workload, the nodes'
inits. The daemons are the patient, not the instrument. Exit status 1 when more than 5 % or 40 MB.
Usage: overhead.py PROGRAM [SECONDS] [SAMPLES]     SAMPLES = a JSON file for page.py: the same span cut into five
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import labview  # noqa: E402

CPU_LIMIT, MEMORY_LIMIT = 5.0, 40.0
SPANS = 5
program, seconds = os.path.realpath(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
samples_file = sys.argv[3] if len(sys.argv) > 3 else None
lab = f"overhead-{os.getpid()}"


def bascule(*args):
    return subprocess.run([program, *args], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout


def cpu_ns(pid):
    """Time on a CPU, user and kernel: of /proc/PID/schedstat, summed over the threads."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


def memory_kb(pid):
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return int(fields["Pss"].split()[0])


def role(pid, supervisor):
    numbers = labview.nspid(pid)
    if pid == supervisor:
        return "supervisor and observer"
    return "a node's init" if numbers and numbers[-1] == 1 else "workload and other helpers"


def ours(supervisor):
    """Processes of the lab whose program is bascule."""
    mark = labview.namespace(supervisor, "user")
    found = []
    for pid in labview.in_namespace("user", mark):
        try:
            if os.path.samefile(f"/proc/{pid}/exe", program):
                found.append(pid)
        except OSError:
            pass
    return found


def wait_healthy():
    for _ in range(300):
        status = json.loads(bascule("status", "--json", "--lab", lab))
        if status["complete"] and status["client"]["writes_per_s"] > 0:
            return status
        time.sleep(0.1)
    sys.exit("overhead: the lab did not become healthy with writes flowing in 30 s")


def machine():
    """Ticks that all CPUs of the machine were used, and idle, so far."""
    f = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return f[0] + f[1] + f[2] + f[5] + f[6] + f[7], f[3] + f[4]


def others_percent():
    """What is taken of this machine's CPUs over a second in which we do nothing."""
    used, idle = machine()
    time.sleep(1)
    now_used, now_idle = machine()
    return 100 * (now_used - used) / max(1, now_used - used + now_idle - idle)


def measure(supervisor):
    """A row for every role: processes, CPU, memory; and the total of each span."""
    group = ours(supervisor)
    first = before = {pid: cpu_ns(pid) for pid in group}
    began = span_began = time.monotonic()
    spans = []
    for n in range(SPANS):
        time.sleep(max(0.0, began + seconds * (n + 1) / SPANS - time.monotonic()))
        now, after = time.monotonic(), {pid: cpu_ns(pid) for pid in group}
        memory = {pid: memory_kb(pid) / 1024 for pid in group}
        spans.append({"cpu_percent": sum(after[p] - before[p] for p in group) / (now - span_began) / 1e7,
                      "memory_mb": sum(memory.values())})
        span_began, before = now, after
    table = {}
    for pid in group:
        row = table.setdefault(role(pid, supervisor), [0, 0.0, 0.0])
        row[0] += 1
        row[1] += (before[pid] - first[pid]) / (span_began - began) / 1e7
        row[2] += memory[pid]
    return table, spans


def main():
    others = others_percent() if samples_file else None
    with tempfile.TemporaryDirectory(prefix="overhead.") as runs:
        os.chmod(runs, 0o1777)
        subprocess.run([program, "up", "patroni-3", "--lab", lab, "--runs-dir", runs], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
        try:
            supervisor = int(wait_healthy()["supervisor_pid"])
            time.sleep(3)  # the start's own work is over
            table, spans = measure(supervisor)
            writes = wait_healthy()["client"]["writes_per_s"]
        finally:
            bascule("down", "--lab", lab)
    print(f"overhead on an idle healthy lab of 3 nodes, {seconds:.0f} s, {writes:.0f} writes/s:")
    for name, (count, cpu, memory) in sorted(table.items()):
        print(f"  {name:26} {count:2} process{'es' if count != 1 else '  '} {cpu:6.2f} % of a core {memory:6.1f} MB")
    cpu, memory = sum(r[1] for r in table.values()), sum(r[2] for r in table.values())
    print(f"  {'together':26} {'':12} {cpu:6.2f} % of a core {memory:6.1f} MB   (limits: {CPU_LIMIT:.0f} %, {MEMORY_LIMIT:.0f} MB)")
    if "supervisor and observer" not in table or "workload and other helpers" not in table:
        sys.exit("overhead: supervisor or workload was not found, so this says nothing")
    if samples_file:
        roles = [{"role": name, "processes": r[0], "cpu_percent": r[1], "memory_mb": r[2]} for name, r in sorted(table.items())]
        found = {"seconds": seconds, "writes_per_s": writes, "others_percent": others, "cpu_percent": cpu, "memory_mb": memory,
                 "cpu_limit": CPU_LIMIT, "memory_limit": MEMORY_LIMIT, "roles": roles, "spans": spans}
        pathlib.Path(samples_file).write_text(json.dumps(found))
    return 0 if cpu < CPU_LIMIT and memory < MEMORY_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
