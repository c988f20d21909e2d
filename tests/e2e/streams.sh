#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
# Standard input, output and error that are closed, and an output that can't be written to: a lab comes up and works all the same, and no
# command says that all is well when what it had to say is lost.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
lab=streams-$$
export BASCULE_LAB=$lab BASCULE_RUNS_DIR=$runs BASCULE_IMAGES_DIR=$work/images
cp "$BASCULE_TREE/tests/lib/one-node.yaml" "$work/one.yaml"
cat >"$work/short.yaml" <<'YAML'
title: a second of nothing
topology: one.yaml
settle: 0s
observe: 0s
steps:
  - wait: {becomes: writes flow, within: 60s}
expect: {split_brain: no}
YAML

# closed REDIRECTIONS SENTENCE COMMAND...: the command succeeds although it has these streams closed.
closed() {
  local redirections=$1 sentence=$2 code=0
  shift 2
  # Bash has no redirection as a value; the words are ours.
  eval '"$@"' "$redirections" || code=$?
  if [ "$code" = 0 ]; then ok "$sentence"; else not_ok "$sentence" "'$* $redirections' gave $code"; fi
}

for streams in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
  closed "$streams" "up with $streams" "$BASCULE" up "$work/one.yaml" --lab "$lab"
  closed "$streams" "status with $streams" "$BASCULE" status
  closed "$streams" "exec with $streams" "$BASCULE" exec n1 -- sh -c 'echo here >&2; echo here; cat; touch /tmp/was-here'
  check 'and the command ran' "$BASCULE" exec n1 -- rm /tmp/was-here
  closed "$streams" "down with $streams" "$BASCULE" down
  check 'and the lab is gone' not_listed "$lab"
  run=$(find "$runs" -mindepth 1 -maxdepth 1 -type d)
  check 'its record is whole' python3 - "$run" <<'PYTHON'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1] + "/events.jsonl")]
assert events[0]["ev"] == "run.begin" and any(e["ev"] == "run.end" for e in events), events[-3:]
text = open(sys.argv[1] + "/supervisor.log").read()
assert not text, text
PYTHON
  rm -rf "$runs"
done

# ---- an output that can't be written to --------------------------------------------------------------------------------------------

mkdir -p "$runs/20260101-100000-leader-crash" "$runs/20260102-100000-leader-crash"
cp "$BASCULE_TREE/tests/screen/logs/leader-crash.jsonl" "$runs/20260101-100000-leader-crash/events.jsonl"
cp "$BASCULE_TREE/tests/screen/logs/leader-crash.jsonl" "$runs/20260102-100000-leader-crash/events.jsonl"
exits 0 'a lab to ask' "$BASCULE" up "$work/one.yaml" --lab "$lab" || exit 1

# full CODE COMMAND...: the exit status with a full disk as standard output, and with a pipe nobody reads, SIGPIPE ignored.
tried=
full() {
  local wanted=$1 code=0
  shift
  tried="$tried $1"
  "$BASCULE" "$@" >/dev/full 2>"$work/err" </dev/null || code=$?
  if [ "$code" = "$wanted" ]; then ok "$* >/dev/full ends with $wanted"; else not_ok "$* >/dev/full ends with $wanted" "it gave $code"; fi
  [ "$wanted" != 3 ] || check 'and says why' grep -q '^bascule: error: write to standard output: No space left on device$' "$work/err"
}
full 3 run "$work/short.yaml" --lab "$lab-run"
full 3 run --json "$work/short.yaml" --lab "$lab-run"
full 3 matrix "$work/short.yaml" --image host
full 3 up "$work/one.yaml" --lab "$lab-2"
check 'the lab stands all the same' "$BASCULE" exec --lab "$lab-2" n1 -- true
full 3 down "$lab-2"
full 3 status
full 3 status --json
full 3 status -w
full 3 logs n1
full 3 logs -f n1 patroni
full 3 list
full 3 list --json
full 3 inject process.pause n1 service=etcd
full 3 heal --all
full 3 scenarios
full 3 scenarios leader-crash
full 3 check "$work/short.yaml"
full 3 check --json "$work/short.yaml"
full 3 replay --to-text --at 20s 20260101
full 3 runs
full 3 runs --json
full 3 runs prune --keep 2 --dry-run
full 3 report 20260101
full 3 report --json 20260101
full 3 compare 20260101 20260102
full 3 compare --json 20260101 20260102
full 3 faults
full 3 faults --json
full 3 faults net.drop
full 3 settings
full 3 settings --json
full 3 image list
full 3 doctor
full 3 doctor --json
for command in run up status inject image; do full 3 "$command" --help; done
full 3 --help
full 3 --version
# Who prints is somebody else, who sees the full disk himself.
full 1 exec n1 -- echo here
full 1 psql n1 -c 'select 1'
code=0
echo 'echo here' | "$BASCULE" shell n1 >/dev/full 2>"$work/err" || code=$?
tried="$tried shell"
check 'a shell on /dev/full ends with the status of its last command' test "$code" = 1
# These have nothing to say, or nobody to say it to.
full 2 hold
full 2 next
full 2 go
full 2 top
check 'no command was forgotten' diff <("$BASCULE" --help | awk '/^  [a-z]+ / && !/bascule/ {print $1}' | sort) <(tr ' ' '\n' <<<"$tried" | grep -E '^[a-z]' | sort -u)

check 'a pipe that nobody reads is an error where SIGPIPE is ignored' python3 - "$BASCULE" <<'PYTHON'
import os, subprocess, sys
for words in (["faults", "--json"], ["status"], ["--version"], ["list"]):
    r, w = os.pipe()
    os.close(r)
    p = subprocess.run([sys.argv[1], *words], stdout=w, stderr=subprocess.PIPE, text=True, restore_signals=False)
    os.close(w)
    assert p.returncode == 3 and p.stderr == "bascule: error: write to standard output: Broken pipe\n", (words, p)
PYTHON
exits 0 'down' "$BASCULE" down
