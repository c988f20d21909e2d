#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""A real terminal shows what the text dump of a frame says, in every size, and colours after the terminal's background. Prints "ok - ..."
lines; tests/e2e/top.sh starts it."""
import pathlib
import re
import subprocess
import sys

from tui_tmux import BASCULE, Checks, Screen, story

LOGS = pathlib.Path(__file__).parent / "logs"
SIZES = [(80, 24), (120, 40), (200, 50)]
# A moment with a fault in force, each with the views that show it by a sign.
FRAMES = [("leader-crash", "30", ["cluster", "network", "timeline"]), ("partition-leader", "40", ["cluster", "network", "client"]),
          ("quorum-loss", "35", ["dcs", "timeline", "logs"])]


def lines(text):
    return [line.rstrip() for line in text.rstrip("\n").splitlines()]


def same_as_text():
    for log, at, views in FRAMES:
        for cols, rows in SIZES:
            s = Screen(cols, rows, {"COLORFGBG": "15;0"})
            c = Checks(s)
            try:
                for view in views:
                    args = ["replay", str(LOGS / f"{log}.jsonl"), "--at", f"{at}s", "--view", view]
                    want = lines(subprocess.run([BASCULE, *args, "--to-text", "--size", f"{cols}x{rows}"], capture_output=True, text=True).stdout)
                    s.command(" ".join([BASCULE, *args]))
                    arrived = s.wait(lambda t: lines(t) == want, 10)
                    c.check(f"{log} at {at} s, {view}, {cols}x{rows}: the terminal shows the frame, column by column", arrived is not None)
                    if arrived is None:
                        print("# wanted:\n" + "\n".join("#   " + line for line in want), flush=True)
                    s.keys("q")
                    s.wait(lambda t: "REPLAY" not in t, 5)
                    s.command("clear")
            finally:
                s.close()


def colours(env, options="", background=None):
    """The colours of a frame with a fault in force, as the terminal was told."""
    s = Screen(100, 30, env)
    try:
        if background:
            s.tmux("set-option", "-g", "window-style", f"bg={background}")
        s.command(f"{BASCULE} replay {LOGS}/leader-crash.jsonl --at 30s {options}")
        s.wait("STOPPED", 10)
        return set(re.findall(r"38;5;(\d+)m", s.tmux("capture-pane", "-e", "-p")))
    finally:
        s.close()


def themes():
    c = Checks()
    dark, light = {"36", "214", "202", "175", "74"}, {"23", "94", "124", "90", "25"}
    for words, env, options, background, ours, others in (
            ("COLORFGBG says dark", {"COLORFGBG": "15;0"}, "", None, dark, light), ("COLORFGBG says light", {"COLORFGBG": "0;15"}, "", None, light, dark),
            ("--theme light is stronger than COLORFGBG", {"COLORFGBG": "15;0"}, "--theme light", None, light, dark),
            ("the terminal itself says light", {"COLORFGBG": ""}, "", "#ffffff", light, dark),
            ("the terminal itself says dark", {"COLORFGBG": ""}, "", "#202020", dark, light)):
        seen = colours(env, options, background)
        c.check(f"{words}: the palette follows", seen & ours and not seen & others)


def refused():
    c = Checks()
    s = Screen(80, 24)
    try:
        s.command(f"TERM=dumb {BASCULE} replay {LOGS}/leader-crash.jsonl; echo status $?.")
        c.check("TERM=dumb is refused in words", s.wait("can't move its cursor", 5) is not None and s.wait("status 2.", 5) is not None)
    finally:
        s.close()


story(same_as_text)
story(themes)
story(refused)
sys.exit(0)
