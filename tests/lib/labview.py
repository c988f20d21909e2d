# SPDX-License-Identifier: PostgreSQL
"""What the host can see of a lab, read from /proc alone: its processes, namespaces; and the host's own state."""
import ctypes
import os
import pathlib
import re

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """Orphans of killed commands come to us, so that no zombie hides behind another process."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(keep=()):
    """Reaps children that ended, but for those whose Popen objects wait for them."""
    for pid in children_of(os.getpid()):
        if pid not in keep and state_of(pid) == "Z":
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def stat_of(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()


def state_of(pid):
    stat = stat_of(pid)
    return stat[0] if stat else None


def parents():
    return {pid: int(stat[1]) for pid in pids() if (stat := stat_of(pid))}


def children_of(pid):
    return [child for child, parent in parents().items() if parent == pid]


def nspid(pid):
    """The process's pids from the outermost to the innermost pid namespace that we can see."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return []
    found = re.search(r"^NSpid:\s+(.*)$", status, re.MULTILINE)
    return [int(n) for n in found[1].split()] if found else []


def namespace(pid, kind):
    try:
        return os.stat(f"/proc/{pid}/ns/{kind}").st_ino
    except OSError:
        return None


def name_of(pid):
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return words[:100] or pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "(gone)"


def comm_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def supervisor_below(command):
    """The lab's pid 1: the child of the command that is number 1 in a pid namespace of its own. None before it exists."""
    depth = len(nspid(command))
    for pid in children_of(command):
        numbers = nspid(pid)
        if len(numbers) == depth + 1 and numbers[-1] == 1:
            return pid
    return None


def node_inits(supervisor):
    """Processes that are number 1 one pid namespace further in."""
    depth = len(nspid(supervisor))
    return [pid for pid in children_of(supervisor) if len(n := nspid(pid)) == depth + 1 and n[-1] == 1]


class Pinned:
    """A namespace held by a descriptor: the kernel gives numbers of dead namespaces to new ones, not while we hold it."""

    def __init__(self, pid, kind):
        self.kind = kind
        self.fd = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)  # raises OSError when the process is gone
        self.inode = os.fstat(self.fd).st_ino

    def members(self):
        return in_namespace(self.kind, self.inode)

    def close(self):
        os.close(self.fd)


def in_namespace(kind, inode):
    return [pid for pid in pids() if inode and namespace(pid, kind) == inode]


def host_state():
    """What a lab must leave as it was: mounts, network links, cgroups, shared memory, our files in folders for all."""
    mounts = {line.split(" ", 1)[1] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()}
    cgroups = set()
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        cgroups |= {f"{folder}/{name}" for name in names if "bascule" in name}
    return {
        "mounts": mounts,
        "links": set(os.listdir("/sys/class/net")),
        "cgroups": cgroups,
        "shared memory": set(own_files("/dev/shm")),
        "folders for all": {f"{d}/{name}" for d in ("/tmp", "/var/tmp") for name in own_files(d) if "storm" not in name},
    }


def own_files(folder):
    for entry in os.scandir(folder) if os.path.isdir(folder) else ():
        try:
            if entry.stat().st_uid == os.getuid():
                yield entry.name
        except OSError:
            pass


def host_difference(before, after):
    """Lines that say what appeared or vanished."""
    lines = []
    for what, old in before.items():
        lines += [f"{what}: appeared: {item}" for item in sorted(after[what] - old)]
        lines += [f"{what}: vanished: {item}" for item in sorted(old - after[what])]
    return lines
