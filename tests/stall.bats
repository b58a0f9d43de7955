# alone: it measures how long a run takes, and would report waits that other tests make longer.
# The watch over waits: a stopped rank is named, and when it continues, so does the run, as if nothing had happened.

load helper
load background

options=(--hidden "512,256" --lanes 4 --batch 64 --seed 3 --threads 1)

# A run of 0.6 seconds alone, more on three ranks, however fast the machine and the build are: long enough to stop a rank
# after the first epoch.
setup_file() {
  load helper
  ! is_sanitized || return 0 # all is skipped
  local started milliseconds
  started=$(date +%s%N)
  "$MLPDIST" train "${quick[@]}" --quiet --epochs 20 "${options[@]}" --out "$BATS_FILE_TMPDIR/measured" > "$BATS_FILE_TMPDIR/train.out"
  milliseconds=$((($(date +%s%N) - started) / 1000000))
  export EPOCHS=$((20 + 20 * 600 / (milliseconds + 1)))
  "$MLPDIST" train "${quick[@]}" --quiet --epochs "$EPOCHS" "${options[@]}" --out "$BATS_FILE_TMPDIR/undisturbed" \
    > "$BATS_FILE_TMPDIR/train.out"
}

setup() {
  unless_sanitized "waits of seconds; test_comm watches over waits under the sanitizers"
  cd "$BATS_TEST_TMPDIR" || return 1
}

# process_of RANK: the process of a rank of the run under way, by its environment.
process_of() {
  local process
  for process in $(pgrep -f -- "--out $BATS_TEST_TMPDIR/run"); do
    if tr '\0' '\n' < "/proc/$process/environ" 2> /dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$1"; then
      echo "$process"
    fi
  done
}

# preloading NAME [VARIABLE=VALUE]...: ./preloading is the program with tests/NAME.c preloaded, and with the variables.
preloading() {
  # shellcheck disable=SC2046 # flags, to be split
  [ -e "$1.so" ] || "${CC:-cc}" -shared -fPIC $(pkg-config --cflags ompi-c) -o "$1.so" "$BATS_TEST_DIRNAME/$1.c"
  {
    printf '#!/bin/sh\nexec env LD_PRELOAD=%q' "$PWD/$1.so"
    printf ' %q' "${@:2}" "$(command -v "$MLPDIST")"
    # shellcheck disable=SC2016 # the script expands it
    echo ' "$@"'
  } > preloading
  chmod +x preloading
}

# stop_rank RANK [OPTION]...: stops a rank of three in mid-run; launcher is mpirun's process.
stop_rank() {
  local rank=$1
  shift
  timeout "$hang_after" mpirun --oversubscribe --bind-to none -np 3 "$MLPDIST" train "${quick[@]}" --epochs "$EPOCHS" "${options[@]}" "$@" \
    --out "$BATS_TEST_TMPDIR/run" > out 2> "$errors.all" 3>&- &
  launcher=$!
  local limit=$((SECONDS + hang_after / 2))
  while ! grep -qs '^1,' run/metrics.csv && ((SECONDS < limit)); do sleep 0.02; done # until the first epoch is done
  process=$(process_of "$rank")
  [ -n "$process" ] || fail "no process of rank $rank"
  kill -STOP "$process"
}

wait_for_run() {
  status=0
  wait "$launcher" || status=$?
  output=$(cat out)
  grep -a '^mlpdist:' "$errors.all" | grep -av '^mlpdist: note:' > "$errors" || true
}

# stop_and_go RANK [OPTION]...: stops a rank until it is told of, then lets it go on. On a busy machine another rank may be
# silent with it, the first time: the next note comes later.
stop_and_go() {
  local rank=$1 launcher process limit=$((SECONDS + hang_after / 2))
  stop_rank "$@" --stall-timeout 1
  while ! grep -aq "$(names "$rank")" "$errors.all" && ((SECONDS < limit)); do sleep 0.1; done
  kill -CONT "$process"
  wait_for_run
}

# names RANK: a pattern of the note.
names() { echo "^mlpdist: note: rank $1 on [^ ]*: 2 other ranks have waited [0-9]* s for it at step [0-9]*;"; }

# is_named RANK OPTION...
is_named() {
  stop_and_go "$@"
  [ "$status" = 0 ] || fail "status $status: $(cat "$errors.all")"
  grep -aq "$(names "$1")" "$errors.all" || fail "not told: $(cat "$errors.all")"
  grep -q "^mlpdist: note: all ranks respond again .* the run continues" "$errors.all" || fail "nothing goes on: $(cat "$errors.all")"
}

for_rank() {
  is_named "$1"
  [ "$(last_line)" = "$(tail -n 1 "$BATS_FILE_TMPDIR/train.out")" ] || fail "another digest"
}

@test "a stopped rank is named by rank 0" { for_rank 2; }

@test "rank 0, stopped, is named by rank 1" { for_rank 0; }

@test "ranks that wait for messages name a stopped rank, too" {
  preloading own_node
  MLPDIST=$PWD/preloading for_rank 1
  [ "$(grep -c '^own_node: rank ' "$errors.all")" = 3 ] || fail "not preloaded"
}

@test "--reduce allreduce: a stopped rank is named, too" { is_named 1 --reduce allreduce; }

@test "a rank that stays stopped ends the run after --stall-abort, with one line; it goes on without it" {
  local rank launcher process
  for rank in 0 2; do
    stop_rank "$rank" --stall-timeout 0 --stall-abort 1 --checkpoint-every 1epoch
    wait_for_run
    fails_with 4 "rank $rank on " " waited " " at step " "--stall-abort 1" "--resume auto"
    ! is_running "$process" || fail "rank $rank is still there"
    launch 2 train "${quick[@]}" --quiet --epochs "$EPOCHS" "${options[@]}" --resume auto --out run
    succeeds
    [ "$(last_line)" = "$(tail -n 1 "$BATS_FILE_TMPDIR/train.out")" ] || fail "another digest"
    rm -r run
  done
}

# stopped RANK COLLECTIVE COMMAND...: two ranks, of which one stops as it begins its collective of this number. On a busy
# machine ranks start far apart, and only a longer wait tells the stopped one.
stopped() {
  preloading stop_rank STOP_RANK="$1" STOP_AT="$2" STOP_COUNT="$PWD/count"
  local patience=1.2
  [ "$1" != none ] || patience=50
  shift 2
  # mpirun kills the other rank at once; the tests above leave ranks a second or two for messages of their own.
  OMPI_MCA_odls_base_sigkill_timeout=0 MLPDIST=$PWD/preloading launch 2 "$@" --threads 1 --stall-timeout 0 --stall-abort $patience
}

# ends_naming RANK WHERE
ends_naming() { fails_with 4 "rank $1 on " ": 1 other rank has waited " " s for it $2; " "--stall-abort 1.2"; }

@test "a rank that stops while ranks start, read, evaluate or end is named, too; likewise of eval" {
  local collectives small=(train --quiet --epochs 1 --hidden 4 --lanes 2 --batch 600)
  stopped none 0 "${small[@]}" --out whole
  succeeds
  collectives=$(head -n 1 count)
  stopped 1 1 "${small[@]}" --out run # before ranks know of each other
  fails_with 4 "after 1.2 seconds (--stall-abort) the ranks have not all started"
  stopped 1 3 "${small[@]}" --out run
  ends_naming 1 "at the start"
  stopped 0 14 "${small[@]}" --out run
  ends_naming 0 "while the data is read"
  stopped 1 $((collectives - 4)) "${small[@]}" --out run
  ends_naming 1 "while the test part is evaluated"
  stopped 0 "$collectives" "${small[@]}" --out run
  ends_naming 0 "at the end"
  stopped 1 10 eval --model whole/model.h5
  ends_naming 1 "during the evaluation"
}

@test "--stall-timeout 0 says nothing; negative ones are refused" {
  launch 2 train "${quick[@]}" --quiet --epochs 2 --hidden 4 --stall-timeout 0 --stall-abort 0
  succeeds
  ! grep -q "waited" "$errors.all" || fail "told"
  alone train "${quick[@]}" --epochs 1 --stall-timeout=-1
  fails_with 2 "--stall-timeout"
  alone train "${quick[@]}" --epochs 1 --stall-abort=-1
  fails_with 2 "--stall-abort"
}

@test "ranks that never start end the others: a note, then one line and status 4" {
  unlike "$MLPDIST" train "${quick[@]}" --epochs 1 --stall-timeout 0.5 --stall-abort 1 --out run -- sleep 50
  fails_with 4 "after 1 seconds (--stall-abort) the ranks have not all started" "mpirun --mca btl self,tcp does without it"
  [ "$(grep -c "note: after 0.5 seconds not all ranks have started" "$errors.all")" = 1 ] || fail "expected a note"
  [ ! -e run ] || fail "a run folder was made"
}
