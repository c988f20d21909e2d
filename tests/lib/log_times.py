#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""log_times.py EVENTS: the times of the daemons' log lines in a run's events.jsonl. Exit status 1 and a sentence for each that can't be.

Recorded logs of older programs have no `read`: their `t` is the time of reading, and the same rules hold."""
import json
import sys

MARKED_MOST = 0.5  # of the lines whose clocks nobody shifted: their stamps are readable, or the reader is broken


def check(events):
    wrong, last, on_since, off_since, latest = [], {}, {}, {}, 0
    lines = marked = 0
    shifted = set()
    for number, e in enumerate(events, 1):
        t, kind = e.get("t", 0), e.get("ev")
        if kind == "node.power":
            (on_since if e.get("on") else off_since)[e["node"]] = t
        if kind == "fault" and e.get("mechanism") == "clock.skew":
            shifted.update(e.get("nodes", "").split(","))
        if kind != "log":
            latest = max(latest, t)
            continue
        node, daemon, read = e["node"], (e["node"], e["service"]), e.get("read", 0)
        said = "line %d, %s %s %.6f s '%s'" % (number, node, e["service"], t / 1e6, e.get("text", ""))
        if read and t > read:
            wrong.append(said + " was written after it was read")
        if t < last.get(daemon, 0):
            wrong.append(said + " comes after a later line of the same daemon")
        if t < on_since.get(node, 0) and read and off_since.get(node, 0) < t:
            wrong.append(said + " was written while the node was off")
        last[daemon] = t
        # A note of the reader's own begins with a bracket; HAProxy writes no stamp.
        if read and node not in shifted and e["service"] in ("patroni", "postgresql") and not e.get("text", "").startswith("("):
            lines += 1
            marked += t == read
    if lines >= 10 and marked > MARKED_MOST * lines:
        wrong.append("%d of %d lines have the time at which they were read" % (marked, lines))
    print("%d lines of Patroni and PostgreSQL, %d with the time of reading" % (lines, marked))
    return wrong


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as f:
        wrong = check([json.loads(line) for line in f if line.startswith("{") and line.endswith("}\n")])
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
