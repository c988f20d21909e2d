#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
"""One good run, damaged in many ways, sealed and with its seal taken away. A damaged record must not pass; one that still passes must give the very
result that the whole one gives. What is missing must be named, and no damage may make a split brain. docs/decisions/record-proof.md."""
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile

BASCULE = os.environ["BASCULE"]
work = pathlib.Path(tempfile.mkdtemp(prefix="damage."))
dice = random.Random(20)
checks, failures = 0, 0

SCENARIO = """
title: A run to be damaged
topology: patroni-3
workload: {writes: 50, reads: 10}
steps:
  - name: handover
    do: cluster.switchover
  - name: changed
    wait: {becomes: leader changed and a leader exists, within: 90s}
  - name: flowing
    wait: {becomes: writes flow, for: 1s, within: 90s}
  - name: cut
    inject: net.drop
    target: any_replica
  - name: uncut
    heal: cut
    after: 1s
  - name: complete
    wait: {becomes: cluster is complete, within: 120s}
expect:
  write_outage: <= 60s
  new_leader: yes
  lost_writes: 0
  split_brain: no
  same_history: yes
"""


def check(sentence, ok, detail=""):
    global checks, failures
    checks += 1
    failures += not ok
    print(f"{'ok' if ok else 'not ok'} - {sentence}" + ("" if ok else f"\n# {detail}"), flush=True)


class Record:
    """events.jsonl as lines with their newlines, ledger.bin, plan.json; None = no such file."""

    def __init__(self, lines, ledger, plan):
        self.lines, self.ledger, self.plan = lines, ledger, plan

    @staticmethod
    def read(folder):
        return Record((folder / "events.jsonl").read_bytes().splitlines(True), (folder / "ledger.bin").read_bytes(), (folder / "plan.json").read_bytes())

    def write(self, folder):
        folder.mkdir()
        (folder / "events.jsonl").write_bytes(b"".join(self.lines))
        for name, data in (("ledger.bin", self.ledger), ("plan.json", self.plan)):
            if data is not None:
                (folder / name).write_bytes(data)

    def but(self, lines=None, **files):
        return Record(self.lines if lines is None else lines, files.get("ledger", self.ledger), files.get("plan", self.plan))

    def unsealed(self):  # as an older bascule has written it
        return self.but([line.replace(b',"sealing":true', b"") for line in self.lines if kind(line) != "record.seal"])


def kind(line):
    found = re.search(rb'"ev":"([^"]*)"', line)
    return found.group(1).decode() if found else ""


def of(line, **fields):
    return all(f'"{key}":{json.dumps(value)}'.encode() in line for key, value in fields.items())


def places(r, name, **fields):
    return [i for i, line in enumerate(r.lines) if kind(line) == name and of(line, **fields)]


def without(r, name, **fields):
    gone = set(places(r, name, **fields))
    return r.but([line for i, line in enumerate(r.lines) if i not in gone])


def put(r, changes):  # {index: line}
    return r.but([changes.get(i, line) for i, line in enumerate(r.lines)])


def change(r, i, old, new):
    line = re.sub(old, new, r.lines[i], count=1)
    assert line != r.lines[i], (r.lines[i], old)
    return put(r, {i: line})


def before(r, i):
    return r.but(r.lines[:i])


def garbage(n):
    return bytes(dice.randrange(32, 127) for _ in range(n)) + b"\n"


def some(r, n):
    body = [i for i, line in enumerate(r.lines) if kind(line) not in ("run.begin", "record.seal")]
    return dice.sample(body, n)


def swap(r, i, k):
    return put(r, {i: r.lines[k], k: r.lines[i]})


def twice(r, i):
    return r.but(r.lines[: i + 1] + r.lines[i:])


def flip(data, at, bit):
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def record(r, n):  # offset of the ledger's n-th record
    return 16 + 48 * n


def poke(r, n, offset, data):
    at = record(r, n) + offset
    return r.but(ledger=r.ledger[:at] + data + r.ledger[at + len(data) :])


def planned(r, edit):
    plan = json.loads(r.plan)
    edit(plan)
    return r.but(plan=json.dumps(plan).encode())


def damages(r):
    """(name, damaged record). Those that only a seal can notice begin with 'seal: '."""
    kinds = sorted({kind(line) for line in r.lines} - {"record.seal"})
    for k in kinds:
        yield f"every '{k}' deleted", without(r, k)
    for phase in ("asked", "effective", "verified", "heal_asked", "healed", "heal_verified"):
        yield f"fault phase {phase} deleted", without(r, "fault", phase=phase)
    yield "all phases of the healing deleted", r.but([x for x in r.lines if not (kind(x) == "fault" and b'"phase":"heal' in x)])
    yield "the outcome of the act deleted", without(r, "action", phase="done")
    for state in ("ready", "collecting", "stopping"):
        yield f"lab.state {state} deleted", without(r, "lab.state", state=state)
    for i in places(r, "expect"):
        yield f"expectation {json.loads(r.lines[i])['kind']} deleted", r.but(r.lines[:i] + r.lines[i + 1 :])
    for node in ("n1", "n2", "n3"):
        yield f"node.info of {node} deleted", without(r, "node.info", node=node)
        yield f"every sql of {node} deleted", without(r, "sql", node=node)
        yield f"final.read of {node} deleted", without(r, "final.read", node=node)
    yield "the steps' ends deleted", without(r, "step", state="done")

    yield "nine lines are garbage", put(r, {i: garbage(80) for i in some(r, 9)})
    yield "one line is garbage", put(r, {i: garbage(80) for i in some(r, 1)})
    yield "half the lines are garbage", put(r, {i: garbage(60) for i in some(r, len(r.lines) // 2)})
    yield "one line in twenty is of an unknown kind", put(r, {i: re.sub(rb'"ev":"', b'"ev":"x', r.lines[i]) for i in some(r, len(r.lines) // 20)})
    for k in ("expect", "fault", "client.tick", "node.info"):
        yield f"every '{k}' is of an unknown kind", put(r, {i: r.lines[i].replace(f'"ev":"{k}"'.encode(), b'"ev":"no.such"') for i in places(r, k)})
    yield "a fault phase that nobody knows", put(r, {i: r.lines[i].replace(b'"phase":"effective"', b'"phase":"effected"') for i in places(r, "fault", phase="effective")})
    yield "a service in a state that nobody knows", put(r, {i: r.lines[i].replace(b'"state":"started"', b'"state":"strated"') for i in places(r, "service", state="started")[:1]})
    yield "a line of a mebibyte", r.but(r.lines[:50] + [b"x" * (1 << 20) + b"\n"] + r.lines[50:])
    yield "an empty line", r.but(r.lines[:50] + [b"\n"] + r.lines[50:])
    yield "two lines joined", put(r, {60: r.lines[60].rstrip(b"\n")})
    yield "a line in two", put(r, {60: r.lines[60][:20] + b"\n" + r.lines[60][20:]})
    yield "a page of NULs", r.but([b"".join(r.lines)[:9000] + b"\0" * 4096 + b"".join(r.lines)[13096:]])
    yield "a NUL in a line", put(r, {70: r.lines[70][:15] + b"\0" + r.lines[70][16:]})
    yield "a broken character of UTF-8", put(r, {70: r.lines[70][:-3] + b"\xff" + r.lines[70][-3:]})
    yield "no newline at the end", put(r, {len(r.lines) - 1: r.lines[-1].rstrip(b"\n")})

    ends = {"run.begin": 1, "the expectations": places(r, "expect")[-1] + 1, "ready": places(r, "lab.state", state="ready")[0],
            "the first tick": places(r, "client.tick")[0], "the fault": places(r, "fault")[0], "the fault's effect": places(r, "fault")[1],
            "its healing": places(r, "fault", phase="heal_asked")[0], "the final read": places(r, "final.rows")[0],
            "the second final read": places(r, "final.rows")[1], "run.end": places(r, "run.end")[0]}
    for name, i in ends.items():
        yield f"cut before {name}", before(r, i)
    yield "cut after run.end", before(r, places(r, "run.end")[0] + 1)
    yield "cut within run.end", r.but(r.lines[: places(r, "run.end")[0]] + [r.lines[places(r, "run.end")[0]][:30]])
    for name in ("the fault", "ready", "its healing"):  # the middle is gone, the end is there
        yield f"everything from {name} to the final read is gone", r.but(r.lines[: ends[name]] + r.lines[ends["the final read"] :])
    yield "the first line is gone", r.but(r.lines[1:])
    yield "empty", r.but([])

    x, f = places(r, "expect"), places(r, "fault")
    yield "two expectations swapped", swap(r, x[0], x[1])
    yield "two phases of the fault swapped", swap(r, f[1], f[2])
    yield "the first two lines swapped", swap(r, 0, 1)
    yield "two ticks swapped", swap(r, places(r, "client.tick")[20], places(r, "client.tick")[21])
    yield "backwards", r.but(r.lines[::-1])
    yield "the halves swapped", r.but(r.lines[len(r.lines) // 2 :] + r.lines[: len(r.lines) // 2])

    limit = places(r, "expect", kind="write_outage")[0]
    yield "an expectation's limit is higher", change(r, limit, rb'"max":\d+', b'"max":90000000')
    yield "an expectation's limit is gone", change(r, limit, rb'"has_max":true,', b"")
    yield "an expectation has a law", change(r, limit, rb'("kind":"write_outage")', rb'\1,"inside":true')
    yield "an expectation is of another kind", change(r, limit, rb'"kind":"write_outage"', b'"kind":"read_outage"')
    yield "an expectation wants the contrary", change(r, places(r, "expect", kind="new_leader")[0], rb',"wanted":true', b"")
    ticks = [i for i in places(r, "client.tick") if b'"w_ok":' in r.lines[i]]
    yield "a tick has more acknowledged writes", change(r, ticks[9], rb'"w_ok":(\d+)', rb'"w_ok":1\1')
    yield "a tick is earlier", change(r, ticks[30], rb'"from":\d', b'"from":')
    yield "a final read has more rows", change(r, places(r, "final.read")[0], rb'"rows":', b'"rows":1')
    yield "a final read has fewer chunks", change(r, places(r, "final.read")[0], rb'"chunks":1', b'"chunks":0')
    yield "rows of the final read are gone", change(r, places(r, "final.rows")[0], rb'"ranges":"1-', b'"ranges":"9-')
    yield "the run ended otherwise", change(r, places(r, "run.end")[0], rb'"completed"', b'"expectation"')
    yield "another seed", change(r, 0, rb'"seed":', b'"seed":1')
    yield "another scenario", change(r, 0, rb'"scenario":"', b'"scenario":"x')

    for name, i in (("run.begin", 0), ("an expectation", x[0]), ("a tick", ticks[5]), ("a phase of the fault", f[2]),
                    ("a final.rows", places(r, "final.rows")[0]), ("run.end", places(r, "run.end")[0])):
        yield f"{name} is there twice", twice(r, i)
    yield "the log is there twice", r.but(r.lines + r.lines)
    yield "another run's log behind it", r.but([r.lines[0].replace(b'"seed":', b'"seed":1')] + r.lines)

    yield "n2 is called n9", r.but([line.replace(b'"n2"', b'"n9"') for line in r.lines])
    yield "n2 is called n9 in node.info", put(r, {i: r.lines[i].replace(b'"n2"', b'"n9"') for i in places(r, "node.info", node="n2")})
    yield "n2 is called n9 in sql", put(r, {i: r.lines[i].replace(b'"n2"', b'"n9"') for i in places(r, "sql", node="n2")})
    yield "n2 is called n3 in sql", put(r, {i: r.lines[i].replace(b'"n2"', b'"n3"') for i in places(r, "sql", node="n2")})
    yield "n2 has no PostgreSQL", put(r, {i: r.lines[i].replace(b'"services":"postgres,patroni', b'"services":"') for i in places(r, "node.info", node="n2")})

    n = (len(r.ledger) - 16) // 48
    writes = [k for k in range(n) if r.ledger[record(r, k) + 38 : record(r, k) + 40] == b"\1\1"]
    yield "the ledger is gone", r.but(ledger=None)
    yield "the ledger is empty", r.but(ledger=b"")
    yield "the ledger has no records", r.but(ledger=r.ledger[:16])
    yield "half of the ledger", r.but(ledger=r.ledger[: record(r, n // 2)])
    yield "the ledger lacks its last record", r.but(ledger=r.ledger[:-48])
    yield "the ledger ends within a record", r.but(ledger=r.ledger[:-20])
    yield "the ledger lacks a record", r.but(ledger=r.ledger[: record(r, 40)] + r.ledger[record(r, 41) :])
    yield "the ledger holds a record twice", r.but(ledger=r.ledger[: record(r, 41)] + r.ledger[record(r, 40) :])
    yield "the ledger's end is zeros", r.but(ledger=r.ledger[: record(r, n - 20)] + bytes(48 * 20))
    yield "the ledger is of another program", r.but(ledger=b"X" + r.ledger[1:])
    yield "an acknowledged write became a failed one", poke(r, writes[30], 39, b"\2")
    yield "an acknowledgement came earlier", poke(r, writes[30], 24, b"\1\0\0\0\0\0\0\0")
    yield "an operation is of no kind", poke(r, writes[30], 38, b"\7")
    yield "another run's ledger", r.but(ledger=r.ledger[:16] + b"".join(
        r.ledger[record(r, k) : record(r, k) + 24] + (int.from_bytes(r.ledger[record(r, k) + 24 : record(r, k) + 32], "little") + 1500).to_bytes(8, "little")
        + r.ledger[record(r, k) + 32 : record(r, k) + 48] for k in range(n)))

    yield "the plan is gone", r.but(plan=None)
    yield "the plan is empty", r.but(plan=b"")
    yield "the plan is cut", r.but(plan=r.plan[:500])
    yield "the plan has an expectation less", planned(r, lambda p: p["expect"].pop())
    yield "the plan has a step more", planned(r, lambda p: p["steps"].append({**p["steps"][0], "name": "more"}))
    yield "another run's plan", planned(r, lambda p: p.update(seed=p["seed"] + 1))
    yield "seal: expectations are gone from plan and log", planned(without(r, "expect"), lambda p: p.update(expect=[]))

    # One observation that is a little different, or gone: without a seal nobody can know.
    for i in some(r, 12):
        yield f"seal: line {i + 1} is gone", r.but(r.lines[:i] + r.lines[i + 1 :])
    whole = b"".join(r.lines)
    for at in dice.sample(range(sum(map(len, r.lines[:-1]))), 12):
        yield f"seal: a bit of byte {at} is turned", r.but([flip(whole, at, dice.randrange(8))])
    for at in dice.sample(range(16, len(r.ledger)), 4):
        yield f"seal: a bit of the ledger's byte {at} is turned", r.but(ledger=flip(r.ledger, at, dice.randrange(8)))
    yield "seal: a space more", change(r, 80, rb"}\n", b" }\n")
    yield "seal: lines end in CR LF", r.but([line.replace(b"\n", b"\r\n") for line in r.lines])


def seal_damages(r):
    seal = len(r.lines) - 1
    if kind(r.lines[seal]) != "record.seal":
        return
    yield "the seal is gone", before(r, seal)
    yield "the seal's hash is another", change(r, seal, rb'"sha256":"..', b'"sha256":"zz')
    yield "the seal tells of more lines", change(r, seal, rb'"lines":', b'"lines":1')
    yield "the seal tells of another ledger", change(r, seal, rb'"ledger_sha256":"..', b'"ledger_sha256":"zz')
    yield "the seal tells of another plan", change(r, seal, rb'"plan_sha256":"..', b'"plan_sha256":"zz')
    yield "the seal tells of lost events", change(r, seal, rb'"lines"', b'"lost":3,"lines"')
    yield "the seal is garbage", put(r, {seal: garbage(100)})


def shown(folder):  # by the two that show a record without judging it: what compare says of it, and the dashboard's first line
    compared = subprocess.run([BASCULE, "compare", "--json", str(folder), str(folder)], capture_output=True, timeout=120, check=False)
    frame = subprocess.run([BASCULE, "replay", "--to-text", "--at", "1s", str(folder)], capture_output=True, timeout=120, check=False)
    return {"compare": json.loads(compared.stdout) if compared.stdout else None, "title": frame.stdout.decode(errors="replace").partition("\n")[0]}


def judge(r, show=None):
    """Exit status, result (None: it printed none) and what was said beside it."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    r.write(folder / "r")
    done = subprocess.run([BASCULE, "report", "--json", str(folder / "r")], capture_output=True, timeout=120, check=False)
    if show is not None:
        show.update(shown(folder / "r"))
    shutil.rmtree(folder)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr.decode(errors="replace")


def same(a, b):
    return {**a, "record": None} == {**b, "record": None}


def is_marked(result, show):
    """Both must say what the report says: no difference to a damaged record is a result, and no frame of it is shown without a word."""
    record = result.get("record", {})
    bad = not record.get("complete") and not record.get("live")
    compared = show["compare"]
    if compared is None or compared["result"] is bad or any(r["record"]["missing"] != record["missing"] for r in compared["runs"]):
        return False
    return ("!DAMAGED REPLAY" in show["title"]) is bad and ("!UNSEALED REPLAY" in show["title"]) is (not bad and not record.get("sealed"))


REFUSED = ("empty", "the ledger is empty", "the ledger is of another program")  # nothing in them to judge
EXITS = {"pass": 0, "fail": 1, "error": 3, "invalid": 4}
CRASH = re.compile("Sanitizer|runtime error:|Traceback|[Aa]ssert|core dumped")


def has_its_end(r):
    for line in b"".join(r.lines).split(b"\n"):
        try:
            if json.loads(line.decode(errors="replace"), strict=False).get("ev") == "run.end":
                return True
        except (ValueError, AttributeError):
            pass
    return False


def allowed(name, r, sealed):
    """The verdicts that are right for this damage; None: the record is refused."""
    damage = name.split(", ", 1)[1]
    if damage in REFUSED:
        return (None,)
    if damage.startswith("seal: a bit of byte"):  # it may be one that makes of the run's end something else
        return ("invalid", "error")
    if not has_its_end(r):
        return ("error",)
    if sealed:  # what lies behind a seal is not the record's
        return ("pass",) if damage == "the log is there twice" else ("invalid",)
    return ("fail",) if damage == "the run ended otherwise" else ("invalid", "pass")


def verdict_on(name, r, told, whole, sealed, show):
    code, result, said = told
    verdict = result and result["verdict"]
    text = f"exit status {code}, " + (f"{verdict}: {result['reason']} {result.get('record')}" if result else "no result") + f"; {said}"
    if CRASH.search(said) or code != EXITS.get(verdict, 2):
        return check(f"{name}: report ends in good order, with the exit status of its verdict", False, text)
    if verdict not in allowed(name, r, sealed):
        return check(f"{name}: the verdict is one of {allowed(name, r, sealed)}", False, text)
    if result is None:
        return check(f"{name}: refused, with the reason", re.match("bascule: error: .{10}", said), said)
    if not is_marked(result, show):
        return check(f"{name}: compare and replay mark it as the report does", False, f"{result.get('record')} {show}")
    if verdict == "pass" and not same(result, whole):
        return check(f"{name}: no pass", False, f"{text}; differs in {[key for key in whole if result.get(key) != whole[key] and key != 'record']}")
    if result["split_brain_ms"]:
        return check(f"{name}: no split brain is made of it", False, text)
    if verdict == "invalid" and not result.get("record", {}).get("missing"):
        return check(f"{name}: what is missing is named", False, text)
    return check(f"{name}: {verdict}" + (", the same result" if verdict == "pass" else ""), True)


def main():
    scenario, runs = work / "damaged.yaml", work / "runs"
    scenario.write_text(SCENARIO)
    made = subprocess.run([BASCULE, "run", str(scenario), "--runs-dir", str(runs)], capture_output=True, text=True, timeout=300, check=False)
    check("the run passes", made.returncode == 0, made.stdout[-3000:] + made.stderr[-2000:])
    good = Record.read(next(runs.iterdir()))
    show = {}
    code, whole, _ = judge(good, show)
    check("compare and replay show it without a mark", is_marked(whole, show) and "!" not in show["title"], str(show))
    check("it is sealed, and whole", code == 0 and whole["verdict"] == "pass" and whole.get("record", {}).get("sealed") and whole["record"]["complete"], str(whole.get("record")))
    old = good.unsealed()
    _, plain, _ = judge(old)
    check("without its seal the rules find nothing missing, and the result is the same", same(plain, whole) and plain.get("record", {}).get("sealed") is False, str(plain.get("record")))
    _, after, _ = judge(good.but(good.lines + [b"garbage\n", b'{"t":1,"ev":"expect"}\n']))
    check("what follows the seal changes nothing", same(after, whole) and after.get("record", {}).get("complete", False), str(after.get("record")))

    jobs = [("sealed, " + name, r, True) for name, r in damages(good)] + [("sealed, " + name, r, True) for name, r in seal_damages(good)]
    jobs += [("no seal, " + name, r, False) for name, r in damages(old) if not name.startswith("seal: ")]
    check(f"there are at least 300 ways ({len(jobs)})", len(jobs) >= 300)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        shows = [{} for _ in jobs]
        for (name, r, sealed), told, show in zip(jobs, pool.map(lambda job, show: judge(job[1], show), jobs, shows), shows):
            verdict_on(name, r, told, whole, sealed, show)
    shutil.rmtree(work)
    print(f"1..{checks}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
