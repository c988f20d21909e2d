# SPDX-License-Identifier: PostgreSQL
"""What the rounds of tests/e2e/kill_storm.py share. A round is a process of its own and reaps orphans: whatever it started, however far down
and under whatever uid, is a descendant of it, and after the kill there must be none."""
import json
import os
import pathlib
import pty
import random
import resource
import select
import signal
import subprocess
import termios
import time

import labview

BASCULE = os.environ["BASCULE"]
TREE = pathlib.Path(os.environ["BASCULE_TREE"])
GONE = (None, "Z", "X")
FATAL = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class Round:
    """One murder. A subclass says what is started, who is killed, and what must be true afterwards."""

    kind = "?"

    def __init__(self, number, seed, common):
        self.rng = random.Random(seed * 1000 + number)
        self.number, self.common = number, json.loads(pathlib.Path(common).read_text())
        self.name = f"storm-{os.getpid()}-{number}"
        self.work = pathlib.Path(common).parent / self.name
        self.work.mkdir()
        self.output = open(self.work / "out", "wb")
        self.complaints, self.hit, self.children = [], "nothing", []
        self.met = False  # somebody alive got the signal, and it was the one who was meant
        self.signal = self.rng.choice(FATAL)
        self.delay = 0.0
        labview.become_subreaper()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # SIGQUIT
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):  # nohup and a shell's `&` hand them down ignored
            signal.signal(number, signal.SIG_DFL)

    # ---- starting

    def start(self, *args, env=None, **more):
        more = {"stdin": subprocess.DEVNULL, "stdout": self.output, "stderr": subprocess.STDOUT} | more
        child = subprocess.Popen([BASCULE, *map(str, args)], env={**os.environ, **(env or {})}, **more)
        self.children.append(child)
        return child

    def call(self, *args, seconds=60, env=None):
        """A command that is not killed. None when it hung."""
        try:
            return subprocess.run([BASCULE, *map(str, args)], env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  errors="replace", timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            self.complain(f"'bascule {' '.join(map(str, args))}' did not end within {seconds} s")
            return None

    # ---- killing

    def sleep(self, longest):
        self.delay = self.rng.uniform(0, longest)
        time.sleep(self.delay)

    @staticmethod
    def send(pid, number):
        if labview.state_of(pid) in GONE:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def strike(self, pid, who, number=None):
        """Whether the signal met somebody alive; pid None: there is no such process. A zombie takes signals, too, and has ended all the same."""
        number = self.signal if number is None else number
        self.hit = f"{who}, {signal.Signals(number).name}"
        self.met = False
        if pid is None:
            self.hit += " (was not there)"
        else:
            self.met = self.send(pid, number)
            self.hit += "" if self.met else " (had ended)"
        if self.met and number == signal.SIGKILL:
            self.demand(f"the {who} dies of SIGKILL", self.until(lambda: labview.state_of(pid) in GONE, 10))
        return self.met

    def strike_else(self, pid, who, number, command):
        """The one who is meant, with this signal; where there is none the command, with the round's own, which then does not count. True when it
        was the one who was meant."""
        if self.strike(pid, who, number):
            return True
        instead = self.hit
        self.strike(command, "command")
        self.hit, self.met = f"{instead}, so {self.hit}", False
        return False

    def ends(self, child, seconds, who="the command"):
        try:
            child.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            self.complain(f"{who} did not end within {seconds} s")
            child.kill()
            child.wait()
            return False

    # ---- looking

    def complain(self, sentence):
        self.complaints.append(sentence)

    def demand(self, sentence, value):
        if not value:
            self.complain("not so: " + sentence)

    def until(self, predicate, seconds):
        end = time.monotonic() + seconds
        while not (value := predicate()) and time.monotonic() < end:
            time.sleep(0.02)
        return value

    def living(self):
        """Our descendants that live; zombies of dead parents are reaped on the way."""
        labview.reap_orphans([child.pid for child in self.children])
        parents = labview.parents()
        found, todo = [], [os.getpid()]
        while todo:
            parent = todo.pop()
            below = [pid for pid, its in parents.items() if its == parent]
            found += below
            todo += below
        return [pid for pid in found if labview.state_of(pid) not in GONE]

    def nothing_lives(self, patience, what="after the end"):
        """Nobody of ours is left; who needs longer than patience is named, with the time it took."""
        if self.until(lambda: not self.living(), patience):
            return
        left = self.living()
        names = "; ".join(f"{pid} {labview.name_of(pid)}" for pid in left[:5])
        began = time.monotonic()
        gone = self.until(lambda: not self.living(), 20)
        how = f"gone {time.monotonic() - began:.1f} s later" if gone else "still there 20 s later"
        self.complain(f"{what}: {len(left)} processes left after {patience} s ({how}; load {os.getloadavg()[0]:.0f}): {names}")
        for pid in self.living():  # ours: the next round must not stumble over them
            os.kill(pid, signal.SIGKILL)

    def only(self, folder, allowed):
        """No file in the folder but those."""
        names = {entry.name for entry in pathlib.Path(folder).iterdir()}
        if names - set(allowed):
            self.complain(f"left in {folder}: {sorted(names - set(allowed))[:5]}")

    def listed(self, lab):
        told = self.call("list", "--names")
        return told is not None and lab in told.stdout.split()

    # ---- the round

    def play(self):
        raise NotImplementedError

    def run(self):
        """Gives what the storm prints: one JSON object."""
        try:
            self.play()
        except Exception as e:  # pylint: disable=broad-except  # a broken round is a failed one, and the storm goes on
            self.complain(f"{type(e).__name__}: {e} (line {e.__traceback__.tb_next.tb_lineno if e.__traceback__.tb_next else 0})")
            for pid in self.living():
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
        self.output.close()
        said = (self.work / "out").read_text(errors="replace")[-800:]
        return {"kind": self.kind, "hit": self.hit, "met": self.met, "delay": self.delay, "complaints": self.complaints, "said": said if self.complaints else ""}


class Terminal:
    """A terminal of its own with a command in it; what it shows is kept."""

    def __init__(self, args):
        self.master, slave = pty.openpty()
        self.slave = slave  # kept open: its modes can be asked for when everybody has gone
        self.before = termios.tcgetattr(slave)
        termios.tcsetwinsize(slave, (24, 80)) if hasattr(termios, "tcsetwinsize") else None
        self.shown = b""
        self.child = subprocess.Popen([BASCULE, *map(str, args)], stdin=slave, stdout=slave, stderr=slave, preexec_fn=self.own_it,
                                      env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "LINES": "24", "COLUMNS": "80"})

    def own_it(self):
        import fcntl  # pylint: disable=import-outside-toplevel
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def read(self, seconds, until=None):
        """Takes what it shows until the predicate holds; True when it did."""
        end = time.monotonic() + seconds
        while True:
            if until and until():
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self.master >= 0 and select.select([self.master], [], [], min(left, 0.05))[0]:
                try:
                    self.shown += os.read(self.master, 65536)
                except OSError:
                    time.sleep(0.05)

    def type(self, text):
        os.write(self.master, text)

    def restored(self):
        """The modes are those of the beginning, and the last word about screen and cursor is that they are the usual ones."""
        screen = self.shown.rfind(b"\x1b[?1049h") <= self.shown.rfind(b"\x1b[?1049l")
        cursor = self.shown.rfind(b"\x1b[?25l") <= self.shown.rfind(b"\x1b[?25h")
        return screen and cursor and termios.tcgetattr(self.slave) == self.before

    def close(self):
        os.close(self.slave)
        if self.master >= 0:
            os.close(self.master)
