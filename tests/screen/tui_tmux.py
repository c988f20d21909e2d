# SPDX-License-Identifier: PostgreSQL
"""A terminal to drive the dashboard in: a tmux server of its own with one window, in which a plain shell runs."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

BASCULE = os.environ["BASCULE"]


def view_names():
    """The screens of the dashboard in the order of the F keys, as the program itself names them."""
    text = subprocess.run([BASCULE, "top", "--help"], env=os.environ | {"ARGP_HELP_FMT": "rmargin=9999"}, capture_output=True, text=True, check=True).stdout
    return re.search("begin with this screen: (.*)", text)[1].split(", ")


class Screen:
    def __init__(self, cols=80, rows=24, env=None):
        self.folder = tempfile.mkdtemp(prefix="tmux.")
        self.socket = os.path.join(self.folder, "s")
        self.env = {k: v for k, v in os.environ.items() if k not in ("TMUX", "NO_COLOR")} | {"LC_ALL": "C.UTF-8", "PS1": "$ ", "SHELL": "/bin/sh"} | (env or {})
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(cols), "-y", str(rows), "bash", "--norc", "--noprofile")
        self.tmux("set-option", "-g", "window-size", "manual")
        self.tmux("set-option", "-g", "escape-time", "0")
        self.resize(cols, rows)
        self.wait("$", 5)  # the shell's modes are those of its prompt from now on

    def tmux(self, *args, check=True):
        return subprocess.run(["tmux", "-S", self.socket, *args], env=self.env, check=check, capture_output=True, text=True).stdout

    def text(self):
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def resize(self, cols, rows):
        self.tmux("resize-window", "-x", str(cols), "-y", str(rows))

    def show(self, name):
        return self.tmux("display-message", "-p", "#{%s}" % name).strip()

    def command(self, line):
        """Types a command into the shell."""
        self.type(line)
        self.keys("Enter")

    def wait(self, wanted, seconds=5.0):
        """Until the text (or predicate) is on the screen; gives the seconds it took, or None."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            text = self.text()
            if wanted(text) if callable(wanted) else wanted in text:
                return time.monotonic() - begin
            time.sleep(0.005)
        return None

    def pid(self):
        """Of the dashboard in the window."""
        shell = self.show("pane_pid")
        out = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True).stdout.split()
        return int(out[0]) if out else None

    def modes(self):
        """What stty says of the window's terminal, from outside."""
        return subprocess.run(["stty", "-a", "-F", self.show("pane_tty")], capture_output=True, text=True).stdout

    def close(self):
        self.tmux("kill-server", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Checks:
    def __init__(self, screen=None):
        self.screen = screen

    def check(self, sentence, value):
        print(("ok - " if value else "not ok - ") + sentence, flush=True)
        if not value and self.screen:
            for line in self.screen.text().rstrip().splitlines():
                print("#   " + line, flush=True)
        return value


def same_modes(before, after):
    """Apart from the size, which a test may have changed."""
    def cut(text):
        return [w for w in text.replace(";", " ").split() if not w.isdigit()]
    return cut(before) == cut(after)


def story(function, *args):
    """Runs a story; an exception is a failed check."""
    try:
        function(*args)
    except Exception as error:  # noqa: BLE001
        print(f"not ok - {function.__name__} came to its end: {error!r}", flush=True)
        sys.exit(1)
