#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 180
# Whatever anybody on the host calls his sockets and processes: no lab is listed that is none, no name is taken from us, nothing waits.
# (What another user can do besides: two-users.sh, as root.)
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
by_itself "$0"
lab=mine-$$
export BASCULE_LAB=
one=$BASCULE_TREE/tests/lib/one-node.yaml
b() { timeout -k 5 40 "$BASCULE" "$@"; }

pids=()
fake() { # NAME [TEXT]: tests/lib/fake_lab.py
  unshare --user --map-root-user --mount --pid --fork --kill-child --mount-proc python3 "$BASCULE_TREE/tests/lib/fake_lab.py" "$@" >"$work/fake.$#.out" 2>&1 &
  pids+=($!)
}
# Sockets in the host's abstract namespace, as a lab's name was once; two of them never take anybody.
python3 "$BASCULE_TREE/tests/lib/forge_names.py" "$(id -u)" "$lab" "$lab-2!" '\x1b]0;PWN\x07\x1b[31mPWN' .. 'a/b!' >"$work/forged.out" 2>&1 &
pids+=($!)
check 'five names are taken' within 20 grep -qx 'bound 5' "$work/forged.out"
fake '\x1b]0;PWN\x07\x1b[31mPWN'
check 'the forger of a lab is there' within 20 grep -q listening "$work/fake.1.out"

nothing_of_theirs() { ! grep -qE 'PWN|mine-|[[:cntrl:]]' "$out"; }
exits 0 'list beside forged names' b list
says '^no lab is running$' 'has none of them'
check 'and nothing of their names' nothing_of_theirs
exits 0 'down --all' b down --all
check 'has nothing to do with them' test ! -s "$out"
exits 2 'status' b status
says 'no lab is running' 'neither'

exits 0 'up with the name that somebody holds' b up "$one" --lab "$lab" --runs-dir "$runs" || exit 1
exits 0 'list' b list
says "^$lab +ready" 'has this one'
check 'and no other' test "$(wc -l <"$out")" = 1
exits 0 'list --names' b list --names
check 'has its name' grep -qx "$lab" "$out"
exits 0 'exec finds it without being told which' b exec n1 -- hostname
says '^n1$' 'as it is the only one'

# Two at once, the same user, the same name: one of them gets it.
second() { b up "$one" --lab "$lab-twice" --runs-dir "$runs" >"$work/second.$1" 2>&1 </dev/null; echo $? >"$work/second.$1.code"; }
second 1 & pids+=($!)
second 2 & pids+=($!)
wait "${pids[-1]}" "${pids[-2]}"
check 'of two that start at once with one name' test "$(sort "$work"/second.?.code | tr '\n' ' ')" = '0 2 '
check 'the other is told that it is taken' grep -q "a lab named '$lab-twice' is running" "$work/second.1" "$work/second.2"

fake liar 'no\x1b[31m answer' # ours by the kernel's word: a process of this user. What it says is no more than text
check 'a liar among our own processes' within 20 grep -q listening "$work/fake.2.out"
exits 0 'list' b list
says '^liar +no' 'shows what it says'
check 'the two labs are there as well' test "$(grep -cE "^$lab(-twice)? +ready" "$out")" = 2
exits 3 'down --all beside one that does not end' b down --all
says "liar.*said that it leaves and has not" 'does not believe its word'
check 'ends the others' test "$(b list --names)" = liar
exits 0 'down --force ends it' b down --force liar
says "lab 'liar' was ended by force" 'and says so'
exits 0 'list' b list
says '^no lab is running$' 'has none any more'
kill -KILL "${pids[@]}" 2>/dev/null
