#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""story_order.py RUN: the story of a run as its page tells it (report.html). In order of time, and no effect before its cause. Exit status 1 and a
sentence for each that is wrong."""
import json
import os
import re
import sys

NEEDS = {  # a moment of this kind needs one of that kind before it
    "fault-verified": ("fault",),
    "healed": ("fault",),
    "writes-back": ("writes-stop",),
    "reads-back": ("reads-stop",),
    "quorum-back": ("quorum-lost",),
}
EFFECTS = ("demoted", "key-gone", "key-stolen", "quorum-lost", "service", "watchdog")  # of nothing, before something is done


def read_story(run):
    with open(os.path.join(run, "report.html"), encoding="utf-8") as f:
        data = re.search(r'<script type="application/json" id="run-data">(.*?)</script>', f.read(), re.S).group(1)
    keys = ("t", "mood", "weight", "kind", "node", "text", "detail")
    return [dict(zip(keys, m)) for m in json.loads(data)["story"]]


def check(story):
    wrong = []

    def complain(m, why):
        wrong.append("%.3f s '%s': %s" % (m["t"] / 1e3, m["text"], why))

    for i, m in enumerate(story):
        before = story[:i]
        kinds = {x["kind"] for x in before}
        if before and before[-1]["t"] > m["t"]:
            complain(m, "stands after a later moment")
        if m["kind"] in NEEDS and not kinds & set(NEEDS[m["kind"]]):
            complain(m, "without %s before it" % " or ".join(NEEDS[m["kind"]]))
        if m["kind"] in EFFECTS and not kinds & {"fault", "act", "by-hand"}:
            complain(m, "stands before anything was done")
        if m["kind"] == "key-taken" and "was free for" in m["text"] and "key-gone" not in kinds:
            complain(m, "without its loss before it")
        if m["kind"] == "patroni" and "demotes its PostgreSQL" in m["text"]:
            for x in before:
                if x["kind"] == "demoted" and x["node"] == m["node"] and x["t"] + 1000 > m["t"] > x["t"] + 1:
                    complain(m, "stands after what it causes, '%s' at %.3f s" % (x["text"], x["t"] / 1e3))
    if not any(m["kind"] == "key-taken" for m in story):
        wrong.append("nobody ever takes the leader key")
    return wrong


def main():
    story = read_story(sys.argv[1])
    wrong = check(story)
    print("%d moments" % len(story))
    print("\n".join(wrong))
    return 1 if wrong or not story else 0


if __name__ == "__main__":
    sys.exit(main())
