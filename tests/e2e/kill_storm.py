#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
# timeout: 900
# alone
"""Kills at random moments (STORM_KILLS, 18): the command, the supervisor, a node's init, the disk agent; while a lab starts, runs, reads its
tables, writes its report, goes down; sessions, dashboards, replays; import, export and build of images. SIGKILL, SIGTERM, SIGINT, SIGHUP,
SIGQUIT, a terminal that goes away.

Nothing may be left (no process, whatever its uid, namespace or parent; no socket, no half-written file, nothing mounted on the host), nothing
may hang, the terminal is given back, and the record of a run that was killed opens and says so. The seed is printed; STORM_SEED repeats a
storm's choices (the moments stay those of the machine). STORM_ONLY="image build,top" plays only these; STORM_BUILD=1 builds images as well,
from Debian's packages. The rounds are in tests/lib/storm*.py.
"""
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import labview  # noqa: E402
import storm_clients as clients  # noqa: E402
import storm_images as images  # noqa: E402
import storm_labs as labs  # noqa: E402
from storm import BASCULE  # noqa: E402

KILLS = int(os.environ.get("STORM_KILLS", "18"))
SIDE_BY_SIDE = int(os.environ.get("STORM_JOBS", "3"))
SEED = int(os.environ.get("STORM_SEED", random.randrange(1, 10**6)))
KINDS = [labs.Start, clients.Top, images.Import, labs.Middle, clients.Exec, clients.Report, labs.FinalRead, clients.Replay, images.Export,
         labs.WritingReport, clients.Shell, labs.DiskAgent, clients.Top, images.Import, labs.Stop, clients.Replay, labs.Down, clients.Exec]
LAB = f"storm-{os.getpid()}"
tell = threading.Lock()


def kinds():
    all_kinds = KINDS + [images.Build] * 3 if os.environ.get("STORM_BUILD") == "1" else KINDS
    only = [word.strip() for word in os.environ.get("STORM_ONLY", "").split(",") if word.strip()]
    return [kind for kind in all_kinds if not only or kind.kind in only]


def lab_needed():
    """Some rounds of this storm die on the one lab that stands for all of them."""
    return any(kind in (clients.Exec, clients.Shell, clients.Top) for kind in kinds())


def one_round(number, common):
    kind = kinds()[number % len(kinds())]
    print(json.dumps(kind(number, SEED, common).run()))


def bascule(*args, good=(0,), **env):
    """The seconds that it took."""
    began = time.monotonic()
    done = subprocess.run([BASCULE, *map(str, args)], env={**os.environ, **env}, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode not in good:
        sys.exit(f"not ok - {' '.join(map(str, args))}: {done.returncode}\n{done.stderr}")
    return time.monotonic() - began


def prepare(work):
    """What the rounds share: a tar, a store with it, how long things take here and now, and a lab that stands."""
    common = {"lab": LAB, "tar": str(work / "small.tar"), "images": str(work / "images"), "build_takes": 45}
    images.make_tar(common["tar"])
    store = {"BASCULE_IMAGES_DIR": common["images"]}
    common["import_takes"] = bascule("image", "import", common["tar"], "--name", "base", **store)
    common["export_takes"] = bascule("image", "export", "base", work / "timed.tar.gz", **store)
    common["report_takes"] = bascule("report", clients.small_run(work), "--html", good=range(6))
    if lab_needed():
        bascule("up", "patroni-2", "--lab", LAB, "--runs-dir", work / "runs")
    path = work / "common.json"
    path.write_text(json.dumps(common))
    return path


def say(number, result):
    with tell:
        print(f"{'not ok' if result['complaints'] else 'ok'} - kill {number}: {result['kind']}: {result['hit']}, after {result['delay']:.2f} s")
        for line in result["complaints"]:
            print(f"#   {line}")
        if result["said"]:
            print("#   | " + result["said"].replace("\n", "\n#   | "))
        sys.stdout.flush()


def worker(numbers, common, results):
    while True:
        with tell:
            number = next(numbers, None)
        if number is None:
            return
        argv = [sys.executable, __file__, "--round", str(number), str(common)]
        try:
            done = subprocess.run(argv, env={**os.environ, "STORM_SEED": str(SEED)}, capture_output=True, text=True, timeout=420, check=False)
            result = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError) as e:
            result = {"kind": "?", "hit": "?", "met": False, "delay": 0, "complaints": [f"the round itself broke: {e!r}"], "said": ""}
        say(number, result)
        results.append(result)


def check(sentence, good, lines=()):
    print(f"{'ok' if good else 'not ok'} - {sentence}")
    for line in lines:
        print("#   " + line)
    return bool(good)


def listed():
    return LAB in subprocess.run([BASCULE, "list", "--names"], capture_output=True, text=True, check=False).stdout.split()


def is_healthy():
    told = subprocess.run([BASCULE, "status", "--json", "--lab", LAB], capture_output=True, text=True, check=False)
    return told.returncode == 0 and json.loads(told.stdout)["healthy"]


def lab_stands():
    """The lab that so many clients died on is listed, becomes healthy within a minute, and goes down with nothing lost: "" or what is not so."""
    if not listed():
        return "it is not there any more"
    said, end = "", time.monotonic() + 60  # a Patroni may be late on a busy machine
    while not (healthy := is_healthy()) and time.monotonic() < end:
        time.sleep(0.5)
    down = subprocess.run([BASCULE, "down", LAB], capture_output=True, text=True, check=False)
    said += "" if healthy else "it is not healthy; "
    said += "" if down.returncode == 0 and "NOTHING LOST: " in down.stdout else f"down: {down.returncode}: {down.stdout}{down.stderr}; "
    return said + ("it is still listed" if listed() else "")


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="storm."))
    work.chmod(0o755)
    before = labview.host_state()
    common = prepare(work)
    print(f"# seed {SEED}, {KILLS} kills, {SIDE_BY_SIDE} at a time; load {os.getloadavg()[0]:.0f}")
    numbers, results = iter(range(KILLS)), []
    threads = [threading.Thread(target=worker, args=(numbers, common, results)) for _ in range(SIDE_BY_SIDE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = True
    if lab_needed():
        wrong = lab_stands()
        good = check("the lab that the clients died on is there, healthy, and goes down with nothing lost", not wrong, wrong.splitlines())
    difference = labview.host_difference(before, labview.host_state())
    good &= check("the host's mounts, links, cgroups, shared memory and folders for all are what they were", not difference, difference)
    # A storm that met only what had ended would prove nothing.
    met = sum(r["met"] for r in results)
    good &= check(f"most kills met the one who was meant, alive ({met} of {KILLS})", met * 10 >= KILLS * 6)
    for kind, count in sorted(collections.Counter(r["kind"] for r in results).items()):
        print(f"# {count:4} {kind}, {sum(1 for r in results if r['kind'] == kind and not r['met'])} of them met nobody")
    failed = not good or any(r["complaints"] for r in results) or len(results) != KILLS
    print(f"1..{KILLS + 2 + lab_needed()}")
    subprocess.run(["chmod", "-R", "u+w", str(work)], check=False)
    if not failed or os.environ.get("STORM_KEEP") != "1":
        subprocess.run(["rm", "-rf", str(work)], check=False)
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--round"]:
        one_round(int(sys.argv[2]), sys.argv[3])
        sys.exit(0)
    sys.exit(main())
