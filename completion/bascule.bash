# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# bash completion for bascule: commands, options, scenario files, topologies, faults, and the nodes of the lab that runs.
# Use it at once with `. completion/bascule.bash`; `make install` puts it where bash-completion looks.

_bascule_scenarios_dir() {
  local program dir
  program=$(type -P "${COMP_WORDS[0]}") || return
  program=$(realpath "$program")
  for dir in "${BASCULE_DATA_DIR:-}" "${program%/*/*}/scenarios" "${program%/*/*}/share/bascule/scenarios"; do
    [ -n "$dir" ] && [ -d "$dir" ] && printf '%s\n' "$dir" && return
  done
}

_bascule_yaml_names() { # names without .yaml of the files in folder $1
  local file
  for file in "$1"/*.yaml; do
    [ -e "$file" ] && file=${file##*/} && printf '%s\n' "${file%.yaml}"
  done
}

# A lab that does not answer, or thousands of runs on a slow disk, must not keep the one who presses TAB waiting.
_bascule_ask() { timeout 1 "${COMP_WORDS[0]}" "$@" 2>/dev/null; }
_bascule_status() { _bascule_ask status --json ${1:+--lab "$1"}; }

# The words of "name": "..." in `bascule status --json`, of the nodes or of anything else that has a name.
_bascule_nodes() {
  _bascule_status "$1" | grep -oE '"name":[[:space:]]*"[^"]+"' | cut -d'"' -f4
}

_bascule_faults() { _bascule_ask faults | awk '/^  / {print $1}'; }
_bascule_fault_params() { _bascule_ask faults "$1" | awk '/^  / {print $1 "="}'; }
# The words of parameter $2 of fault $1, of setting $1: what a choice allows.
_bascule_param_words() { _bascule_ask faults "$1" --json | _bascule_words_of "$2"; }
_bascule_words_of() { # of the object whose "name" is $1: "words": "a|b"
  awk -F'"' -v wanted="$1" '$2 == "name" {name = $4} $2 == "words" && name == wanted {gsub(/\|/, "\n", $4); print $4}'
}
_bascule_settings() { _bascule_ask settings | awk '{print $1 "="}'; }
_bascule_setting_words() { # a choice is listed as its words: "off, automatic, required"
  case $1 in
  topology) _bascule_yaml_names "$(_bascule_scenarios_dir)/topologies" ;;
  image) echo host; _bascule_images ;;
  *) _bascule_ask settings "$1" --json | tr -d '\n\t' | sed -n 's/.*"words":\[\([^]]*\)\].*/\1/p' | tr -d '"' | tr ',' '\n' ;;
  esac
}
_bascule_fault_ids() { _bascule_status "$1" | grep -oE '"id":[[:space:]]*"[^"]+"' | cut -d'"' -f4; }
_bascule_images() { _bascule_ask image list --json | grep -oE '"name":[[:space:]]*"[^"]+"' | cut -d'"' -f4; }
_bascule_runs() { _bascule_ask runs --json | grep -oE '"(name|scenario)":[[:space:]]*"[^"]+"' | cut -d'"' -f4 | sort -u; }
_bascule_views() { ARGP_HELP_FMT=rmargin=9999 _bascule_ask top --help | sed -n 's/.*begin with this screen: //p' | tr -d ','; }
_bascule_labs() { _bascule_ask list --names; }

_bascule_options() {
  case $1 in
  run) echo '--seed --set --keep --hold --json --runs-dir --lab --cold --random --duration --replay --help' ;;
  up) echo '--seed --set --runs-dir --lab --cold --no-workload --help' ;;
  status) echo '--json --watch --links --lab --help' ;;
  top) echo '--lab --view --readonly --ascii --theme --help' ;;
  replay) echo '--speed --view --ascii --theme --to-text --at --every --size --tones --help' ;;
  hold | next | go) echo '--lab --help' ;;
  heal) echo '--all --lab --help' ;;
  down) echo '--all --force --lab --help' ;;
  logs) echo '--follow --lab --help' ;;
  inject | shell | exec | psql) echo '--lab --help' ;;
  runs) echo '--json --runs-dir --keep --older --dry-run --help' ;;
  report) echo '--json --html --help' ;;
  list) echo '--json --names --help' ;;
  check | scenarios | compare | faults | settings | doctor) echo '--json --help' ;;
  matrix) echo '--image --runs --jobs --json --runs-dir --set --seed --cold --help' ;;
  image)
    case ${words[0]:-} in
    build) echo '--suite --package --mirror --bare --help' ;;
    import) echo '--name --help' ;;
    list | verify) echo '--json --help' ;;
    *) echo '--help' ;;
    esac
    ;;
  *) echo '--help' ;;
  esac
}

_bascule_selectors='leader not_leader replica any_replica sync_standby async_standby etcd_leader etcd_follower etcd_majority app proxy all'
_bascule_commands='run up top status inject heal hold next go shell exec psql logs list down scenarios check replay runs report compare faults settings matrix image doctor'

# Positional arguments before the cursor (without options and their values) into $words, the command into $command, --lab's into $lab.
_bascule_parse() {
  local i word
  command='' lab='' words=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
    --lab | -l) lab=${COMP_WORDS[i + 1]:-} && i=$((i + 1)) ;;
    --set) i=$((i + 1)) && [ "${COMP_WORDS[i + 1]:-}" != = ] || i=$((i + 2)) ;;
    --seed | --runs-dir | --view | --theme | --speed | --at | --every | --size | --image | --runs | --jobs | --suite | --package | --mirror | --name | --keep | --older) i=$((i + 1)) ;;
    -*) ;;
    *) if [ -z "$command" ]; then command=$word; else words+=("$word"); fi ;;
    esac
  done
}

_bascule_candidates() {
  local dir
  dir=$(_bascule_scenarios_dir)
  case $command in
  run) _bascule_yaml_names "$dir" ;;
  scenarios) _bascule_yaml_names "$dir"; echo 'crash network dcs replication storage resource configuration human client' ;;
  up) _bascule_yaml_names "$dir/topologies" ;;
  faults) _bascule_faults ;;
  inject)
    case ${#words[@]} in
    0) _bascule_faults ;;
    1) _bascule_nodes "$lab"; printf '%s\n' "$_bascule_selectors" ;;
    *) _bascule_fault_params "${words[0]}" ;;
    esac
    ;;
  shell | exec | psql) [ ${#words[@]} -gt 0 ] || _bascule_nodes "$lab" ;;
  logs) if [ ${#words[@]} = 0 ]; then _bascule_nodes "$lab"; else echo 'patroni postgresql etcd haproxy'; fi ;;
  down) _bascule_labs ;;
  heal) _bascule_fault_ids "$lab" ;;
  settings) _bascule_ask settings | awk '{print $1}' ;;
  report | compare | replay | top) echo last; _bascule_runs ;;
  runs) echo prune; _bascule_yaml_names "$dir" ;;
  matrix) _bascule_yaml_names "$dir" ;;
  image)
    case ${words[0]:-} in
    '') echo 'build list verify remove import export' ;;
    build) echo 'debian-12 debian-13 debian-14 debian-sid' ;;
    verify | remove | export) [ ${#words[@]} -gt 1 ] || _bascule_images ;;
    esac
    ;;
  esac
}

_bascule() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command lab words key
  COMPREPLY=()
  _bascule_parse
  # "key=va<TAB>" comes as the three words "key", "=" and "va": '=' breaks words in bash.
  if [ "$current" = = ]; then
    key=$previous current=''
  elif [ "$previous" = = ]; then
    key=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [ -n "${key:-}" ]; then
    case $command in
    inject) mapfile -t COMPREPLY < <(compgen -W "$(_bascule_param_words "${words[0]}" "$key")" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$(_bascule_setting_words "$key")" -- "$current") ;;
    esac
    return
  fi
  case $previous in
  --lab | -l) mapfile -t COMPREPLY < <(compgen -W "$(_bascule_labs)" -- "$current") && return ;;
  --runs-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current") && return ;;
  --theme) mapfile -t COMPREPLY < <(compgen -W 'auto dark light' -- "$current") && return ;;
  --view) mapfile -t COMPREPLY < <(compgen -W "$(_bascule_views)" -- "$current") && return ;;
  --image)
    # "host,deb<TAB>": what stands before the last comma stays
    local head=''
    [[ $current != *,* ]] || head=${current%,*},
    mapfile -t COMPREPLY < <(compgen -P "$head" -W "host $(_bascule_images)" -- "${current##*,}")
    return
    ;;
  --set)
    mapfile -t COMPREPLY < <(compgen -W "topology= $(_bascule_settings)" -- "$current")
    compopt -o nospace 2>/dev/null
    return
    ;;
  --seed | --speed | --at | --every | --size | --runs | --jobs | --suite | --package | --mirror | --name | --keep | --older) return ;;
  esac
  if [ -z "$command" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$_bascule_commands --help --version" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_bascule_options "$command")" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(_bascule_candidates)" -- "$current")
    case $command in
    run | up | top | check | replay | report | compare | matrix | image)
      local files
      mapfile -t files < <(compgen -f -- "$current")
      COMPREPLY+=("${files[@]}")
      compopt -o filenames 2>/dev/null
      ;;
    inject) [[ ${COMPREPLY[*]:-} == *= ]] && compopt -o nospace 2>/dev/null ;;
    esac
  fi
}

# Run as a program, it answers the other shells: `bash bascule.bash WORD...` prints what may stand in the place of the last word, a
# line each. They have "key=value" as one word, bash as three.
_bascule_answer() {
  local word head=''
  COMP_WORDS=()
  for word; do
    case $word in
    ?*=*) COMP_WORDS+=("${word%%=*}" "=" "${word#*=}") ;;
    *) COMP_WORDS+=("$word") ;;
    esac
  done
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  case ${!#} in ?*=*) head=${!#} && head=${head%%=*}= ;; esac
  _bascule 2>/dev/null
  for word in "${COMPREPLY[@]}"; do printf '%s%s\n' "$head" "$word"; done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then _bascule_answer "$@"; else complete -F _bascule bascule; fi
