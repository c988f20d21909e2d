# SPDX-License-Identifier: PostgreSQL
"""A process that looks like the first one of a lab. As a user does it in namespaces of his own:

  unshare --user --map-root-user --mount --pid --fork --kill-child --mount-proc python3 fake_lab.py NAME [TEXT]

It listens under NAME (escapes like \\x1b are understood) and answers every question with TEXT in the place of all words, or never.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys

name = sys.argv[1].encode("latin-1").decode("unicode_escape").encode("latin-1")
text = sys.argv[2].encode("latin-1", "surrogateescape").decode("unicode_escape") if len(sys.argv) > 2 else None
subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
folder = pathlib.Path("/run/bascule/control")
folder.mkdir(parents=True)
os.symlink("/nowhere", "/run/bascule/run-folder")
pathlib.Path("/proc/self/comm").write_text("bascule-lab")
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(os.fsencode(folder) + b"/" + name)
s.listen(16)
print("listening", flush=True)
while True:
    c = s.accept()[0]
    if text is not None and c.recv(65536):
        c.send(json.dumps({"ok": True, "state": text, "topology": text, "scenario": text, "why": text}, ensure_ascii=False).encode())
        c.close()
