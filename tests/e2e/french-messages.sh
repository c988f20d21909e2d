#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 500
# The servers speak French (lc_messages), and what is told about them is the same. The host's locales are not touched: the story runs
# its labs in a mount namespace of its own, with a French one among them.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
catalogues=(/usr/share/locale/fr/LC_MESSAGES/postgres-*.mo)
[ -e "${catalogues[0]}" ] || skip_all 'there is no French catalogue of a PostgreSQL server'
command -v localedef >/dev/null && [ -e /usr/share/i18n/locales/fr_FR ] || skip_all 'there is no localedef, or no source of fr_FR (package locales)'
cp -a /usr/lib/locale "$work/locale"
localedef --no-archive -i fr_FR -f UTF-8 "$work/locale/fr_FR.utf8" 2>"$work/localedef.err" || skip_all "localedef: $(cat "$work/localedef.err")"
export BASCULE_PROGRAM=$BASCULE BASCULE_LOCALES=$work/locale
BASCULE=$work/bascule
cat >"$BASCULE" <<'WRAPPER'
#!/usr/bin/env bash
# shellcheck disable=SC2016
exec unshare --map-current-user --mount --keep-caps bash -c \
  'mount --bind "$BASCULE_LOCALES" /usr/lib/locale && exec setpriv --ambient-caps=-all --inh-caps=-all "$BASCULE_PROGRAM" "$@"' bascule "$@"
WRAPPER
chmod +x "$BASCULE"
"$BASCULE" --version >"$out" 2>&1 || skip_all "no mount namespace with a locale of ours: $(tail -n 1 "$out")"
french=(--set postgresql.lc_messages=fr_FR.UTF-8 --set patroni.ttl=20s --set patroni.loop_wait=5s --set patroni.retry_timeout=5s)

# Its expectations are the test: the writes that were acknowledged with a warning are counted apart, and are no lost ones.
run_scenario cancelled-sync-wait "${french[@]}"
check 'the servers did speak French' grep -rqs 'le système de bases de données' "$run"/nodes/*/log/postgresql/postgresql.log
result 'the warning of a cancelled wait was understood' '1 <= r["writes"]["local_only"] <= 4 and r["writes"]["lost"] == 0'
check 'that the log was not understood is said' grep -q '"service":"postgresql","level":"warning","text":"(lc_messages is fr_FR.UTF-8' "$run/events.jsonl"

# A lab by hand, its namespaces outlive the command: the program as it is will do from here.
lab=fr-$$
export BASCULE_LAB=$lab
exits 0 'a lab of French servers comes up' "$BASCULE" up patroni-3 --lab "$lab" --runs-dir "$runs" "${french[@]}" || exit 1
BASCULE=$BASCULE_PROGRAM
for f in postgres.bad_hba postgres.rotate_password; do
  target=
  [ $f = postgres.rotate_password ] || target=n2
  exits 0 "$f bites" "$BASCULE" inject $f $target
  exits 0 "$f heals" "$BASCULE" heal --all
done
says_of_n2() { grep -q "\"ev\":\"sql\",\"node\":\"n2\",\"error\":\"$1" "$runs"/*-patroni-3/events.jsonl; }
"$BASCULE" exec n2 -- pkill -QUIT -o -f 'postgres: .*checkpointer' >/dev/null 2>&1 # a process of PostgreSQL crashes
check 'that another process crashed is told in English' within 20 says_of_n2 'terminating connection because of crash of another server process'
exits 0 'it goes down' "$BASCULE" down "$lab"
lab=
