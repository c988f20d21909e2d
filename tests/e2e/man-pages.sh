#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 120
# The manual pages: each command has one, with every option of its --help; they can be read at 80 columns, and groff and mandoc find no fault.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
command -v groff >/dev/null || skip_all 'groff is not installed: the pages can be made but not looked at'
pages=$work/pages
exits 0 'the pages are made' "$BASCULE_TREE/tools/man-pages" "$BASCULE" "$pages" || exit 1

rendered() { GROFF_NO_SGR=1 groff -man -Tutf8 -rLL=80n "$1" | LC_ALL=C.UTF-8 sed 's/.\x08//g'; } # bold is a letter over itself
read_page() { rendered "$pages/$1.1" >"$work/page.txt"; }
in_page() { grep -qE -- "$1" "$work/page.txt"; }
commands_of() { "$BASCULE" "$@" --help | awk '/^  [a-z]+ / && $1 != "bascule" {print $1}'; }
options_of() { "$BASCULE" "$@" --help | grep -oE '^ +(-.,? +)?--[a-z-]+' | grep -oE -- '--[a-z-]+'; }
# What of the --help of a command is not in the text of its page, a word a line; nothing when all is there.
lacking() {
  local option
  [ -n "$(options_of "$@")" ] || echo "no option in the help of $*"
  for option in $(options_of "$@"); do
    in_page "^ +(-., )?$option\\b" || echo "$option"
  done
}

check 'there are pages for the commands and no others' diff <(commands_of | sed 's/^/bascule-/; $abascule' | sort) \
  <(find "$pages" -type f -printf '%f\n' | sed 's/\.1$//' | sort)
read_page bascule
for command in $(commands_of); do
  check "bascule(1) names $command" in_page "bascule-$command\\(1\\)"
done
for code in 0 1 2 3 4 5; do
  check "and the exit status $code" in_page "^ +$code {6}[a-z]"
done
for variable in $(cd "$BASCULE_TREE" && grep -rhoE 'getenv\("BASCULE_[A-Z_]+"' lab injector dashboard --exclude-dir=clock | cut -d'"' -f2 | sort -u); do
  check "and the variable $variable" in_page "^ +$variable$"
done
for command in $(commands_of); do
  read_page "bascule-$command"
  if options_of "$command" | grep -q .; then
    check "bascule-$command(1) has every option" test -z "$(lacking "$command")"
    lacking "$command" | sed 's/^/# lacks /'
  else
    for sub in $(commands_of "$command"); do
      check "bascule-$command(1) has $sub with every option" test -z "$(lacking "$command" "$sub")"
    done
  fi
done

# An option that a page lacks is found.
sed -i 's/\\-\\-keep/\\-\\-kept/' "$pages/bascule-run.1"
read_page bascule-run
check 'the page of a program that has learnt an option since is told' test "$(lacking run)" = --keep
"$BASCULE_TREE/tools/man-pages" "$BASCULE" "$pages"

wide() { for page in "$pages"/*.1; do rendered "$page" | LC_ALL=C.UTF-8 grep -E '.{81}'; done; }
check 'no line is wider than 80 columns' test -z "$(wide)"
warnings() { for page in "$pages"/*.1; do { groff -ww -man -Tutf8 "$page" >/dev/null; } 2>&1; done; }
check 'groff warns of nothing' test -z "$(warnings)"
if command -v mandoc >/dev/null; then
  check 'mandoc finds no fault' mandoc -Tlint "$pages"/*.1
else
  skip 'mandoc finds no fault' 'mandoc is not installed'
fi
exits 0 'make install has them' "$BASCULE_TREE/tools/install" "$(dirname "$BASCULE")" "$work/prefix"
check 'all' diff -r "$pages" "$work/prefix/share/man/man1"
