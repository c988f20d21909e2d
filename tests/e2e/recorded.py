#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
"""What bascule says of runs that older programs recorded stays what it was: numbers, sentences, screens. Needs no lab.

tests/recorded/NAME.tar.xz is the folder of a run (its log, its ledger, its plan), of tests/screen/logs the log alone; both are never made
anew. Beside them lies what was said of each: NAME.json (result.json) and NAME.txt (the text report and screens of the dashboard).
UPDATE_GOLDEN=1 writes these anew: look at every difference before it is committed. In result.json only new keys may be one; each key has its
place in docs/measures.md.

`recorded.py --add RUN_FOLDER NAME` packs a run."""
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

TREE = pathlib.Path(os.environ.get("BASCULE_TREE", pathlib.Path(__file__).parents[2]))
BASCULE = os.environ.get("BASCULE", str(TREE / "build-check/bascule"))
RECORDED, LOGS = TREE / "tests/recorded", TREE / "tests/screen/logs"
KEPT = "events.jsonl", "ledger.bin", "plan.json"
VIEWS = "cluster", "dcs", "replication", "timeline", "client"


def say(*arguments):
    """Standard output; a report's exit status is its verdict."""
    done = subprocess.run([BASCULE, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode > 5 or done.returncode < 0 or not done.stdout:
        return f"bascule {arguments[0]} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def changed(old, new, path=""):
    """Sentences about what `old` and `new` do not say in the same way."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [c for k in {**old, **new} for c in (
            [f"{path}.{k} is gone"] if k not in new else [f"{path}.{k} is new (UPDATE_GOLDEN=1)"] if k not in old
            else changed(old[k], new[k], f"{path}.{k}"))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [c for i, pair in enumerate(zip(old, new)) for c in changed(*pair, f"{path}[{i}]")]
    return [] if type(old) is type(new) and old == new else [f"{path} was {json.dumps(old)}, is {json.dumps(new)}"]


def documented():
    """The rows of docs/measures.md, "result.json": each key with the words of its row."""
    section = (TREE / "docs/measures.md").read_text().split("\n## result.json\n")[1].split("\n## ")[0]
    cells = [line.strip("| ").split(" | ", 1) for line in section.splitlines() if line.startswith("| ")]
    rows = {key: set(re.findall(r"\w+", row)) for keys, row in cells for key in keys.split(", ")}
    return {**rows, "faults": rows["fault"]}  # "the same keys"


def keys_below(value):
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set(value if isinstance(value, dict) else ()).union(*map(keys_below, items))


def undocumented(result, rows):
    return [f"docs/measures.md, \"result.json\", has no {key}" for key in result if key not in rows] + [
        f"docs/measures.md, \"result.json\", {key}, has no {below}" for key, value in result.items() if key in rows and key != "versions"
        for below in sorted(keys_below(value) - rows[key])]


def tell(name, complaints):
    print(f"{'not ok' if complaints else 'ok'} - {name}")
    for c in complaints[:40]:
        print(f"#   {c}")
    sys.stdout.flush()
    return bool(complaints)


def golden(path, now):
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(now)
    return path.read_text() if path.exists() else ""


def judge(name, folder):
    log = folder / "events.jsonl"
    result = say("report", "--json", folder)
    was = golden(RECORDED / f"{name}.json", result)
    try:
        complaints = changed(json.loads(was), json.loads(result)) + undocumented(json.loads(result), documented())
    except ValueError as e:
        complaints = [f"no JSON: {e}", was[:200], result[:200]]
    failed = tell(f"{name}: the numbers of result.json", complaints)
    text = say("report", folder).replace(str(folder), "RUN")
    for view in VIEWS:
        text += f"\n---- {view}\n" + say("replay", "--to-text", "--ascii", "--size=132x40", "--view", view, log)
    was = golden(RECORDED / f"{name}.txt", text)
    return tell(f"{name}: the report's words and the dashboard's screens",
                list(difflib.unified_diff(was.splitlines(), text.splitlines(), "was", "is", lineterm="", n=1))) or failed


def judge_strange(source, folder):
    """A word that no bascule has ever written: what is not understood is said, whoever reads the log."""
    lines = source.read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if '"ev":"service"' in line and '"state":"started"' in line)
    lines[at] = lines[at].replace("started", "strated")
    (folder / "events.jsonl").write_text("".join(lines))
    words = f"1 line of events.jsonl holds a word that this program does not know (the first is line {at + 1}: 'strated' as state of service)"
    result, text = json.loads(say("report", "--json", folder)), " ".join(say("report", folder).split())
    return tell("a word that nobody knows is named, and the record is not whole", [
        *([] if words in " ".join(result["record"]["missing"]) else [str(result["record"])]),
        *([] if not result["record"]["complete"] and result["verdict"] == "invalid" else [result["verdict"]]),
        *([] if words in text else [text])])


def add(run, name):
    with tarfile.open(RECORDED / f"{name}.tar.xz", "w:xz") as tar:
        for file in KEPT:
            if (run / file).exists():
                tar.add(run / file, file, filter=lambda i: i.replace(uid=0, gid=0, uname="", gname="", mtime=0, deep=False))


def main():
    if sys.argv[1:2] == ["--add"]:
        add(pathlib.Path(sys.argv[2]), sys.argv[3])
        return 0
    failed = n = 0
    with tempfile.TemporaryDirectory() as work:
        for source in sorted(RECORDED.glob("*.tar.xz")) + sorted(LOGS.glob("*.jsonl")):
            name = source.name.split(".")[0] + ("-log" if source.suffix == ".jsonl" else "")
            folder = pathlib.Path(work) / name
            folder.mkdir()
            if source.suffix == ".jsonl":
                (folder / "events.jsonl").write_bytes(source.read_bytes())
            else:
                with tarfile.open(source) as tar:
                    tar.extractall(folder)
            failed += judge(name, folder)
            n += 1
        strange = pathlib.Path(work) / "strange"
        strange.mkdir()
        failed += judge_strange(LOGS / "leader-crash.jsonl", strange)
    failed += tell("there are such runs", [] if n >= 20 else [f"{n} only"])
    return 1 if failed else 0


sys.exit(main())
