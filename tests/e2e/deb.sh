#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 1500
# The Debian package: it can be built, lintian finds no fault, and what is in it works from where it lies.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
[ -n "${DEB_TEST:-}" ] || skip_all 'BASCULE_TEST_DEB is neither 1 nor a package: building it takes minutes'
command -v dh >/dev/null || skip_all 'debhelper is not installed'
deb=$DEB_TEST
if [ "$deb" = 1 ]; then
  exits 0 'the package is built, and lintian has nothing to say' "$BASCULE_TREE/tools/deb" "$work/deb" || exit 1
  cat "$out"
  deb=$(find "$work/deb" -name 'bascule_*.deb')
fi
dpkg-deb -x "$deb" "$work/root"
for file in bin/bascule share/bascule/scenarios/leader-crash.yaml share/bascule/scenarios/topologies/patroni-3.yaml share/bascule/install-deps \
  share/man/man1/bascule.1.gz share/man/man1/bascule-run.1.gz share/bash-completion/completions/bascule share/zsh/vendor-completions/_bascule \
  share/fish/vendor_completions.d/bascule.fish share/doc/bascule/README.Debian share/doc/bascule/scenario-format.md.gz; do
  check "it has $file" test -s "$work/root/usr/$file"
done
check 'nothing lies outside /usr' test "$(ls -A "$work/root")" = usr
check 'no file belongs to whoever built it' test -z "$(dpkg-deb -c "$deb" | awk '$2 != "root/root"')"
check 'it starts nothing and asks nothing: there are no scripts in it but those of the manual' test -z "$(dpkg-deb --ctrl-tarfile "$deb" | tar -t | grep -E 'postinst|preinst|prerm|postrm|config')"
exits 0 'its program finds its scenarios' "$work/root/usr/bin/bascule" scenarios leader-crash
exits 0 'and says its version' "$work/root/usr/bin/bascule" --version
check 'the one of the package' test "$(cat "$out")" = "bascule $(dpkg-deb -f "$deb" Version)"
exits 0 'a lab of one node comes up' "$work/root/usr/bin/bascule" up "$BASCULE_TREE/tests/lib/one-node.yaml" --runs-dir "$runs" --lab "deb-$$"
exits 0 'and goes down' "$work/root/usr/bin/bascule" down --force "deb-$$"
