# SPDX-License-Identifier: PostgreSQL
"""Rounds of the kill storm that have a lab of their own: a scenario that runs, its final read and report, its disk agent, `up` and `down`."""
import json
import os
import pathlib
import signal
import time

import labview
from storm import TREE, Round

WHOLE_PAGE = b"</html>\n"
QUICK = """title: quick
topology: patroni-2
steps:
  - name: kill
    inject: process.kill
    target: leader
    with: {service: postgres, process: backend, signal: KILL}
  - name: flowing
    wait: {becomes: writes flow, for: 1s, within: 60s}
expect:
  lost_writes: 0
"""
STALL = """title: stall
topology: patroni-2
steps:
  - name: stall
    inject: disk.stall
    target: n2
    with: {disk: postgresql}
    duration: 60s
  - name: wait
    wait: 60s
expect:
  lost_writes: 0
"""


class LabRound(Round):
    """A command that has a lab below it."""

    scenario, wanted, longest = None, None, 0.0  # a file or text; what the event log says when the moment begins; its length
    victims = ("command", "supervisor", "node init")
    lasting = False  # the lab stands at that moment and for long after it: a victim that is not there is a failure

    def __init__(self, *args):
        super().__init__(*args)
        self.runs, self.supervisor = self.work / "runs", None
        self.victim = self.rng.choice(self.victims)

    def events(self):
        return next(iter(self.runs.glob("*/events.jsonl")), None)

    def log_says(self, text):
        path = self.events()
        return path is not None and text in path.read_bytes()

    def begin(self):
        path = self.work / "storm.yaml"
        path.write_text(self.scenario)
        options = ["--cold"] if self.rng.random() < 0.25 else []  # data directories are made, not copied: other processes at other moments
        self.command = self.start("run", path, "--lab", self.name, "--runs-dir", self.runs, *options)

    def know_supervisor(self):
        self.supervisor = self.supervisor or labview.supervisor_below(self.command.pid)
        return self.supervisor

    def reach_moment(self):
        if self.wanted:
            self.until(lambda: self.log_says(self.wanted) or self.command.poll() is not None or self.know_supervisor() and False, 120)
            self.demand(f"the log says {self.wanted!r}", self.log_says(self.wanted))
        self.sleep(self.longest)
        self.know_supervisor()

    def find(self, who):
        """Its pid, or None."""
        if not self.supervisor:
            return None
        inits = labview.node_inits(self.supervisor)
        if who == "node init":
            return self.rng.choice(inits) if inits else None
        if who == "disk agent":
            agents = [pid for init in inits for pid in labview.children_of(init) if labview.comm_of(pid) == "disk-agent"]
            return self.rng.choice(agents) if agents else None
        return self.supervisor

    def kill_it(self):
        """True when it was the command that the signal went to."""
        if self.victim == "command":
            self.strike(self.command.pid, "command")
            return True
        pid = self.until(lambda: self.find(self.victim), 5) if self.lasting else self.find(self.victim)
        if self.lasting:
            self.demand(f"there is a {self.victim}", pid)
        return not self.strike_else(pid, self.victim, signal.SIGKILL, self.command.pid)

    def play(self):
        self.begin()
        self.reach_moment()
        command = self.kill_it()
        if not command and self.victim in ("node init", "disk agent") or not self.met:
            time.sleep(1)  # the lab may live on without it; it still ends when it is told to
            if self.command.poll() is None:
                self.command.send_signal(signal.SIGINT)
        # SIGINT and SIGTERM heal and read everything first.
        self.ends(self.command, 15 if command and self.met and self.signal == signal.SIGKILL else 90)
        self.nothing_lives(3)
        self.demand("it is listed no more", not self.listed(self.name))
        self.check_record()

    def check_record(self):
        """What is in the run folder opens, and says how the run ended."""
        path = self.events()
        if path is None:
            return
        folder = path.parent
        lines = path.read_bytes().split(b"\n")
        try:
            kinds = [json.loads(line).get("ev") for line in lines[:-1]]
        except ValueError as e:
            self.complain(f"a broken line in the event log: {e}")
            return
        if (left := [p.name for p in folder.iterdir() if p.name.endswith(".tmp")]):
            self.complain(f"half-written files are left: {left}")
        self.check_files(folder)
        if not kinds:
            return
        told = self.call("report", folder)
        if told is None:
            return
        self.demand(f"report gives an exit status of its own, not {told.returncode}: {told.stderr[-200:]}", told.returncode in (0, 1, 3, 4, 5))
        # A person's SIGINT is the run's own end; whatever else ended it early is called what it was.
        if "run.end" not in kinds:
            self.demand(f"report says that the run was killed: {told.stdout[:400]}", "ERROR" in told.stdout and "killed" in told.stdout)
        listed = self.call("runs", "--json", "--runs-dir", self.runs)
        self.demand("runs lists it", listed and folder.name in listed.stdout)

    def check_files(self, folder):
        for name in ("result.json", "plan.json"):
            if (folder / name).exists():
                try:
                    json.loads((folder / name).read_text())
                except ValueError:
                    self.complain(f"{name} is half-written")
        page = folder / "report.html"
        self.demand("report.html is whole", not page.exists() or page.read_bytes().endswith(WHOLE_PAGE))


class Start(LabRound):
    kind, scenario, longest = "start of a run", (TREE / "scenarios/leader-crash.yaml").read_text(), 3.0


class Middle(LabRound):
    kind, scenario, longest = "middle of a run", (TREE / "scenarios/leader-crash.yaml").read_text(), 6.0
    wanted, lasting = b'"lab.state","state":"ready"', True


class Stop(Middle):
    kind, longest, lasting = "interrupted run", 0.4, False

    def reach_moment(self):
        self.longest = 0
        super().reach_moment()
        self.command.send_signal(signal.SIGINT)
        self.longest = 0.4
        self.sleep(self.longest)


class FinalRead(LabRound):
    kind, scenario, wanted, longest = "final read", QUICK, b'"state":"collecting"', 1.0


class WritingReport(LabRound):
    kind, scenario, wanted, longest = "report of a run", QUICK, b'"ev":"run.end"', 0.3


class DiskAgent(LabRound):
    kind, scenario, wanted, longest = "storage fault", STALL, b'"phase":"effective"', 2.0
    lasting = True
    victims = ("disk agent", "disk agent", "node init", "command", "supervisor")


class Down(LabRound):
    """`down`, or the lab under it, is killed while a session is open in a node."""

    kind = "down of a lab"
    victims = ("command", "supervisor", "session")

    def play(self):
        up = self.start("up", "patroni-2", "--lab", self.name, "--runs-dir", self.runs)
        if not self.ends(up, 120) or up.returncode:
            self.complain("up failed")
            return
        self.supervisor = next((pid for pid in labview.children_of(os.getpid()) if labview.nspid(pid)[-1:] == [1]), None)
        self.demand("the lab has a supervisor", self.supervisor)
        session = self.start("exec", "--lab", self.name, "n1", "--", "sleep", "1000")
        self.demand("a session is open in a node", self.until(lambda: labview.children_of(session.pid), 10))
        down = self.start("down", self.name)
        self.sleep(0.2)
        if self.victim == "supervisor":
            self.strike(self.supervisor, "supervisor", signal.SIGKILL)
        elif self.victim == "session":
            self.strike(session.pid, "session", self.rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)))
        else:
            self.strike(down.pid, "down")
        self.ends(down, 40, "down")
        if not self.log_says(b'"verb":"down"') and self.supervisor and labview.state_of(self.supervisor) not in (None, "Z"):
            self.hit += " (before it was asked)"  # the lab rightly stands
            self.call("down", self.name)
        elif not self.until(lambda: not self.listed(self.name), 40):
            self.complain("the lab goes on after its down was killed")
            self.call("down", self.name)
        self.ends(session, 10, "the session")
        self.nothing_lives(3)
        self.demand("it is listed no more", not self.listed(self.name))
        self.check_record()
        self.demand("its machines are remembered", pathlib.Path(self.events().parent / "nodes").is_dir())
