#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# timeout: 400
# Nodes made of another Debian release than the host. The image is the user's own (`bascule image build debian-13`), too large to be
# made by a test; BASCULE_TEST_IMAGE names another one. Skipped where there is none.
# shellcheck source=../lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image=${BASCULE_TEST_IMAGE:-debian-13}
# tests/run gives each test a home of its own.
export BASCULE_IMAGES_DIR=${BASCULE_IMAGES_DIR:-$(getent passwd "$(id -u)" | cut -d: -f6)/.local/share/bascule/images}
[ -d "$BASCULE_IMAGES_DIR/$image" ] || skip_all "no image '$image' in $BASCULE_IMAGES_DIR: bascule image build $image makes it"
scenario=$BASCULE_TREE/scenarios/leader-crash.yaml

exits 4 'an image that is not there skips the scenario' "$BASCULE" run "$scenario" --runs-dir "$runs" --set image=no-such-image
says 'bascule image build' 'and the way out is told'
exits 2 'a malformed name is a mistake' "$BASCULE" run "$scenario" --runs-dir "$runs" --set image=../x
says "can't be the name of an image" 'and told so'

run_scenario leader-crash --set "image=$image"
result 'each phase with a bound is inside it' 'all(p["inside"] for p in r["phases"] if p["bound_max_ms"] is not None)'
result 'every phase from detect to reroute was seen' 'all(phase(p) and ms(p) is not None for p in ("detect", "elect", "promote", "reroute"))'
result 'the versions are told' '{"PostgreSQL", "Patroni", "etcd", "Debian"} <= set(r["versions"])'
check 'and the log names the image of each node' test "$(grep -c "\"image\":\"$image\"" "$run/events.jsonl")" -ge 4

lab=image-$$
exits 0 'a lab of the image, on disk' "$BASCULE" up patroni-3 --lab "$lab" --runs-dir "$runs" --set "image=$image" --set storage=disk
up=$(find "$runs" -mindepth 1 -maxdepth 1 -name '*patroni-3' | sort | tail -n 1)
debian() { "$BASCULE" exec --lab "$lab" n1 -- cat /etc/debian_version; }
host_debian=$(cat /etc/debian_version 2>/dev/null)
release=$(debian)
check 'a node is of that release' test -n "$release" -a "$release" != "$host_debian"
exits 0 'who one is there' "$BASCULE" exec --lab "$lab" n2 -- id -un
says '^postgres$' 'is postgres'
exits 0 'psql in the node' "$BASCULE" psql --lab "$lab" n1 -- -Atc 'show server_version'
wanted=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["versions"]["PostgreSQL"])' "$run/result.json")
check 'reaches the server whose version the run told' test "$(cut -d' ' -f1 "$out")" = "$wanted"
exits 0 'patronictl knows the cluster' "$BASCULE" exec --lab "$lab" n3 -- patronictl list
says 'n1.*Leader' 'and its leader'
exits 0 'a node writes what it likes' "$BASCULE" exec --lab "$lab" n2 -- sh -c 'echo mine >/usr/mine && rm /etc/os-release'
check 'no other node sees it' "$BASCULE" exec --lab "$lab" n3 -- sh -c 'test ! -e /usr/mine -a -e /etc/os-release'
exits 0 'a power cut' "$BASCULE" inject --lab "$lab" node.power_off n2
exits 0 'and its end' "$BASCULE" heal --lab "$lab" --all
check 'the node is on again' within 30 status 'node("n2")["on"] and node("n2")["streaming"]'
check 'and has kept what it wrote' "$BASCULE" exec --lab "$lab" n2 -- sh -c 'grep -q mine /usr/mine && test ! -e /etc/os-release'
check 'the image is as it was' sh -c "! find '$BASCULE_IMAGES_DIR/$image/' -newer '$up/events.jsonl' -name mine | grep ."
goes_down 0 "$lab"
lab=
check 'and the disks can be removed by a plain user' rm -r "$up"
