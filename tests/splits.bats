# early: it takes about a minute, and would keep one core busy at the end.
# The promise: the same bits for any number of ranks and threads. Random configurations on random splits, and ranks that
# start with different options.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

comparison() {
  local python
  for python in "${PYTHON:-python3}" /usr/bin/python3; do
    "$python" -c 'import numpy, h5py' 2> /dev/null || continue
    status=0
    output=$("$python" "$BATS_TEST_DIRNAME/../scripts/compare-splits" "$@" 2>&1) || status=$?
    return
  done
  skip "no Python with NumPy and h5py; PYTHON names one"
}

@test "random networks, data and splits: one digest each, and one metrics.csv" {
  : > "$errors"
  MLPDIST=$(command -v "$MLPDIST") comparison --seconds "${SPLITS_SECONDS:-40}" --seed 1
  [ "$status" = 0 ] || fail "splits differ"
  [[ "$(last_line)" =~ ^[1-9][0-9]*\ configurations,.*,\ 0\ differ$ ]] || fail "no summary"
}

@test "1, 2, 3, 4, 5, 7, 8, 16 ranks, each with 1 thread and with 2, 3 or 5: one digest, one metrics.csv" {
  unless_sanitized "digests over many splits: compared in the build without sanitizers"
  local ranks threads several=(2 3 5) k=0 first=
  # 1259 rows in batches of 200 and 59, over 16 lanes: shares are uneven, and some lanes of the last batch are short.
  for ranks in 1 2 3 4 5 7 8 16; do
    for threads in 1 "${several[k++ % 3]}"; do
      launch "$ranks" train "${quick[@]}" --quiet --out "run-$ranks-$threads" --threads "$threads" --hidden 40,16 --activation gelu \
        --optimizer adam --lr 0.002 --schedule cosine --batch 200 --lanes 16 --epochs 2
      succeeds
      first=${first:-$output}
      [ "$output" = "$first" ] || fail "$ranks ranks x $threads threads: not $first"
      cmp <(cut -d, -f1-7 run-1-1/metrics.csv) <(cut -d, -f1-7 "run-$ranks-$threads/metrics.csv") || fail "metrics differ"
    done
  done
}

@test "the comparison sees a momentum that is another under mpirun" {
  unless_sanitized "a test of the comparison, not of the program"
  : > "$errors"
  cat > wrong << END
#!/bin/sh
[ -z "\${OMPI_COMM_WORLD_SIZE:-\${PMI_SIZE:-}}" ] || set -- "\$@" --optimizer momentum --momentum 0.89
[ -n "\${OMPI_COMM_WORLD_SIZE:-\${PMI_SIZE:-}}" ] || [ "\$1" != train ] || set -- "\$@" --optimizer momentum
exec "$(command -v "$MLPDIST")" "\$@"
END
  chmod +x wrong
  # The third configuration has several steps, and splits of more than one rank.
  MLPDIST=$PWD/wrong TMPDIR=$PWD comparison --only 3 --seed 1
  [ "$status" = 1 ] || fail "expected status 1"
  says "DIFFERENT: result, metrics" "to repeat: scripts/compare-splits --seed 1 --only 3" "1 configurations" "1 differ"
}

@test "ranks with other options, another back end or another split are refused by name" {
  unlike "$MLPDIST" train "${quick[@]}" --quiet --epochs 1 -- "$MLPDIST" train "${quick[@]}" --quiet --epochs 1 --lr 0.2
  fails_with 2 "rank 1 of 2 on " "'lr = 0.2' here, 'lr = 0.1' on rank 0"
  [ ! -e run ] || fail "a run folder is left"
  unlike "$MLPDIST" train "${quick[@]}" --quiet --epochs 1 -- "$MLPDIST" train "${quick[@]}" --quiet --epochs 1 --checkpoint-every 5
  fails_with 2 "rank 1 of 2 on " "'checkpoint-every = 5' here, 'checkpoint-every = 10min' on rank 0"
  alone train "${quick[@]}" --quiet --epochs 1
  succeeds
  unlike "$MLPDIST" eval -- "$MLPDIST" eval --part train
  fails_with 2 "rank 1 of 2 on " "'split = train' here, 'split = test' on rank 0"
  unlike "$MLPDIST" predict --out p.csv -- "$MLPDIST" predict --part train --out p.csv
  fails_with 2 "rank 1 of 2 on " "'split = train' here, 'split = test' on rank 0"
}

@test "threads may differ from rank to rank" {
  alone train "${quick[@]}" --quiet --epochs 2 --lanes 4 --threads 1
  succeeds
  local digest
  digest=$(last_line)
  unlike "$MLPDIST" train "${quick[@]}" --quiet --epochs 2 --lanes 4 --threads 1 -- "$MLPDIST" train "${quick[@]}" --quiet --epochs 2 --lanes 4 --threads 3
  succeeds
  [ "$(last_line)" = "$digest" ] || fail "another digest than $digest"
}

@test "another instruction set on one rank is noticed, and the run goes on" {
  "$MLPDIST" --version | grep -q oneDNN || skip "built without oneDNN"
  grep -qw avx2 /proc/cpuinfo || skip "no processor with AVX2"
  unlike env DNNL_MAX_CPU_ISA=SSE41 "$MLPDIST" train "${quick[@]}" --quiet --epochs 1 --backend onednn -- \
    env DNNL_MAX_CPU_ISA=AVX "$MLPDIST" train "${quick[@]}" --quiet --epochs 1 --backend onednn
  succeeds
  grep -q 'note: rank 1 of 2 on .* computes with AVX, rank 0 with SSE41: .*DNNL_MAX_CPU_ISA' "$errors.all" || fail "no notice"
}

# valgrind's processor has AVX2 and no AVX-512.
@test "the same digest with AVX-512 and with AVX2" {
  unless_sanitized "valgrind does not run what the address sanitizer has compiled"
  command -v valgrind > /dev/null || skip "needs valgrind"
  grep -qw avx512f /proc/cpuinfo || skip "this processor has no AVX-512 to compare with"
  local digest options=(--epochs 1 --hidden 70,33 --activation relu,gelu --optimizer adamw --lr 0.01 --schedule cosine --quiet)
  alone train "${quick[@]}" "${options[@]}"
  succeeds
  digest=$(last_line)
  # nullgrind: valgrind's processor, without its memory checks.
  [ "$(timeout "$hang_after" valgrind -q --tool=none "$MLPDIST" train "${quick[@]}" "${options[@]}" 2> /dev/null | tail -n 1)" = "$digest" ] ||
    fail "another digest"
}

@test "two threads of a program train at once, each with a communicator of its own: the bits of one after the other" {
  unless_sanitized "a program of its own, which is linked without sanitizers"
  local build np
  build=$(cd "$(dirname "$(command -v "$MLPDIST")")" && pwd)
  pkg-config --exists ompi-c || skip "no Open MPI that pkg-config knows"
  # shellcheck disable=SC2046 # words are wanted
  "${CC:-cc}" -I"$BATS_TEST_DIRNAME/../include" -o two_threads "$BATS_TEST_DIRNAME/two_threads.c" $(pkg-config --cflags ompi-c) \
    -L"$build" -Wl,-rpath,"$build" -lmlpdist $(pkg-config --libs ompi-c) -lpthread
  for np in 1 2; do
    mkdir "runs-$np"
    timeout "$hang_after" "${mpi_launch[@]}" -np "$np" ./two_threads "runs-$np" > told 2>&1 || fail "$np ranks: $(cat told)"
    [ "$(cat told)" != "MPI has no level MULTIPLE" ] || skip "this MPI library has no MPI_THREAD_MULTIPLE"
    grep -qx same told || fail "$np ranks: $(cat told)"
    [ -e "runs-$np/0/model.h5" ] && [ -e "runs-$np/1/model.h5" ] || fail "a run folder lacks its model"
  done
}
