# SPDX-License-Identifier: PostgreSQL
"""Sockets in the host's abstract namespace under names of labs, as labs once had them, held by a process that calls itself a lab's:

  forge_names.py UID NAME...

Escapes like \\x1b are understood. A NAME with ! behind it is full: whoever connects waits for ever. "bound N" is printed once the kernel lists
all of them and the full ones refuse.
"""
import pathlib
import socket
import sys
import time


def forged(uid, name):
    return f"bascule/{uid}/" + name.rstrip("!").encode("latin-1").decode("unicode_escape")


def bind(address, full):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind("\0" + address)
    s.listen(0 if full else 16)
    return s


def fill(s):
    """The connections that fill its queue; one more would wait."""
    held = []
    while len(held) < 16:
        c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        c.setblocking(False)
        held.append(c)
        try:
            c.connect(s.getsockname())
        except BlockingIOError:
            return held
    sys.exit("the queue of a full socket takes everybody")


owner, names = sys.argv[1], sys.argv[2:]
pathlib.Path("/proc/self/comm").write_text("bascule-lab")
sockets = [bind(forged(owner, name), name.endswith("!")) for name in names]
queues = [fill(s) for s, name in zip(sockets, names) if name.endswith("!")]
listed = pathlib.Path("/proc/net/unix").read_text(encoding="latin-1")
assert all("@" + forged(owner, name) in listed for name in names), listed
print("bound", len(sockets), flush=True)
time.sleep(230)
