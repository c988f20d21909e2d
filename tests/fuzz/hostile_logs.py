#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
# timeout: 600
"""Run folders that nobody's lab has written, given to every command that reads one. None may crash, hang, or end with an exit status
that is not documented; JSON stays JSON. The kinds and fields come from lab/record/event.h, so a new event is hostile at once.
"""
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

TREE = pathlib.Path(os.environ.get("BASCULE_TREE", pathlib.Path(__file__).resolve().parents[2]))
BASCULE = os.environ.get("BASCULE", str(TREE / "build" / "bascule"))
TIME_LIMIT = 60  # seconds: a hang, not a measure of this machine
RANDOM_RUNS = 16
REPORT_CODES = {0, 1, 2, 3, 4, 5}  # README.md
READ_CODES = {0, 2, 3}

ESCAPES = "\x1b]0;title\x07\x1b[31mred\x1b[2J" + "\u009b31mC1\u009d0;t\u009c" + "\u202egnp.exe\u202c" + "\u200b\u0301" * 50
MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{story}}{{data}}\"'`${1}"
WORDS = ["", "n1", "n2", "n3", "app", "leader", "asked", "effective", "verified", "healed", "failed", "done", "postgres", "patroni", "etcd",
         "n1,n2,n3", "streaming", "patroni.ttl", "node.power_off", "lost_writes", "1-100", "5-1,99999999999999999999-2",
         "1-18446744073709551615", "1-268435456," * 20, "1e308", "-nan", ESCAPES, MARKUP, "A" * 2000]


def event_table():
    """[(name in the log, [(type, field), ...]), ...] of every kind."""
    text = (TREE / "lab/record/event.h").read_text()
    kinds = re.findall(r'X\(([A-Z_]+), "([a-z_.]+)"\)', text)
    table = []
    for macro, name in kinds:
        body = re.search(rf"#define EVENT_FIELDS_{macro}\(F\)((?:.*\\\n)*.*)\n", text)
        table.append((name, re.findall(r"F\(([A-Z])(?:\([a-z_]+\))?, ([a-z_0-9]+)\)", body[1])))
    return table


TABLE = event_table()
NUMBERS = [0, 1, -1, 7, 10**6, 2**53, 2**53 + 1, -(2**53), 2**63 - 1, -(2**63), 2**64 - 1, 10**30, 1.5, 1e300, -1e300, 1e-308]


def value(kind, text, number):
    return {"N": text, "E": text, "S": text * 5, "B": True, "D": float(number), "L": "FFFFFFFF/FFFFFFFF" if number else "0/3000060"}.get(kind, number)


def beginning(extra=""):
    lines = [{"t": 0, "ev": "run.begin", "lab": "lab" + extra, "scenario": "sc" + extra, "title": "T" + extra, "seed": 1, "period_us": 10000}]
    for node in ("n1", "n2", "n3", "app"):
        lines.append({"t": 1, "ev": "node.info", "node": node + extra, "address": "10.0.0.1" + extra, "services": "postgres,patroni,etcd"})
        lines.append({"t": 1, "ev": "node.power", "node": node + extra, "on": True})
    return lines


def every_kind(text, number, first=1000, step=1000):
    lines, t = beginning(text), first
    for name, fields in TABLE:
        lines.append({"t": t, "ev": name, **{field: value(kind, text, number) for kind, field in fields}})
        t += step
    return lines + [{"t": t, "ev": "run.end", "reason": "completed", "detail": text}]


def anything(dice):
    """400 events of random kinds, out of order, with random fields."""
    lines = beginning()
    for i in range(400):
        name, fields = dice.choice(TABLE)
        event = {"t": dice.choice([i * 1000, 0, 2**64 - 1, 315360000000000, dice.getrandbits(64), dice.randrange(10**9)]), "ev": name}
        for kind, field in fields:
            if dice.random() < 0.7:
                event[field] = value(kind, dice.choice(WORDS), dice.choice(NUMBERS))
        lines.append(event)
    if dice.random() < 0.7:
        lines.append({"t": 500000, "ev": "run.end", "reason": dice.choice(["completed", "broken", "expectation", "interrupted", "skipped"])})
    return lines


def many():
    """More of everything than a lab has."""
    lines = beginning()
    lines += [{"t": i, "ev": "node.info", "node": f"z{i}", "address": "1", "services": "postgres,patroni"} for i in range(2000)]
    lines += [{"t": 10000 + i, "ev": "fault", "id": f"f{i}", "mechanism": "net.drop", "phase": "asked", "nodes": "n1"} for i in range(3000)]
    return lines + [{"t": 40000 + i, "ev": "manager", "node": f"z{i % 900}", "role": "r", "state": "s"} for i in range(3000)]


def raw(*lines):
    return [json.dumps(e).encode() + b"\n" for e in beginning()] + list(lines) + [b'{"t":6,"ev":"run.end","reason":"completed"}\n']


def runs():
    """name -> lines (objects or bytes)."""
    huge = 2**63 - 1
    yield "two lines of endless counts", [{"t": 1000, "ev": "run.begin", "period_us": huge},
                                          {"t": 20000, "ev": "client.tick", "w_tried": huge, "w_ok": huge}]
    yield "two lines of the largest counts that are read", [{"t": 1000, "ev": "run.begin", "period_us": 2**53},
                                                            {"t": 20000, "ev": "client.tick", "w_tried": 2**53, "w_ok": 2**53}]
    yield "escape sequences everywhere", every_kind(ESCAPES, 5)
    yield "markup everywhere", every_kind(MARKUP, 5)
    yield "the greatest numbers", every_kind("x", huge)
    yield "the greatest numbers in range", every_kind("x", 2**53)
    yield "the least numbers", every_kind("x", -(2**63))
    yield "times at the end of 64 bits", every_kind("x", 7, 2**64 - 10**6)
    yield "times of ten years", every_kind("n1", 7, 315360000000000 - 10**6)
    yield "steps of an hour", every_kind("n1", 3, 10, 3600 * 10**6)
    yield "all at once", every_kind("n1", 1, 0, 0)
    yield "a line of eight million bytes", raw(b'{"t":5,"ev":"log","node":"n1","text":"' + b"A" * 8_000_000 + b'"}\n')
    yield "brackets thirty thousand deep", raw(b'{"t":5,"ev":"log","x":' + b"[" * 30000 + b"}\n",
                                               b'{"t":5,"ev":"log","x":' + b"[" * 30000 + b"]" * 30000 + b',"node":"n1"}\n')
    yield "bytes that are no UTF-8", raw(b'{"t":5,"ev":"log","node":"n1","text":"a\x00b"}\n', b'\xff\xfe{"t":5}\n',
                                         b'{"t":5,"ev":"log","node":"n1","service":"x","level":"error","text":"\xff\xfe\xc0\x80\xed\xa0\x80\xf5\x90"}\n')
    yield "a last line without its end", raw()[:-1] + [b'{"t":6,"ev":"run.end"']
    yield "nothing", []
    yield "nothing but newlines", [b"\n" * 300000]
    yield "more than a lab has", many()
    for seed in range(RANDOM_RUNS):
        yield f"random events, seed {seed}", anything(random.Random(seed))


def write(folder, lines):
    folder.mkdir()
    with open(folder / "events.jsonl", "wb") as out:
        for line in lines:
            out.write(line if isinstance(line, bytes) else (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass"))
    with open(folder / "ledger.bin", "wb") as out:  # a header and records of noise
        out.write(b"BASCLED1" + (48).to_bytes(4, sys.byteorder) + (0x01020304).to_bytes(4, sys.byteorder))
        out.write(random.Random(len(lines)).randbytes(48 * 20 + 17))


def data_block(page):
    return json.loads(re.search(rb'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1])


COMMANDS = [
    (["report"], REPORT_CODES, None),
    (["report", "--json"], REPORT_CODES, json.loads),
    (["report", "--html=-"], REPORT_CODES, data_block),
    (["replay", "--to-text"], READ_CODES, None),
    (["replay", "--to-text", "--view=timeline", "--at=1s"], READ_CODES, None),
]


def complaint(folder, arguments, codes, parse):
    """What is wrong with how the command took the folder; None when nothing is."""
    try:
        done = subprocess.run([BASCULE, *arguments, str(folder)], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"no end after {TIME_LIMIT} s"
    said = done.stderr.decode(errors="replace")
    if done.returncode not in codes or re.search("Sanitizer|runtime error", said):
        return f"exit status {done.returncode}: {said[-1500:]}"
    if parse and done.stdout:
        try:
            parse(done.stdout)
        except (ValueError, TypeError) as e:
            return f"its output can't be parsed: {e}"
    return None


def main():
    failures = checks = 0
    with tempfile.TemporaryDirectory() as work:
        for number, (name, lines) in enumerate(runs()):
            folder = pathlib.Path(work) / f"run{number}"
            write(folder, lines)
            wrong = [f"{' '.join(arguments)}: {c}" for arguments, codes, parse in COMMANDS if (c := complaint(folder, arguments, codes, parse))]
            checks += 1
            failures += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} - a record with {name} is read or refused", flush=True)
            for line in "\n".join(wrong).splitlines():
                print("# " + line)
    print(f"1..{checks}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
