#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# shellcheck disable=SC2016 # the single-quoted commands are expanded on the machine
# timeout: 900
# alone
# needs: root
# tools/install-deps on fresh Debian 12 machines (chroots): no surprise is left, whatever way it ends.
# Downloads 150 MB, so only with BASCULE_TEST_INSTALL=1. Wants mmdebstrap, and a network to this host's Debian mirror.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
[ "${INSTALL_TEST:-}" = 1 ] || skip_all 'downloads 150 MB; set BASCULE_TEST_INSTALL=1 to run it'
command -v mmdebstrap >/dev/null || skip_all 'mmdebstrap is not installed'
mkdir "$work/archives"

# The same sources as this host, and its word on their dates, so that a pinned or private mirror works.
date_options=()
while read -r option; do date_options+=("--aptopt=$option"); done < <(apt-config dump | grep -E '^Acquire::Check-(Date|Valid-Until) ')
make_machine() {
  mmdebstrap --variant=minbase --include=ca-certificates,make,systemd,init-system-helpers "${date_options[@]}" bookworm "$work/debian.tar" /etc/apt/sources.list.d/debian.sources
}

fresh() { # fresh NAME: a new machine
  machine=$work/$1
  mkdir -p "$machine"
  tar -C "$machine" -xf "$work/debian.tar"
  cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
  mkdir -p "$machine/opt/tools"
  cp "$BASCULE_TREE/tools/install-deps" "$machine/opt/tools/"
}
on_machine() { # a shell command on it, with its own mounts and processes
  unshare --mount --pid --fork --kill-child -- bash -c '
    mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --bind "$1" "$0/var/cache/apt/archives" &&
    exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb bash -c "$2"' "$machine" "$work/archives" "$1"
}
no_surprise() { # SENTENCE: nothing runs, starts, or is left over
  check "$1: no PostgreSQL cluster" on_machine '! ls /etc/postgresql/*/* /var/lib/postgresql/*/* 2>/dev/null; [ -z "$(pg_lsclusters -h 2>/dev/null)" ]'
  check "$1: no new unit starts at boot" on_machine '! find /etc/systemd/system -path "*.wants/*" | grep -E "etcd|patroni|haproxy|postgresql"'
  check "$1: no new init script either" on_machine '! ls /etc/rc[2-5].d | grep -E "^S.*(etcd|patroni|haproxy|postgresql)"'
  check "$1: no drop-in for clusters is left" on_machine '! [ -e /etc/postgresql-common/createcluster.d ] && ! grep -rqs bascule /etc/postgresql-common'
}
no_policy() { check "$1: no policy-rc.d is left" on_machine '! ls /usr/sbin/policy-rc.d* 2>/dev/null'; }

check 'a fresh Debian 12 can be made' make_machine

fresh clean
exits 0 'clean machine: it installs' on_machine /opt/tools/install-deps
says 'new packages' 'after listing what it will install'
check 'clean machine: everything is there' on_machine '/opt/tools/install-deps --check && command -v patroni etcd etcdctl haproxy nft gcc cmake ninja'
no_surprise 'clean machine'
no_policy 'clean machine'
check 'clean machine: createcluster.conf is as shipped' on_machine '! diff /etc/postgresql-common/createcluster.conf /usr/share/postgresql-common/createcluster.conf | grep create_main'
exits 0 'a second time it has nothing to do' on_machine /opt/tools/install-deps
says 'is installed' 'and says so'
check 'in less than two seconds' test "$( (time -p on_machine /opt/tools/install-deps) 2>&1 | awk '/^real/ {print int($2)}')" -lt 2
check 'an upgrade of etcd later does not start it' on_machine 'apt-get install -qq --reinstall etcd-server >/dev/null 2>&1; ! find /etc/systemd/system -name etcd.service -path "*.wants/*" | grep .'
rm -rf "$machine"

# ---- a machine with a life of its own: a cluster, a service that is enabled, a policy that allows everything
fresh lived-in
on_machine 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common haproxy postgresql-15 &&
  printf "#!/bin/sh\nexit 0\n" >/etc/policy-of-mine && chmod 755 /etc/policy-of-mine && ln -s /etc/policy-of-mine /usr/sbin/policy-rc.d' >"$work/lived-in.out" 2>&1
check 'lived-in machine: it has a cluster' on_machine 'pg_lsclusters -h | grep -q "^15 *main"'
on_machine 'find /etc/systemd/system /etc/postgresql /etc/postgresql-common /etc/haproxy | sort; cat /etc/postgresql/15/main/* 2>/dev/null' | grep -v install-deps >"$work/before"
exits 0 'lived-in machine: it installs the rest' on_machine /opt/tools/install-deps
on_machine 'find /etc/systemd/system /etc/postgresql /etc/postgresql-common /etc/haproxy | sort; cat /etc/postgresql/15/main/* 2>/dev/null' | grep -v install-deps >"$work/after"
check 'lived-in machine: units, clusters and configuration are as before' diff "$work/before" "$work/after"
check 'lived-in machine: haproxy and postgresql stay enabled' on_machine 'find /etc/systemd/system -path "*.wants/haproxy.service" | grep -q . && find /etc/systemd/system -path "*.wants/postgresql.service" | grep -q .'
check 'lived-in machine: etcd and patroni do not start' on_machine '! find /etc/systemd/system -path "*.wants/*" | grep -E "etcd|patroni"'
check 'lived-in machine: its policy-rc.d is back' on_machine '[ "$(readlink /usr/sbin/policy-rc.d)" = /etc/policy-of-mine ] && ! ls /usr/sbin/policy-rc.d?*'
rm -rf "$machine"

# ---- Ctrl-C, and kill -9, in the middle of unpacking
interrupted() { # SIGNAL: sent to the installer's group once a service has been set up
  on_machine 'set -m; /opt/tools/install-deps >/tmp/log 2>&1 & pid=$!
    for i in $(seq 6000); do grep -q "^Setting up haproxy" /tmp/log && break; sleep 0.02; done
    kill -'"$1"' -- -$pid; wait $pid; code=$?; tail -n 3 /tmp/log; echo "ended with $code"; grep -q "^Setting up" /tmp/log && [ $code -gt 128 ]'
}
fresh ctrl-c
check 'Ctrl-C in the middle ends it' interrupted INT
no_policy 'after Ctrl-C'
check 'after Ctrl-C: no drop-in for clusters is left' on_machine '! [ -e /etc/postgresql-common/createcluster.d ]'
check 'after Ctrl-C: no new unit starts at boot' on_machine '! find /etc/systemd/system -path "*.wants/*" | grep -E "etcd|patroni|haproxy|postgresql"'
rm -rf "$machine"

fresh killed
check 'kill -9 in the middle ends it' interrupted KILL
check 'after kill -9: the policy forbids nothing any more' on_machine 'if [ -e /usr/sbin/policy-rc.d ]; then /usr/sbin/policy-rc.d cron start; fi'
check 'after kill -9: some of its packages are installed' on_machine 'dpkg -s libcmocka-dev etcd-server patroni 2>/dev/null | grep -q "^Status: install"'
exits 0 'after kill -9: the next run finishes the work' on_machine /opt/tools/install-deps
no_policy 'after kill -9 and a second run'
no_surprise 'after kill -9 and a second run'
check 'and the baseline file is gone' on_machine '! ls /var/lib/bascule/installed-before* 2>/dev/null'
