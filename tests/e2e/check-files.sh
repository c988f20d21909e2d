#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 60
# bascule check: every mistake at its place, never a crash, never a hang. And the shipped files have none.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
cd "$BASCULE_TREE" || exit 1
exits 0 'the shipped scenarios have no mistake' "$BASCULE" check scenarios/*.yaml
exits 0 'nor have the topologies' "$BASCULE" check scenarios/topologies/*.yaml
for file in scenarios/*.yaml scenarios/topologies/*.yaml; do
  check "scenarios/README.md has ${file#scenarios/}" grep -qF "(${file#scenarios/})" scenarios/README.md
done

bad=$work/bad.yaml
sed -e 's/^title:/titel:/' -e 's/node\.power_off/node.power_of/' scenarios/leader-crash.yaml >"$bad"
exits 2 'a file with two mistakes: exit status 2' "$BASCULE" check "$bad"
says "^$bad:[0-9]+:[0-9]+: error: .*titel" 'the first at file:line:col'
says "did you mean .title" 'with a suggestion'
says "^$bad:[0-9]+:[0-9]+: error: .*node\.power_of" 'the second too'
says "did you mean .node\.power_off" 'with a suggestion'
exits 2 'as JSON' "$BASCULE" check --json "$bad"
check 'which can be parsed, with line and column' python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
d = d if isinstance(d, list) else d["diagnostics"]
assert len(d) >= 2 and all(x["line"] > 0 and x["column" if "column" in x else "col"] > 0 for x in d), d' "$out"
exits 2 'run refuses it as well' "$BASCULE" run "$bad" --runs-dir "$runs"
check 'and makes no run folder' test ! -e "$runs"
cat >"$work/unfit.yaml" <<EOF
title: A fault that does not fit its parameters
topology: patroni-3
steps:
  - {name: slow, inject: disk.slow, target: leader, with: {delay: 1h}}
EOF
exits 2 'a fault that can not be: exit status 2' "$BASCULE" check "$work/unfit.yaml"
says "unfit.yaml:4:1: error: disk.slow: delay is" 'at its step'
exits 2 'run refuses it as well' "$BASCULE" run "$work/unfit.yaml" --runs-dir "$runs"
says "unfit.yaml:4:1: error: disk.slow: delay is" 'in the same words'
check 'and makes no run folder for it' test ! -e "$runs"
exits 2 'a file that is not there' "$BASCULE" check "$work/nowhere.yaml"
says 'nowhere.yaml' 'is named'

# Any bytes: mutations of a good file must end with 0 or 2, quickly.
mutate() {
  python3 - "$1" "$2" <<'PYTHON'
import random, sys
rng = random.Random(int(sys.argv[2]))
data = bytearray(open(sys.argv[1], "rb").read())
for _ in range(rng.randint(1, 12)):
    at = rng.randrange(len(data))
    choice = rng.randrange(3)
    if choice == 0: data[at] = rng.randrange(256)
    elif choice == 1: del data[at:at + rng.randint(1, 40)]
    else: data[at:at] = bytes(rng.choice([b"%YA\xe5L 1.2\n", b"&a [*a]", b"{{{{", b"\0", b"- - - -", b"\t", b"99999999999999999999h", b"? :"]))
    data = data or bytearray(b"x")
sys.stdout.buffer.write(data)
PYTHON
}
survives() {
  local seed code
  for seed in $(seq 1 60); do
    mutate scenarios/leader-crash.yaml "$seed" >"$work/m.yaml"
    code=0
    timeout 5 "$BASCULE" check "$work/m.yaml" >/dev/null 2>&1 || code=$?
    case $code in 0 | 2) ;; *) echo "seed $seed: exit status $code" && return 1 ;; esac
  done
}
check 'sixty mutated files end with 0 or 2' survives
head -c 300000 /dev/urandom >"$work/noise.yaml"
exits 2 'noise is refused' timeout 5 "$BASCULE" check "$work/noise.yaml"
: >"$work/empty.yaml"
exits 2 'an empty file is refused' "$BASCULE" check "$work/empty.yaml"

exits 2 'no command' "$BASCULE"
exits 2 'a wrong command' "$BASCULE" rnu
says 'did you mean .run' 'gets a suggestion'
for command in run up status inject heal shell exec psql logs list down scenarios check report runs compare faults settings doctor; do
  exits 0 "$command --help" "$BASCULE" "$command" --help
  exits 0 "$command -h" "$BASCULE" "$command" -h
done
says '^Usage: bascule doctor' '-h is --help'
exits 2 'a scenario that is misspelt' "$BASCULE" run leader-crsh
says "did you mean 'leader-crash'" 'gets a suggestion'
exits 0 'the help of all' "$BASCULE" -h
says '5 known defect' 'has every exit status'
exits 0 'faults lists the mechanisms' "$BASCULE" faults
for fault in process.kill process.stop process.pause node.power_off net.drop link.down cluster.switchover; do
  says "$fault" "$fault is one of them"
done
exits 2 'a fault that is misspelt' "$BASCULE" faults net.drp
says "did you mean 'net.drop'" 'gets a suggestion'
exits 0 'an act by its old name' "$BASCULE" faults patroni.switchover
says '^cluster.switchover: ' 'is answered with the name of today'
says '^Old name: +patroni.switchover ' 'and told to be old'
sed 's/do: cluster\./do: patroni./' scenarios/switchover.yaml >"$work/old-name.yaml"
check 'a scenario that uses it' grep -q 'do: patroni.switchover' "$work/old-name.yaml"
exits 0 'has no mistake' "$BASCULE" check "$work/old-name.yaml"
exits 0 'settings lists what --set takes' "$BASCULE" settings
says '^patroni.ttl +time in whole seconds' 'with what it may be'
exits 0 'a section alone' "$BASCULE" settings workload
check 'has its settings only' test "$(grep -vc '^workload\.' "$out")" = 0
exits 2 'a setting that is misspelt' "$BASCULE" settings patroni.tl
says "did you mean 'patroni.ttl'" 'gets a suggestion'
check 'faults, settings and doctor speak JSON with a version' bash -c '
  for command in faults settings doctor; do
    "$0" "$command" --json | python3 -c "import json, sys; d = json.load(sys.stdin); assert d[\"schema_version\"] == 1 and len(d) >= 2"
  done' "$BASCULE"
exits 0 'scenarios lists what is shipped' "$BASCULE" scenarios
says '^crash: ' 'by what it teaches'
says '^  leader-crash ' 'with the names to run'
exits 0 'a group alone' "$BASCULE" scenarios human
says '^  switchover ' 'has its scenarios'
check 'and no others' test "$(grep -c leader-crash "$out")" = 0
exits 0 'one scenario' "$BASCULE" scenarios leader-crash
says '^Learn' 'tells its lesson'
says '^  rejoin +a former leader comes back' 'what it needs of its stack'
says '^  write_outage +inside, at least 15s' 'and what is expected'
sed 's/^needs: .*/needs: [lease, rejion]/' scenarios/leader-crash.yaml >"$work/needs.yaml"
exits 2 'a word that no stack has' "$BASCULE" check "$work/needs.yaml"
says 'needs.yaml:[0-9]+:16: error: no stack is known to have .rejion. \(did you mean .rejoin.\?\); allowed: switchover, ' 'is told at its place'
printf '  for:\n    repmgr: {write_outage: <= 45s}\n' | cat scenarios/leader-crash.yaml - >"$work/parts.yaml"
exits 2 'a part of the expectations for a stack that is not there' "$BASCULE" check "$work/parts.yaml"
says 'parts.yaml:[0-9]+:5: error: unknown stack .repmgr.; there are: patroni' 'is told with those that are'
exits 2 'a scenario that is not there' "$BASCULE" scenarios leader-crsh
says 'did you mean .leader-crash' 'gets a suggestion'
