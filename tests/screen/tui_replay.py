#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""The dashboard over a recorded log: tui_replay.py LOG. Prints "ok - ..." lines; tests/e2e/top.sh starts it."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from tui_tmux import BASCULE, Checks, Screen, same_modes, story, view_names

LOG = sys.argv[1]
random.seed(11)


def to_text(log, *options):
    return subprocess.run([BASCULE, "replay", log, "--to-text", *options], capture_output=True, text=True, errors="replace")


def clock(text):
    """The cursor in the title, in seconds; -1 while it seeks, or in a picture taken between two writes."""
    found = re.search(r"(\d+):(\d+\.\d) of ", text)
    return int(found[1]) * 60 + float(found[2]) if found and "SEEKS" not in text else -1


def keys():
    s = Screen(80, 24)
    c = Checks(s)
    before = s.modes()
    try:
        s.command(f"{BASCULE} replay {LOG}")
        c.check("a replay plays", s.wait("PLAYS x1", 5))
        s.keys("Space")
        c.check("space stops it", s.wait("STOPPED", 3))
        seen = []
        for _ in range(30):
            s.keys("n")
            time.sleep(0.05)
            s.wait(lambda t: clock(t) >= 0, 3)
            seen.append(s.text())
        words = "\n".join(seen)
        c.check("n goes through what matters: the fault, the key, the outage",
                "effective" in words and "the leader key is" in words and "outage" in words)
        c.check("forwards", clock(seen[0]) <= clock(seen[5]) <= clock(seen[10]))
        at = clock(s.text())
        for _ in range(4):
            s.keys("N")
        c.check("N goes back", s.wait(lambda t: 0 <= clock(t) < at, 3))
        s.keys("g")
        s.wait(lambda t: clock(t) == 0, 3)
        for _ in range(2):
            s.keys("}")
        c.check("} goes ten seconds on", s.wait(lambda t: clock(t) == 20, 3))
        s.keys("[")
        c.check("[ one back", s.wait(lambda t: clock(t) == 19, 3))
        s.keys("]")
        s.keys("{")
        c.check("] and { one on and ten back", s.wait(lambda t: clock(t) == 10, 3))
        s.keys("g")
        c.check("g to the beginning", s.wait(lambda t: clock(t) == 0, 3))
        s.keys(".")
        c.check(". one event", s.wait("run.begin", 3))
        s.keys("+")
        s.keys("+")
        c.check("+ twice as fast", s.wait("x4", 3))
        s.keys("Space")
        s.wait(lambda t: clock(t) > 2, 5)
        c.check("and time goes four times as fast", clock(s.text()) > 1)
        s.keys("G")
        c.check("G to the end, where it stops", s.wait("STOPPED", 5))
        for key in ("H", "i", "s"):
            s.keys(key)
        c.check("there is no lab to ask", s.wait(lambda t: "heal everything" not in t and "Inject " not in t, 2))
        s.keys("q")
        s.wait(lambda t: "REPLAY" not in t, 3)
        s.command("echo status $?.")
        c.check("q leaves with status 0", s.wait("status 0.", 10))
        c.check("and the terminal as it was", same_modes(before, s.modes()))
    finally:
        s.close()


def garbage(folder):
    """Binary bytes, half lines, wrong types, times from another age, names of any length: never a crash, and the rest is shown."""
    with open(LOG, "rb") as f:
        good = f.read().splitlines(keepends=True)
    c = Checks()
    bad = []
    for _ in range(60):
        bad.append(bytes(random.randrange(256) for _ in range(random.randrange(300))).replace(b"\n", b"") + b"\n")
    for line in random.sample(good, 60):
        bad.append(line[:random.randrange(len(line))] + b"\n")
        event = json.loads(line)
        key = random.choice(list(event))
        bad.append(json.dumps(event | {key: random.choice([-1, "x" * 5000, None, 1 << 62, True, 1e300, "\x1b[31m"])}).encode() + b"\n")
    bad.append(b"x" * 200000 + b"\n")
    bad.append(json.dumps({"t": 1 << 60, "ev": "node.power", "node": "n1"}).encode() + b"\n")
    for i in range(40):
        bad.append(json.dumps({"t": 1000, "ev": "node.info", "node": f"stray{i}", "address": "1.2.3.4", "services": "postgres,patroni"}).encode() + b"\n")
    mixed = list(good)
    for line in bad:
        mixed.insert(random.randrange(1, len(mixed)), line)
    path = os.path.join(folder, "bad.jsonl")
    with open(path, "wb") as f:
        f.write(b"".join(mixed) + good[-1][:20])
    for view in view_names():
        for size in ("80x24", "200x50", "40x8", "20x5", "1x1"):
            r = to_text(path, "--view", view, "--size", size, "--every", "5s", "--tones")
            if r.returncode != 0 or "Sanitizer" in r.stderr:
                c.check(f"garbage in the log: {view} at {size}: {r.returncode} {r.stderr[-800:]}", False)
                return
    c.check("garbage and half lines in the log: every view at every size is drawn", True)
    c.check("no escape sequence of the log reaches the terminal", "\x1b" not in to_text(path, "--view", "logs").stdout)
    with open(path, "wb") as f:
        f.write(b"".join(good[:len(good) // 2]) + good[len(good) // 2][:-5])
    c.check("a log cut in mid-line is shown as far as it goes", "NODE" in to_text(path).stdout)
    with open(path, "wb") as f:
        f.write(bytes(random.randrange(256) for _ in range(100000)))
    c.check("a file that is no log is refused in words", to_text(path).returncode == 2)


def damaged(folder):
    """A run folder without its ledger and plan: whatever moves below, the title says what it is; top over a run that is over says it, too."""
    shutil.copy(LOG, os.path.join(folder, "events.jsonl"))
    for command in ("replay", "top"):
        s = Screen(100, 24)
        c = Checks(s)
        try:
            s.command(f"{BASCULE} {command} {folder}")
            c.check(f"{command} of a damaged record begins with what is missing", s.wait("the record is DAMAGED, and without a seal: plan.json is missing", 8))
            marked = []
            for key in ("n", "4", "5", "Space", "?", "Escape", "8"):
                s.keys(key)
                time.sleep(0.2)
                marked.append("!DAMAGED" in s.text().split("\n")[0])
            c.check("and the title says so under every view, under the help and while it plays", all(marked))
            s.keys("q")
        finally:
            s.close()


def main():
    keys()
    with tempfile.TemporaryDirectory() as folder:
        garbage(folder)
    with tempfile.TemporaryDirectory() as folder:
        damaged(folder)


story(main)
