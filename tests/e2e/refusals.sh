#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 120
# What can't be read or can't work is refused at once, in one sentence with the way out: pipes, devices, folders and huge files in the place
# of a log, a file that is no topology, a shell's limits.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
shopt -s inherit_errexit 2>/dev/null
b() { timeout 20 "$BASCULE" "$@"; }

mkdir -p "$work"/{pipe,zero,folder/events.jsonl,huge,ledger}
mkfifo "$work/fifo" "$work/pipe/events.jsonl" "$work/ledger/ledger.bin"
ln -s /dev/zero "$work/zero/events.jsonl"
truncate -s 1T "$work/disk.img"
ln -s ../disk.img "$work/huge/events.jsonl"
cp "$BASCULE_TREE/tests/screen/logs/leader-crash.jsonl" "$work/ledger/events.jsonl"

for command in report 'replay --to-text' 'report --html=-'; do
  for what in pipe zero folder; do
    # shellcheck disable=SC2086
    exits 2 "$command of a run whose log is a $what" b $command "$work/$what"
    says 'it is a (pipe|device|folder), not a file' 'and it says so'
  done
  # shellcheck disable=SC2086
  exits 2 "$command of a terabyte of zeros" b $command "$work/huge"
  says 'is no event log: no event begins in its first 256 kB' 'and it says so'
done
for what in fifo disk.img; do
  exits 2 "report of a $what" b report "$work/$what"
  says 'is no run folder: that is the folder with events.jsonl in it' 'and it says so'
done
exits 2 'report of /dev/zero' b report /dev/zero
says 'is no run folder' 'and it says so'
exits 2 'replay of a fifo' b replay --to-text "$work/fifo"
says 'it is a pipe, not a file' 'and it says so'
exits 2 'replay of /dev/zero' b replay --to-text /dev/zero
says 'it is a device, not a file' 'and it says so'
exits 2 'replay of a terabyte of zeros' b replay --to-text "$work/disk.img"
says 'is no event log' 'and it says so'
exits 2 'a ledger that is a pipe' b report "$work/ledger"
says 'ledger.bin.*it is a pipe, not a file' 'and it says so'

exits 2 'a topology that is none' b run leader-crash --set topology=/etc/passwd --runs-dir "$runs"
says '^/etc/passwd:1:1: error: expected a topology' 'is complained of at its place'
check 'nothing of it is told' bash -c "! grep -q root: '$out'"
exits 2 'likewise' b up /etc/passwd --runs-dir "$runs"
says '^/etc/passwd:1:1: error: expected a topology' 'by up'

small() (ulimit -s 128 && b "$@")
exits 4 'a stack of 128 kB' small run leader-crash --runs-dir "$runs"
says 'the stack of a process is limited to 128 kB here.*ulimit -s 8192' 'is too small, and that is said'
exits 0 'the version can be asked for all the same' small --version
soft() (ulimit -S -s 128 && b "$@")
soft doctor >"$out" 2>&1
says '^(This host can run labs|This host can.t run labs yet)' 'a soft limit is raised'
masked() (umask 0777 && b "$@")
exits 4 'a umask of 0777' masked up patroni-2 --runs-dir "$runs"
says 'the umask 0777 takes your own rights away.*umask 022' 'is refused, and that is said'
check 'no run folder was made' test ! -e "$runs"

# ---- misspelt ---------------------------------------------------------------------------------------------------------------------
misspelt() { # MEANT COMMAND...: refused with what was probably meant
  local meant=$1
  shift
  exits 2 "'$*' is refused" b "$@"
  says "did you mean .*$meant" "with '$meant'"
}
misspelt run rum
misspelt build image biuld
misspelt prune runs prun
misspelt leader-crash run leader-crush
misspelt --seed run --seeed 3 leader-crash
misspelt --seed run leader-crash --seeed=3
misspelt --force down --forse
misspelt --mirror image build --mirorr=x debian-13
misspelt --json status --jsom
exits 2 'a beginning that two options share' b run --se 3 leader-crash
says 'ambiguous' 'is said to be ambiguous'
exits 2 'what an option takes is no option' b run --set --seeed leader-crash
says 'KEY=VALUE' 'and is refused for what it is'
exits 2 'options of a command on a node are its own' b exec --lab no-such-lab n1 ls --jsom
says "no lab named 'no-such-lab'" 'and nobody judges them'
exits 0 'the exit statuses are in the help of run' b run --help
says_unfolded 'Exit status: 0 pass, 1 .* 5 known defect' 'all of them'
exits 0 'and in that of bascule' b --help
says_unfolded 'Exit codes: 0 pass, 1 .* 5 known defect' 'all of them'
