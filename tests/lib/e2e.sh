# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# What the stories in tests/e2e share. tests/run sets BASCULE (the program), BASCULE_TREE, TMPDIR and HOME; by hand:
#   BASCULE=build/bascule tests/e2e/leader-crash.sh
# Each check prints "ok - sentence" or "not ok - sentence"; the exit status is 1 if any failed.
set -uo pipefail

BASCULE_TREE=${BASCULE_TREE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BASCULE=$(realpath "${BASCULE:-$BASCULE_TREE/build/bascule}")
export PYTHONPATH=$BASCULE_TREE/tests/lib PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d "${TMPDIR:-/tmp}/e2e.XXXXXX")
runs=$work/runs
checks=0 failures=0

# by_itself "$0" "$@": starts the story anew in a pid namespace of its own, where the only labs are those it starts itself: other stories
# run at the same time, and "all labs" of this user would be theirs too.
by_itself() {
  [ -z "${BASCULE_BY_ITSELF:-}" ] || return 0
  trap - EXIT
  rm -rf "$work"
  local user=(--user --map-current-user)
  [ "$(id -u)" != 0 ] || user=()
  BASCULE_BY_ITSELF=1 exec unshare "${user[@]}" --mount --pid --fork --kill-child --mount-proc "$@"
}

finish() {
  local code=$?
  [ -z "${lab:-}" ] || "$BASCULE" down "$lab" >/dev/null 2>&1 # other stories of this user may have labs of their own
  find "$work" -xdev -type d ! -perm -u+w -exec chmod u+w {} + # what is mounted in there is not ours to change, nor to remove
  # The run folders of a story that failed are evidence: tests/run keeps what lies in "kept" beside its log.
  if [ "$failures" != 0 ] && [ -d "$runs" ]; then mkdir -p "$(dirname "$work")/kept" && mv "$runs" "$(dirname "$work")/kept/last"; fi
  rm -rf --one-file-system "$work"
  echo "1..$checks"
  [ "$code" = 0 ] && [ "$failures" = 0 ] && [ "$checks" -gt 0 ] || exit 1
}
trap finish EXIT

ok() { checks=$((checks + 1)) && echo "ok - $1"; }
not_ok() {
  checks=$((checks + 1)) failures=$((failures + 1))
  echo "not ok - $1"
  [ $# -lt 2 ] || printf '# %s\n' "${@:2}"
}
skip() { checks=$((checks + 1)) && echo "ok - $1 # SKIP $2"; }
skip_all() { # the reason; ends the story
  trap - EXIT
  rm -rf "$work"
  echo "$1"
  exit 77
}

# check SENTENCE COMMAND...: the command succeeds. Its output is shown when it does not.
check() {
  local sentence=$1
  shift
  if "$@" >"$work/check.out" 2>&1; then ok "$sentence"; else
    local code=$?
    not_ok "$sentence" "'$*' gave $code:"
    tail -n 30 "$work/check.out" | sed 's/^/#   /'
  fi
}

# exits CODE SENTENCE COMMAND...: the command ends with this exit status. Output stays in $out.
out=$work/out
exits() {
  local wanted=$1 sentence=$2 code=0
  shift 2
  "$@" >"$out" 2>&1 </dev/null || code=$?
  if [ "$code" = "$wanted" ]; then ok "$sentence"; else
    not_ok "$sentence" "'$*' gave $code, not $wanted:"
    tail -n 25 "$out" | sed 's/^/#   /'
    return 1
  fi
}
says() { check "$2" grep -qE -- "$1" "$out"; } # says REGEX SENTENCE: what the last command printed
says_unfolded() {                              # the same, its lines joined: sentences are folded to the width of a page
  tr -s ' \n' ' ' <"$out" >"$work/unfolded"
  check "$2" grep -qE -- "$1" "$work/unfolded"
}

# goes_down STATUSES [NAME]: a lab ends with one of these exit statuses of `down` ("0" where nothing can be lost, "0 1" where a round trip of
# asynchronous replication can, "0 1 5" where the known defect may strike), and its last word is that status's (lab/report/farewell.c). $down_code.
down_code=0
goes_down() {
  local allowed=$1 word
  shift
  down_code=0
  "$BASCULE" down "$@" >"$out" 2>&1 </dev/null || down_code=$?
  case $down_code in
  0) word='NOTHING (LOST|TO LOSE): ' ;;
  1) word='(DATA LOST|NOT AS IT SHOULD BE): ' ;;
  4) word='NOT KNOWN: ' ;;
  5) word='DATA LOST: ' ;;
  *) word='down has no such exit status' ;;
  esac
  check "down ends with status ${allowed// / or } (with $down_code)" eval 'cat "$out"; [[ " $allowed " == *" $down_code "* ]]'
  says ' is down; ' 'and the lab is said to be down'
  says "^$word" "with the word that belongs to $down_code"
  check 'and no other' test "$(grep -cE '^(NOTHING|DATA LOST|NOT |THE LAB BROKE)' "$out")" = 1
  [ "$down_code" = 0 ] || sed 's/^/# /' "$out"
  [ "$down_code" != 5 ] || says_unfolded 'the known defect [a-z]+-[0-9]+ of' 'and names the known defect'
}

# report_agrees: the report on $run has the exit status of goes_down, and counts as many lost writes as it told.
report_agrees() {
  check 'report has the exit status of down' eval '"$BASCULE" report --json "$run" >"$work/report.json"; [ $? = "$down_code" ]'
  check 'and as many lost writes' python3 - "$out" "$work/report.json" <<'PYTHON'
import json, re, sys
said, report = open(sys.argv[1]).read(), json.load(open(sys.argv[2]))
lost = re.search(r"^DATA LOST: (\d+) acknowledged", said, re.M)
assert report["writes"]["lost"] == (int(lost[1]) if lost else 0), (said, report["writes"])
PYTHON
}

# not_listed NAME: once `list` has answered, without this lab. A list that fails is no answer.
not_listed() {
  local listed
  listed=$("$BASCULE" list --names) && ! grep -qxF -- "$1" <<<"$listed"
}

# too_noisy RUN: its verdict is invalid, and the run itself calls this machine too noisy: its times say nothing, whatever they are.
too_noisy() {
  python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); sys.exit(not (r["verdict"] == "invalid" and r["host"]["noisy"]))' "$1/result.json"
}
newest_run() { find "$1" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sort | tail -n 1; }

# run_scenario NAME [OPTIONS...]: runs a shipped scenario and leaves its run folder in $run. A trial on a machine too noisy to judge is replaced,
# once, and said.
run_scenario() {
  local name=$1 code=0
  shift
  rm -rf "$runs"
  "$BASCULE" run "$BASCULE_TREE/scenarios/$name.yaml" --runs-dir "$runs" "$@" >"$out" 2>&1 </dev/null || code=$?
  run=$(newest_run "$runs")
  if [ "$code" = 4 ] && too_noisy "$run"; then
    echo "# $name: this machine was too noisy to judge; a second trial replaces the first, which said:"
    tail -n 6 "$out" | sed 's/^/#   /'
    rm -rf "$runs"
    code=0
    "$BASCULE" run "$BASCULE_TREE/scenarios/$name.yaml" --runs-dir "$runs" "$@" >"$out" 2>&1 </dev/null || code=$?
    run=$(newest_run "$runs")
  fi
  check "$name ends with exit status 0 (with $code)" eval 'tail -n 25 "$out"; [ "$code" = 0 ]'
  check "$name: result.json keeps its schema" python3 "$BASCULE_TREE/tests/lib/result_schema.py" "$run/result.json"
  result "$name: the verdict is pass" 'r["verdict"] == "pass"'
  result "$name: its record is sealed and whole" 'r["record"]["sealed"] and r["record"]["complete"] and not r["record"]["missing"]'
  "$BASCULE" report --json "$run" >"$work/again.json" 2>"$work/again.err"
  check "$name: every log line has the time at which it was written" python3 "$BASCULE_TREE/tests/lib/log_times.py" "$run/events.jsonl"
  check "$name: the story is in order, no effect before its cause" python3 "$BASCULE_TREE/tests/lib/story_order.py" "$run"
  check "$name: the report from the log alone is the same result" cmp "$run/result.json" "$work/again.json"
}

# result SENTENCE EXPRESSION: a Python expression over r (result.json), ms(phase name), phase(name), expected(kind) and oks ({kind: True, False or
# None} of all expectations).
result() {
  check "$1" python3 - "$run/result.json" "$2" <<'PYTHON'
import json, sys
r = json.load(open(sys.argv[1]))
def phase(name):
    return next((p for p in r["phases"] if p["name"] == name), None)
def ms(name):
    return phase(name)["duration_ms"]
def expected(kind):
    return next(e for e in r["expectations"] if e["kind"] == kind)
oks = {e["kind"]: e["ok"] for e in r.get("expectations", [])}
value = eval(sys.argv[2])
if not value:
    print(sys.argv[2], "is", value)
    for key in ("phases", "expectations", "holes"):
        for row in r.get(key) or []:
            print(f"  {key[:-1]}: {json.dumps(row)}"[:300])
    keys = "resolution_ms recovery_ms write_outage_ms split_brain_ms writes host reason verdict"
    print("\n".join(f"  {key}: {json.dumps(r.get(key))}" for key in keys.split()))
sys.exit(0 if value else 1)
PYTHON
}

# within SECONDS COMMAND...: polls until the command succeeds.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# status EXPRESSION: a Python expression over s (`bascule status --json`) and node(name).
status() {
  "$BASCULE" status --json ${lab:+--lab "$lab"} >"$work/status.json" 2>"$work/status.err" &&
    python3 - "$work/status.json" "$1" <<'PYTHON'
import json, sys
s = json.load(open(sys.argv[1]))
def node(name):
    return next(n for n in s["nodes"] if n["name"] == name)
sys.exit(0 if eval(sys.argv[2]) else 1)
PYTHON
}
