#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 120
# needs: root
# Started by root, the configuration is that of the user whom the lab belongs to, read with his rights: never root's own.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
by_itself "$0"
! getent passwd bascule >/dev/null || skip_all "there is a user 'bascule' here, whose home is not ours to write to"
lab=configured-root-$$
unset SUDO_UID SUDO_GID BASCULE_RUNS_DIR
mount -t tmpfs -o mode=1777 tmpfs /var/tmp # in a name space of ours
uid=$(id -u nobody) gid=$(id -g nobody)
home=/var/tmp/bascule-$uid
config=$home/.config/bascule/config.yaml
chmod 755 "$work"
mkdir -p "$work/root/.config/bascule"
export HOME=$work/root XDG_CONFIG_HOME=$work/root/.config
printf 'runs-dir: /root-runs\nset: {patroni.ttl: 77s}\n' >"$XDG_CONFIG_HOME/bascule/config.yaml"
cp "$BASCULE_TREE/tests/lib/one-node.yaml" "$work/one.yaml"

exits 0 'runs, as root' "$BASCULE" runs
says "no run yet in $home/.local/state/bascule/runs " 'root'"'"'s own file counts for nothing'
"$BASCULE" doctor >"$out" 2>&1
says "configuration +none; it would be $config" 'doctor names the file that would count'

as_user() { setpriv --reuid "$uid" --regid "$gid" --clear-groups env HOME="$home" "$@"; }
as_user mkdir -p "${config%/*}"
as_user sh -c 'printf "runs-dir: ~/mine\nset: {patroni.ttl: 25s}\n" >"$1"' sh "$config"
exits 0 'up, as root' "$BASCULE" up "$work/one.yaml" --lab "$lab"
says "^settings of $config: patroni.ttl=25s\$" 'takes the settings of the user whom the lab belongs to'
says "Its run folder: $home/mine/" 'and his folder of runs'
exits 0 'down' "$BASCULE" down --force "$lab"
exits 0 'runs' "$BASCULE" runs
says 'one-node|[0-9]{8}-' 'lists it'

# What root may read is not shown to him: his link to it leads nowhere.
printf 'secret: hidden-word\n' >"$work/secret"
chmod 600 "$work/secret"
as_user ln -sf "$work/secret" "$config"
for command in "up $work/one.yaml" runs doctor; do
  # shellcheck disable=SC2086
  "$BASCULE" $command >"$out" 2>&1
  says "'$config': Permission denied" "$command: a file that its owner can't read is not read for him"
  check 'nothing of it is told' test -z "$(grep hidden-word "$out")"
done
