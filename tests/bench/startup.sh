#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Start-up time, measured side by side: the naive lab (naive-lab.sh), then a cold and a warm start of ours, in turn, so that all
# three suffer the same machine. Ours counts from the first clone(2) until every member streams, holds its key in etcd, and the
# leader has the lock; the naive one until every replica streams.
# Usage: startup.sh [PROGRAM] [ROUNDS] [SAMPLES]     PROGRAM = build/tests/sandbox/test_stack_start; SAMPLES = a file for page.py
# Prints medians and ratios; exit 1 when a target is missed (cold 0.7, warm 0.4 of naive), exit 77 when others used this machine
# before more than half of the rounds: a ratio taken on a busy machine is not comparable with one taken on an idle machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../../build/tests/sandbox/test_stack_start}
rounds=${2:-5}
samples=${3:-/dev/null}
[ -x "$program" ] || { echo "startup: no program $program (make bench builds it)"; exit 2; }
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
# What others take of this machine's CPUs, in percent, over a second in which we do nothing.
cpu_line() { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8 + $9, $5 + $6}' /proc/stat; }
others() {
  local before
  before=$(cpu_line)
  sleep 1
  echo "$before $(cpu_line)" | awk '{used = $3 - $1; idle = $4 - $2; printf "%d\n", (used + idle ? 100 * used / (used + idle) : 0)}'
}
for i in $(seq "$rounds"); do
  percent=$(others)
  echo "others $i $percent" >>"$samples"
  if [ "$percent" -gt 25 ]; then busy=$((busy + 1)); fi
  for kind in naive cold warm; do
    if [ $kind = naive ]; then t=$(naive); else t=$(start $kind); fi
    [ -n "$t" ] || { echo "startup: $kind start failed in round $i"; exit 1; }
    echo "$t" >>"$work/$kind"
    echo "$kind $i $t" >>"$samples"
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
if [ $((busy * 2)) -gt "$rounds" ]; then
  echo "startup: not judged: the machine was busy with something else before $busy of $rounds rounds ($(cut -d' ' -f1 /proc/loadavg) load)"
  exit 77
fi
exit $missed
