#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 60
# The page of `make bench`, from made-up samples: it judges, and says in words what it judged. No daemon, no browser.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
tool=$BASCULE_TREE/tests/bench/page.py

# samples FOLDER OTHERS NAIVE COLD WARM CPU: two rounds with medians as given, and an overhead of CPU percent
samples() {
  mkdir -p "$work/$1"
  for i in 1 2; do printf 'others %d %s\nnaive %d %s\ncold %d %s\nwarm %d %s\n' "$i" "$2" "$i" "$3" "$i" "$4" "$i" "$5"; done >"$work/$1/startup"
  cat >"$work/$1/overhead.json" <<J
{"seconds": 20, "writes_per_s": 100, "others_percent": $2, "cpu_percent": $6, "memory_mb": 6.5, "cpu_limit": 5, "memory_limit": 40,
 "roles": [{"role": "workload <script>alert(1)</script>", "processes": 1, "cpu_percent": $6, "memory_mb": 6.5}],
 "spans": [{"cpu_percent": $6, "memory_mb": 6.4}, {"cpu_percent": $6, "memory_mb": 6.5}]}
J
}
# made FOLDER: bench.json and bench.html of it
made() {
  "$tool" collect "$work/$1" --program "$BASCULE" --began 2026-01-02T03:04:05Z --load-before "0.1 0.2 0.3" --load-after "0.4 0.5 0.6" >"$work/$1/bench.json" &&
    "$tool" page "$work/$1/bench.json" >"$work/$1/bench.html"
}
# reads FOLDER: what a reader of the page reads, one line a text, a table row or a tag; fails on tags left open and on things loaded
cat >"$work/read.py" <<'P'
import html.parser, sys
VOID = {"meta", "link", "br", "img", "input"}
class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.bad, self.row = [], [], None
    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href") and not value.startswith("#"): self.bad.append(f"loads {value}")
        if tag not in VOID: self.open.append(tag)
        if tag == "tr": self.row = []
        print("tag", tag)
    def handle_startendtag(self, tag, attrs): print("tag", tag)
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.bad.append(f"</{tag}> at {self.getpos()}")
        if tag == "tr": print("row", " | ".join(self.row)); self.row = None
    def handle_data(self, data):
        if self.open and self.open[-1] == "style" and "url(" in data: self.bad.append("a style loads something")
        if data.strip() and self.open and self.open[-1] != "style":
            if self.row is not None: self.row.append(data.strip())
            print("text", data.strip())
reader = Reader()
reader.feed(open(sys.argv[1], encoding="utf-8").read())
sys.exit("\n".join(reader.bad) if reader.bad or reader.open else 0)
P
reads() { python3 "$work/read.py" "$work/$1/bench.html" >"$work/$1/read"; }
has() { check "$1" grep -qxF "$3" "$work/$2/read"; }

samples good 3 4 2 1 3.25
check 'results are collected and become a page' made good
check 'every tag of the page is closed and nothing is loaded' reads good
has 'a page of good figures says so' good 'text Every figure inside its limit'
has 'a ratio stands beside its limit with its verdict' good 'row start-up, cold / naive | ✓ | inside | 0.50 | 0.70'
has 'the CPU stands beside its limit with its verdict' good 'row CPU of an idle lab, of one core | ✓ | inside | 3.25 % | 5.00 %'
has 'the limit in the drawing is a part of the naive median' good 'text limit 2.80 s'
has 'every sample is in the table' good 'row 2 | 4.00 | 2.00 | 1.00 | 3 %'
check 'a circle is drawn for every sample' test "$(grep -cx 'tag circle' "$work/good/read")" = 10
has 'the load before is told' good 'row load before | 0.1 0.2 0.3'
has 'a name with tags in it is text' good 'text workload <script>alert(1)</script>'
check 'no script is in the page' bash -c "! grep -qx 'tag script' '$work/good/read'"
check 'the verdict of good figures is success' "$tool" verdict "$work/good/bench.json"
check 'the JSON has ratios, targets and the spread' python3 -c '
import json, sys
b = json.load(open(sys.argv[1]))
f = {x["name"]: x for x in b["figures"]}
assert b["format"] == "bascule-bench/1" and f["start-up, warm / naive"]["value"] == 0.25 and f["start-up, warm / naive"]["limit"] == 0.4
assert b["startup"]["variants"]["cold"] == {"samples": [2, 2], "min": 2, "median": 2, "max": 2}, b["startup"]
assert b["overhead"]["memory_mb"]["max"] == 6.5 and b["host"]["cpus"] > 0 and b["host"]["kernel"]' "$work/good/bench.json"

samples slow 3 4 3.2 1 5.5
check 'bad results are collected too' made slow
check "and become a whole page" reads slow
has 'a page of figures outside counts them' slow 'text 2 of 4 figures outside the limit'
has 'a ratio outside is told so' slow 'row start-up, cold / naive | ✗ | outside | 0.80 | 0.70'
has 'a ratio inside beside it stays inside' slow 'row start-up, warm / naive | ✓ | inside | 0.25 | 0.40'
exits 1 'the verdict of a figure outside is failure' "$tool" verdict "$work/slow/bench.json"

samples busy 60 4 3.2 1 5.5
check 'results of a busy machine are collected' made busy
check "and become a whole page" reads busy
has 'a busy machine is told' busy 'text The machine was busy:'
has 'and nothing is judged on it' busy 'text 4 of 4 figures not judged'
has 'not even what is inside' busy 'row start-up, warm / naive | – | not judged | 0.25 | 0.40'
check 'which is no failure' "$tool" verdict "$work/busy/bench.json"

mkdir "$work/none"
printf 'others 1 2\nnaive 1 4\n' >"$work/none/startup"
check 'a bench that failed has a page as well' made none
check "and become a whole page" reads none
has 'it says what was not measured' none 'text 4 of 4 figures not measured'
exits 1 'and that is a failure' "$tool" verdict "$work/none/bench.json"
