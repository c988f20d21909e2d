#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 300
# An image whose folders and files are links out of it, absolute ones and ones with "..", is imported and made a lab of: whatever the link
# names on the host is neither read nor changed, and the lab ends with a sentence. tests/sandbox/test_sandbox_image.c tries each folder alone.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
export BASCULE_IMAGES_DIR=$work/images
lab=evil-$$
victim=$work/victim
up=../../../../../../../../../../../../../../../..

# What the links name: a home with a secret in it, laid out so that every link finds what it looks for.
mkdir -p "$victim"/{inner,postgresql/15/bin,etcd,log,apt}
for file in passwd group hostname hosts os-release precious; do echo "swordfish:x:1:1::/:/bin/sh" >"$victim/$file"; done
: >"$victim/postgresql/15/bin/postgres"
picture() { find "$victim" -printf '%P %y %m %s %T@ %n\n' | sort; }
picture >"$work/before"

# A root file system with every program that a lab looks for; the daemons end at once.
small=$work/small
mkdir -p "$small"/{etc,srv/var/lib/{postgresql,etcd},srv/var/log,srv/tmp,usr/bin,usr/lib/postgresql/15/bin,usr/lib/python3/dist-packages/etcd,var/lib/dpkg,dev,tmp}
ln -s usr/bin "$small/bin"
for program in sh cat ls rm id touch; do
  file=$(readlink -f "$(command -v $program)")
  cp "$file" "$small/usr/bin/$program"
  ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$small${library%/*}"
    cp -n "$library" "$small$library"
  done
done
for program in usr/bin/patroni usr/bin/etcd usr/bin/etcdctl usr/bin/haproxy usr/lib/postgresql/15/bin/postgres usr/lib/postgresql/15/bin/initdb; do
  printf '#!/bin/sh\ncat /etc/passwd /var/lib/precious /var/log/precious /run/precious /tmp/precious 2>/dev/null\necho %s of the image >&2\nexit 1\n' "$program" >"$small/$program"
  chmod 755 "$small/$program"
done
printf 'PRETTY_NAME="Debian GNU/Linux 12 (evil)"\n' >"$small/usr/lib/os-release"
echo 12.1 >"$small/etc/debian_version"
printf 'root:x:0:0::/:/bin/sh\npostgres:x:4242:4343::/var/lib/postgresql:/bin/sh\npelican:x:7:7::/:/bin/sh\n' >"$small/etc/passwd"
printf 'root:x:0:\npostgres:x:4343:\n' >"$small/etc/group"
printf 'Package: %s\nStatus: install ok installed\nVersion: %s\n\n' postgresql-15 15.1-1 patroni 3.0.2-1 etcd-server 3.4.23-4 haproxy 2.6.12-1 >"$small/var/lib/dpkg/status"

nothing_read() { ! grep -rqs swordfish "$runs"; }
try() { # NAME WORDS PLACE=TARGET...: an image with these links, imported and started; it, or its lab, ends with these words (extended regex)
  local name=$1 words=$2 tree=$work/tree link place
  shift 2
  chmod -R u+w "$tree" 2>/dev/null
  rm -rf "$tree"
  cp -a "$small" "$tree"
  for link in "$@"; do
    place=$tree/${link%%=*}
    rm -rf "$place"
    mkdir -p "$(dirname "$place")"
    ln -s "${link#*=}" "$place"
  done
  tar -C "$tree" -cf "$work/$name.tar" .
  if "$BASCULE" image import "$work/$name.tar" >"$out" 2>&1; then
    timeout -s INT -k 60 45 "$BASCULE" up patroni-2 --lab "$lab" --set image="$name" --runs-dir "$runs" >"$out" 2>&1 </dev/null
    local code=$?
    check "$name: the lab breaks, and ends by itself" test "$code" = 3
    check "$name: with this sentence" grep -qE "THE LAB BROKE: .*$words" "$out"
    "$BASCULE" image remove "$name" >/dev/null 2>&1
  else
    check "$name: is refused with this sentence" grep -qE "^bascule: error: import .*$words" "$out"
  fi
  sed 's/^/# /' "$out" | tail -n 3
  picture >"$work/after"
  check "$name: what the links name is untouched" diff "$work/before" "$work/after"
  check "$name: and nothing of it was read into the run" nothing_read
  if [ "$name" = harmless ]; then
    check "$name: what its programs read is in the run" grep -rqs '^pelican:x:7' "$runs" --include='*.log'
  fi
  check "$name: nothing is left of it" test -z "$(find "$BASCULE_IMAGES_DIR" -maxdepth 1 \( -name '.new-*' -o -name '.gone-*' \))"
  chmod -R u+w "$runs" 2>/dev/null
  rm -rf "$runs"
}

no_place() { echo "make node 'n1': a root from image '.*': its '$1' is neither a folder nor a link to one inside the image"; }

# The control: the same image with a link that stays inside is imported, its nodes are made, and its programs run there: the first one fails.
try harmless "initdb failed \(exit 1\): .*pelican:x:7:7.*initdb of the image" "var=srv/var"

for place in var/lib/etcd var/log tmp; do
  try "link-at-${place##*/}" "its '/$place' is a link; a node needs a folder there" "$place=/srv/$place"
done

try system "$(no_place /proc)" "proc=$victim" "sys=$victim" "dev=$victim" "run=$victim" "tmp=$victim"
try system-up "$(no_place /proc)" "proc=$up$victim" "sys=$up$victim" "dev=$up$victim" "run=$up$victim" "tmp=$up$victim"
try var "$(no_place /var/lib/postgresql)" "var=$victim"
try folders "$(no_place /var/lib/postgresql)" "var/lib=$victim" "var/log=$victim"
try folders-up "$(no_place /var/lib/postgresql)" "var/lib/postgresql=$up$victim" "var/lib/etcd=$up$victim" "var/log=$up$victim"
try etc "make node 'n1': read 'etc/passwd' of '.*': No such file or directory" "etc=$victim"
try files "make node 'n1': read 'etc/passwd' of '.*': No such file or directory" \
  "etc/passwd=$victim/passwd" "etc/group=$up$victim/group" "etc/hostname=$victim/hostname" "etc/hosts=$victim/hosts"
try usr 'this is no root file system' "usr/lib/postgresql=$victim/postgresql" "usr/lib/os-release=$victim/os-release"
try loop "$(no_place /run)" "var=var" "run=/run" "tmp=/tmp/../tmp"
