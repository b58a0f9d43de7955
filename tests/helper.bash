# Helpers for the tests of the program. MLPDIST is the program (default build/mlpdist), MPI_LAUNCH the command that starts
# its ranks (default Open MPI's mpirun).

: "${MLPDIST:=$(cd "$BATS_TEST_DIRNAME/.." && pwd)/build/mlpdist}"
read -ra mpi_launch <<< "${MPI_LAUNCH:-mpirun --oversubscribe --bind-to none}"
export MLPDIST_DATA_DIR="$BATS_TEST_DIRNAME/../datasets"
export OMP_WAIT_POLICY=passive OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
: "${OMP_NUM_THREADS:=1}"
export OMP_NUM_THREADS
# In another locale, bash takes $'\u202e' for six letters.
[ "$(locale charmap 2> /dev/null)" = UTF-8 ] || export LC_ALL=C.UTF-8
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# A run that takes longer than this counts as hanging (seconds). No run needs nearly as long on an idle machine; on a busy one
# the longest took more than 60.
hang_after=240

# Options of a quick run: a small network, few epochs. The defaults, made for real tables, take longer.
quick=(--hidden 64 --activation relu --optimizer momentum --lr 0.1 --weight-decay 0 --schedule constant --warmup-epochs 0
  --epochs 10 --select loss)

commands="train eval predict info convert export import explain doctor"

# Standard error of the last launch, without mpirun's own remarks about exit codes.
errors="$BATS_TEST_TMPDIR/errors"

# launch NP ARGUMENT...: the program on NP ranks; output gets standard output, $errors what mlpdist said, status its
# exit status (124 after $hang_after seconds). grep -a: what mpirun of Open MPI 5 says of an abort has a zero byte.
launch() {
  local np=$1
  shift
  status=0
  output=$(timeout "$hang_after" "${mpi_launch[@]}" -np "$np" "$MLPDIST" "$@" 2> "$errors.all") || status=$?
  grep -a '^mlpdist:' "$errors.all" | grep -av '^mlpdist: note:' > "$errors" || true
}

# unlike COMMAND... -- COMMAND...: two ranks, the first with one command, the second with the other. (Open MPI 5.0.7 of
# Debian 13 crashes at mpirun A : B.)
unlike() {
  local first=()
  while [ "$1" != -- ]; do
    first+=("$1")
    shift
  done
  shift
  {
    echo '#!/bin/sh'
    # shellcheck disable=SC2016 # the script expands it
    printf '[ "${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}" != 0 ] || exec'
    printf ' %q' "${first[@]}"
    printf '\nexec'
    printf ' %q' "$@"
    echo
  } > "$BATS_TEST_TMPDIR/unlike"
  status=0
  output=$(timeout "$hang_after" "${mpi_launch[@]}" -np 2 sh "$BATS_TEST_TMPDIR/unlike" 2> "$errors.all") || status=$?
  grep -a '^mlpdist:' "$errors.all" | grep -av '^mlpdist: note:' > "$errors" || true
}

# alone ARGUMENT...: the program without mpirun.
alone() {
  status=0
  output=$(timeout "$hang_after" "$MLPDIST" "$@" 2> "$errors.all") || status=$?
  grep -av '^mlpdist: note:' "$errors.all" > "$errors" || true
}

# on NP ARGUMENT...: the program on NP ranks, one of them without mpirun, which sleeps for two seconds after a failure.
on() {
  if [ "$1" = 1 ]; then alone "${@:2}"; else launch "$@"; fi
}

fail() {
  echo "$*"
  echo "status $status"
  echo "output: $output"
  echo "errors: $(cat "$errors")"
  [ -s "$errors" ] || echo "other lines, the last ten: $(tail -n 10 "$errors.all" 2> /dev/null)" # such as mpirun's
  return 1
}

# fails_with STATUS WORD...: the last run ended with this status and one line that holds the words.
fails_with() {
  [ "$status" = "$1" ] || fail "expected status $1"
  shift
  [ "$(wc -l < "$errors")" = 1 ] || fail "expected one line of error"
  grep -q '^mlpdist: ' "$errors" || fail "the line does not begin with mlpdist:"
  local word
  for word; do grep -qF -- "$word" "$errors" || fail "expected '$word'"; done
}

succeeds() {
  [ "$status" = 0 ] || fail "expected status 0"
  [ ! -s "$errors" ] || fail "expected no errors"
}

# says WORD...: the last output holds the words.
says() {
  local word
  for word; do grep -qF -- "$word" <<< "$output" || fail "expected '$word'"; done
}

last_line() { tail -n 1 <<< "$output"; }

# need_h5py: python gets the name of a Python with NumPy and h5py, or the test is skipped.
need_h5py() {
  for python in ${PYTHON:-python3 /usr/bin/python3}; do
    "$python" -c 'import numpy, h5py' 2> /dev/null && return
  done
  skip "no Python with NumPy and h5py; PYTHON names one"
}

# beyond_base: more_base gets the MB that a rank takes before it loads anything, beyond the 26 MB with the Open MPI of
# Debian 12, for which limits of memory in these tests were chosen.
beyond_base() {
  local base
  launch 2 train "${quick[@]}" --epochs 1 --hidden 4 --threads 1 --out base
  succeeds
  base=$(sed -n 's/^memory .* MB expected (\([0-9]*\)\.[0-9]* MB of them before loading.*/\1/p' <<< "$output")
  [ -n "$base" ] || fail "no line about memory"
  more_base=$((base > 26 ? base - 26 : 0))
}

# Is the program a build with the address sanitizer?
is_sanitized() { grep -q __asan_init "$(command -v "$MLPDIST")"; }

# unless_sanitized REASON: skips a test that such a build need not repeat, or cannot.
unless_sanitized() { ! is_sanitized || skip "$1"; }

# already_sanitized: skips a test under the sanitizers where unit tests and other tests reach all of its code (tests/README.md).
already_sanitized() { unless_sanitized "other tests reach the same code under the sanitizers"; }
