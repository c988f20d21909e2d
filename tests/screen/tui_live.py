#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""The dashboard on a lab that runs: tui_live.py LAB. Prints "ok - ..." lines; tests/e2e/top.sh starts it."""
import json
import os
import random
import signal
import subprocess
import sys
import time

from tui_tmux import BASCULE, Checks, Screen, same_modes, story, view_names

LAB = sys.argv[1]
random.seed(7)


def bascule(*args):
    return subprocess.run([BASCULE, *args], capture_output=True, text=True)


def status():
    return json.loads(bascule("status", "--json", "--lab", LAB).stdout)


def until(predicate, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if predicate():
            return True
        time.sleep(0.2)
    return False


def last_event(match):
    """The last event of the log that matches, with its time on this machine's monotonic clock."""
    mono, found = 0, None
    with open(os.path.join(status()["run_dir"], "events.jsonl"), encoding="utf-8") as log:
        for line in log:
            if not line.endswith("\n"):
                continue
            event = json.loads(line)
            mono = event["mono"] if event["ev"] == "run.begin" else mono
            found = event if match(event) else found
    return found, (mono + found["t"]) / 1e6


def start(cols, rows, *options):
    s = Screen(cols, rows)
    s.modes_before = s.modes()
    s.command(f"{BASCULE} top --lab {LAB} {' '.join(options)}")
    return s


def looking_around(cols, rows):
    s = start(cols, rows)
    c = Checks(s)
    try:
        c.check(f"{cols}x{rows}: the dashboard of a running lab shows that it is live", s.wait("LIVE", 5))
        c.check(f"{cols}x{rows}: and its nodes", all(n["name"] in s.text() for n in status()["nodes"]))
        for i, name in enumerate(view_names()):
            before = s.text()
            s.keys(f"F{i + 1}")
            s.wait(lambda text, b=before: text.splitlines()[1:3] != b.splitlines()[1:3], 1)
            s.keys("?")
            c.check(f"{cols}x{rows}: F{i + 1} opens {name}, and ? its help", s.wait(lambda text, n=name: f"this screen: {n}" in text.lower(), 3))
            s.keys("x")
            s.wait(lambda text: "This screen" not in text, 3)
        s.keys("1")
        c.check(f"{cols}x{rows}: a digit does as well", s.wait("Lease", 3))
        s.keys("/")
        s.type("zzz")
        c.check(f"{cols}x{rows}: / asks for a filter", s.wait("filter: zzz", 3))
        s.keys("Escape")
        s.keys("Space")
        c.check(f"{cols}x{rows}: space freezes the display", s.wait("PAUSED", 3))
        frozen = s.text()
        time.sleep(1.2)
        c.check(f"{cols}x{rows}: so that it does not move", s.text() == frozen)
        s.keys("Space")
        c.check(f"{cols}x{rows}: and space lets it go on", s.wait("LIVE", 3))
        keys_are_quick(s, c)
        resize_storm(s, c, cols, rows)
        s.keys("q")
        c.check(f"{cols}x{rows}: q leaves, and the terminal is as it was", s.wait(lambda t: "LIVE" not in t, 3) and restored(s))
        c.check(f"{cols}x{rows}: and the lab did not notice", status()["state"] == "ready")
    finally:
        s.close()


def restored(s):
    return until(lambda: s.show("alternate_on") == "0" and s.show("cursor_flag") == "1" and same_modes(s.modes_before, s.modes()), 3)


def keys_are_quick(s, c):
    """The way through tmux (a client started, the pane captured) costs some 10 ms of it."""
    took = []
    for _ in range(10):
        s.keys("?")
        took.append(s.wait("This screen", 2) or 2)
        s.keys("x")
        s.wait(lambda t: "This screen" not in t, 2)
    took.sort()
    print(f"# a key is answered in {took[5] * 1000:.0f} ms (median), {took[-1] * 1000:.0f} ms at most, tmux included", flush=True)
    c.check("a key is answered within 50 ms, tmux apart", took[5] < 0.1)


def resize_storm(s, c, cols, rows):
    pid = s.pid()
    for _ in range(40):
        s.resize(random.randint(1, 210), random.randint(1, 60))
        if random.random() < 0.3:
            s.keys(random.choice(["1", "5", "?", "x", "Down"]))
    s.resize(20, 5)
    c.check("20x5: one line says that this is too small", s.wait("too small", 3))
    s.resize(cols, rows)
    s.keys("x")
    s.keys("1")
    c.check("a storm of sizes leaves it whole", s.wait(lambda t: "LIVE" in t and "Lease" in t, 5) and s.pid() == pid)


def ends(name, how):
    s = start(80, 24)
    c = Checks(s)
    try:
        s.wait("LIVE", 5)
        changed = s.show("alternate_on") == "1" and not same_modes(s.modes_before, s.modes())
        how(s)
        c.check(f"{name}: the terminal has its screen and its modes back", changed and s.wait(lambda t: "LIVE" not in t, 5) and restored(s))
        s.command("echo it''works")
        c.check(f"{name}: and the shell can be typed at", s.wait("itworks", 3))
    finally:
        s.close()


def suspended():
    s = start(80, 24)
    c = Checks(s)
    try:
        s.wait("LIVE", 5)
        s.keys("C-z")
        c.check("Ctrl-Z gives the shell its terminal", s.wait("Stopped", 3) and s.show("alternate_on") == "0")
        s.command("fg")
        c.check("fg brings the dashboard back", s.wait("LIVE", 3) and s.show("alternate_on") == "1")
        s.keys("Tab")
        s.keys("s")
        c.check("s opens a shell on the selected node", s.wait(lambda t: "LIVE" not in t and ("$" in t or "#" in t), 5))
        s.command("echo I am on $(hostname)")
        c.check("which is that node", s.wait("I am on n2", 5))
        s.command("exit")
        c.check("exit comes back to the dashboard", s.wait("LIVE", 5))
        s.keys("q")
        c.check("and the terminal is as it was", restored(s))
    finally:
        s.close()


def only_looking():
    s = start(80, 24, "--readonly", "--ascii")
    c = Checks(s)
    try:
        s.wait("READ-ONLY", 5)
        c.check("--ascii: nothing beyond ASCII", s.text().isascii())
        for key in ("i", "H", "s", "p", "n"):
            s.keys(key)
            c.check(f"--readonly: {key} is refused", s.wait("read-only", 2))
            s.keys("x")
    finally:
        s.close()


def seen_soon():
    """From the event's time, as the lab saw it, to the first capture of the pane that shows it."""
    replica = next(n["name"] for n in status()["nodes"] if n.get("streaming"))
    s = start(80, 24)
    c = Checks(s)
    try:
        s.wait("LIVE", 5)
        inject = subprocess.Popen([BASCULE, "inject", "--lab", LAB, "node.power_off", replica], stdout=subprocess.DEVNULL)
        gone = s.wait(lambda t: any(replica in line and "power off" in line and "○" not in line.split("power")[0][:8] for line in t.splitlines()), 10)
        seen = time.monotonic()
        inject.wait()
        _, at = last_event(lambda e: e["ev"] == "node.power" and e.get("node") == replica and not e.get("on"))
        print(f"# the death of {replica} was on the screen {1000 * (seen - at):.0f} ms after it happened", flush=True)
        c.check("the death of a node is on the screen within 200 ms", gone and seen - at < 0.2)
        s.keys("H")
        c.check("H asks before it heals", s.wait("heal everything?", 3))
        s.keys("y")
        c.check("and heals", s.wait("heal_verified", 30))
        c.check("the cluster is complete again", until(lambda: status()["complete"], 90))
    finally:
        s.close()


def break_and_heal():
    leader = status()["leader"]
    s = start(80, 24)
    c = Checks(s)
    try:
        s.wait("LIVE", 5)
        s.keys("i")
        c.check("i opens the menu of faults", s.wait("net.drop", 3))
        s.type("power_off")
        s.wait("/power_off", 3)
        s.keys("Enter")
        c.check("then asks where", s.wait("on which node or role?", 3))
        s.type(leader)
        s.wait("/" + leader, 3)
        s.keys("Enter")
        c.check("then shows the parameters", s.wait(f"[ inject node.power_off on {leader} ]", 3))
        s.keys("Enter")
        c.check("Enter injects", s.wait("verified", 20))
        s.keys("x")
        c.check("the stopwatch of the outage runs", s.wait(lambda t: "OUTAGE" in t and "without an acknowledged write" in t, 20))
        c.check("and stops with the first write", s.wait("over: the last one took", 60))
        c.check("on another leader", status()["leader"] not in ("", leader))
        s.keys("H")
        s.wait("heal everything?", 3)
        s.keys("n")
        c.check("anything but y heals nothing", s.wait("not done", 3))
        s.keys("H")
        s.wait("heal everything?", 3)
        s.keys("y")
        c.check("y does", s.wait("heal_verified", 40))
        c.check("and the old leader comes back", until(lambda: status()["complete"], 120))
    finally:
        s.close()


def cpu():
    s = start(80, 24)
    c = Checks(s)
    try:
        s.wait("LIVE", 5)
        time.sleep(1)
        pid = s.pid()

        def ticks():
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        before, seconds = ticks(), 15
        time.sleep(seconds)
        share = (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds
        print(f"# the dashboard takes {share * 100:.2f} % of a core", flush=True)
        c.check("the dashboard takes less than 2 % of a core", share < 0.02)
    finally:
        s.close()


def lab_ends():
    """Last: two dashboards watch the lab end."""
    a, b = start(80, 24), start(200, 50)
    c = Checks(a)
    try:
        c.check("two dashboards at once", a.wait("LIVE", 5) and b.wait("LIVE", 5))
        bascule("down", LAB)
        c.check("a lab that ends leaves its last state on the screen", a.wait("the lab has ended", 10) and b.wait("the lab has ended", 10))
        a.keys("H")
        c.check("and is asked nothing any more", a.wait("the lab has ended", 2) and not a.wait("heal everything?", 0.5))
        a.keys("q")
        c.check("q still leaves", a.wait(lambda t: "bascule  " not in t, 3))
    finally:
        a.close()
        b.close()


def main():
    looking_around(80, 24)
    looking_around(200, 50)
    for name, number in (("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT), ("SIGHUP", signal.SIGHUP), ("a crash", signal.SIGSEGV),
                         ("kill -9", signal.SIGKILL)):
        ends(name, lambda s, n=number: os.kill(s.pid(), n))
    ends("Ctrl-C", lambda s: s.keys("C-c"))
    suspended()
    only_looking()
    cpu()
    seen_soon()
    break_and_heal()
    lab_ends()


story(main)
