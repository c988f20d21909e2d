#!/usr/bin/env bash
# Start-up time, measured side by side: the naive lab (naive-lab.sh), then a cold and a warm start of ours, in turn, so that all
# three suffer the same machine. Ours counts from the first clone(2) until every member streams, holds its key in etcd, and the
# leader has the lock; the naive one until every replica streams.
# Usage: startup.sh [PROGRAM] [ROUNDS]     PROGRAM = build/tests/sandbox/test_stack_start
# Prints medians and ratios; exit 1 when a target is missed (cold 0.7, warm 0.4 of naive), exit 77 when it is missed while others
# use this machine: a ratio taken on a busy machine is not comparable with one taken on an idle machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../../build/tests/sandbox/test_stack_start}
rounds=${2:-5}
[ -x "$program" ] || { echo "startup: no program $program (run make build)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# PostgreSQL does not run as root. The programs drop root themselves; the naive script needs somebody unprivileged.
as_user=()
if [ "$(id -u)" = 0 ]; then
  as_user=(setpriv --reuid nobody --regid nogroup --clear-groups env HOME="$work")
  chmod 755 "$work"
  install -d -o nobody -g nogroup "$work/cache"
  install -m 755 "$here/naive-lab.sh" "$program" "$work/"
else
  mkdir "$work/cache"
  cp "$here/naive-lab.sh" "$program" "$work/"
fi
ours="$work/$(basename "$program")"

naive() { "${as_user[@]}" bash "$work/naive-lab.sh" | sed -n 's/^every replica streaming *\([0-9.]*\) s$/\1/p'; }
start() { "${as_user[@]}" "$ours" time "$1" "$work/cache" | sed -n "s/^$1 start: \([0-9.]*\) s\$/\1/p"; }
median() { sort -n | awk '{v[NR] = $1} END {if (!NR) exit 1; print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

busy=0
# More than half a process a core waiting or running besides us, before each round.
look() { awk -v cpus="$(nproc)" '{split($4, r, "/"); exit !(r[1] - 1 > cpus / 2)}' /proc/loadavg; }
for i in $(seq "$rounds"); do
  if look; then busy=$((busy + 1)); fi
  for kind in naive cold warm; do
    if [ $kind = naive ]; then t=$(naive); else t=$(start $kind); fi
    [ -n "$t" ] || { echo "startup: $kind start failed in round $i"; exit 1; }
    echo "$t" >>"$work/$kind"
    printf 'round %d  %-5s  %6.2f s\n' "$i" "$kind" "$t"
  done
done
n=$(median <"$work/naive") c=$(median <"$work/cold") w=$(median <"$work/warm")
missed=0
awk -v n="$n" -v c="$c" -v w="$w" 'BEGIN {
  printf "median    naive  %6.2f s\n", n
  printf "median    cold   %6.2f s   ratio %.2f (target 0.70)\n", c, c / n
  printf "median    warm   %6.2f s   ratio %.2f (target 0.40)\n", w, w / n
  exit !(c / n <= 0.7 && w / n <= 0.4)
}' || missed=1
if [ $missed = 1 ] && [ $((busy * 2)) -gt "$rounds" ]; then
  echo "startup: not judged: the machine was busy with something else in $busy of $rounds rounds ($(cut -d' ' -f1 /proc/loadavg) load)"
  exit 77
fi
exit $missed
