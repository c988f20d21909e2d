#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""How fast a long log is told: a million events (some 150 MB) drawn as the dashboard's last frame, and as the page of a report, against
Python's JSON reader, which only parses the same lines. All in turn, ROUNDS times; the ratios of the medians have limits, so that a slow or
busy machine judges all alike.

Usage: long_log.py PROGRAM LOG [ROUNDS]     exit status 1 when a ratio is above its limit
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

EVENTS = 1_000_000
program, log, rounds = os.path.realpath(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 3


def write_long(path):
    """The recorded run, again and again, its clock going on."""
    with open(log, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    head, body = lines[:20], [e for e in lines[20:] if e["ev"] != "run.end"]
    span, written, turn = body[-1]["t"] - body[0]["t"] + 100000, len(head), 0
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(e, separators=(",", ":")) + "\n" for e in head)
        while written < EVENTS:
            out.writelines(json.dumps(e | {"t": e["t"] + turn * span}, separators=(",", ":")) + "\n" for e in body)
            written += len(body)
            turn += 1
    return written


def frame(path):
    # Opening reads the log once to find its end and its marks; --to-text then folds it a second time to its end.
    subprocess.run([program, "replay", path, "--to-text", "--at", "0"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def page(path):
    html = path + ".html"
    # Its exit status is the run's verdict: a run that repeats itself has none.
    subprocess.run([program, "report", os.path.dirname(path), f"--html={html}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    if os.path.getsize(html) < 100_000:
        sys.exit(f"long_log.py: {html} is no whole page")


def reader(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            json.loads(line)


def timed(what, path):
    began = time.monotonic()
    what(path)
    return time.monotonic() - began


def main():
    took, limits = {frame: [], page: [], reader: []}, {frame: 0.8, page: 0.9}
    with tempfile.TemporaryDirectory(prefix="long-log.") as folder:
        path = os.path.join(folder, "events.jsonl")
        written = write_long(path)
        size = os.path.getsize(path) >> 20
        for _ in range(rounds):
            for what, samples in took.items():
                samples.append(timed(what, path))
    median = {what: statistics.median(samples) for what, samples in took.items()}
    print(f"a log of {written} events ({size} MB), {rounds} rounds each, timed to 1 ms: Python's JSON reader {median[reader]:.2f} s")
    outside = 0
    for what, name in ((frame, "bascule replay, last frame"), (page, "bascule report --html")):
        ratio = median[what] / median[reader]
        outside += ratio > limits[what]
        print(f"  {'outside' if ratio > limits[what] else 'inside'}: {name} {median[what]:.2f} s, {ratio:.2f} of the reader (limit {limits[what]})")
    return outside > 0


sys.exit(main())
