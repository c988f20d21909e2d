#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""What one more node costs, made of the host or of an image: memory (proportional set size of its processes) and disk (what its
overlay and its data directory hold, and the image once for all).

Measured as a difference: a lab of three PostgreSQL nodes and one of four, each idle for some seconds with writes flowing. Informs, judges nothing.
Usage: image.py PROGRAM [IMAGE]     exit status 77 when there is no such image
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import labview  # noqa: E402

program, image = os.path.realpath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "debian-13"
FOURTH = "from: patroni-3\ntitle: One node more\nnodes:\n  n4: {services: [postgres]}\n"


def bascule(*args):
    return subprocess.run([program, *args], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout


def pss_mb(pid):
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0.0
    return int(dict(line.split(":", 1) for line in lines)["Pss"].split()[0]) / 1024


def disk_mb(*folders):
    """What the files occupy."""
    total = 0
    for folder in folders:
        for path in pathlib.Path(folder).rglob("*"):
            try:
                total += path.lstat().st_blocks * 512
            except OSError:
                pass
    return total / (1 << 20)


def measure(topology, what):
    lab = f"image-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="image.") as runs:
        os.chmod(runs, 0o1777)
        path = topology
        if topology == "four":
            path = os.path.join(runs, "four.yaml")
            pathlib.Path(path).write_text(FOURTH)
        up = subprocess.run([program, "up", path, "--lab", lab, "--runs-dir", runs, "--set", f"image={what}", "--set", "storage=disk"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if up.returncode:
            print(f"image: {up.stderr.strip()}")
            sys.exit(77 if up.returncode == 4 else 1)
        try:
            time.sleep(8)
            supervisor = int(json.loads(bascule("status", "--json", "--lab", lab))["supervisor_pid"])
            mark = labview.namespace(supervisor, "user")
            memory = sum(pss_mb(pid) for pid in labview.in_namespace("user", mark))
            nodes = next(p for p in pathlib.Path(runs).iterdir() if p.is_dir()) / "nodes"
            disks = [n / "disk" for n in nodes.iterdir() if n.name.startswith("n")]
            root = sum(disk_mb(d / "root", d / "etc") for d in disks) / len(disks)
            data = sum(disk_mb(d / "postgresql") for d in disks) / len(disks)
        finally:
            bascule("down", lab)
    return memory, root, data


def main():
    rows = {}
    for what in ("host", image):
        three, four = measure("patroni-3", what), measure("four", what)
        rows[what] = four[0] - three[0], four[1], four[2], four[0]
    print("what one more node with PostgreSQL and Patroni costs:")
    for what, (memory, root, data, _) in rows.items():
        print(f"  made of {what:12} {memory:6.1f} MB memory   {root:6.2f} MB of its own root   {data:6.1f} MB data directory")
    store = pathlib.Path(os.environ.get("BASCULE_IMAGES_DIR") or pathlib.Path.home() / ".local/share/bascule/images")
    print(f"  the image itself, once: {disk_mb(store / image):.0f} MB")


main()
