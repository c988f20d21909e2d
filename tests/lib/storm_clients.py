# SPDX-License-Identifier: PostgreSQL
"""Rounds of the kill storm that need no lab of their own: sessions and dashboards on the lab that stands for all of them, replay, report."""
import os
import pathlib
import shutil
import signal

import labview
from storm import FATAL, GONE, TREE, Round, Terminal

LOG = TREE / "tests/screen/logs/leader-crash.jsonl"


def in_node(word):
    """Processes of the host that have this word in their command line, but for our own kind."""
    return [pid for pid in labview.pids() if word in labview.name_of(pid) and "bascule" not in labview.name_of(pid)]


class Exec(Round):
    """A command in a node: its client is killed, and it goes too."""

    kind = "exec"

    def play(self):
        mark = f"1000.{os.getpid()}"
        client = self.start("exec", "--lab", self.common["lab"], "n1", "--", "sleep", mark, start_new_session=True)
        if self.rng.random() < 0.5:  # else at any moment of its beginning
            self.demand("the command runs in the node", self.until(lambda: in_node(mark), 15))
        self.sleep(0.3)
        self.strike(client.pid, "exec")
        if self.signal in (signal.SIGINT, signal.SIGQUIT):  # the keyboard's: they come to the whole group, and are for the command in the node
            os.killpg(client.pid, self.signal)
        self.ends(client, 10)
        self.nothing_lives(3)
        self.demand("nothing of it goes on in the node", self.until(lambda: not in_node(mark), 3))


class OnTerminal(Round):
    """Something on a terminal: the terminal is given back."""

    victims = ("command",)
    screen = True  # uses the alternate screen
    since = 0

    def args(self):
        raise NotImplementedError

    def ready(self):
        raise NotImplementedError

    def __init__(self, *args):
        super().__init__(*args)
        self.signal = self.rng.choice(FATAL + (signal.SIGSTOP, None))  # None: the terminal itself goes
        self.victim = self.rng.choice(self.victims)

    def play(self):
        self.terminal = Terminal(self.args())
        self.children.append(self.terminal.child)
        if self.rng.random() < 0.75 or self.victim == "guardian":
            self.demand("it shows what it is for", self.terminal.read(20, self.ready))
        self.delay = self.rng.uniform(0, 0.3)
        self.terminal.read(self.delay)
        self.murder()
        self.terminal.read(10, lambda: self.terminal.child.poll() is not None)
        self.ends(self.terminal.child, 1)
        self.terminal.read(0.2)
        self.nothing_lives(3)
        if self.terminal.master >= 0:
            self.demand(f"the terminal is given back {self.terminal.shown[-60:]!r}", self.terminal.read(3, self.given_back))
        self.terminal.close()

    def given_back(self):
        return self.terminal.restored() if self.screen else True

    def murder(self):
        pid = self.terminal.child.pid
        if self.signal is None:
            self.hit, self.met = "the terminal", labview.state_of(pid) not in GONE
            os.close(self.terminal.master)
            self.terminal.master = -1
            return
        self.strike(pid, "command")
        if self.signal == signal.SIGSTOP:
            self.demand("it stands still", self.terminal.read(5, lambda: labview.state_of(pid) == "T"))
            self.terminal.read(0.3)
            self.since = len(self.terminal.shown)
            os.kill(pid, signal.SIGCONT)
            self.goes_on()

    def shows(self, what):
        """Since the beginning, or since it was stopped."""
        return what in self.terminal.shown[self.since:]

    def goes_on(self):
        self.demand("it draws anew after SIGCONT", self.terminal.read(20, self.ready))
        self.terminal.type(b"q")


class Shell(OnTerminal):
    kind, screen = "shell", False

    def args(self):
        return ["shell", "--lab", self.common["lab"], "n1"]

    def ready(self):
        return self.shows(b"$")

    def murder(self):
        if self.signal in (signal.SIGINT, signal.SIGQUIT):
            self.signal = signal.SIGTERM  # those are for what runs in the shell, and the client ignores them
        super().murder()

    def goes_on(self):
        self.terminal.type(b"echo on-$((40 + 2))\n")  # what is typed is echoed; the sum is the shell's
        self.demand("it goes on after SIGCONT", self.terminal.read(20, lambda: self.shows(b"on-42")))
        self.terminal.type(b"exit\n")


class Top(OnTerminal):
    kind, victims = "top", ("command", "command", "guardian")

    def args(self):
        return ["top", "--lab", self.common["lab"]]

    def ready(self):
        return self.shows(b"LIVE")

    def murder(self):
        met = True
        if self.victim == "guardian":  # without it the dashboard still gives the terminal back itself
            guardian = next((pid for pid in labview.children_of(self.terminal.child.pid) if labview.comm_of(pid) == "bascule-tty"), None)
            self.demand("there is a guardian", guardian)
            met = self.strike(guardian, "guardian", signal.SIGKILL)
            self.signal = signal.SIGTERM
        first = self.hit
        super().murder()
        if self.victim == "guardian":
            self.hit, self.met = f"{first}, then {self.hit}", met and self.met


class Replay(Top):
    kind = "replay"

    def args(self):
        return ["replay", LOG]

    def ready(self):
        return self.shows(b"PLAYS")


class Report(Round):
    """A page is written into the run folder or beside other files of a person."""

    kind = "report"

    def play(self):
        run = self.work / "20260101-000000-storm"
        run.mkdir()
        shutil.copy(LOG, run / "events.jsonl")
        target = self.work / "page" / "page.html"
        target.parent.mkdir()
        inside = self.rng.random() < 0.5
        page = run / "report.html" if inside else target
        old = b"<html>old</html>\n"
        page.write_bytes(old)
        command = self.start("report", run, "--html" if inside else f"--html={target}")
        self.sleep(self.common["report_takes"] * 1.3)
        self.strike(command.pid, "report")
        self.ends(command, 10)
        self.nothing_lives(2)
        text = page.read_bytes()
        self.demand("the page is the old one or a whole new one", text == old or (len(text) > 10000 and text.endswith(b"</html>\n")))
        self.only(target.parent, ["page.html"])
        self.only(run, ["events.jsonl", "report.html"])


def small_run(folder):
    """The same for whoever wants to know how long a page takes."""
    run = pathlib.Path(folder) / "20260101-000000-timed"
    run.mkdir()
    shutil.copy(LOG, run / "events.jsonl")
    return run
