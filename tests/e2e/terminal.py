#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
# timeout: 240
"""What logs, names, images, files and other users say reaches a terminal as plain text: no control, no escape sequence but bascule's own, no
mark that turns the direction of text. A pipe gets the bytes of `logs` as they are."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

BASCULE = os.environ["BASCULE"]
TREE = pathlib.Path(os.environ["BASCULE_TREE"])
work = pathlib.Path(tempfile.mkdtemp(prefix="terminal."))
LAB = f"term-{os.getpid()}"
# Colour, window title, C1 as a character and as a byte, bells, direction marks; a colour and a line's begin of bascule's own kind, too.
TEXT = "\x1b[31mPWN\x1b[0m\x1b]0;PWN\x07\x1b[2J\r\x1b[K\x08\u009b31m\u009d0;T\u009c\u202egnp\u202c\u200f\u061c\u2066é"
BYTES = TEXT.encode() + b"\x9b31m\x9d\xff\xc3"
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
OWN = re.compile(rb"\x1b\[(?:0|1|2|31|32|33)m|\r\x1b\[K|\x1b\[K|\x1b\[H\x1b\[2J|\r(?= {0,3}\d+ s  )|\r(?=\n)")
checks, failures = 0, 0
env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "BASCULE_IMAGES_DIR": str(work / "images")}


def check(sentence, ok, detail=""):
    global checks, failures
    checks += 1
    failures += not ok
    print(f"{'ok' if ok else 'not ok'} - {sentence}" + ("" if ok else f"\n# {detail}"), flush=True)


def on_terminal(args, seconds=60, stop_after=None):
    """What a terminal gets from the command; stop_after: ends it with Ctrl-C once these bytes have come."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(BASCULE, [BASCULE, *args], env)
    out, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(fd, 65536)
        except OSError:  # EIO: the other side is closed
            break
        if not piece:
            break
        out += piece
        if stop_after and stop_after in out:
            os.kill(pid, signal.SIGINT)
            stop_after = None
    else:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    return out


def plain(sentence, args, wanted=b"PWN", **more):
    """The command shows the hostile text (`wanted` is of it), and it is plain."""
    out = on_terminal(args, **more)
    check(f"{sentence}: shows what it is told", wanted in out, out[-600:])
    stolen = b"\x1b[31mPWN" in out or b"PWN\x1b[0m" in out
    left = OWN.sub(b"", out)
    bad = FORBIDDEN.search(left.decode("utf-8", errors="surrogateescape"))
    lone = re.search("[\udc80-\udcff]", left.decode("utf-8", errors="surrogateescape"))
    check(f"{sentence}: and nothing that commands the terminal", not (stolen or bad or lone), repr((bad, lone, stolen, left[:900])))


def hostile_run():
    """A run folder whose every event has the text in each of its fields."""
    kinds = re.findall(r'X\(([A-Z_]+), "([a-z_.]+)"\)', (TREE / "lab/record/event.h").read_text())
    header = (TREE / "lab/record/event.h").read_text()
    folder = work / "runs" / "20260101-000000-hostile"
    folder.mkdir(parents=True)
    lines = [{"t": 0, "ev": "run.begin", "lab": "x" + TEXT, "scenario": "s" + TEXT, "topology": "t" + TEXT, "program": TEXT, "seed": 1, "wall": 1, "mono": 1, "title": TEXT}]
    for n, (kind, name) in enumerate(kinds):
        found = re.search(r"#define EVENT_FIELDS_%s\(F\)((?:.*\\\n)*.*)\n" % kind, header)
        event = {"t": 1000 * (n + 1), "ev": name}
        for form, field in re.findall(r"F\(([NSE])(?:\([a-z_]+\))?, ([a-z_0-9]+)\)", found.group(1) if found else ""):
            event[field] = TEXT
        if name != "run.begin":
            lines.append(event)
    lines.append({"t": 900000, "ev": "run.end", "reason": "completed", "detail": TEXT})
    with open(folder / "events.jsonl", "w", encoding="utf-8") as f:
        f.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return folder


def hostile_tar():
    tree = work / "tree"
    for d in ("etc", "usr/lib", "usr/bin", "dev", "tmp", "var/lib/dpkg"):
        (tree / d).mkdir(parents=True)
    (tree / "usr/lib/os-release").write_text(f'PRETTY_NAME="Debian {TEXT}"\n')
    (tree / "etc/debian_version").write_text("99.1\n")
    (tree / "var/lib/dpkg/status").write_text(f"Package: postgresql-42\nStatus: install ok installed\nVersion: 42{TEXT}\n\n")
    with open(bytes(tree / "usr/lib") + b"/f" + BYTES.replace(b"/", b""), "wb") as f:
        f.write(b"x")
    tar = work / "small.tar"
    subprocess.run(["tar", "-C", tree, "-cf", tar, "."], check=True)
    return tar


def of_files():
    run = hostile_run()
    plain("an unknown command", [TEXT])
    plain("an argument too many", ["list", TEXT])
    plain("an option that is none", ["report", "--" + TEXT])
    plain("a lab that is not there", ["down", TEXT])
    plain("report of a hostile log", ["report", str(run)])
    plain("report --json", ["report", "--json", str(run)])
    plain("a run folder that is not there", ["report", TEXT])
    plain("compare", ["compare", str(run), str(run)], wanted=b"hostile")
    named = work / "runs" / f"20260101-000001-{TEXT}"
    shutil.copytree(run, named)
    plain("runs", ["runs", "--runs-dir", str(work / "runs")])
    bad = work / "bad.yaml"
    bad.write_text(f"title: \"{json.dumps(TEXT)[1:-1]}\"\ntopology: \"{json.dumps(TEXT)[1:-1]}\"\nsteps:\n  - inject: \"{json.dumps(TEXT)[1:-1]}\"\n")
    plain("check", ["check", str(bad)])
    shutil.copy(bad, work / f"bad{TEXT}.yaml")
    plain("check of a file with such a name", ["check", str(work / f"bad{TEXT}.yaml")])
    plain("run", ["run", str(bad), "--runs-dir", str(work / "runs")])
    page = work / "page.html"
    subprocess.run([BASCULE, "report", str(run), "--html", str(page)], env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    text = page.read_text(encoding="utf-8") if page.exists() else (run / "report.html").read_text(encoding="utf-8")
    found = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)
    check("the page has no control and no mark that turns the direction of text", "PWN" in text and not found, repr(found and text[max(0, found.start() - 60):found.end() + 20]))


def of_images():
    tar = hostile_tar()
    plain("image import", ["image", "import", str(tar)])
    plain("image list", ["image", "list"])
    listed = json.loads(subprocess.run([BASCULE, "image", "list", "--json"], env=env, check=False, capture_output=True).stdout)
    root = pathlib.Path(listed[0]["root"]) if listed else work
    (root / "etc" / f"new{TEXT}").write_text("x")
    plain("image verify", ["image", "verify", "small"])
    plain("an image that is not there", ["image", "verify", TEXT])
    tar.write_bytes(tar.read_bytes()[:3000] + BYTES * 20)
    plain("import of what is no tar", ["image", "import", str(tar), "--name", "broken"], wanted=b"error")


def of_others():
    """A process of ours that the kernel calls a lab, and that says what it likes."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
               "python3", str(TREE / "tests/lib/fake_lab.py"), "liar", TEXT.encode("unicode_escape").decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as liar:
        check("a liar is there", liar.stdout.readline() == b"listening\n")
        plain("list beside a liar", ["list"], seconds=30)
        plain("status of a liar", ["status", "--lab", "liar"], seconds=30)
        liar.kill()  # unshare holds SIGTERM back


def killed_at(sentence, seen, after):
    """A dashboard is killed so many seconds after a terminal that answers nothing was shown these bytes."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    child = subprocess.Popen([BASCULE, "replay", str(TREE / "tests/screen/logs/leader-crash.jsonl")], stdin=slave, stdout=slave, stderr=slave, env=env,
                             start_new_session=True)
    out, end = b"", time.monotonic() + 20
    while seen not in out and time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            out += os.read(master, 65536)
    time.sleep(after)
    changed = termios.tcgetattr(slave) != before
    child.kill()
    child.wait()
    end = time.monotonic() + 5
    while termios.tcgetattr(slave) != before and time.monotonic() < end:
        time.sleep(0.02)
    while select.select([master], [], [], 0.2)[0]:
        out += os.read(master, 65536)
    check(f"{sentence}: it had changed the modes of the terminal", changed, repr(out[-200:]))
    check(f"{sentence}: and they are as they were", termios.tcgetattr(slave) == before)
    check(f"{sentence}: the cursor too", out.rfind(b"\x1b[?25l") <= out.rfind(b"\x1b[?25h"), repr(out[-200:]))
    os.close(master)
    os.close(slave)


def of_a_killed_dashboard():
    killed_at("kill -9 while it asks for the background", b"\x1b]11;?", 0.05)
    killed_at("kill -9 as soon as it draws", b"\x1b[?1049h", 0)


def of_a_lab():
    up = subprocess.run([BASCULE, "up", "patroni-2", "--lab", LAB, "--runs-dir", str(work / "labs")], env=env, check=False, capture_output=True)
    check("a lab comes up", up.returncode == 0, up.stderr[-500:])
    if up.returncode:
        return
    env["BASCULE_LAB"] = LAB
    log = next((work / "labs").glob("*/nodes/n1/log/patroni/patroni.log"))
    with open(log, "ab") as f:
        f.write(b"2026-11-28 10:00:00,000 ERROR: " + BYTES + b"\n")
    plain("logs of all services", ["logs", "n1"])
    plain("logs of one", ["logs", "n1", "patroni"])
    plain("logs -f", ["logs", "-f", "n1", "patroni"], stop_after=b"PWN")
    piped = subprocess.run([BASCULE, "logs", "n1", "patroni"], env=env, check=False, capture_output=True).stdout
    check("a pipe gets the bytes of the log", BYTES in piped, piped[-300:])
    plain("inject with such a target", ["inject", "net.drop", TEXT])
    plain("logs of a node with such a name", ["logs", TEXT])
    plain("status", ["status"], wanted=b"n1")
    plain("the settings", ["settings", TEXT])
    plain("the end of a lab", ["down", LAB], wanted=b"is down")


try:
    of_files()
    of_images()
    of_others()
    of_a_killed_dashboard()
    of_a_lab()
finally:
    subprocess.run([BASCULE, "down", LAB], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["chmod", "-R", "u+w", work], check=False)
    shutil.rmtree(work, ignore_errors=True)
print(f"1..{checks}")
sys.exit(1 if failures or not checks else 0)
