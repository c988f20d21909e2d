#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""How fast a long log opens: a million events (some 150 MB) drawn as their last frame, against Python's JSON reader, which only parses the
same lines. Both in turn, ROUNDS times; the ratio of the medians has a limit, so that a slow or busy machine judges both alike.

Usage: replay.py PROGRAM LOG [ROUNDS]     exit status 1 when the ratio is above the limit
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

EVENTS, LIMIT = 1_000_000, 0.8
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


def ours(path):
    # Opening reads the log once to find its end and its marks; --to-text then folds it a second time to its end.
    subprocess.run([program, "replay", path, "--to-text", "--at", "0"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def reader(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            json.loads(line)


def timed(what, path):
    began = time.monotonic()
    what(path)
    return time.monotonic() - began


def main():
    took = {ours: [], reader: []}
    with tempfile.TemporaryDirectory(prefix="replay.") as folder:
        path = os.path.join(folder, "long.jsonl")
        written = write_long(path)
        size = os.path.getsize(path) >> 20
        for _ in range(rounds):
            for what, samples in took.items():
                samples.append(timed(what, path))
    mine, its = statistics.median(took[ours]), statistics.median(took[reader])
    word = "inside" if mine / its <= LIMIT else "outside"
    print(f"a log of {written} events ({size} MB): bascule replay {mine:.2f} s, Python's JSON reader {its:.2f} s")
    print(f"  {word}: replay / reader {mine / its:.2f} (limit {LIMIT}), {rounds} rounds each, timed to 1 ms")
    return word != "inside"


sys.exit(main())
