# The measuring program and script: that they measure what they say, not how fast.

load helper

setup() {
  ! grep -q __asan_init "$MLPDIST" || skip "a sanitizer measures itself"
  cd "$BATS_TEST_TMPDIR" || return 1
  build=$(dirname "$MLPDIST")
  errors=/dev/null
}

@test "bench_step: a line a round, its figures agree with each other" {
  output=$("$build/tests/bench_step" --csv --threads 1 2 784-30-10-b1200) && status=0 || status=$?
  [ "$status" = 0 ] || fail "status"
  awk -F, '
    function near(a, b) { return a > 0.99 * b && a < 1.01 * b }
    NF != 12 || $1 != "784-30-10-b1200-sgd" || $2 != 1 || $3 != 1 || $4 != "canonical" { bad = 1 }
    # 4 x 784 x 30 + 6 x 30 x 10 operations a sample; whole epochs of 12000; no phase is longer than the whole
    !near($6, $5 * 95880e-9) || !near($8, $6 / $7) || $10 + $11 + $12 > 1.01 * $9 || $10 <= 0 { bad = 1 }
    END { exit bad || NR != 2 }' <<< "$output" || fail "$output"
}

@test "bench_step on two ranks: plain allreduce is another sum" {
  output=$(timeout 60 mpirun --oversubscribe --bind-to none -np 2 "$build/tests/bench_step" --csv --reduce allreduce 1 \
    32-64-64-1-b256-momentum) && status=0 || status=$?
  [ "$status" = 0 ] || fail "status"
  awk -F, '$2 != 2 || $3 != 1 || $4 != "allreduce" || $11 <= 0 { bad = 1 } END { exit bad || NR != 1 }' <<< "$output" ||
    fail "$output"
}

@test "scripts/bench alone: a table, CSV files" {
  output=$(timeout 100 "$BATS_TEST_DIRNAME/../scripts/bench" --build "$build" --no-peers --rounds 1 --markdown \
    --cases 32-64-64-1-b256-momentum) && status=0 || status=$?
  [ "$status" = 0 ] || fail "status"
  grep -Eq '^\| 32-64-64-1-b256-momentum \| mlpdist 1 x 1 \| 1 \| [0-9]+ ' <<< "$output" || fail "no row"
  grep -q '^32-64-64-1-b256-momentum,1,mlpdist 1 x 1,' "$build/bench/summary.csv" || fail "no summary"
}
