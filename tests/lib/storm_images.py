# SPDX-License-Identifier: PostgreSQL
"""Rounds of the kill storm around images: import, export, build."""
import os
import pathlib
import shutil
import signal
import tarfile
import tempfile
import time

import labview
from storm import Round


def make_tar(path, files=1500, size=20000):
    """A root file system that takes a second to unpack."""
    tree = pathlib.Path(str(path) + ".tree")
    for folder in ("etc", "usr/lib", "usr/bin", "usr/share", "dev", "tmp", "var/lib/dpkg"):
        (tree / folder).mkdir(parents=True)
    (tree / "usr/lib/os-release").write_text('PRETTY_NAME="Debian GNU/Linux 99 (small)"\n')
    (tree / "etc/debian_version").write_text("99.1\n")
    (tree / "var/lib/dpkg/status").write_text("Package: postgresql-42\nStatus: install ok installed\nVersion: 42.1-1\n\n")
    for i in range(files):
        (tree / f"usr/share/f{i}").write_bytes(os.urandom(64) * (size // 64))
    with tarfile.open(path, "w") as tar:
        tar.add(tree, ".")
    shutil.rmtree(tree)


class ImageRound(Round):
    def __init__(self, *args):
        super().__init__(*args)
        self.store = self.work / "images"
        self.env = {"BASCULE_IMAGES_DIR": str(self.store)}

    def unfinished(self):
        return [p.name for p in self.store.iterdir() if p.name.startswith((".new", ".gone"))] if self.store.exists() else []

    def contents(self):
        return [p.name for p in self.store.iterdir() if p.name.startswith("sha256-")] if self.store.exists() else []

    def check_store(self, name):
        """The image is there and whole, or is not there; the next command clears what a kill -9 has left."""
        listed = self.call("image", "list", "--json", env=self.env)
        there = listed is not None and f'"{name}"' in listed.stdout
        if there:
            verified = self.call("image", "verify", name, env=self.env, seconds=120)
            self.demand(f"an image that is listed is intact: {verified and verified.stdout}", verified and verified.returncode == 0)
        if self.signal != signal.SIGKILL:
            self.demand(f"a signal leaves nothing unfinished: {self.unfinished()}", not self.unfinished())
        again = self.call("image", "import", self.common["tar"], "--name", "again", env=self.env, seconds=120)
        self.demand(f"the next import succeeds: {again and again.stderr}", again and again.returncode == 0)
        self.demand(f"and clears everything away: {self.unfinished()}", not self.unfinished())
        self.demand(f"contents: {self.contents()}", len(self.contents()) <= 2)


class Import(ImageRound):
    kind = "image import"

    def play(self):
        if self.rng.random() < 0.3:  # over an image of the same content, which it replaces
            self.call("image", "import", self.common["tar"], "--name", "storm", env=self.env, seconds=120)
        command = self.start("image", "import", self.common["tar"], "--name", "storm", env=self.env)
        self.sleep(self.common["import_takes"] * 1.2)
        self.strike(command.pid, "import")
        self.ends(command, 15)
        self.nothing_lives(3)
        self.check_store("storm")


class Export(ImageRound):
    kind = "image export"

    def play(self):
        target = self.work / "exported"
        target.mkdir()
        env = {"BASCULE_IMAGES_DIR": self.common["images"]}
        file = target / self.rng.choice(("image.tar", "image.tar.gz"))
        command = self.start("image", "export", "base", file, env=env)
        self.sleep(self.common["export_takes"] * 1.3)
        self.strike(command.pid, "export")
        self.ends(command, 15)
        self.nothing_lives(3)
        self.only(target, [file.name])
        if file.exists():
            with tarfile.open(file) as tar:
                self.demand("an exported tar is whole", len(tar.getnames()) > 1000)


class Build(ImageRound):
    """mmdebstrap from Debian's packages: STORM_BUILD=1 and a network."""

    kind = "image build"

    def play(self):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="storm-", dir="/var/tmp"))
        scratch.chmod(0o755)
        self.env["TMPDIR"] = str(scratch)
        command = self.start("image", "build", "storm", "--suite", "trixie", "--bare", env=self.env)
        self.sleep(self.common["build_takes"])
        victim = self.rng.choice(("command", "command", "guardian", "builder"))
        below = labview.children_of(command.pid)
        guardian = next((p for p in below if os.getsid(p) == p), None) if below else None
        builders = labview.children_of(guardian) if guardian else []
        pid = {"command": command.pid, "guardian": guardian, "builder": builders[0] if builders else None}[victim]
        if victim == "command":
            self.strike(pid, victim)
        elif self.strike_else(pid, victim, signal.SIGKILL, command.pid):
            self.signal = signal.SIGKILL if victim == "guardian" else signal.SIGTERM
        self.ends(command, 90)
        self.nothing_lives(20)
        if self.met and victim == "guardian":  # its folder is cleared by the next build
            time.sleep(0.2)
            again = self.start("image", "build", "next", "--suite", "nosuchsuite", "--bare", env=self.env)
            self.ends(again, 60, "the next build")
            self.nothing_lives(5)
        self.only(scratch, [])
        shutil.rmtree(scratch, ignore_errors=True)
        self.check_store("storm")
