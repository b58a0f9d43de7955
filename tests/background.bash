# shellcheck shell=bash disable=SC2034,SC2154 # variables of helper.bash
# Runs in the background, for tests that signal, stop or kill them. Load it after helper.
# begin NP ARGUMENT...: starts mlpdist on NP ranks under mpirun (0: without); $run is the process number of mpirun or
# mlpdist. Standard output goes to ./printed, standard error to ./told.
begin() {
  local np=$1
  shift
  local launcher=(mpirun --timeout "$hang_after" --oversubscribe --bind-to none -np "$np")
  [ "$np" != 0 ] || launcher=(env)
  rm -f printed told # of a run before: the background may replace them after until_true has read them
  "${launcher[@]}" "$MLPDIST" "$@" > printed 2> told 3>&- &
  run=$!
}

# end: waits for the run; status is its exit status, output and $errors as after launch.
end() {
  local limit=$((SECONDS + hang_after + 10))
  while is_running "$run" && ((SECONDS < limit)); do sleep 0.01; done
  if is_running "$run"; then
    kill -9 "$run"
    fail "the run hangs"
  fi
  status=0
  wait "$run" || status=$?
  output=$(cat printed)
  cp told "$errors.all"
  grep -a '^mlpdist:' told | grep -av '^mlpdist: note:' > "$errors" || true
}

# is_running PID: it is there, and no zombie.
is_running() { grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status"; }

# pid_of RANK: of the run's rank. mpirun is the parent of the ranks on its own machine.
pid_of() {
  local status_file
  grep -ls "^PPid:[[:space:]]*$run\$" /proc/[0-9]*/status | while read -r status_file; do
    if tr '\0' '\n' 2> /dev/null < "${status_file%status}environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1"; then
      basename "$(dirname "$status_file")"
    fi
  done
}

# until_true COMMAND...: waits until it succeeds; fails where the run ends before, or after $hang_after seconds.
until_true() {
  local limit=$((SECONDS + hang_after))
  while ((SECONDS < limit)); do
    ! "$@" || return 0
    is_running "$run" || break
    sleep 0.01
  done
  ! "$@" || return 0
  output="$(cat printed)" status=none
  cp told "$errors"
  fail "did not come true: $*"
}

# has_rows FILE N: metrics of at least N epochs.
has_rows() { [ -e "$1" ] && [ "$(wc -l < "$1")" -gt "$2" ]; }

has_checkpoint() { [ -n "$(checkpoints "$1")" ]; }

# checkpoints RUN-FOLDER: their files, oldest first.
checkpoints() { find "$1/checkpoints" -name 'step-*.h5' 2> /dev/null | sort; }

# same_metrics RUN-FOLDER RUN-FOLDER: all columns but the times.
same_metrics() {
  cmp <(cut -d, -f1-7 "$1/metrics.csv") <(cut -d, -f1-7 "$2/metrics.csv") || fail "the metrics of $1 and $2 differ"
}

digest_of() { sed -n 's/^digest //p' <<< "$1"; }
