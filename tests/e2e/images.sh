#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 700
# Images: what is made of a tar, what is refused, what an interruption leaves (nothing), and who notices a changed file.
# With BASCULE_TEST_IMAGES=1 and a network also a real one from Debian's packages.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
export BASCULE_IMAGES_DIR=$work/images
store=$BASCULE_IMAGES_DIR
image() { "$BASCULE" image "$@"; }
without() { unshare --user --map-current-user --keep-caps --mount --propagation slave -- sh -c "$@"; }
unfinished() { find "$store" -maxdepth 1 \( -name '.new-*' -o -name '.gone-*' \) | wc -l; }
contents() { find "$store" -maxdepth 1 -type d -name 'sha256-*' | wc -l; }
id_of() { image list --json | python3 -c 'import json, sys; print(next(i["id"] for i in json.load(sys.stdin) if i["name"] == sys.argv[1]))' "$1"; }
root_of() { image list --json | python3 -c 'import json, sys; print(next(i["root"] for i in json.load(sys.stdin) if i["name"] == sys.argv[1]))' "$1"; }

# ---- a small root file system
tree=$work/tree
mkdir -p "$tree"/{etc,usr/lib,usr/bin,dev,tmp,var/lib/dpkg}
chmod 1777 "$tree/tmp"
printf 'PRETTY_NAME="Debian GNU/Linux 99 (small)"\n' >"$tree/usr/lib/os-release"
ln -s ../usr/lib/os-release "$tree/etc/os-release"
ln -s usr/bin "$tree/bin"
echo 99.1 >"$tree/etc/debian_version"
printf 'Package: %s\nStatus: install ok installed\nVersion: %s\n\n' postgresql-42 42.1-1 patroni 9.8-2 etcd-server 7.6.5-1 haproxy 1:3.2.1-4 >"$tree/var/lib/dpkg/status"
cp /bin/true "$tree/usr/bin/tool"
chmod 4755 "$tree/usr/bin/tool"
ln "$tree/usr/bin/tool" "$tree/usr/bin/tool2"
head -c 200000 /dev/urandom >"$tree/usr/lib/data"
echo no >"$tree/dev/null"
tar -C "$tree" -cf "$work/small.tar" .
tar -C "$tree" -czf "$work/small.tar.gz" etc usr var tmp dev bin # without "./" in front

exits 0 'no image yet: list' image list
says 'image build debian-13' 'and it says how to make one'
exits 2 'verify of one that is not there' image verify small
says "there is no image 'small'.*bascule image build small" 'names the command that builds it'

# ---- import
exits 0 'import of a tar' image import "$work/small.tar"
says 'Debian GNU/Linux 99 \(small\), PostgreSQL 42.1, Patroni 9.8, etcd 7.6.5, HAProxy 3.2.1' 'tells release and upstream versions'
says 'unpacking' 'and what it was doing'
exits 0 'list' image list
says '^small +Debian GNU/Linux 99 \(small\) +42.1 +9.8 +7.6.5 +3.2.1 .*sha256:[0-9a-f]{12} complete' 'has it'
check 'list --json as well' image list --json
root=$(root_of small)
check 'its files are ours' test -z "$(find "$root" ! -user "$(id -un)")"
check 'nothing in it is setuid' test -z "$(find "$root" -perm /6000)"
check 'its /dev is empty' test -z "$(ls -A "$root/dev")"
check 'nobody else can walk in' test "$(stat -c %a "$(dirname "$root")")" = 700
check 'hard links stay hard links' test "$root/usr/bin/tool" -ef "$root/usr/bin/tool2"
(umask 077 && image import "$work/small.tar.gz" --name again) >"$out" 2>&1
check 'the same files compressed, under another name and umask: the same content id' test "$(id_of small)" = "$(id_of again)"
check 'and the content is there once' test "$(contents)" = 1
exits 0 'export' image export small "$work/copy.tar.gz"
check 'is compressed as its name says' gzip -t "$work/copy.tar.gz"
exits 0 'and can be imported' image import "$work/copy.tar.gz" --name copy
check 'with the same content id' test "$(id_of small)" = "$(id_of copy)"
exits 0 'doctor' "$BASCULE" doctor
says 'image +small: PostgreSQL 42.1, Patroni 9.8' 'lists it with its versions'

# ---- verify
exits 0 'verify' image verify small
says '^small: intact' 'says intact'
printf x | dd of="$root/usr/lib/data" bs=1 seek=1000 conv=notrunc status=none
touch -d '2020-01-01' "$root/usr/lib/data"
rm "$root/etc/debian_version"
echo new >"$root/etc/added"
chmod 700 "$root/usr/bin/tool"
exits 1 'verify of a changed one: exit status 1' image verify small
says '^differs +/usr/lib/data' 'names the file with another byte'
says '^missing +/etc/debian_version' 'the one that is gone'
says '^new +/etc/added' 'the one that came'
says '^differs +/usr/bin/tool \(f 0755 .*f 0700 ' 'and the one with another mode'
says '5 of its files' 'all of them and no other' # tool2 is tool
exits 1 'verify --json' image verify --json small
check 'names them too' python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); assert not r["intact"] and {c["path"] for c in r["changes"]} == {"usr/lib/data", "etc/debian_version", "etc/added", "usr/bin/tool", "usr/bin/tool2"}, r' "$out"
exits 0 'imported again' image import "$work/small.tar"
exits 0 'it is mended' image verify small
echo >>"$(dirname "$root")/manifest"
exits 1 'a changed manifest is noticed' image verify small
says 'manifest was changed' 'and named'
rm "$(dirname "$root")/image.json"
exits 0 'a damaged one is listed' image list
says '^small .*damaged' 'as damaged'
exits 0 'and is replaced' image import "$work/small.tar"

# ---- remove
exits 0 'remove' image remove again
exits 0 'and another' image remove copy
check 'the content stays while a name needs it' test "$(contents)" = 1
if without true; then
  mkdir "$work/mnt"
  # shellcheck disable=SC2016
  unshare --user --map-current-user --keep-caps --mount --propagation slave -- sh -c 'mount --bind "$0" "$1" && echo >"$1.ready" && exec sleep 60' "$root" "$work/mnt" &
  holder=$!
  check 'a process has it mounted' within 10 test -e "$work/mnt.ready"
  exits 2 'it cannot be removed from under a lab' image remove small
  says "in use \(process $holder\)" 'and the message names the process'
  kill "$holder"
  wait "$holder" 2>/dev/null
else
  skip 'it cannot be removed from under a lab' 'user namespaces cannot be made here'
fi
exits 0 'then it can' image remove small
check 'and nothing is left' test "$(contents)" = 0

# ---- what is refused
refused() { # SENTENCE REGEX ARGUMENTS...: exit status 2, one message, nothing left
  exits 2 "$1" image "${@:3}"
  says "$2" "$1: the message says why"
  check "$1: nothing is left" test "$(contents)$(unfinished)" = 00
}
head -c 100000 /dev/urandom >"$work/noise.tar"
head -c 150000 "$work/small.tar" >"$work/cut.tar"
: >"$work/empty.tar"
tar -C "$tree/usr" -cf "$work/part.tar" bin
refused 'noise' 'does not look like a tar' import "$work/noise.tar"
refused 'a tar cut short' 'Unexpected EOF' import "$work/cut.tar"
refused 'an empty file' 'does not look like a tar' import "$work/empty.tar"
refused 'a tar that is no root file system' 'os-release' import "$work/part.tar"
refused 'a file that is not there' 'nowhere.tar' import "$work/nowhere.tar"
refused 'a folder' 'is a folder' import "$tree"
refused 'a bad name' 'is no name for an image' import "$work/small.tar" --name ../up
refused 'host as a name' "host's own" import "$work/small.tar" --name host
refused 'a name that tells no suite' 'say --suite' build mine
refused 'a wrong command' "did you mean 'import'" imprt
python3 - "$work/evil.tar" <<'PYTHON'
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w") as t:
    def add(name, data=b"x", **kind):
        i = tarfile.TarInfo(name)
        i.size = len(data) if not kind else 0
        for k, v in kind.items(): setattr(i, k, v)
        t.addfile(i, io.BytesIO(data) if not kind else None)
    add("usr/lib/os-release", b"PRETTY_NAME=evil\n")
    add("link", type=tarfile.SYMTYPE, linkname="../../..")
    add("link/escaped")
PYTHON
image import "$work/evil.tar" >"$out" 2>&1
check 'a tar that would write beside the store does not' test ! -e "$work/escaped" -a ! -e "$store/escaped"
image remove evil >/dev/null 2>&1

# Holes and depth cost nothing to make, and hours to read.
python3 - "$work" <<'PYTHON'
import io, os, sys, tarfile
work = sys.argv[1]
def tar(name, fill):
    with tarfile.open(f"{work}/{name}.tar", "w", format=tarfile.PAX_FORMAT) as t:
        i = tarfile.TarInfo("usr/lib/os-release")
        i.size = 17
        t.addfile(i, io.BytesIO(b"PRETTY_NAME=evil\n"))
        fill(t)
def deep(n):
    def fill(t):
        i = tarfile.TarInfo("d/" * n + "x")
        i.type = tarfile.DIRTYPE
        t.addfile(i)
    return fill
tar("deep", deep(400))
tar("deeper", deep(10000))
for name, size in (("huge", 1 << 40), ("slow", 31 << 30)):
    os.makedirs(f"{work}/{name}/usr/lib")
    with open(f"{work}/{name}/usr/lib/os-release", "w") as f: f.write("PRETTY_NAME=evil\n")
    with open(f"{work}/{name}/holes", "w") as f: f.truncate(size)
PYTHON
tar -C "$work/huge" -cSf "$work/huge.tar" .
tar -C "$work/slow" -cSf "$work/slow.tar.holes" .
refused 'a file of 1 TiB with nothing in it' 'larger than 32 GiB' import "$work/huge.tar"
refused 'folders 400 deep' 'more than 256 deep' import "$work/deep.tar"
refused 'folders 10000 deep' 'a path in it is longer' import "$work/deeper.tar"
check "and each message is one line" test "$(grep -c . "$out")" -le 2

# ---- interrupted
mkfifo "$work/slow.tar"
import_slowly() { # a tar that stops in the middle
  "$BASCULE" image import "$work/slow.tar" --name slow >"$work/slow.out" 2>&1 &
  importer=$!
  exec 7>"$work/slow.tar"
  head -c 100000 "$work/small.tar" >&7
  within 10 test -n "$(find "$store" -path '*/.new-*/root/*' -print -quit)"
}
import_slowly
check 'an import in the middle' test "$(unfinished)" = 1
exits 0 'is no image' image list
says 'no image yet' 'list does not show it'
says '1 unfinished' 'but says that one is at work'
kill -TERM "$importer"
wait "$importer"
check 'a signal ends it by that signal' test $? = 143
exec 7>&-
check 'with one message' grep -q 'interrupted; nothing was kept' "$work/slow.out"
check 'and nothing is left' test "$(contents)$(unfinished)" = 00
import_slowly
kill -KILL "$importer"
wait "$importer" 2>/dev/null
exec 7>&-
check 'kill -9 leaves a folder that is no image' test "$(unfinished)" = 1
exits 0 'which the next import' image import "$work/small.tar"
says 'clearing away' 'clears away'
check 'entirely' test "$(contents)$(unfinished)" = 10

"$BASCULE" image import "$work/slow.tar.holes" --name holes >"$work/slow.out" 2>&1 &
importer=$!
check 'a large file is being read' within 30 grep -q 'computing the content id' "$work/slow.out"
kill -TERM "$importer"
is_gone() { ! kill -0 "$importer" 2>/dev/null; }
check 'a signal does not wait for its end' within 5 is_gone
wait "$importer"
check 'and it was the signal' test $? = 143
check 'nothing of it is left' test "$(contents)$(unfinished)" = 10
mkdir "$store/.new-deep"
python3 - "$store/.new-deep" <<'PYTHON'
import os, sys
os.chdir(sys.argv[1])
for i in range(10000):
    os.mkdir("d")
    os.chdir("d")
os.chmod(".", 0)
PYTHON
exits 0 'an import after one that was killed in a tree 10000 deep' image import "$work/small.tar"
check 'clears that away too' test "$(contents)$(unfinished)" = 10

# ---- two at a time
image remove small
image import "$work/small.tar" --name one >"$work/one.out" 2>&1 &
image import "$work/small.tar.gz" --name two >"$work/two.out" 2>&1 &
wait
exits 0 'two imports at a time' image verify one
exits 0 'are two good images' image verify two

# ---- a full disk
if without true; then
  head -c 8000000 /dev/zero >"$tree/usr/lib/zeros"
  tar -C "$tree" -czf "$work/large.tar.gz" .
  mkdir "$work/tiny"
  # shellcheck disable=SC2016
  exits 3 'a full disk: exit status 3' without 'mount -t tmpfs -o size=3m,mode=755 tiny "$1" && BASCULE_IMAGES_DIR=$1 "$0" image import "$2"; code=$?; ls -A "$1"; exit $code' "$BASCULE" "$work/tiny" "$work/large.tar.gz"
  check 'one message' test "$(grep -c 'error:' "$out")" = 1
  says 'the disk is full' 'that says so'
  check 'nothing half-made' test -z "$(grep -E '^(\.new|\.gone|sha256)' "$out")"
  # shellcheck disable=SC2016
  exits 0 'doctor where mmdebstrap is missing: labs run all the same' without 'mount --bind /dev/null /usr/bin/mmdebstrap && exec "$0" doctor' "$BASCULE"
  says 'building images +missing: sudo apt-get install mmdebstrap' 'and it says what installs it'
  # shellcheck disable=SC2016
  exits 4 'a build there: exit status 4' without 'mount --bind /dev/null /usr/bin/mmdebstrap && exec "$0" image build debian-13' "$BASCULE"
  says "can't be built here: missing: sudo apt-get install mmdebstrap" 'with the same advice'
else
  skip 'a full disk' 'user namespaces cannot be made here'
fi

# ---- matrix
exits 4 'a matrix on an image that is not there: exit status 4' "$BASCULE" matrix switchover leader-crash --image nowhere --runs-dir "$runs"
says '^switchover +nowhere .*skipped' 'has a row for it'
says "switchover on nowhere: there is no image 'nowhere'.*bascule image build nowhere" 'with the command that builds it'
check 'and leaves no folder' test -z "$(ls -A "$runs")"
exits 2 'a scenario that is not there: exit status 2' "$BASCULE" matrix swichover --runs-dir "$runs"
exits 2 'an image named twice' "$BASCULE" matrix switchover --image host,host
"$BASCULE" matrix switchover --image host,nowhere --runs 2 --json --runs-dir "$runs" >"$work/matrix.json" 2>"$work/matrix.err"
check 'two runs on the host beside it: exit status 4, for what was skipped' test $? = 4
check 'with numbers of both runs, and what was skipped has none' python3 -c '
import json, sys
host, nowhere = json.load(open(sys.argv[1]))["rows"]
assert host["verdict"] == "2 pass" and host["exit_status"] == 0, host["verdict"]
assert host["write_outage"]["runs"] == 2 and 0 < host["write_outage"]["min_ms"] <= host["write_outage"]["median_ms"] <= host["write_outage"]["max_ms"]
assert host["write_outage"]["error_ms"] > 0 and host["versions"]["postgresql"] and host["lost"] == 0
assert all(r["result"]["scenario"] == "switchover" for r in host["runs"])
assert nowhere["verdict"] == "2 skipped" and nowhere["write_outage"] is None and nowhere["lost"] is None' "$work/matrix.json"
check 'each run has its folder' test "$(find "$runs" -name result.json | wc -l)" = 2

# ---- for real
if [ "${IMAGES_TEST:-}" = 1 ]; then
  exits 0 'a build from Debian packages' image build real --suite trixie --bare --package less
  exits 0 'is intact' image verify real
  check 'and has what was asked for' test -x "$(root_of real)/usr/bin/less"
  "$BASCULE" image build stopped --suite trixie --bare >"$work/stopped.out" 2>&1 &
  builder=$!
  check 'a build at work' within 60 grep -q 'extracting archives' "$work/stopped.out"
  kill -KILL "$builder"
  wait "$builder" 2>/dev/null
  gone() { [ -z "$(find "${TMPDIR:-/var/tmp}" /var/tmp -maxdepth 1 -name "bascule-image-$(id -u)-*" 2>/dev/null)" ]; }
  check 'kill -9 of it: its scratch folder goes too' within 30 gone
  exits 0 'and another build' image build stopped --suite trixie --bare
  check 'clears the rest' test "$(unfinished)" = 0
else
  skip 'a build from Debian packages' 'it downloads 60 MB: BASCULE_TEST_IMAGES=1'
fi
