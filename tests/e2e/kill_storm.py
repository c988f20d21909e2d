#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
# timeout: 900
# alone
"""kill -9 of the command, the supervisor, a node's init, at random moments of start, run and stop (STORM_KILLS times, 102).

One second later nothing of the lab may be left: no process, no namespace that anything lives in, no name in the list; and at
the end the host's mounts, links, cgroups and shared memory are what they were. Every lab's event log must be readable to its
last whole line. The seed is printed; STORM_SEED repeats a storm's choices (the moments stay those of the machine).
"""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import labview

BASCULE = os.environ["BASCULE"]
TREE = os.environ["BASCULE_TREE"]
KILLS = int(os.environ.get("STORM_KILLS", "102"))
SIDE_BY_SIDE = int(os.environ.get("STORM_JOBS", "3"))
SEED = int(os.environ.get("STORM_SEED", random.randrange(1, 10**6)))
MOMENTS = ("start", "run", "stop")
VICTIMS = ("command", "supervisor", "node init")

work = pathlib.Path(tempfile.mkdtemp(prefix="storm."))
tell = threading.Lock()
commands = set()  # pids that a Popen waits for


def alive(pinned):
    return [pid for pid in pinned.members() if labview.state_of(pid) not in (None, "Z", "X")]


class Round:
    """One lab, one murder."""

    def __init__(self, number):
        rng = random.Random(SEED * 1000 + number)
        self.number, self.name = number, f"storm-{os.getpid()}-{number}"
        self.moment = MOMENTS[number % 3]
        self.victim = VICTIMS[number // 3 % 3]
        self.delay = rng.uniform(0, {"start": 3.0, "run": 6.0, "stop": 0.6}[self.moment])
        self.pick = rng.random()
        self.runs = work / self.name
        self.command = self.supervisor = self.userns = None
        self.complaints, self.hit = [], "nothing"

    def begin(self):
        argv = [BASCULE, "run", f"{TREE}/scenarios/leader-crash.yaml", "--lab", self.name, "--runs-dir", str(self.runs)]
        if self.number % 4 == 0:
            argv.append("--cold")  # data directories are made, not copied: other processes at other moments
        self.output = open(work / f"{self.name}.out", "wb")
        self.command = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        commands.add(self.command.pid)

    def events(self):
        return next(iter(self.runs.glob("*/events.jsonl")), None)

    def is_ready(self):
        path = self.events()
        return path is not None and b'"lab.state","state":"ready"' in path.read_bytes()

    def know_lab(self):
        """Learns supervisor and user namespace as soon as they exist: they are the lab's mark."""
        if self.supervisor is None:
            self.supervisor = labview.supervisor_below(self.command.pid)
        if self.supervisor is not None and self.userns is None:
            try:
                mark = labview.Pinned(self.supervisor, "user")
            except OSError:
                return
            if mark.inode == labview.namespace("self", "user"):  # not yet in its own
                mark.close()
            else:
                self.userns = mark

    def wait(self, seconds, until=lambda: False):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self.know_lab()
            time.sleep(0.02)

    def reach_moment(self):
        if self.moment != "start":
            self.wait(90, until=lambda: self.is_ready() or self.command.poll() is not None)
            if not self.is_ready():
                self.complaints.append("the lab did not become ready")
        if self.moment == "stop":
            self.command.send_signal(signal.SIGINT)
        self.wait(self.delay)
        self.know_lab()

    def choose(self):
        """The victim that exists now: its pid and name, and for a node's init its pid namespace."""
        if self.victim == "node init" and self.supervisor:
            for pid in sorted(labview.node_inits(self.supervisor), key=lambda p: (p * self.pick) % 1):
                try:
                    return pid, "node init", labview.Pinned(pid, "pid")
                except OSError:
                    continue
        if self.victim != "command" and self.supervisor:
            return self.supervisor, "supervisor", None
        return self.command.pid, "command", None

    def strike(self):
        """Kills the victim. Returns the pid namespace of a killed init."""
        pid, self.hit, inner = self.choose()
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            self.hit += " (had ended)"
        return inner

    def look(self, what, pinned):
        """Whatever is left is named, with the time it takes to go."""
        labview.reap_orphans(commands)
        if not pinned or not (left := alive(pinned)):
            return
        names = "; ".join(labview.name_of(pid) for pid in left[:5])
        began = time.monotonic()
        while alive(pinned) and time.monotonic() < began + 10:
            labview.reap_orphans(commands)
            time.sleep(0.05)
        how = "still there 10 s later" if alive(pinned) else f"gone {time.monotonic() - began:.1f} s later"
        self.complaints.append(f"{what}: {len(left)} processes left ({how}; load {os.getloadavg()[0]:.0f}): {names}")

    def check_end(self):
        self.look("one second after the end", self.userns)
        listed = subprocess.run([BASCULE, "list", "--names"], capture_output=True, text=True, check=False).stdout.split()
        if self.name in listed:
            self.complaints.append("still listed")

    def check_log(self):
        path = self.events()
        if path is None:
            return
        lines = path.read_bytes().split(b"\n")
        for line in lines[:-1]:
            try:
                json.loads(line)
            except ValueError:
                self.complaints.append(f"a broken line in the event log: {line[:80]!r}")
                return

    def play(self):
        self.begin()
        self.reach_moment()
        node = self.strike()
        if node:
            time.sleep(1)
            self.look("one second after its init, on the node", node)
            node.close()
        if node or "had ended" in self.hit:
            self.command.send_signal(signal.SIGINT)
        try:
            self.command.wait(30 if node or "had ended" in self.hit else 10)
        except subprocess.TimeoutExpired:
            self.complaints.append("the command did not end by itself")
            self.command.kill()
            self.command.wait()
        time.sleep(1)
        self.check_end()
        self.check_log()
        if self.userns:
            self.userns.close()
        commands.discard(self.command.pid)
        self.output.close()

    def report(self, number):
        sentence = f"kill {number}: {self.hit}, {self.delay:.2f} s into {self.moment}"
        with tell:
            print(f"{'not ok' if self.complaints else 'ok'} - {sentence}")
            for complaint in self.complaints:
                print(f"#   {complaint}")
            if self.complaints:
                print("#   " + (work / f"{self.name}.out").read_text(errors="replace")[-600:].replace("\n", "\n#   "))
            sys.stdout.flush()


def worker(numbers, rounds):
    while True:
        with tell:
            number = next(numbers, None)
        if number is None:
            return
        game = Round(number)
        game.play()
        game.report(number)
        rounds.append(game)


def main():
    labview.become_subreaper()
    print(f"# seed {SEED}, {KILLS} kills, {SIDE_BY_SIDE} labs at a time")
    before = labview.host_state()
    numbers, rounds = iter(range(KILLS)), []
    threads = [threading.Thread(target=worker, args=(numbers, rounds)) for _ in range(SIDE_BY_SIDE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    difference = labview.host_difference(before, labview.host_state())
    print(f"{'not ok' if difference else 'ok'} - the host's mounts, links, cgroups and shared memory are what they were")
    for line in difference:
        print("#   " + line)
    for victim in VICTIMS:  # a storm that never met a living supervisor or init would prove nothing
        met = sum(1 for r in rounds if r.hit == victim)
        print(f"{'ok' if met * 12 >= KILLS else 'not ok'} - at least a twelfth of the kills met a living {victim} ({met} of {KILLS})")
    failed = difference or any(r.complaints for r in rounds) or len(rounds) != KILLS
    print(f"1..{KILLS + 1 + len(VICTIMS)}")
    subprocess.run(["rm", "-rf", str(work)], check=False)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
